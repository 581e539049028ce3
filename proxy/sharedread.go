package proxy

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// readShared is readTarget for a shared index. pit opens the point in time that is
// searched, if one is.
func (q *request) readShared(s *sharing, body []byte, at origin, pit func(string) (string, error)) (string, []byte, origin, error) {
	none := func(err error) (string, []byte, origin, error) { return "", nil, at, err }
	if err := q.own(at.place); err != nil {
		return none(err)
	}
	query, routing, err := s.parameters(q)
	if err != nil {
		return none(err)
	}
	index := "/" + escape(s.names.Physical)
	path := index
	switch q.op {
	case opInfo:
		path, query = "/", url.Values{}
	case opExists:
	case opRefresh:
		// Of all tenants' documents; it shows each only its own.
		path += "/_refresh"
	case opGet, opSource:
		id, err := s.ID(q.id)
		if err != nil {
			return none(err)
		}
		verb := "/_doc/"
		if q.op == opSource {
			verb = "/_source/"
		}
		path += verb + escape(id)
		query.Set("routing", s.Routing(routing))
		body = nil
	case opMget:
		if body, err = s.MultiGet(body, s.names, routing); err != nil {
			return none(err)
		}
		path += "/_mget"
	case opAnalyze:
		if body, err = s.Analysis(body); err != nil {
			return none(err)
		}
		path += "/_analyze"
	case opSearch, opCount, opMsearch, opValidate, opOpenPIT:
		verb := ""
		if verb, body, err = q.searchShared(s, body, query, pit); err != nil {
			return none(err)
		}
		if r := s.Routings(routing); r != "" {
			query.Set("routing", r)
		}
		if path += verb; pit != nil {
			path = verb // it names the index itself
		}
	default:
		_, err := q.indexAt(at.place)
		return none(err)
	}
	q.query = query
	return path, body, at, nil
}

// searchShared narrows what searches.
func (q *request) searchShared(s *sharing, body []byte, query url.Values, pit func(string) (string, error)) (verb string, out []byte, err error) {
	in := shared.Search{Body: body, Parameters: query, PIT: pit, Filtered: query.Has("filter_path")}
	q.byID, q.early = nil, false
	in.Early = func() { q.early = true }
	if q.op == opSearch && !query.Has("scroll") { // of a scroll, only the first answer would be known to be sorted so
		in.SortID = func(position int) { q.byID = append(q.byID, position) }
	}
	switch q.op {
	case opSearch:
		verb = "/_search"
		out, err = s.Search(in)
	case opCount:
		verb = "/_count"
		out, err = s.Count(in)
	case opValidate:
		verb = "/_validate/query"
		out, err = s.Count(in)
	case opMsearch:
		verb = "/_msearch"
		out, err = msearchBody(body,
			func(line []byte) ([]byte, error) { return s.SearchHeader(line, s.names) },
			func(line []byte) ([]byte, error) {
				return s.Search(shared.Search{Body: line, Early: in.Early, Filtered: in.Filtered})
			})
	case opOpenPIT:
		verb = "/_search/point_in_time" // no body; each search narrows itself
	}
	return verb, out, err
}

// planByQuery says where a by-query task goes, and narrows it in a shared index.
func (q *request) planByQuery(pl placement.Placement, body []byte) (plan, []byte, error) {
	out := plan{method: http.MethodPost, query: cloneQuery(q.query)}
	if err := q.supported(pl); err != nil {
		return out, nil, err
	}
	s, err := q.sharing(pl)
	if err != nil {
		return out, nil, err
	}
	if q.op == opReindex {
		out.path = q.at("")
		if err := checkReindex(body, pl); err != nil || !pl.Many() {
			return out, body, err
		}
		body, err = checkWith(body, pl, &queryRules{reindex: true})
		return out, body, err
	}
	if s == nil {
		index, err := q.indexAt(pl)
		if err != nil {
			return out, nil, err
		}
		out.path = q.at(index)
		body, err = checkQuery(body, pl, nil)
		return out, body, err
	}
	if err := ownIndex(q.index, pl); err != nil {
		return out, nil, err
	}
	query, routing, err := s.parameters(q)
	if err != nil {
		return out, nil, err
	}
	in := shared.Search{Body: body, Parameters: query}
	verb, narrow := "/_update_by_query", s.UpdateByQuery
	if strings.HasSuffix(q.pattern, "/_delete_by_query") {
		verb, narrow = "/_delete_by_query", s.DeleteByQuery
	}
	if body, err = narrow(in); err != nil {
		return out, nil, err
	}
	if r := s.Routings(routing); r != "" {
		query.Set("routing", r)
	}
	out.path, out.query = "/"+escape(s.names.Physical)+verb, query
	return out, body, nil
}
