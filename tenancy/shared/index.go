package shared

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
)

// CheckIndex reads a cluster's answer to GET /index and returns a *RefusedError if
// the index cannot be shared by its partition field: every document must be found
// by that field under the very id that was put in, and nothing but the proxy may
// put it there. It is asked when a tenant is added; an operator who changes the
// index later must keep to it.
func CheckIndex(answer []byte, index, partitionField string) error {
	var all map[string]struct {
		Mappings json.RawMessage `json:"mappings"`
		Settings struct {
			Index map[string]any `json:"index"`
		} `json:"settings"`
	}
	if err := json.Unmarshal(answer, &all); err != nil {
		return fmt.Errorf("the description of index %s: %w", index, err)
	}
	found, ok := all[index]
	if !ok || len(all) != 1 {
		return refuse("%s is no index but an alias; name the index", index)
	}
	if err := checkMapping(found.Mappings, partitionField); err != nil {
		return err
	}
	return checkSettings(found.Settings.Index)
}

func checkMapping(raw json.RawMessage, partitionField string) error {
	var m struct {
		Source     map[string]any            `json:"_source"`
		Derived    json.RawMessage           `json:"derived"`
		Properties map[string]map[string]any `json:"properties"`
	}
	var whole any
	for _, into := range []any{&m, &whole} {
		if err := json.Unmarshal(raw, into); err != nil {
			return fmt.Errorf("the mapping: %w", err)
		}
	}
	f, ok := m.Properties[partitionField]
	switch {
	case !ok:
		return refuse(`the field [%[1]s] is not in the mapping; add "%[1]s": {"type": "keyword"} before the first document`, partitionField)
	case f["type"] != "keyword":
		return refuse("the field [%s] is of type %v, and must be of type keyword", partitionField, f["type"])
	}
	for k, v := range f {
		switch k {
		case "type", "doc_values", "eager_global_ordinals", "meta":
		case "index":
			if v != true {
				return refuse("the field [%s] is not indexed: no document would be found by it", partitionField)
			}
		case "ignore_above":
			if n, ok := v.(float64); !ok || n < placement.MaxPartitionID {
				return refuse("ignore_above of the field [%s] must be at least %d: a longer tenant would find nothing", partitionField, placement.MaxPartitionID)
			}
		default:
			// A normalizer would make two tenants one; null_value would put every
			// unmarked document under one; others nobody has thought about.
			return refuse("the field [%s] must be a plain keyword, without [%s]", partitionField, k)
		}
	}
	for k := range m.Source {
		return refuse("_source has [%s]: every document must be kept whole, the partition field in it", k)
	}
	if len(m.Derived) > 0 {
		return refuse("the mapping has derived fields, whose scripts can read the partition field")
	}
	if reads := readsOthers(whole); reads != "" {
		return refuse("the mapping has a field of type [%s], whose values are looked up in documents of any index, and indexed with what is found there", reads)
	}
	if where := leadsTo(whole, partitionField); where != "" {
		return refuse("the mapping has a [%s] that leads to the field [%s]: a tenant could write or read it by another name", where, partitionField)
	}
	return nil
}

// readsOthers finds a type of fields that holds queries: their lookups are carried
// out as a document is written, and a search finds what came of it.
func readsOthers(v any) string {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if t := readsOthers(x); t != "" {
				return t
			}
		}
	case map[string]any:
		if v["type"] == "percolator" {
			return "percolator"
		}
		for _, x := range v {
			if t := readsOthers(x); t != "" {
				return t
			}
		}
	}
	return ""
}

// leadsTo finds what copies into the field or is another name for it.
func leadsTo(v any, name string) string {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			if w := leadsTo(x, name); w != "" {
				return w
			}
		}
	case map[string]any:
		for k, x := range v {
			if k == "copy_to" || k == "path" && v["type"] == "alias" {
				targets, isList := x.([]any)
				if !isList {
					targets = []any{x}
				}
				if slices.ContainsFunc(targets, func(t any) bool {
					s, _ := t.(string)
					// A template's variable may be anything; fields of OpenSearch's own are not a client's.
					return s == name || strings.ContainsRune(s, '{') || strings.HasPrefix(s, "_")
				}) {
					return k
				}
			}
			if w := leadsTo(x, name); w != "" {
				return w
			}
		}
	}
	return ""
}

// checkSettings refuses pipelines, which could change to whom a document belongs,
// or the narrowed query.
func checkSettings(index map[string]any) error {
	search, _ := index["search"].(map[string]any)
	for name, v := range map[string]any{
		"default_pipeline": index["default_pipeline"], "final_pipeline": index["final_pipeline"], "search.default_pipeline": search["default_pipeline"],
	} {
		if s, _ := v.(string); s != "" && s != "_none" {
			return refuse("the index has a %s, which could change to whom a document belongs, or what is found", name)
		}
	}
	return nil
}
