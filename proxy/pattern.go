package proxy

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/internal/jsontext"
	"github.com/sluiceproxy/sluice/placement"
)

// pattern maps the names of a tenant that has any number of indices under a
// pattern. Whatever a client names is put in the place of the star, wildcards and
// all, so no name leads out of the pattern, and no other tenant of the cluster has
// an index that matches it.
type pattern struct{ place placement.Placement }

// patternOf returns nil for a placement without a pattern.
func patternOf(pl placement.Placement) *pattern {
	if !pl.Many() {
		return nil
	}
	return &pattern{pl}
}

// around puts a text that is not looked at in the place of the star.
func (p *pattern) around(s string) string {
	if s == "_all" {
		s = "*"
	}
	front, back, _ := strings.Cut(p.place.Index, "*")
	return front + s + back
}

// one is the index that a name stands for. write: the request would make it.
func (p *pattern) one(name string, write bool) (string, error) {
	physical, err := p.place.Physical(name)
	if err == nil {
		return physical, nil
	}
	if !write {
		return "", noSuchIndex(name)
	}
	e := fail(http.StatusBadRequest, "invalid_index_name_exception", "Invalid index name [%s]: it must be the name of one index, in lower case and as OpenSearch takes it", name)
	e.index = name
	return "", e
}

// list is what a list of names and wildcards stands for; empty is all of the
// tenant's indices. As in OpenSearch, a dash in front takes away from what comes
// before.
func (p *pattern) list(names string) (string, error) {
	if names == "" {
		return p.place.Index, nil
	}
	var out []string
	for i, name := range strings.Split(names, ",") {
		dash := ""
		if i > 0 && strings.HasPrefix(name, "-") {
			dash, name = "-", name[1:]
		}
		switch {
		case strings.ContainsAny(name, "<:") || strings.HasPrefix(name, "-") || name == "":
			return "", fail(http.StatusBadRequest, TypeForeignIndex, "[%s] may name other indices; name the tenant's own, or patterns of them", names)
		case name == "_all":
			name = "*"
		}
		// The wildcards aside, it must be a name as any other.
		if _, err := p.place.Physical(strings.ReplaceAll(name, "*", "x")); err != nil {
			return "", noSuchIndex(name)
		}
		out = append(out, dash+p.around(name))
	}
	return strings.Join(out, ","), nil
}

// at is the index to put into the path of a request upstream; empty leaves the
// path without one.
func (p *pattern) at(t *target) (string, error) {
	switch t.op {
	case opBulk, opMget, opMtermvectors, opMsearch, opAnalyze:
		if t.index == "" {
			return "", nil // each item names its own, or none is needed
		}
	}
	switch t.op {
	case opIndex, opIndexAuto, opCreate, opUpdate, opDelete, opMakeIndex, opBulk:
		return p.one(t.index, true)
	case opGet, opSource, opExplain, opTermvectors, opMget, opMtermvectors, opAnalyze:
		return p.one(t.index, false)
	}
	return p.list(t.index)
}

// shown is a name of the cluster's as the tenant knows it; false if it is none of
// the tenant's. It may be a wildcard that list has made.
func (p *pattern) shown(v string) (string, bool) {
	if rest, ok := strings.CutPrefix(v, "-"); ok {
		name, own := p.shown(rest)
		return "-" + name, own
	}
	if !strings.Contains(v, "*") {
		return p.place.LogicalOf(v)
	}
	front, back, _ := strings.Cut(p.place.Index, "*")
	if !p.place.Matches(v) {
		return "", false
	}
	return v[len(front) : len(v)-len(back)], true
}

// text is a sentence of the cluster's with the tenant's names. OpenSearch writes
// names of indices in brackets, alone, in a list, with a UUID behind a slash, or in
// a path.
// Outside of brackets a word that fits the pattern may be anything.
func (p *pattern) text(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "[")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		b.WriteByte('[')
		end := strings.IndexAny(rest, "[]") // an inner bracket begins anew
		if end < 0 {
			end = len(rest)
		}
		for i, e := range strings.Split(rest[:end], ",") {
			if i > 0 {
				b.WriteByte(',')
			}
			word := strings.TrimLeft(e, " /") // of a list, or of a path
			name, uuid, slash := strings.Cut(word, "/")
			if own, ok := p.shown(name); ok {
				name = own
			}
			b.WriteString(e[:len(e)-len(word)] + name)
			if slash {
				b.WriteString("/" + uuid)
			}
		}
		s = rest[end:]
	}
}

// path is the client's path with the tenant's name at its beginning; for Location.
func (p *pattern) path(loc string) (string, bool) {
	segs, err := segments(nil, loc)
	if err != nil || len(segs) < 2 {
		return "", false
	}
	name, ok := p.shown(segs[0])
	if !ok {
		return "", false
	}
	_, rest, _ := strings.Cut(strings.TrimPrefix(loc, "/"), "/")
	return "/" + escape(name) + "/" + rest, true
}

// header makes the header line of a search name indices of the tenant. inPath is
// what the path names.
func (p *pattern) header(line []byte, inPath string) ([]byte, error) {
	m, names, err := headerNames(line)
	if err != nil {
		return nil, err
	}
	list := strings.Join(names, ",")
	if list == "" {
		list = inPath
	}
	index, err := p.list(list)
	if err != nil {
		return nil, err
	}
	m["index"] = jsontext.AppendString(nil, index)
	return json.Marshal(m) // known keys once each: no parser can see others
}

// headerNames reads a header line, and takes the names of indices out of it.
func headerNames(line []byte) (m map[string]json.RawMessage, all []string, err error) {
	if !utf8.Valid(line) {
		return nil, nil, badBody(errUTF8)
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return nil, nil, fail(http.StatusBadRequest, "parsing_exception", "a header line is not a JSON object")
	}
	if m == nil { // null, which OpenSearch takes for an empty header
		m = map[string]json.RawMessage{}
	}
	for _, k := range []string{"index", "indices"} {
		raw, ok := m[k]
		if !ok {
			continue
		}
		var names oneOrMany
		if err := json.Unmarshal(raw, &names); err != nil {
			return nil, nil, fail(http.StatusBadRequest, "parsing_exception", "[%s] of a header line must be a name or a list of names", k)
		}
		all = append(all, names...)
		delete(m, k)
	}
	return m, all, nil
}

// indexQueries are the queries that the field _index understands.
var indexQueries = []string{"term", "terms", "match", "match_phrase", "wildcard", "prefix"}

// reference translates a value of a query's at the end of path: see queryRules.
func (p *pattern) reference(path []string, v string, lookup, reindex bool) (string, bool, error) {
	name, parent, grand := last(path, 1), last(path, 2), last(path, 3)
	var out string
	var err error
	switch {
	case reindex && len(path) == 2 && parent == "source" && name == "index":
		if v == "" { // which would be all of them
			return "", false, fail(http.StatusBadRequest, TypeForeignIndex, "[source.index] is empty; name the indices to copy from")
		}
		out, err = p.list(v)
	case reindex && len(path) == 2 && parent == "dest" && name == "index":
		out, err = p.one(v, true)
	case lookup:
		if out, err = p.place.Physical(v); err != nil {
			err = &apiError{
				status: http.StatusBadRequest, kind: TypeForeignIndex, index: v,
				reason: "[" + parent + "] refers to index [" + v + "], which can be none of the tenant's",
			}
		}
	case name == "_index" && slices.Contains(indexQueries, parent), parent == "_index" && slices.Contains(indexQueries, grand):
		out = p.around(v)
		if parent == "prefix" || grand == "prefix" {
			out, _, _ = strings.Cut(p.place.Index, "*")
			out += v
		}
	default:
		return v, false, nil
	}
	return out, true, err
}

// manyCells are the endpoints that such a tenant has otherwise than one with one
// index.
var manyCells = map[op]cell{
	opMakeIndex: served("without aliases, no files of the cluster"),
	opDropIndex: served("not while the tenant moves"),
	opReindex:   served("not from another cluster, without scripts"),
}

// checkCreation refuses, of the body of a new index, aliases and files.
func (p *pattern) checkCreation(b []byte) error {
	if err := checkAnalysis(b); err != nil || len(b) == 0 {
		return err
	}
	var f aliasFinder
	if _, err := rewriteBytes(b, &f); err != nil {
		return badBody(err)
	}
	if f.found {
		return fail(http.StatusForbidden, TypeNotAllowed, "[aliases] is not allowed: %s", whyAlias)
	}
	return nil
}

// aliasFinder looks for an alias in the body of a new index.
type aliasFinder struct{ found bool }

func (f *aliasFinder) key(path []string, key string) (string, fate) {
	if len(path) > 0 {
		f.found = true
	}
	if len(path) == 0 && key == "aliases" {
		return key, look
	}
	return key, opaque
}

func (*aliasFinder) wants([]string) bool { return false }

func (*aliasFinder) scalar(_ []string, v string, _ bool) (string, bool, error) { return v, false, nil }

// maxByIndex is how many aggregations by index are looked for in an answer; the keys
// of others keep the cluster's names.
const maxByIndex = 1000

// aggregations are places of aggregations, each as the names that lead to it.
type aggregations [][]string

// note adds the aggregation at a path of a request, if one is there.
func (a *aggregations) note(path []string) {
	var names []string
	for i, key := range path {
		switch {
		case i%2 == 1:
			names = append(names, key)
		case key != "aggs" && key != "aggregations":
			return
		}
	}
	if len(names) > 0 && len(path)%2 == 0 && len(*a) < maxByIndex {
		*a = append(*a, names)
	}
}

// have reports whether a path of an answer is in the buckets of one.
func (a aggregations) have(path []string) bool {
	if len(path) > 0 && path[0] == "responses" {
		path = path[1:]
	}
	return len(path) > 0 && path[0] == "aggregations" && slices.ContainsFunc(a, func(names []string) bool { return leads(path[1:], names) })
}

// leads reports whether a path leads through aggregations of these names to the
// buckets of the last. Buckets of the others may stand between them, with their keys,
// and before a name its type.
func leads(path, names []string) bool {
	if len(path) < 2 {
		return false
	}
	name, rest := path[0], path[1:]
	_, typed, _ := strings.Cut(name, "#")
	switch {
	case name != names[0] && typed != names[0]:
		return false
	case len(names) == 1:
		return len(rest) == 1 && rest[0] == "buckets"
	}
	return leads(rest, names[1:]) || rest[0] == "buckets" && (leads(rest[1:], names[1:]) || len(rest) > 2 && leads(rest[2:], names[1:]))
}
