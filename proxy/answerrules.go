package proxy

import (
	"strings"

	"github.com/sluiceproxy/sluice/affinity"
)

// answerRules turn a cluster's answer into the tenant's view: the physical index
// becomes the logical one, primary terms carry the incarnation, cursors become
// envelopes. What documents hold (_source, fields, highlights, sort values) is
// never looked into.
type answerRules struct {
	physical, logical string   // both empty where clients see the cluster's own names
	many              *pattern // of a tenant with several indices; the two above are empty then
	incarnation       uint32
	byIndex           bool                                       // members of the outermost object are named after indices
	failed            bool                                       // the answer is an error
	caps              bool                                       // the answer is of _field_caps, of several indices
	byIndexAt         aggregations                               // whose keys are names of indices
	wrap              func(kind affinity.Kind, id string) string // nil: leave cursors alone
}

// idle reports that no byte of any answer would change.
func (r *answerRules) idle() bool {
	return !r.renames() && r.incarnation == 0 && r.wrap == nil
}

// renames reports whether the names of clients differ from those of the cluster.
func (r *answerRules) renames() bool { return r.many != nil || r.physical != r.logical }

func last(path []string, n int) string {
	if len(path) < n {
		return ""
	}
	return path[len(path)-n]
}

func (r *answerRules) key(path []string, key string) (string, fate) {
	if r.many != nil && (r.byIndex && len(path) == 0 && !(r.failed && (key == "error" || key == "status")) || len(path) == 1 && path[0] == "indices") {
		if name, ok := r.many.shown(key); ok {
			return name, look
		}
	}
	if key == r.physical && key != "" && (r.byIndex && len(path) == 0 || len(path) == 1 && path[0] == "indices") {
		return r.logical, look
	}
	switch key {
	case "_source", "mappings", "_meta", "term_vectors":
		return key, opaque
	case "fields", "highlight", "sort", "matched_queries", "ignored_field_values", "_explanation":
		// Of a hit, a document or an update's answer; elsewhere such a name is a
		// user's own, of an aggregation for example.
		switch last(path, 1) {
		case "":
			if r.caps {
				return key, look
			}
			return key, opaque
		case "docs", "get":
			return key, opaque
		case "hits":
			if last(path, 2) == "hits" { // an aggregation may be called hits as well
				return key, opaque
			}
		}
	case "suggest":
		if len(path) == 0 || last(path, 1) == "responses" {
			return key, opaque
		}
	}
	return key, look
}

func (r *answerRules) wants(path []string) bool {
	switch last(path, 1) {
	case "_index", "index", "resource.id", "provided_name", "index.provided_name", "reason", "description", "_shard":
		return r.renames()
	case "error", "explanation": // of a validation; text
		return r.renames() && (len(path) == 1 || path[0] == "explanations")
	case "indices": // a list of names
		return r.renames() && (len(path) == 1 || r.caps && len(path) == 4)
	case "non_searchable_indices", "non_aggregatable_indices":
		return r.caps && len(path) == 4
	case "id":
		return r.renames() && (path[0] == "profile" || last(path, 2) == "shards")
	case "key":
		return r.many != nil && r.byIndexAt.have(path[:len(path)-1])
	case "_primary_term":
		return r.incarnation != 0
	case "_scroll_id", "pit_id":
		return r.wrap != nil && (len(path) == 1 || len(path) == 2 && path[0] == "responses")
	}
	return false
}

func (r *answerRules) scalar(path []string, v string, bare bool) (string, bool, error) {
	name := last(path, 1)
	if bare {
		if name != "_primary_term" {
			return v, false, nil
		}
		return shownTerm(v, r.incarnation), true, nil
	}
	switch name {
	case "_scroll_id":
		return r.wrap(affinity.Scroll, v), true, nil
	case "pit_id":
		return r.wrap(affinity.PIT, v), true, nil
	case "reason", "description", "id", "error", "explanation", "_shard":
		if r.many != nil {
			out := r.many.text(v)
			return out, out != v, nil
		}
		out := replaceName(v, r.physical, r.logical)
		return out, out != v, nil
	case "_primary_term":
		return v, false, nil
	}
	if r.many != nil {
		if name, ok := r.many.shown(v); ok {
			return name, true, nil
		}
		return v, false, nil
	}
	if v == r.physical {
		return r.logical, true, nil
	}
	return v, false, nil
}

// replaceName replaces an index name where it stands as a word of its own.
func replaceName(text, from, to string) string {
	if from == "" || !strings.Contains(text, from) {
		return text
	}
	var b strings.Builder
	done := 0 // text before it is written
	for at := 0; ; {
		i := strings.Index(text[at:], from)
		if i < 0 {
			b.WriteString(text[done:])
			return b.String()
		}
		i += at
		at = i + len(from)
		if (i == 0 || !nameByte(text[i-1])) && (at == len(text) || !nameByte(text[at])) {
			b.WriteString(text[done:i])
			b.WriteString(to)
			done = at
		}
	}
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c >= 0x80
}
