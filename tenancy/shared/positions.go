package shared

// positions adds the queries that look at where words stand in a text. Those that
// take words by a pattern have a limit that counts the words of all tenants.
func positions(common string) {
	query := (*walker).query
	spans := map[string]map[string]check{
		"span_near":          each(scalar, common+" slop in_order", map[string]check{"clauses": listOf(query)}),
		"span_or":            each(scalar, common, map[string]check{"clauses": listOf(query)}),
		"span_not":           each(scalar, common+" pre post dist", map[string]check{"include": query, "exclude": query}),
		"span_first":         each(scalar, common+" end", map[string]check{"match": query}),
		"span_containing":    each(scalar, common, map[string]check{"big": query, "little": query}),
		"span_within":        each(scalar, common, map[string]check{"big": query, "little": query}),
		"field_masking_span": each(scalar, common, map[string]check{"query": query, "field": field}),
	}
	for name, known := range spans {
		queries[name] = membersOf(known)
	}
	queries["span_term"] = perField(true, each(scalar, common+" value term", nil))
	queries["span_multi"] = no(expands)

	rules := map[string]check{}
	rule := func(w *walker, key string, v *node) error {
		if v.kind != '{' || len(v.members) != 1 {
			return refuse("[%s] must be one rule of intervals", key)
		}
		return w.object(key, v, rules)
	}
	filter := func(w *walker, key string, v *node) error {
		if v.kind != '{' || len(v.members) != 1 {
			return refuse("[%s] must be one filter of intervals", key)
		}
		return w.object(key, v, each(rule, "after before contained_by containing not_contained_by not_containing not_overlapping overlapping",
			map[string]check{"script": no(scripts)}))
	}
	rules["match"] = membersOf(each(scalar, "query max_gaps ordered analyzer mode", map[string]check{"use_field": field, "filter": filter}))
	rules["all_of"] = membersOf(each(scalar, "max_gaps ordered mode", map[string]check{"intervals": listOf(rule), "filter": filter}))
	rules["any_of"] = membersOf(map[string]check{"intervals": listOf(rule), "filter": filter})
	for _, k := range []string{"prefix", "wildcard", "regexp", "fuzzy"} {
		rules[k] = no(expands)
	}
	queries["intervals"] = perField(false, merge(rules, each(scalar, common, nil)))
}

// geoShape is a query for a shape that is in the query itself.
func geoShape(options string) check {
	known := each(scalar, options, nil)
	return func(w *walker, key string, v *node) error {
		if v.kind != '{' {
			return refuse("[%s] must be an object", key)
		}
		for _, m := range v.members {
			if c, ok := known[m.key]; ok {
				if err := c(w, m.key, m.value); err != nil {
					return err
				}
				continue
			}
			if err := w.t.fieldName(m.key); err != nil {
				return err
			}
			if err := w.object(m.key, m.value, map[string]check{"shape": shape, "relation": scalar, "strategy": scalar,
				"indexed_shape": no("it may read documents of other tenants; send the shape itself")}); err != nil {
				return err
			}
		}
		return nil
	}
}

// shape is GeoJSON, or text.
func shape(w *walker, key string, v *node) error {
	if v.kind == '"' {
		return nil
	}
	return w.object(key, v, each(scalar, "type radius orientation", map[string]check{"coordinates": numbers, "geometries": listOf(shape)}))
}

// numbers are numbers in lists of any depth.
func numbers(w *walker, key string, v *node) error {
	if v.kind != '[' {
		return scalar(w, key, v)
	}
	for _, n := range v.items {
		if err := numbers(w, key, n); err != nil {
			return err
		}
	}
	return nil
}
