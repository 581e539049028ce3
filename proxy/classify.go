package proxy

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
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

// op is what an endpoint does.
type op int

const (
	opInfo op = iota
	opIndex
	opIndexAuto
	opCreate
	opUpdate
	opDelete
	opGet
	opSource
	opBulk
	opSearch
	opMsearch
	opMget
	opCount
	opByQuery
	opRefresh
	opGetAdmin // mapping, settings, alias, or the index itself
	opPutAdmin
	opPutAlias
	opClusterAdmin // only where the whole cluster is the tenant's
	opScroll
	opClearScroll
	opOpenPIT
	opClosePIT
	opAllPITs
	opTask
)

// endpoint is one row of the table. In a pattern {i} is an index, {id} and {name}
// stand for one segment.
type endpoint struct {
	methods string
	pattern string
	op      op
	class   class
}

// endpoints is everything that the proxy serves.
var endpoints = []endpoint{
	{"GET HEAD", "/", opInfo, classRead},
	{"PUT POST", "/{i}/_doc/{id}", opIndex, classWrite},
	{"POST", "/{i}/_doc", opIndexAuto, classWrite},
	{"GET HEAD", "/{i}/_doc/{id}", opGet, classRead},
	{"DELETE", "/{i}/_doc/{id}", opDelete, classWrite},
	{"PUT POST", "/{i}/_create/{id}", opCreate, classWrite},
	{"GET HEAD", "/{i}/_source/{id}", opSource, classRead},
	{"POST", "/{i}/_update/{id}", opUpdate, classWrite},
	{"PUT POST", "/_bulk", opBulk, classBulk},
	{"PUT POST", "/{i}/_bulk", opBulk, classBulk},
	{"GET POST", "/_search", opSearch, classRead},
	{"GET POST", "/{i}/_search", opSearch, classRead},
	{"GET POST", "/_msearch", opMsearch, classRead},
	{"GET POST", "/{i}/_msearch", opMsearch, classRead},
	{"GET POST", "/_mget", opMget, classRead},
	{"GET POST", "/{i}/_mget", opMget, classRead},
	{"GET POST", "/_count", opCount, classRead},
	{"GET POST", "/{i}/_count", opCount, classRead},
	{"POST", "/{i}/_update_by_query", opByQuery, classByQuery},
	{"POST", "/{i}/_delete_by_query", opByQuery, classByQuery},
	{"GET POST", "/_refresh", opRefresh, classRead},
	{"GET POST", "/{i}/_refresh", opRefresh, classRead},
	{"GET HEAD", "/{i}", opGetAdmin, classRead},
	{"GET", "/_mapping", opGetAdmin, classRead},
	{"GET", "/{i}/_mapping", opGetAdmin, classRead},
	{"PUT POST", "/{i}/_mapping", opPutAdmin, classAdmin},
	{"GET", "/_settings", opGetAdmin, classRead},
	{"GET", "/{i}/_settings", opGetAdmin, classRead},
	{"GET", "/{i}/_settings/{name}", opGetAdmin, classRead},
	{"PUT", "/{i}/_settings", opPutAdmin, classAdmin},
	{"GET HEAD", "/_alias", opGetAdmin, classRead},
	{"GET HEAD", "/_alias/{name}", opGetAdmin, classRead},
	{"GET HEAD", "/{i}/_alias", opGetAdmin, classRead},
	{"GET HEAD", "/{i}/_alias/{name}", opGetAdmin, classRead},
	{"PUT POST", "/{i}/_alias/{name}", opPutAlias, classAdmin},
	{"DELETE", "/{i}/_alias/{name}", opPutAlias, classAdmin},
	{"PUT POST", "/{i}/_aliases/{name}", opPutAlias, classAdmin},
	{"DELETE", "/{i}/_aliases/{name}", opPutAlias, classAdmin},
	{"POST", "/_aliases", opClusterAdmin, classAdmin},
	{"PUT DELETE", "/{i}", opClusterAdmin, classAdmin},
	{"GET POST", "/_search/scroll", opScroll, classCursor},
	{"GET POST", "/_search/scroll/{id}", opScroll, classCursor},
	{"DELETE", "/_search/scroll", opClearScroll, classCursor},
	{"DELETE", "/_search/scroll/{id}", opClearScroll, classCursor},
	{"POST", "/{i}/_search/point_in_time", opOpenPIT, classCursor},
	{"DELETE", "/_search/point_in_time", opClosePIT, classCursor},
	{"GET DELETE", "/_search/point_in_time/_all", opAllPITs, classCursor},
	{"GET", "/_tasks/{id}", opTask, classTask},
}

// target is a request that the table knows.
type target struct {
	*endpoint
	index string // unescaped, as the client wrote it; empty if the path has none
	id    string // {id} or {name}
	segs  []string
}

// at returns the escaped path with another index in the place of {i}; where the
// pattern has none, one is put in front. An empty index gives the client's path.
func (t *target) at(index string) string {
	var b strings.Builder
	if index != "" && t.index == "" && t.segs[0] != "" {
		b.WriteString("/" + escape(index))
	}
	for i, s := range t.segs {
		if i == 0 && t.index != "" && index != "" {
			s = index
		}
		b.WriteString("/" + escape(s))
	}
	return b.String()
}

// classify finds the endpoint of a method and an escaped path.
func classify(method, path string) (*target, *apiError) {
	segs, err := segments(path)
	if err != nil {
		return nil, fail(http.StatusBadRequest, TypeBadRequest, "the path is not valid")
	}
	var allowed []string
	for i := range endpoints {
		e := &endpoints[i]
		t := &target{endpoint: e, segs: segs}
		if !t.match() {
			continue
		}
		methods := strings.Fields(e.methods)
		if slices.Contains(methods, method) {
			return t, nil
		}
		allowed = append(allowed, methods...)
	}
	if len(allowed) > 0 {
		return nil, fail(http.StatusMethodNotAllowed, TypeUnsupported,
			"method [%s] is not supported for this path, only [%s]", method, strings.Join(allowed, ", "))
	}
	return nil, fail(http.StatusBadRequest, TypeUnsupported,
		"no tenant may call [%s %s] through this proxy; see its documentation for the supported endpoints", method, path)
}

func (t *target) match() bool {
	n := 0
	for want := range strings.SplitSeq(t.pattern[1:], "/") {
		if n == len(t.segs) {
			return false
		}
		s := t.segs[n]
		switch want {
		case "{i}":
			if s == "" || s[0] == '_' && s != "_all" {
				return false
			}
			t.index = s
		case "{id}", "{name}":
			if s == "" {
				return false
			}
			t.id = s
		default:
			if s != want {
				return false
			}
		}
		n++
	}
	return n == len(t.segs)
}

// segments splits an escaped path and unescapes its parts. Empty ones are dropped
// as OpenSearch does, so /docs//_search/ is /docs/_search. A part that is not UTF-8
// is an error.
func segments(path string) ([]string, error) {
	var out []string
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
		out = append(out, u)
	}
	if len(out) == 0 {
		out = []string{""}
	}
	return out, nil
}

// escape is url.PathEscape that also escapes a plus: some servers read one in a
// path as a space.
func escape(s string) string { return strings.ReplaceAll(url.PathEscape(s), "+", "%2B") }
