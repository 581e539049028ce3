package shared_test

import (
	"errors"
	"testing"

	"github.com/sluiceproxy/sluice/tenancy/shared"
)

func TestCheckIndex(t *testing.T) {
	index := func(mapping, settings string) string {
		return `{"pool":{"aliases":{},"mappings":` + mapping + `,"settings":{"index":` + settings + `}}}`
	}
	field := func(f string) string { return index(`{"properties":{"tenant":`+f+`,"n":{"type":"long"}}}`, `{}`) }
	for _, good := range []string{
		field(`{"type":"keyword"}`), field(`{"type":"keyword","ignore_above":256,"doc_values":false,"index":true}`),
		index(`{"dynamic":"strict","properties":{"tenant":{"type":"keyword"},"a":{"type":"text","copy_to":["b"]}}}`, `{"default_pipeline":"_none"}`),
	} {
		if err := shared.CheckIndex([]byte(good), "pool", "tenant"); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	var refused *shared.RefusedError
	for _, bad := range []string{
		index(`{}`, `{}`), index(`{"properties":{"n":{"type":"long"}}}`, `{}`), field(`{"type":"text"}`), field(`{"properties":{"x":{"type":"keyword"}}}`),
		field(`{"type":"keyword","normalizer":"lower"}`), field(`{"type":"keyword","null_value":"acme"}`), field(`{"type":"keyword","index":false}`), field(`{"type":"keyword","ignore_above":255}`),
		field(`{"type":"keyword","fields":{"raw":{"type":"keyword"}}}`), field(`{"type":"keyword","copy_to":"x"}`), field(`{"type":"alias","path":"n"}`),
		index(`{"_source":{"enabled":false},"properties":{"tenant":{"type":"keyword"}}}`, `{}`), index(`{"_source":{"excludes":["tenant"]},"properties":{"tenant":{"type":"keyword"}}}`, `{}`),
		index(`{"properties":{"tenant":{"type":"keyword"},"a":{"type":"keyword","copy_to":"tenant"}}}`, `{}`), index(`{"properties":{"tenant":{"type":"keyword"},"a":{"type":"alias","path":"tenant"}}}`, `{}`),
		index(`{"dynamic_templates":[{"x":{"mapping":{"copy_to":["x","tenant"]}}}],"properties":{"tenant":{"type":"keyword"}}}`, `{}`),
		index(`{"dynamic_templates":[{"x":{"mapping":{"copy_to":"{name}"}}}],"properties":{"tenant":{"type":"keyword"}}}`, `{}`),
		index(`{"properties":{"tenant":{"type":"keyword"},"o":{"properties":{"q":{"type":"percolator"}}}}}`, `{}`), index(`{"dynamic_templates":[{"x":{"mapping":{"type":"percolator"}}}],"properties":{"tenant":{"type":"keyword"}}}`, `{}`),
		index(`{"properties":{"tenant":{"type":"keyword"},"a":{"type":"alias","path":"_routing"}}}`, `{}`),
		index(`{"derived":{"x":{"type":"keyword"}},"properties":{"tenant":{"type":"keyword"}}}`, `{}`),
		index(`{"properties":{"tenant":{"type":"keyword"}}}`, `{"default_pipeline":"p"}`), index(`{"properties":{"tenant":{"type":"keyword"}}}`, `{"final_pipeline":"p"}`),
		index(`{"properties":{"tenant":{"type":"keyword"}}}`, `{"search":{"default_pipeline":"p"}}`), `{"other":{"mappings":{"properties":{"tenant":{"type":"keyword"}}}}}`, `{}`,
	} {
		if err := shared.CheckIndex([]byte(bad), "pool", "tenant"); !errors.As(err, &refused) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if err := shared.CheckIndex([]byte(`[`), "pool", "tenant"); err == nil || errors.As(err, &refused) {
		t.Errorf("no JSON: %v", err)
	}
}
