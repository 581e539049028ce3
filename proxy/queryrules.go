package proxy

import (
	"net/http"
	"slices"

	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// queryRules check and translate a request body that holds queries. In a
// dedicated index every reference to an index must be to the tenant's own: a
// terms lookup would otherwise read a neighbour's documents.
type queryRules struct {
	physical, logical string                          // both empty where clients use the cluster's own names
	many              *pattern                        // of a tenant with several indices; the two above are empty then
	reindex           bool                            // the body is one of _reindex
	byIndex           *aggregations                   // collects those by index, if many
	pit               func(id string) (string, error) // unwraps pit.id; nil: a pit is refused
}

func (r *queryRules) dedicated() bool { return r.logical != "" || r.many != nil }

func (r *queryRules) key(path []string, key string) (string, fate) {
	if !r.dedicated() {
		return key, onlyPIT(path, key)
	}
	switch parent := last(path, 1); {
	case r.many != nil && len(path) == 1 && parent == "indices_boost":
		return r.many.around(key), look
	case parent == "indices_boost" && key == r.logical:
		return r.physical, look
	case key == "params" && parent == "script",
		(key == "document" || key == "documents") && parent == "percolate",
		key == "doc" && (parent == "like" || parent == "unlike" || parent == "docs" || parent == ""):
		return key, opaque // values of the client's own, never read as a query
	}
	return key, look
}

// collated reports whether a place is in the template that a suggester fills in for
// each suggestion.
func collated(path []string) bool {
	return len(path) > 4 && path[0] == "suggest" && path[2] == "phrase" && path[3] == "collate"
}

func (r *queryRules) wants(path []string) bool {
	if collated(path) {
		return r.dedicated()
	}
	switch last(path, 1) {
	case "id":
		return len(path) == 2 && path[0] == "pit"
	case "field":
		return r.many != nil && r.byIndex != nil && last(path, 2) == "terms"
	case "index", "_index", "indices":
		return r.dedicated()
	case "value", "query", "wildcard", "prefix":
		return r.dedicated() && (last(path, 2) == "_index" || last(path, 2) == "wrapper")
	}
	return false
}

// scalar makes no difference between a string and a bare value: OpenSearch reads
// {"_index": 5} as the index "5".
func (r *queryRules) scalar(path []string, v string, bare bool) (string, bool, error) {
	out, changed, err := r.text(path, v)
	if bare && changed {
		out = string(jsontext.AppendString(nil, out))
	}
	return out, changed, err
}

func (r *queryRules) text(path []string, v string) (string, bool, error) {
	name, parent, grand := last(path, 1), last(path, 2), last(path, 3)
	switch {
	case collated(path):
		return v, false, fail(http.StatusBadRequest, TypeUnsupported, "[collate] is not supported: it is a template, which the cluster fills in out of sight of this proxy; leave it out")
	case name == "field":
		if v == "_index" {
			r.byIndex.note(path[:len(path)-2])
		}
		return v, false, nil
	case name == "id":
		if r.pit == nil {
			return v, false, fail(http.StatusBadRequest, TypeUnsupported, "a point in time is supported in _search only")
		}
		id, err := r.pit(v)
		return id, true, err
	case parent == "wrapper" && name == "query":
		if slices.Contains([]string{"match", "match_phrase", "match_phrase_prefix", "match_bool_prefix"}, grand) {
			return v, false, nil // a field that is called wrapper
		}
		return v, false, fail(http.StatusBadRequest, TypeUnsupported, "[wrapper] queries cannot be checked and are refused; send the query itself")
	case r.many != nil:
		return r.many.reference(path, v, r.lookup(name, parent, grand), r.reindex)
	case r.lookup(name, parent, grand):
		if v != r.logical {
			return v, false, &apiError{
				status: http.StatusBadRequest, kind: TypeForeignIndex, index: v,
				reason: "[" + parent + "] refers to index [" + v + "], which is not [" + r.logical + "]",
			}
		}
		return r.physical, true, nil
	case name == "_index", parent == "_index": // the metadata field in a query
		if v == r.logical {
			return r.physical, true, nil
		}
	}
	return v, false, nil
}

// lookup reports whether the value names an index that documents are read from.
func (r *queryRules) lookup(name, parent, grand string) bool {
	switch name {
	case "index":
		return parent == "percolate" || parent == "indexed_shape" || grand == "terms" || grand == "actions"
	case "indices":
		return grand == "actions" // of aliases
	case "_index":
		// Of mget and termvectors, and of terms that stand for all of them.
		return parent == "like" || parent == "unlike" || parent == "docs" || parent == "" || parent == "parameters"
	}
	return false
}

// onlyPIT looks into the body's own pit and nothing else.
func onlyPIT(path []string, key string) fate {
	if len(path) == 0 && key == "pit" || len(path) == 1 && path[0] == "pit" {
		return look
	}
	return opaque
}

// pitFinder finds the point in time of a search body. It changes nothing
// and is run on a body that is rewritten afterwards.
type pitFinder struct{ found, keepAlive string }

func (f *pitFinder) key(path []string, key string) (string, fate) {
	return key, onlyPIT(path, key)
}
func (f *pitFinder) wants(path []string) bool {
	return len(path) == 2 && path[0] == "pit" && (path[1] == "id" || path[1] == "keep_alive")
}
func (f *pitFinder) scalar(path []string, v string, _ bool) (string, bool, error) {
	if last(path, 1) == "id" {
		f.found = v
	} else {
		f.keepAlive = v
	}
	return v, false, nil
}
