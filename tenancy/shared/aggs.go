package shared

import "strings"

// aggs checks an object of named aggregations.
func aggs(w *walker, key string, v *node) error {
	if v.kind != '{' {
		return refuse("[%s] must be an object", key)
	}
	for _, m := range v.members {
		if err := aggName(m.key); err != nil {
			return err
		}
		if err := w.aggregation(m.key, m.value); err != nil {
			return err
		}
	}
	return nil
}

// aggName refuses names that mean something else in an answer.
func aggName(name string) error {
	switch {
	case name == "", len(name) > 256, name[0] == '_', name == "hits", name == "key", name == "after_key", name == "meta", name == "error":
		return refuse("[%s] cannot be a name in the aggregations of a shared index: in an answer it means something else", name)
	}
	return nil
}

func (w *walker) aggregation(name string, v *node) error {
	if v.kind != '{' {
		return refuse("the aggregation [%s] must be an object", name)
	}
	kind, subs := "", false
	nested := w.nested
	defer func() { w.nested = nested }()
	for _, m := range v.members {
		switch m.key {
		case "aggs", "aggregations":
			if subs {
				return refuse("the aggregation [%s] has two lists of others in it", name)
			}
			subs = true
			continue
		}
		if kind != "" {
			return refuse("the aggregation [%s] has more than one kind: [%s] and [%s]", name, kind, m.key)
		}
		kind = m.key
		c, ok := aggKinds[kind]
		if !ok {
			return refuse("aggregations of kind [%s] are not supported in a shared index", kind)
		}
		if err := c(w, kind, m.value); err != nil {
			return err
		}
	}
	switch kind {
	case "":
		return refuse("the aggregation [%s] has no kind", name)
	case "nested":
		w.nested = true
	case "reverse_nested":
		w.nested = v.get(kind).get("path") != nil // which leads to an object that may be nested itself
	}
	for _, k := range []string{"aggs", "aggregations"} {
		if sub := v.get(k); sub != nil {
			if err := aggs(w, k, sub); err != nil {
				return err
			}
		}
	}
	return nil
}

// aggKinds are the aggregations that count nothing but the matching documents.
var aggKinds map[string]check

func init() {
	one := map[string]check{"field": field}
	bounds := membersOf(each(scalar, "min max", nil))
	on := func(keys string) check { return membersOf(each(plain, "missing format value_type "+keys, one)) }
	weight := membersOf(each(scalar, "missing", one))
	histogram := func(keys string) check {
		return membersOf(each(scalar, "missing format offset min_doc_count "+keys,
			map[string]check{"field": field, "order": order, "extended_bounds": bounds, "hard_bounds": bounds, "keyed": onlyFalse}))
	}
	ranges := membersOf(each(plain, "missing format time_zone keyed", map[string]check{
		"field": field, "ranges": listOf(membersOf(each(scalar, "from to", map[string]check{"key": bucketKey})))}))
	pipeline := membersOf(each(plain, "buckets_path gap_policy format unit percents lag sigma", nil))
	aggKinds = map[string]check{
		"terms": membersOf(each(plain, "size shard_size shard_min_doc_count show_term_doc_count_error missing collect_mode execution_hint format value_type exclude",
			map[string]check{"field": field, "order": order, "min_doc_count": atLeastOne, "include": include})),
		"range":                     ranges,
		"date_range":                ranges,
		"histogram":                 histogram("interval"),
		"date_histogram":            histogram("interval calendar_interval fixed_interval time_zone"),
		"auto_date_histogram":       on("buckets time_zone minimum_interval"),
		"filter":                    (*walker).query,
		"filters":                   filters,
		"missing":                   on(""),
		"nested":                    membersOf(map[string]check{"path": field}),
		"reverse_nested":            membersOf(map[string]check{"path": field}),
		"avg":                       on(""),
		"sum":                       on(""),
		"min":                       on(""),
		"max":                       on(""),
		"stats":                     on(""),
		"value_count":               on(""),
		"extended_stats":            on("sigma"),
		"cardinality":               on("precision_threshold execution_hint"),
		"percentiles":               membersOf(each(plain, "missing format percents keyed", merge(one, sketches))),
		"percentile_ranks":          membersOf(each(plain, "missing format values keyed", merge(one, sketches))),
		"median_absolute_deviation": on("compression"),
		"weighted_avg":              membersOf(each(scalar, "format value_type", map[string]check{"value": weight, "weight": weight})),
		"geo_bounds":                on("wrap_longitude"),
		"geo_centroid":              on(""),
		"geohash_grid":              on("precision size shard_size"),
		"geotile_grid":              on("precision size shard_size"),
		"composite":                 membersOf(map[string]check{"size": scalar, "sources": listOf(source), "after": membersAny(scalar)}),
		"top_hits":                  topHits,
		"bucket_sort":               membersOf(each(scalar, "from size gap_policy", map[string]check{"sort": listOf(order)})),
	}
	for _, k := range []string{"avg_bucket", "sum_bucket", "min_bucket", "max_bucket", "stats_bucket", "extended_stats_bucket", "percentiles_bucket", "cumulative_sum", "derivative", "serial_diff"} {
		aggKinds[k] = pipeline
	}
	aggKinds["global"] = no("it counts the documents of all tenants")
	unusual()
	for _, k := range []string{"scripted_metric", "bucket_script", "bucket_selector", "moving_fn"} {
		aggKinds[k] = no(scripts)
	}
	for _, k := range []string{"children", "parent"} {
		aggKinds[k] = no("a join leads to documents of other tenants")
	}
}

var sketches = map[string]check{
	"tdigest": membersOf(each(scalar, "compression execution_hint", nil)), "hdr": membersOf(each(scalar, "number_of_significant_value_digits", nil)),
}

// membersAny is an object of any members, each of which passes c.
func membersAny(c check) check {
	return func(w *walker, key string, v *node) error {
		if v.kind != '{' {
			return refuse("[%s] must be an object", key)
		}
		for _, m := range v.members {
			if err := c(w, m.key, m.value); err != nil {
				return err
			}
		}
		return nil
	}
}

// order is how buckets are sorted: names of aggregations, or _count and _key.
func order(w *walker, key string, v *node) error {
	switch v.kind {
	case '{':
		return membersAny(func(w *walker, key string, v *node) error {
			if v.kind == '{' {
				return w.object(key, v, each(scalar, "order", nil))
			}
			return scalar(w, key, v)
		})(w, key, v)
	case '[':
		return listOf(order)(w, key, v)
	}
	return nil
}

// atLeastOne: with 0, terms of documents that do not match come back, too.
func atLeastOne(_ *walker, key string, v *node) error {
	if !v.count() || strings.Trim(v.text, "0") == "" {
		return refuse("[%s] of terms must be a number from 1 up in a shared index: 0 shows the terms of all tenants", key)
	}
	return nil
}

func onlyFalse(_ *walker, key string, v *node) error {
	if !v.isFalse() {
		return refuse("[%s] is not supported here in a shared index", key)
	}
	return nil
}

func include(w *walker, key string, v *node) error {
	if v.kind == '{' {
		return w.object(key, v, each(scalar, "partition num_partitions", nil))
	}
	return plain(w, key, v)
}

func bucketKey(w *walker, key string, v *node) error {
	if err := scalar(w, key, v); err != nil {
		return err
	}
	return aggName(v.text)
}

func filters(w *walker, key string, v *node) error {
	return w.object(key, v, map[string]check{
		"other_bucket": scalar, "other_bucket_key": bucketKey,
		"filters": func(w *walker, key string, v *node) error {
			if v.kind == '[' {
				return listOf((*walker).query)(w, key, v)
			}
			return membersAny(func(w *walker, name string, v *node) error {
				if err := aggName(name); err != nil {
					return err
				}
				return w.query(name, v)
			})(w, key, v)
		},
	})
}

// source is one source of a composite aggregation.
func source(w *walker, key string, v *node) error {
	if v.kind != '{' || len(v.members) != 1 {
		return refuse("[%s] must be a list of objects with one name each", key)
	}
	shared := each(scalar, "missing_bucket missing_order order format value_type", map[string]check{"field": field})
	return w.object(v.members[0].key, v.members[0].value, map[string]check{
		"terms":          membersOf(shared),
		"histogram":      membersOf(each(scalar, "interval", shared)),
		"date_histogram": membersOf(each(scalar, "interval calendar_interval fixed_interval time_zone offset", shared)),
		"geotile_grid":   membersOf(each(scalar, "precision", shared)),
	})
}

func topHits(w *walker, key string, v *node) error {
	if w.nested && w.filtered {
		return refuse(noParts, key)
	}
	return w.object(key, v, hitOptions)
}

// unusual adds the aggregations that look for the unusual, or at several fields or
// queries at once.
func unusual() {
	thresholds := func(keys string) map[string]check {
		return each(plain, "size shard_size shard_min_doc_count "+keys, map[string]check{"min_doc_count": atLeastOne})
	}
	aggKinds["rare_terms"] = membersOf(each(plain, "max_doc_count precision missing format value_type exclude", map[string]check{"field": field, "include": include}))
	aggKinds["multi_terms"] = membersOf(merge(thresholds("collect_mode show_term_doc_count_error"), map[string]check{
		"order": order, "terms": listOf(membersOf(each(scalar, "missing value_type", map[string]check{"field": field})))}))
	aggKinds["adjacency_matrix"] = membersOf(map[string]check{"separator": scalar, "filters": membersAny((*walker).query)})
	measures := map[string]check{"script_heuristic": no(scripts), "background_filter": (*walker).query}
	for _, k := range []string{"jlh", "chi_square", "gnd", "mutual_information", "percentage"} {
		measures[k] = membersOf(each(scalar, "include_negatives background_is_superset", nil))
	}
	aggKinds["significant_terms"] = compared(merge(merge(thresholds("execution_hint exclude"), measures), map[string]check{"field": field, "include": include}))
	aggKinds["significant_text"] = compared(merge(merge(thresholds("filter_duplicate_text exclude"), measures), map[string]check{
		"field": field, "include": include, "source_fields": listOf(field)})) // no patterns: the partition field is in the source
}

// compared is an aggregation that compares with a background, which becomes the
// tenant's documents instead of all.
func compared(known map[string]check) check {
	return func(w *walker, key string, v *node) error {
		if w.nested {
			return refuse("[%s] is not possible inside [nested] in a shared index: parts of documents do not say whose they are", key)
		}
		if err := w.object(key, v, known); err != nil {
			return err
		}
		background := v.get("background_filter")
		if background == nil {
			background = object(pair{"match_all", object()})
		}
		narrow, err := w.t.narrow(background)
		if err != nil {
			return err
		}
		v.set("background_filter", narrow)
		return nil
	}
}
