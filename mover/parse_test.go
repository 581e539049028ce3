package mover_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/mover"
)

func TestDecodeBulk(t *testing.T) {
	for _, test := range []struct {
		raw  string
		n    int
		want []bool
		bad  bool
	}{
		{`{"items":[{"index":{"status":201}},{"delete":{"status":404}}]}`, 2, []bool{true, true}, false},
		{`{"items":[{"delete":{"status":404,"error":{"type":"index_not_found_exception"}}}]}`, 1, []bool{false}, false},
		{`{"items":[{"index":{"status":409,"error":{"type":"x"}}},{"index":{"status":429}},{"index":{"status":503}},{"index":{"status":400}}]}`, 4, []bool{false, false, false, false}, false},
		{`{"items":[{"index":{"status":201}},{"index":{"status":200}}]}`, 2, []bool{true, true}, false},
		{`{"items":[{"index":{"status":201}},{"index":{"status":200}}]}`, 1, nil, true},
		{`{"items":[{"index":{"status":201}},{"index":{"status":2000}}]}`, 2, []bool{true, false}, false},
		{`{"items":[{"index":{"status":201}}{"index":{"status":200}}]}`, 2, nil, true},
		{`{"items":[]}`, 0, []bool{}, false},
		{`{"items":[{}]}`, 1, []bool{false}, false},
		{`{"items":[{"index":{"status":201}}]}`, 2, nil, true},
		{`{}`, 1, nil, true},
		{`<html>`, 1, nil, true},
	} {
		got, err := mover.DecodeBulk([]byte(test.raw), test.n)
		if (err != nil) != test.bad {
			t.Errorf("%s: %v", test.raw, err)
			continue
		}
		if d := cmp.Diff(test.want, got); !test.bad && d != "" {
			t.Errorf("%s: %s", test.raw, d)
		}
	}
}

func TestDifferent(t *testing.T) {
	src := map[string]string{"index.uuid": "1", "index.max_result_window": "5", "index.gc_deletes": "60s", "index.refresh_interval": "1s", "index.query.default_field": `["a","b"]`, "index.number_of_shards": "2"}
	dst := map[string]string{"index.uuid": "2", "index.max_ngram_diff": "3", "index.gc_deletes": "0s", "index.refresh_interval": "-1", "index.number_of_routing_shards": "1024", "index.number_of_shards": "2"}
	got := mover.Different(src, dst)
	if len(got) != 3 || got["index.max_result_window"] != "5" || got["index.query.default_field"] == nil {
		t.Errorf("%v", got)
	}
	if v, ok := got["index.max_ngram_diff"]; !ok || v != nil {
		t.Errorf("what the source does not have is not removed: %v", got)
	}
}

func TestTouches(t *testing.T) {
	for d, want := range map[string]bool{
		"update-by-query [docs]":                      true,
		"update-by-query [other]":                     false,
		"update-by-query [other, docs]":               true,
		"reindex from [other] to [docs][_doc]":        true,
		"delete-by-query [do*]":                       true,
		"delete-by-query []":                          true,
		"":                                            true,
		"reindex from [x] updated with Script to [y]": false,
	} {
		if got := mover.Touches(d, "docs"); got != want {
			t.Errorf("%q: %t", d, got)
		}
	}
}
