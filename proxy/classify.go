package proxy

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/placement"
)

// class decides how a request meets the gate. It is also a metrics label.
type class string

const (
	classRead    class = "read"
	classWrite   class = "write"
	classBulk    class = "bulk"
	classByQuery class = "byquery"
	classAdmin   class = "admin"
	classCursor  class = "cursor"
	classTask    class = "task"
	classNone    class = "refused"
)

// route is a row of the table, made ready to be searched.
type route struct {
	*endpoint
	parts   []string // of the pattern
	methods []string // nil for all
}

// routes are the rows of the table, in its order.
var routes = func() (out []route) {
	for _, s := range table {
		for i := range s.rows {
			r := route{endpoint: &s.rows[i], parts: strings.Split(s.rows[i].pattern[1:], "/")}
			if r.endpoint.methods != "*" {
				r.methods = strings.Fields(r.endpoint.methods)
			}
			out = append(out, r)
		}
	}
	return out
}()

// target is a request that the table knows.
type target struct {
	*endpoint
	index string // unescaped, as the client wrote it; empty if the path has none
	id    string // {id} or {name}
	segs  []string
	// place is which of segs the index is.
	place int
	few   [4]string // room of segs
}

// at returns the escaped path with another index in the place of {i}; where the
// pattern has none, one is put in front. An empty index gives the client's path.
func (t *target) at(index string) string {
	var b strings.Builder
	b.Grow(64)
	if index != "" && t.index == "" && t.segs[0] != "" {
		b.WriteByte('/')
		b.WriteString(escape(index))
	}
	for i, s := range t.segs {
		if i == t.place && t.index != "" && index != "" {
			s = index
		}
		b.WriteByte('/')
		b.WriteString(escape(s))
	}
	return b.String()
}

// classify finds the endpoint of a method and an escaped path. One that no tenant
// may call is an error, as is one that the table does not have.
func classify(method, path string) (*target, *apiError) {
	t := &target{}
	var err error
	t.segs, err = segments(t.few[:0], path)
	if errors.Is(err, errDots) {
		return nil, fail(http.StatusBadRequest, TypeBadRequest, "a part of the path is [.] or [..], which a server on the way may read as another path; name such a document in a body")
	}
	if err != nil {
		return nil, fail(http.StatusBadRequest, TypeBadRequest, "the path is not valid")
	}
	var allowed []string
	for i := range routes {
		r := &routes[i]
		ok := r.match(t)
		if !ok || r.op == opRefused && r.methods == nil && len(allowed) > 0 {
			continue
		}
		if r.methods != nil && !slices.Contains(r.methods, method) {
			allowed = append(allowed, r.methods...)
			continue
		}
		if r.op == opRefused {
			return nil, r.refusal(method, path, r.support.cluster)
		}
		return t, nil
	}
	if len(allowed) > 0 {
		return nil, fail(http.StatusMethodNotAllowed, TypeUnsupported,
			"method [%s] is not supported for this path, only [%s]", method, strings.Join(allowed, ", "))
	}
	return nil, fail(http.StatusBadRequest, TypeUnsupported,
		"[%s %s] is not supported: this proxy lets through only what it can keep inside a tenant and carry through a move; docs/endpoints.md lists the endpoints", method, path)
}

// refusal is the answer to a request that c refuses; method and path are the client's.
func (e *endpoint) refusal(method, path string, c cell) *apiError {
	if c.kind == TypeNotAllowed {
		return fail(http.StatusForbidden, c.kind, "[%s %s] is not allowed: %s", method, path, c.note)
	}
	return fail(http.StatusBadRequest, c.kind, "[%s %s] is not supported: %s", method, path, c.note)
}

// in is what the endpoint is at a placement.
func (e *endpoint) in(pl placement.Placement) cell {
	if c, ok := manyCells[e.op]; ok && pl.Many() {
		return c
	}
	switch pl.Kind {
	case placement.DedicatedCluster:
		return e.support.cluster
	case placement.DedicatedIndex:
		return e.support.index
	}
	return e.support.shared
}

// supported refuses what the table does not serve at placement pl.
func (q *request) supported(pl placement.Placement) error {
	if c := q.in(pl); c.kind != "" {
		return q.refusal(q.r.Method, q.r.URL.Path, c)
	}
	return nil
}

// match compares t's path with the pattern, and makes t a target of it if it is one.
func (r *route) match(t *target) bool {
	segs := t.segs
	open := r.parts[len(r.parts)-1] == "**"
	if !open && len(r.parts) != len(segs) || open && len(segs) < len(r.parts)-1 {
		return false
	}
	var index, id string
	place := 0
	for n, want := range r.parts {
		if want == "**" {
			break
		}
		s := segs[n]
		switch want {
		case "{i}":
			if s == "" || s[0] == '_' && s != "_all" {
				return false
			}
			index, place = s, n
		case "{id}", "{name}":
			if s == "" {
				return false
			}
			id = s
		default:
			if s != want {
				return false
			}
		}
	}
	t.endpoint, t.index, t.place, t.id = r.endpoint, index, place, id
	return true
}

// segments splits an escaped path and appends its unescaped parts to out. Empty ones are dropped
// as OpenSearch does, so /docs//_search/ is /docs/_search. A part that is not UTF-8 is
// an error, and so is one of dots: OpenSearch takes it for a name, and a load balancer
// before it could make DELETE /index of DELETE /index/_doc/.. in their place.
func segments(out []string, path string) ([]string, error) {
	for s := range strings.SplitSeq(path, "/") {
		if s == "" {
			continue
		}
		u, err := url.PathUnescape(s)
		if err != nil {
			return nil, err
		}
		if !utf8.ValidString(u) { // the cluster would make another id of it than the journal
			return nil, errUTF8
		}
		if u == "." || u == ".." {
			return nil, errDots
		}
		out = append(out, u)
	}
	if len(out) == 0 {
		out = []string{""}
	}
	return out, nil
}

var errDots = errors.New("dots for a part of the path")

// escape is url.PathEscape that also escapes a plus: some servers read one in a
// path as a space.
func escape(s string) string {
	for i := range len(s) {
		if c := s[i]; !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~') {
			return strings.ReplaceAll(url.PathEscape(s), "+", "%2B")
		}
	}
	return s
}
