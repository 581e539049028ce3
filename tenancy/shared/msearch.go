package shared

// headerKeys are the members of a multi-search's header lines that change nothing
// but how the search is run.
var headerKeys = each(scalar, "search_type preference request_cache allow_partial_search_results ignore_unavailable allow_no_indices expand_wildcards ccs_minimize_roundtrips", nil)

// SearchHeader translates a header line of a multi-search. It ends up naming the
// index, whatever default the path had.
func (t *Tenant) SearchHeader(line []byte, names Names) ([]byte, error) {
	n, err := parseObject(line)
	if err != nil {
		return nil, err
	}
	out := object(pair{"index", text(names.Physical)})
	for _, m := range n.members {
		switch m.key {
		case "index", "indices":
			if err := listOf(func(_ *walker, _ string, v *node) error { return names.own(v) })(nil, m.key, m.value); err != nil {
				return nil, err
			}
		case "routing":
			r, ok := m.value.scalarText()
			if !ok {
				return nil, refuse("[routing] must be text")
			}
			if r = t.Routings(r); r != "" {
				out.set("routing", text(r))
			}
		default:
			c, ok := headerKeys[m.key]
			if !ok {
				return nil, refuse("[%s] of a header line is not supported in a shared index", m.key)
			}
			if err := listOf(c)(nil, m.key, m.value); err != nil {
				return nil, err
			}
			out.set(m.key, m.value)
		}
	}
	return out.append(nil), nil
}
