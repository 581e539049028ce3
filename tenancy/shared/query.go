package shared

import "strings"

// walker checks a request body, and puts prefixes onto the ids in it.
type walker struct {
	t *Tenant
	// asked is the client's own query, for what OpenSearch would otherwise take from
	// the narrowed one; nil where it takes none.
	asked *node
	// nested: inside a nested aggregation, whose documents carry no partition field.
	nested bool
	// filtered: parts of documents could not be told from whole ones in the answer.
	filtered bool
	// sortID, if it is set, is told the places of _id in the sort.
	sortID func(position int)
	// byID are those places.
	byID []int
}

// check judges the value of a member called key.
type check func(w *walker, key string, v *node) error

// plain is a value without a meaning of its own.
func plain(_ *walker, key string, v *node) error {
	if !v.isSimple() {
		return refuse("[%s] must be a value or a list of values", key)
	}
	return nil
}

// scalar is a single value.
func scalar(_ *walker, key string, v *node) error {
	if !v.isScalar() {
		return refuse("[%s] must be one value", key)
	}
	return nil
}

// no refuses a member, and says why.
func no(why string) check {
	return func(_ *walker, key string, _ *node) error {
		return refuse("[%s] is not possible in a shared index: %s", key, why)
	}
}

// field is the name of a field, which is no pattern.
func field(w *walker, key string, v *node) error {
	if v.kind != '"' || strings.ContainsRune(v.text, '*') {
		return refuse("[%s] must be the name of one field", key)
	}
	return w.t.fieldName(v.text)
}

// searchedFields are names or patterns that are searched, with boosts.
func searchedFields(w *walker, key string, v *node) error {
	names := []*node{v}
	if v.kind == '[' {
		names = v.items
	}
	if len(names) == 0 {
		return refuse("[%s] must name the fields: otherwise all are searched, and [%s] belongs to the shared index", key, w.t.field)
	}
	for _, n := range names {
		if n.kind != '"' {
			return refuse("[%s] must be names of fields", key)
		}
		if err := w.t.searched(n.text); err != nil {
			return err
		}
	}
	return nil
}

// members is an object of known members.
func membersOf(known map[string]check) check {
	return func(w *walker, key string, v *node) error { return w.object(key, v, known) }
}

func (w *walker) object(key string, v *node, known map[string]check) error {
	if v.kind != '{' {
		return refuse("[%s] must be an object", key)
	}
	for _, m := range v.members {
		c, ok := known[m.key]
		if !ok {
			return refuse("[%s] in [%s] is not supported in a shared index", m.key, key)
		}
		if err := c(w, m.key, m.value); err != nil {
			return err
		}
	}
	return nil
}

// listOf is a list, or a single one in its place.
func listOf(c check) check {
	return func(w *walker, key string, v *node) error {
		if v.kind != '[' {
			return c(w, key, v)
		}
		for _, n := range v.items {
			if err := c(w, key, n); err != nil {
				return err
			}
		}
		return nil
	}
}

// each makes checks of keys that are treated alike.
func each(c check, keys string, more map[string]check) map[string]check {
	out := map[string]check{}
	for k := range strings.FieldsSeq(keys) {
		out[k] = c
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// perField is an object with a field for its only key; short allows the value alone.
func perField(short bool, options map[string]check) check {
	return func(w *walker, key string, v *node) error {
		if v.kind != '{' || len(v.members) != 1 {
			return refuse("[%s] must name one field", key)
		}
		m := v.members[0]
		if strings.ContainsRune(m.key, '*') {
			return refuse("[%s] must name one field, not a pattern", key)
		}
		if err := w.t.fieldName(m.key); err != nil {
			return err
		}
		if short && m.value.isScalar() {
			return nil
		}
		return w.object(m.key, m.value, options)
	}
}

// query checks one query, an object with its kind for its only key.
func (w *walker) query(key string, v *node) error {
	if v.kind != '{' || len(v.members) != 1 {
		return refuse("[%s] must be one query", key)
	}
	m := v.members[0]
	c, ok := queries[m.key]
	if !ok {
		return refuse("queries of kind [%s] are not supported in a shared index", m.key)
	}
	return c(w, m.key, m.value)
}

// queries are the kinds that look at nothing but the documents that they match.
var queries map[string]check

func init() {
	query := (*walker).query
	many := listOf(query)
	const common = "boost _name"
	texts := each(plain, common+" query analyzer operator minimum_should_match fuzziness prefix_length zero_terms_query lenient "+
		"fuzzy_transpositions auto_generate_synonyms_phrase_query slop", map[string]check{
		"max_expansions": no(expands), "fuzzy_rewrite": constantScore, "cutoff_frequency": no("it counts words of all tenants")})
	values := each(plain, common+" value case_insensitive fuzziness prefix_length transpositions wildcard flags flags_value max_determinized_states",
		map[string]check{"max_expansions": no(expands), "rewrite": constantScore})
	lines := each(plain, common+" default_operator analyzer quote_analyzer allow_leading_wildcard analyze_wildcard auto_generate_synonyms_phrase_query enable_position_increments "+
		"escape lenient max_determinized_states minimum_should_match phrase_slop tie_breaker time_zone flags",
		map[string]check{"query": scalar, "fields": searchedFields, "default_field": searchedFields, "rewrite": constantScore, "type": matchType,
			"quote_field_suffix": no("it makes the name of a field out of two parts")})
	factor := membersOf(each(plain, "factor modifier missing", map[string]check{"field": field}))
	functions := map[string]check{"filter": query, "weight": scalar, "field_value_factor": factor, "random_score": membersOf(nil), "script_score": no(scripts)}
	for _, k := range []string{"gauss", "linear", "exp"} {
		functions[k] = decay
	}
	scored := each(scalar, common+" score_mode boost_mode max_boost min_score", map[string]check{"query": query, "functions": listOf(membersOf(functions))})
	for k, c := range functions {
		if k != "filter" {
			scored[k] = c
		}
	}
	queries = map[string]check{
		"match_all":         membersOf(each(scalar, common, nil)),
		"match_none":        membersOf(each(scalar, common, nil)),
		"match":             fuzzy(perField(true, texts)),
		"match_phrase":      perField(true, texts),
		"match_bool_prefix": fuzzy(perField(true, texts)),
		"multi_match": needing("fields", fuzzyObject(membersOf(merge(texts, map[string]check{
			"fields": searchedFields, "type": matchType, "tie_breaker": scalar})))),
		"query_string":        queryString(membersOf(lines)),
		"simple_query_string": needing("fields", unfuzzy(membersOf(lines))),
		"term":                onID(perField(true, values)),
		"terms":               terms,
		"range":               perField(false, each(scalar, common+" gte gt lte lt from to include_lower include_upper format time_zone relation", nil)),
		"prefix":              perField(true, values),
		"wildcard":            perField(true, values),
		"regexp":              perField(true, values),
		"fuzzy":               allSimilar(perField(true, values)),
		"exists":              membersOf(each(scalar, common, map[string]check{"field": searchedFields})),
		"ids":                 needing("values", membersOf(each(scalar, common, map[string]check{"values": ids}))),
		"bool": membersOf(each(scalar, common+" minimum_should_match adjust_pure_negative",
			map[string]check{"must": many, "must_not": many, "should": many, "filter": many})),
		"constant_score":   membersOf(each(scalar, common, map[string]check{"filter": query})),
		"dis_max":          membersOf(each(scalar, common+" tie_breaker", map[string]check{"queries": many})),
		"boosting":         membersOf(each(scalar, common+" negative_boost", map[string]check{"positive": query, "negative": query})),
		"nested":           membersOf(each(scalar, common+" score_mode ignore_unmapped", map[string]check{"path": field, "query": query, "inner_hits": nestedHits})),
		"function_score":   membersOf(scored),
		"geo_distance":     geo("distance distance_type validation_method ignore_unmapped " + common),
		"geo_bounding_box": geo("type validation_method ignore_unmapped " + common),
		"geo_shape":        geoShape("ignore_unmapped " + common),
		"terms_set": perField(false, each(scalar, common, map[string]check{"terms": plain, "minimum_should_match_field": field,
			"minimum_should_match_script": no(scripts)})),
		"distance_feature": membersOf(each(scalar, common+" pivot", map[string]check{"field": field, "origin": point})),
	}
	positions(common)
	for _, k := range []string{"script", "script_score"} {
		queries[k] = no(scripts)
	}
	for _, k := range []string{"has_child", "has_parent", "parent_id"} {
		queries[k] = no("a join leads to documents of other tenants")
	}
	for _, k := range []string{"more_like_this", "percolate"} {
		queries[k] = no("it may read documents, or count words, of other tenants")
	}
	queries["match_phrase_prefix"] = no(expands + "; use match_bool_prefix, or a field of type search_as_you_type")
	queries["wrapper"] = no("it cannot be checked; send the query itself")
	queries["template"] = queries["wrapper"]
}

const scripts = "a script can read whatever the index holds"

func merge(a, b map[string]check) map[string]check {
	out := map[string]check{}
	for k, v := range a {
		out[k] = v
	}
	for k, v := range b {
		out[k] = v
	}
	return out
}

// needing refuses an object without a member.
func needing(member string, c check) check {
	return func(w *walker, key string, v *node) error {
		if v.kind == '{' && v.get(member) == nil {
			return refuse("[%s] must have [%s] in a shared index; without it, all fields are searched, those of the index too", key, member)
		}
		return c(w, key, v)
	}
}

// onID puts the prefix onto the value of a term query on _id.
func onID(c check) check {
	return func(w *walker, key string, v *node) error {
		if v.kind != '{' || len(v.members) != 1 || v.members[0].key != "_id" {
			return c(w, key, v)
		}
		at := v.members[0].value
		if at.isScalar() {
			return w.id(at)
		}
		if err := w.object("_id", at, each(scalar, "value boost _name", nil)); err != nil {
			return err
		}
		if at = at.get("value"); at == nil {
			return refuse("[%s] on [_id] has no [value]", key)
		}
		return w.id(at)
	}
}

// id puts the prefix onto an id in a query. One that no document can have matches
// none, as it would in an index of the tenant's own.
func (w *walker) id(v *node) error {
	client, ok := v.scalarText()
	if !ok {
		return refuse("an [_id] must be text")
	}
	if len(client) > MaxID {
		return refuse("an [_id] has at most %d bytes", MaxID)
	}
	v.kind, v.text = '"', w.t.prefix+client
	return nil
}

func ids(w *walker, key string, v *node) error {
	return listOf(func(w *walker, _ string, v *node) error { return w.id(v) })(w, key, v)
}

// terms is a list of values for one field. The other form looks them up in a
// document, of whatever index.
func terms(w *walker, key string, v *node) error {
	if v.kind != '{' {
		return refuse("[%s] must be an object", key)
	}
	fields := 0
	for _, m := range v.members {
		if m.key == "boost" || m.key == "_name" {
			if err := scalar(w, m.key, m.value); err != nil {
				return err
			}
			continue
		}
		fields++
		switch {
		case m.value.kind != '[' || !m.value.isSimple():
			return refuse("[%s] must be a list of values in a shared index: a lookup may read documents of other tenants", key)
		case m.key == "_id":
			if err := ids(w, m.key, m.value); err != nil {
				return err
			}
		case strings.ContainsRune(m.key, '*'):
			return refuse("[%s] must name one field, not a pattern", key)
		default:
			if err := w.t.fieldName(m.key); err != nil {
				return err
			}
		}
	}
	if fields != 1 {
		return refuse("[%s] must name one field", key)
	}
	return nil
}

// decay is a function of the distance from a value of a field.
func decay(w *walker, key string, v *node) error {
	if v.kind != '{' {
		return refuse("[%s] must be an object", key)
	}
	for _, m := range v.members {
		if m.key == "multi_value_mode" {
			if err := scalar(w, m.key, m.value); err != nil {
				return err
			}
			continue
		}
		if err := w.t.fieldName(m.key); err != nil {
			return err
		}
		if err := w.object(m.key, m.value, each(point, "origin scale offset decay", nil)); err != nil {
			return err
		}
	}
	return nil
}

// geo is a query by place: some options, and a field.
func geo(options string) check {
	known := each(scalar, options, nil)
	return func(w *walker, key string, v *node) error {
		if v.kind != '{' {
			return refuse("[%s] must be an object", key)
		}
		for _, m := range v.members {
			c, ok := known[m.key]
			if !ok {
				if err := w.t.fieldName(m.key); err != nil {
					return err
				}
				c = point
			}
			if err := c(w, m.key, m.value); err != nil {
				return err
			}
		}
		return nil
	}
}

// point is a place, or a box, in any of its notations.
func point(w *walker, key string, v *node) error {
	switch v.kind {
	case '{':
		return w.object(key, v, each(func(w *walker, key string, v *node) error { return point(w, key, v) },
			"lat lon top left bottom right top_left bottom_right top_right bottom_left wkt", nil))
	case '[':
		return listOf(point)(w, key, v)
	}
	return nil
}

// queryString also checks the fields that the text itself names.
func queryString(c check) check {
	return func(w *walker, key string, v *node) error {
		if err := c(w, key, v); err != nil {
			return err
		}
		q := v.get("query")
		if v.get("fields") == nil && v.get("default_field") == nil {
			return refuse("[%s] must have [fields] or [default_field] in a shared index; without it, all fields are searched, those of the index too", key)
		}
		if q == nil {
			return refuse("[%s] has no [query]", key)
		}
		if err := exact(key, q.text, false); err != nil {
			return err
		}
		return w.t.named(q.text)
	}
}

// named checks the fields in the text of a query string: what stands before each
// colon, and what _exists_ asks for. The text is not parsed, so that some harmless
// ones are refused too, such as a quotation that looks like a field.
func (t *Tenant) named(text string) error {
	if strings.Contains(text, `\u`) {
		return refuse(`[\u] in a query string is not supported in a shared index; write the character`)
	}
	text = strings.NewReplacer(`\`, "", "\u3000", " ").Replace(text)
	const apart = " \t\r\n()\"[]{}^~/"
	for i := 0; i < len(text); i++ {
		if text[i] != ':' {
			continue
		}
		before := strings.TrimRight(text[:i], " \t\r\n")
		name := strings.TrimLeft(before[strings.LastIndexAny(before, apart)+1:], "+-!&|")
		if name == "_exists_" {
			after := strings.TrimLeft(text[i+1:], " \t\r\n\"")
			if end := strings.IndexAny(after, apart); end >= 0 {
				after = after[:end]
			}
			name = after
		}
		if name == "" || name == "*" {
			continue
		}
		if err := t.searched(name); err != nil {
			return err
		}
	}
	return nil
}
