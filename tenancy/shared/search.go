package shared

import (
	"fmt"
	"net/url"
	"strings"
)

// Search is what a search is made of.
type Search struct {
	Body []byte // may be empty
	// Parameters of the request that stand for parts of the body: q and what belongs
	// to it, and sort. They are taken out.
	Parameters url.Values
	// PIT opens a point-in-time id; nil refuses one.
	PIT func(id string) (string, error)
	// SortID is told each place of the sort, from 0, at which _id stands: the values
	// there, in the answer's hits, carry the tenant's prefix. Nil refuses _id.
	SortID func(position int)
	// Early, if it is set, is called if the search may be ended early.
	Early func()
	// Filtered: the cluster leaves parts of the answer out, perhaps what tells a part
	// of a document from a whole one. Searches for parts are refused.
	Filtered bool
}

// Search narrows a search to the tenant, and returns the body to send.
func (t *Tenant) Search(s Search) ([]byte, error) {
	n, err := t.narrowed(s, searchKeys)
	if err != nil {
		return nil, err
	}
	return n.append(nil), nil
}

// Count narrows a count.
func (t *Tenant) Count(s Search) ([]byte, error) {
	n, err := t.narrowed(s, map[string]check{"query": (*walker).query})
	if err != nil {
		return nil, err
	}
	return n.append(nil), nil
}

// DeleteByQuery narrows a deletion; like the cluster, it wants a query.
func (t *Tenant) DeleteByQuery(s Search) ([]byte, error) {
	return t.byQuery(s, true)
}

// UpdateByQuery narrows an update by query, which can only be one without a
// script: it indexes documents anew, as they are.
func (t *Tenant) UpdateByQuery(s Search) ([]byte, error) { return t.byQuery(s, false) }

func (t *Tenant) byQuery(s Search, must bool) ([]byte, error) {
	asked := false
	n, err := t.narrowed(s, map[string]check{
		"query": func(w *walker, key string, v *node) error { asked = true; return w.query(key, v) },
		"slice": membersOf(each(scalar, "id max", nil)), "max_docs": scalar, "conflicts": scalar,
		"script": no("a script could change to whom a document belongs"),
	})
	if err != nil {
		return nil, err
	}
	if must && !asked {
		return nil, refuse("query is missing")
	}
	return n.append(nil), nil
}

// narrowed checks a body and puts its query beside the tenant's filter.
func (t *Tenant) narrowed(s Search, known map[string]check) (*node, error) {
	n := object()
	if len(strings.TrimSpace(string(s.Body))) > 0 {
		var err error
		if n, err = parseObject(s.Body); err != nil {
			return nil, err
		}
	}
	if err := t.takeParameters(n, s.Parameters); err != nil {
		return nil, err
	}
	w := &walker{t: t, asked: n.get("query"), sortID: s.SortID, filtered: s.Filtered}
	if s.Early != nil && (n.get("terminate_after") != nil || s.Parameters.Has("terminate_after")) {
		s.Early()
	}
	if pit := n.get("pit"); pit != nil {
		if err := openPIT(pit, s.PIT); err != nil {
			return nil, err
		}
	}
	// The query first: others take it over, with the prefixes in it.
	if w.asked != nil {
		if err := known["query"](w, "query", w.asked); err != nil {
			return nil, err
		}
	} else {
		w.asked = object(pair{"match_all", object()})
	}
	for _, m := range n.members {
		c, ok := known[m.key]
		if !ok {
			return nil, refuse("[%s] of a body is not supported in a shared index", m.key)
		}
		if m.key == "query" {
			continue
		}
		if err := c(w, m.key, m.value); err != nil {
			return nil, err
		}
	}
	if err := w.after(n.get("search_after")); err != nil {
		return nil, err
	}
	narrow, err := t.narrow(w.asked)
	if err != nil {
		return nil, err
	}
	n.set("query", narrow)
	return n, nil
}

// narrow puts a query beside the tenant's filter.
func (t *Tenant) narrow(q *node) (*node, error) {
	filter, err := parse(t.filter)
	if err != nil {
		return nil, fmt.Errorf("the filter of a tenant: %w", err)
	}
	return object(pair{"bool", object(pair{"must", list(q)}, pair{"filter", list(filter)})}), nil
}

// takeParameters moves into the body what the cluster would otherwise put in the
// place of the narrowed query.
func (t *Tenant) takeParameters(n *node, v url.Values) error {
	q := object()
	for _, p := range [][2]string{
		{"q", "query"}, {"df", "default_field"}, {"analyzer", "analyzer"}, {"analyze_wildcard", "analyze_wildcard"},
		{"default_operator", "default_operator"}, {"lenient", "lenient"},
	} {
		if s := v.Get(p[0]); s != "" {
			q.set(p[1], text(s))
		}
		v.Del(p[0])
	}
	if q.get("query") == nil && len(q.members) > 0 {
		return refuse("parameters of a query string need [q]")
	}
	if len(q.members) > 0 {
		if n.get("query") != nil {
			return refuse("there are two queries: [q], and one in the body")
		}
		n.set("query", object(pair{"query_string", q}))
	}
	if sort := v.Get("sort"); sort != "" {
		if n.get("sort") != nil {
			return refuse("there are two sorts: the parameter, and one in the body")
		}
		by := list()
		for s := range strings.SplitSeq(sort, ",") {
			if i := strings.LastIndexByte(s, ':'); i >= 0 {
				by.items = append(by.items, object(pair{s[:i], text(s[i+1:])}))
			} else {
				by.items = append(by.items, text(s))
			}
		}
		n.set("sort", by)
	}
	v.Del("sort")
	return nil
}

func openPIT(v *node, open func(string) (string, error)) error {
	if open == nil {
		return refuse("a point in time is supported in _search only")
	}
	id := v.get("id")
	if v.kind != '{' || id == nil || id.kind != '"' {
		return refuse("[pit] must have an [id]")
	}
	real, err := open(id.text)
	if err != nil {
		return err
	}
	id.text = real
	return nil
}

// hitOptions say what is shown of hits, and which.
var hitOptions map[string]check

// innerOptions are hitOptions of hits inside of hits.
var innerOptions map[string]check

// searchKeys are the members of a search's body.
var searchKeys map[string]check

func init() {
	hitOptions = each(scalar, "from size version seq_no_primary_term track_scores", map[string]check{
		"sort": sorts, "_source": sourceFilter, "fields": shownFields, "docvalue_fields": shownFields, "stored_fields": storedFields, "highlight": highlight,
		"explain": bookkeeping, "script_fields": no(scripts),
	})
	innerOptions = merge(hitOptions, each(scalar, "name ignore_unmapped", nil))
	searchKeys = merge(hitOptions, each(scalar, "track_total_hits min_score timeout terminate_after", map[string]check{
		"query": (*walker).query, "post_filter": (*walker).query, "aggs": aggs, "aggregations": aggs, "search_after": plain,
		"sort":     topSort,
		"collapse": membersOf(each(scalar, "max_concurrent_group_searches", map[string]check{"field": field, "inner_hits": listOf(groupHits)})),
		"slice":    membersOf(each(scalar, "id max", nil)),
		"pit":      membersOf(each(scalar, "id keep_alive", nil)),
		"profile":  bookkeeping,
		"suggest":  no("suggestions are made of the words of all tenants"), "rescore": listOf(rescore),
		"indices_boost": no("it has one index"), "derived": no(scripts), "runtime_mappings": no(scripts), "ext": no("it cannot be checked"),
		"search_pipeline": no("a pipeline could change the query"),
	}))
}

// bookkeeping would show numbers of the whole index.
func bookkeeping(_ *walker, key string, v *node) error {
	if !v.isFalse() {
		return refuse("[%s] is not possible in a shared index: it shows numbers of all tenants' documents", key)
	}
	return nil
}

// rescore scores the best hits anew.
func rescore(w *walker, key string, v *node) error {
	return w.object(key, v, map[string]check{"window_size": scalar,
		"query": membersOf(each(scalar, "query_weight rescore_query_weight score_mode", map[string]check{"rescore_query": (*walker).query}))})
}

// groupHits are the hits of a group of a collapsed search. They are searched for
// with the narrowed query.
func groupHits(w *walker, key string, v *node) error {
	return w.object(key, v, merge(innerOptions, map[string]check{"collapse": membersOf(map[string]check{"field": field})}))
}

// nestedHits are the parts of a hit that a nested query has found.
func nestedHits(w *walker, key string, v *node) error {
	if w.filtered {
		return refuse(noParts, key)
	}
	asked := w.asked
	w.asked = nil // their highlights are of the nested query, which is the client's
	defer func() { w.asked = asked }()
	return w.object(key, v, innerOptions)
}

const noParts = "[%s] inside [nested] is not possible together with [filter_path] in a shared index: parts of documents could not be told from whole ones"

// topSort is the sort of a whole search. All ids of a tenant begin with its prefix,
// so they stand in the same order as the client's.
func topSort(w *walker, key string, v *node) error {
	keys := []*node{v}
	if v.kind == '[' {
		keys = v.items
	}
	position := 0
	for _, k := range keys {
		switch k.kind {
		case '"':
			k = object(pair{k.text, k})
		case '{':
		default:
			return refuse("[%s] must be names of fields", key)
		}
		for _, m := range k.members {
			var err error
			if m.key == "_id" {
				err = w.byItsID(position, m.value)
			} else {
				err = sorts(w, key, object(m))
			}
			if err != nil {
				return err
			}
			position++
		}
	}
	return nil
}

// byItsID takes note of a sort by _id.
func (w *walker) byItsID(position int, options *node) error {
	if w.sortID == nil {
		return w.sortField("_id")
	}
	if options.kind == '{' {
		if err := w.object("_id", options, each(scalar, "order", nil)); err != nil {
			return err
		}
	}
	w.byID = append(w.byID, position)
	w.sortID(position)
	return nil
}

// after puts the prefix onto the ids in search_after.
func (w *walker) after(v *node) error {
	if v == nil || v.kind != '[' {
		return nil
	}
	for _, p := range w.byID {
		if p < len(v.items) {
			client, ok := v.items[p].scalarText()
			if !ok {
				return refuse("an [_id] in [search_after] must be text")
			}
			v.items[p] = text(w.t.prefix + client)
		}
	}
	return nil
}

// sorts check what hits are sorted by. Values of the sort come back in the hits, so
// _id, which would come with its prefix, is refused but where it can be taken off.
func sorts(w *walker, key string, v *node) error {
	return listOf(func(w *walker, key string, v *node) error {
		if v.kind == '"' {
			name, _, _ := strings.Cut(v.text, ":")
			return w.sortField(name)
		}
		if v.kind != '{' {
			return refuse("[%s] must be names of fields", key)
		}
		for _, m := range v.members {
			if m.key == "_geo_distance" {
				if err := geo("order unit mode distance_type ignore_unmapped validation_method")(w, m.key, m.value); err != nil {
					return err
				}
				continue
			}
			if err := w.sortField(m.key); err != nil {
				return err
			}
			if m.value.isScalar() {
				continue
			}
			if err := w.object(m.key, m.value, each(scalar, "order mode missing unmapped_type numeric_type format", map[string]check{"nested": nestedSort})); err != nil {
				return err
			}
		}
		return nil
	})(w, key, v)
}

func (w *walker) sortField(name string) error {
	switch name {
	case "_score", "_doc", "_shard_doc":
		return nil
	case "_id":
		return refuse("sorting by [_id] is supported in a shared index in the sort of a _search without a scroll only")
	case "_script":
		return refuse("[_script] is not possible in a shared index: %s", scripts)
	}
	return w.t.fieldName(name)
}

func nestedSort(w *walker, key string, v *node) error {
	return w.object(key, v, each(scalar, "max_children", map[string]check{"path": field, "filter": (*walker).query, "nested": nestedSort}))
}

// sourceFilter only takes away.
func sourceFilter(w *walker, key string, v *node) error {
	if v.kind == '{' {
		return w.object(key, v, each(plain, "includes excludes include exclude", nil))
	}
	return plain(w, key, v)
}

// shownFields are names, or objects with a name, of fields to show.
func shownFields(w *walker, key string, v *node) error {
	return listOf(func(w *walker, key string, v *node) error {
		if v.kind != '{' {
			return w.t.fieldList(v)
		}
		return w.object(key, v, each(scalar, "format include_unmapped", map[string]check{"field": func(w *walker, _ string, v *node) error { return w.t.fieldList(v) }}))
	})(w, key, v)
}

func storedFields(w *walker, _ string, v *node) error { return w.t.fieldList(v) }

// highlight marks what the client asked for; without a query of its own it would
// mark the tenant's name, which the narrowed query asks for.
func highlight(w *walker, key string, v *node) error {
	options := each(plain, "pre_tags post_tags fragment_size number_of_fragments fragment_offset type order encoder no_match_size require_field_match boundary_scanner boundary_scanner_locale "+
		"boundary_chars boundary_max_scan fragmenter tags_schema phrase_limit max_analyzed_offset highlight_filter force_source",
		map[string]check{"highlight_query": (*walker).query, "matched_fields": storedFields})
	one := membersAny(func(w *walker, name string, v *node) error {
		if err := w.t.fieldName(name); err != nil {
			return err
		}
		return w.object(name, v, options)
	})
	if err := w.object(key, v, merge(options, map[string]check{"fields": listOf(one)})); err != nil {
		return err
	}
	if v.get("highlight_query") == nil && w.asked != nil {
		v.set("highlight_query", w.asked)
	}
	return nil
}
