package proxy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// What a move's receipt tells of errors. Counted is what a client cannot have caused
// by what it asked for: a document that is not there, a conflict, or a bad query is an
// answer like any other.

// brokenOff is the kind of an answer that was begun and not finished.
const brokenOff = "broken_off"

// failure returns the kind of an answer that counts as an error, or "". code is the
// proxy's own type of error, if it is one.
func failure(status int, code string) string {
	switch {
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests:
	case status == http.StatusForbidden && code == "": // a write block of the cluster's
	default:
		return ""
	}
	if code != "" {
		return code
	}
	return "status_" + strconv.Itoa(status)
}

// noteFailure counts the request's own outcome.
func (q *request) noteFailure() {
	kind := failure(q.status, q.code)
	if q.broken {
		kind = brokenOff
	}
	if kind == "" || q.tenant == "" || q.mixed {
		return
	}
	q.p.gate.NoteErrors(q.tenant, q.entry, kind, 1)
}

// noteChunk counts the items of a bulk that an error speaks for.
func (q *request) noteChunk(a *apiError, items int) {
	if kind := failure(a.status, a.kind); kind != "" {
		q.p.gate.NoteErrors(q.tenant, q.entry, kind, items)
	}
}

// noteItems counts the items that the cluster has refused, in its answer to a bulk in
// which some have failed.
func (q *request) noteItems(items []json.RawMessage) {
	for _, raw := range items {
		// Most have not failed, and are not looked at any further.
		if !bytes.Contains(raw, []byte(`"error"`)) {
			continue
		}
		var one map[string]struct {
			Status int `json:"status"`
		}
		if json.Unmarshal(raw, &one) != nil {
			continue // the client is told what it is all the same
		}
		for _, r := range one {
			if kind := failure(r.Status, ""); kind != "" {
				q.p.gate.NoteErrors(q.tenant, q.entry, "item_"+kind, 1)
			}
		}
	}
}
