package mover

import (
	"encoding/json"
	"testing"
)

func TestFieldsCover(t *testing.T) {
	const mapping = `{"dynamic":"true","dynamic_templates":[],"properties":{
		"n":{"type":"long","fields":{"raw":{"type":"keyword"}}},
		"where":{"type":"geo_point"},
		"o":{"properties":{"k":{"type":"keyword"},"deep":{"dynamic":"true","properties":{"x":{"type":"text"}}}},"dynamic":"false"},
		"in":{"type":"nested","properties":{"k":{"type":"keyword"}}},
		"off":{"type":"object","enabled":false},
		"properties":{"properties":{"dynamic":{"type":"long"}}}}}`
	f, ok := readFields(json.RawMessage(mapping), false)
	if !ok {
		t.Fatal("not read")
	}
	for source, want := range map[string]bool{
		`{}`: true, `{"n":1}`: true, `{"n":[1,2,null]}`: true, `{"where":{"lat":1,"lon":2}}`: true, `{"where":[1,2]}`: true,
		`{"m":1}`: false, `{"m":null}`: false, `{"m":{}}`: false, `{"n.raw":1}`: false,
		`{"o":{"k":"x"}}`: true, `{"o":{"z":"x"}}`: true, `{"o":{"z":{"a":1}}}`: true, `{"o.k":"x"}`: true, `{"o.z":1}`: true, `{"o.z.y":1}`: true,
		`{"o":{"deep":{"x":1}}}`: true, `{"o":{"deep":{"y":1}}}`: false, `{"o.deep.y":1}`: false, `{"o":{"deep.x":1}}`: true, `{"o":[{"deep":[{"x":1},{"y":1}]}]}`: false,
		`{"in":[{"k":1},{"k":2}]}`: true, `{"in":[{"k":1},{"j":2}]}`: false, `{"in":null}`: true, `{"in":[[{"k":1}]]}`: true,
		`{"off":{"a":{"b":1}}}`: true, `{"off":7}`: true, `{"o":7}`: false, `{"":1}`: false, `{"o.":1}`: true, `{".o":1}`: false,
		`{"properties":{"dynamic":1}}`: true, `{"properties":{"n":1}}`: false,
		`[]`: false, `7`: false, `{"n":1} // a comment`: false, ``: false, `{"n":1,`: false,
	} {
		if got := f.cover(json.RawMessage(source)); got != want {
			t.Errorf("%s: %t", source, got)
		}
	}
	for _, mapping := range []string{
		`{"properties":{"a":{"type":"text","copy_to":"b"}}}`, `{"properties":{"o":{"disable_objects":true}}}`, `{"subobjects":false}`, `[]`, `{"properties":[]}`, ``,
	} {
		if _, ok := readFields(json.RawMessage(mapping), false); ok {
			t.Errorf("%s: read", mapping)
		}
	}
	if f, ok := readFields(json.RawMessage(`{"dynamic":"strict","properties":{"a":{"type":"text"}}}`), false); !ok || f.cover(json.RawMessage(`{"b":1}`)) || !f.cover(json.RawMessage(`{"a":1}`)) {
		t.Error("strict")
	}
}
