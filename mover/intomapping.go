package mover

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// Whether a tenant's fields fit into a shared index. A field that both have must be
// defined alike, in every detail: another type or analyzer would refuse documents or
// find others. One that the pool lacks is added as the source has it. So no document of
// the tenant's is mapped by guessing there while it moves, but one that was written when
// the source's mapping said dynamic: false (see frozen.go); a mapping that says so now is
// refused, and what does not fit the guess fails, which aborts the move.

// root is the top of a mapping.
type root struct {
	Properties map[string]any  `json:"properties"`
	Derived    json.RawMessage `json:"derived"`
	Dynamic    any             `json:"dynamic"`
	Templates  any             `json:"dynamic_templates"`
	Dates      any             `json:"date_detection"`
	Formats    any             `json:"dynamic_date_formats"`
	Numbers    any             `json:"numeric_detection"`
}

func roots(s, pool found) (a, b root, err error) {
	for _, one := range []struct {
		f    found
		into *root
	}{{s, &a}, {pool, &b}} {
		if err := json.Unmarshal(orEmpty(one.f.mappings), one.into); err != nil {
			return a, b, fmt.Errorf("read the mapping of %s: %w", one.f.name, err)
		}
	}
	return a, b, nil
}

// dynamic is how fields that are not mapped are treated.
func (r root) dynamic() string {
	if r.Dynamic == nil {
		return "true"
	}
	return fmt.Sprint(r.Dynamic)
}

// differs names what makes new fields different ones in the two indices.
func (r root) differs(o root) string {
	var out []string
	for _, k := range []struct {
		name string
		a, b any
	}{{"dynamic", r.dynamic(), o.dynamic()}, {"dynamic_templates", r.Templates, o.Templates}, {"date_detection", r.Dates, o.Dates},
		{"dynamic_date_formats", r.Formats, o.Formats}, {"numeric_detection", r.Numbers, o.Numbers}} {
		if !reflect.DeepEqual(k.a, k.b) {
			out = append(out, k.name)
		}
	}
	return strings.Join(out, ", ")
}

// missing returns the fields to add to the pool. It refuses, by name, those that the
// pool has otherwise, and those that no index that is shared may have.
func (m *Mover) missing(s, pool found) (map[string]any, error) {
	refuse := func(detail, fix string) (map[string]any, error) {
		return nil, &RefusedError{Code: CodeTargetRefused, Field: "to.index", Detail: detail, Fix: fix}
	}
	a, b, err := roots(s, pool)
	if err != nil {
		return nil, err
	}
	if _, ok := a.Properties[m.into.Field()]; ok {
		return refuse(fmt.Sprintf("the source has a field %s, which is the partition field of the shared index", m.into.Field()), "choose an index that is shared by another field")
	}
	if len(a.Derived) > 0 {
		return refuse("the source has derived fields, which a tenant of a shared index cannot have", "remove them, or leave the tenant where it is")
	}
	if a.dynamic() == "false" && b.dynamic() != "false" {
		return refuse("the source does not map new fields (dynamic: false), and the shared index would", "choose an index with dynamic: false")
	}
	add, bad := merge("", a.Properties, b.Properties)
	if len(bad) > 0 {
		return refuse("fields are not the same in the shared index: "+listed(bad), "choose another index, or change the tenant's by copying its documents into a new one")
	}
	if names := ofType(a.Properties, "join"); len(names) > 0 {
		return refuse("fields of type join cannot be searched in a shared index: "+listed(names), "leave the tenant where it is")
	}
	// What the pool would be with them must still keep its tenants apart.
	whole := maps.Clone(b.Properties)
	maps.Copy(whole, add)
	answer, err := json.Marshal(map[string]any{pool.name: map[string]any{"mappings": map[string]any{"properties": whole}}})
	if err != nil {
		return nil, err
	}
	if err := shared.CheckIndex(answer, pool.name, m.into.Field()); err != nil {
		return refuse("with the source's fields the index could not be shared: "+err.Error(), "leave the tenant where it is")
	}
	return add, nil
}

// listed names at most twenty.
func listed(names []string) string {
	slices.Sort(names)
	if n := len(names); n > 20 {
		return strings.Join(names[:20], ", ") + fmt.Sprintf(" and %d more", n-20)
	}
	return strings.Join(names, ", ")
}

// merge returns what of want is not in have, and what is there otherwise.
func merge(path string, want, have map[string]any) (add map[string]any, bad []string) {
	add = map[string]any{}
	for name, w := range want {
		w, _ := w.(map[string]any)
		h, there := have[name].(map[string]any)
		if !there {
			add[name] = w
			continue
		}
		mine, theirs := definition(w), definition(h)
		if !reflect.DeepEqual(mine, theirs) {
			what := fmt.Sprintf("%s%s (%v, there %v)", path, name, mine["type"], theirs["type"])
			if mine["type"] == theirs["type"] {
				what = fmt.Sprintf("%s%s (%v, with other parameters)", path, name, mine["type"])
			}
			bad = append(bad, what)
			continue
		}
		for _, below := range []string{"properties", "fields"} {
			w, _ := w[below].(map[string]any)
			h, _ := h[below].(map[string]any)
			more, worse := merge(path+name+".", w, h)
			bad = append(bad, worse...)
			if len(more) == 0 {
				continue
			}
			if add[name] == nil {
				add[name] = mine
			}
			add[name].(map[string]any)[below] = more
		}
	}
	return add, bad
}

// definition is a field without those below it. An object may leave out its type.
func definition(f map[string]any) map[string]any {
	out := maps.Clone(f)
	delete(out, "properties")
	delete(out, "fields")
	if out == nil {
		out = map[string]any{}
	}
	if out["type"] == nil {
		out["type"] = "object"
	}
	return out
}

// ofType names the fields of a type.
func ofType(fields map[string]any, kind string) (out []string) {
	for name, f := range fields {
		f, _ := f.(map[string]any)
		if f["type"] == kind {
			out = append(out, name)
		}
		below, _ := f["properties"].(map[string]any)
		for _, n := range ofType(below, kind) {
			out = append(out, name+"."+n)
		}
	}
	return out
}

// sameAnalysis refuses a source with analyzers and similarities of its own that are not
// the pool's, and a pool with defaults that are not the source's.
func sameAnalysis(s, pool found) error {
	var bad []string
	for k, v := range s.settings {
		if analysis(k) && pool.settings[k] != v {
			bad = append(bad, k)
		}
	}
	for k, v := range pool.settings {
		isDefault := strings.HasPrefix(k, "index.analysis.analyzer.default") || strings.HasPrefix(k, "index.analysis.normalizer.default") || strings.HasPrefix(k, "index.similarity.default")
		ofSource := slices.ContainsFunc(slices.Collect(maps.Keys(s.settings)), func(own string) bool { return analysis(own) && named(own) == named(k) })
		if analysis(k) && (isDefault || ofSource) && s.settings[k] != v && !slices.Contains(bad, k) {
			bad = append(bad, k)
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return &RefusedError{Code: CodeTargetRefused, Field: "to.index", Detail: "the analysis of texts is not the same in the shared index: " + listed(bad), Fix: "choose an index that has these settings with the same values"}
}

func analysis(setting string) bool {
	return strings.HasPrefix(setting, "index.analysis.") || strings.HasPrefix(setting, "index.similarity.")
}

// named is the beginning of a setting of analysis up to the name of what it defines.
func named(setting string) string {
	n := 4 // index.analysis.analyzer.NAME
	if strings.HasPrefix(setting, "index.similarity.") {
		n = 3
	}
	p := strings.SplitN(setting, ".", n+1)
	return strings.Join(p[:min(n, len(p))], ".")
}
