package proxy

import (
	"net/http"
	"net/url"
)

// readShared is readTarget for a shared index.
func (q *request) readShared(s *sharing, body []byte, at origin) (string, []byte, origin, error) {
	none := func(err error) (string, []byte, origin, error) { return "", nil, at, err }
	if err := ownIndex(q.index, at.place); err != nil {
		return none(err)
	}
	if q.op == opGetAdmin && !(q.r.Method == http.MethodHead && q.pattern == "/{i}") {
		return none(q.refuseAdmin())
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
	case opGetAdmin: // whether the index exists
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
	default:
		_, err := q.indexAt(at.place)
		return none(err)
	}
	q.query = query
	return path, body, at, nil
}
