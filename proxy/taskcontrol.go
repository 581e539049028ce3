package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/sluiceproxy/sluice/affinity"
)

// controlTask cancels or throttles a task that the tenant has started, on whichever
// cluster that runs. It changes no document: what the task writes is accounted for
// by the ticket that it holds until it has ended.
func (q *request) controlTask() error {
	e, done, err := q.ownTask()
	if err != nil {
		return err
	}
	defer done()
	at := origin{e.Placement, e.Incarnation}
	s, err := q.sharing(at.place)
	if err == nil && s != nil {
		q.query, _, err = s.parameters(q)
	}
	if err != nil {
		return err
	}
	path := taskPath(e.ID) + "/_cancel"
	if q.op == opRethrottle {
		verb, _, _ := strings.Cut(q.pattern[1:], "/")
		path = "/" + verb + strings.TrimPrefix(taskPath(e.ID), "/_tasks") + "/_rethrottle"
	}
	ctx, cancel := context.WithTimeout(q.r.Context(), q.p.o.ReadTimeout)
	defer cancel()
	resp, err := q.sendRead(ctx, at.place.Cluster, http.MethodPost, path, q.query, &payload{})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, errorLimit))
	if err != nil {
		return q.readFailure(at.place.Cluster, err)
	}
	if err := upstreamStatus(resp, at.place.Cluster); err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return q.answer(resp, raw, at)
	}
	out, err := q.controlled(raw, at)
	if err != nil {
		return err
	}
	return q.answerBytes(http.StatusOK, out)
}

// controlled is the answer without what it says of the cluster's nodes, and with
// the id of the task as the client knows it.
func (q *request) controlled(raw []byte, at origin) ([]byte, error) {
	var a struct {
		Nodes map[string]struct {
			Tasks map[string]json.RawMessage `json:"tasks"`
		} `json:"nodes"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, fail(http.StatusBadGateway, TypeUpstream, "cluster %s gave an answer that is not understood", at.place.Cluster)
	}
	r, err := q.translation(at, nil)
	if err != nil {
		return nil, err
	}
	type node struct {
		Tasks map[string]json.RawMessage `json:"tasks"`
	}
	type failure struct {
		Type   string     `json:"type"`
		Reason string     `json:"reason"`
		Cause  errorCause `json:"caused_by"`
	}
	out := struct {
		Failures []failure       `json:"node_failures,omitempty"`
		Nodes    map[string]node `json:"nodes"`
	}{Nodes: map[string]node{}}
	for name, n := range a.Nodes {
		for _, task := range n.Tasks {
			// As in the answer about a task, whose shape is known.
			b, err := rewriteBytes(append(append([]byte(`{"task":`), task...), '}'), r)
			if err != nil {
				return nil, err
			}
			b = b[len(`{"task":`) : len(b)-1]
			out.Nodes[name] = node{map[string]json.RawMessage{q.id: b}}
		}
	}
	if len(out.Nodes) == 0 {
		const gone = "the task has ended, or its node is gone"
		out.Failures = []failure{{"failed_node_exception", gone, errorCause{Type: "resource_not_found_exception", Reason: gone}}}
	}
	return json.Marshal(out)
}

// ownTask opens the id of a task that the client presents. The caller calls done.
func (q *request) ownTask() (e affinity.Envelope, done func(), err error) {
	if done, err = q.authorize(); err != nil {
		return e, nil, err
	}
	e, err = q.unwrap(q.id, affinity.Task)
	if err == nil {
		return e, done, nil
	}
	done()
	if errors.Is(err, affinity.ErrExpired) || errors.Is(err, affinity.ErrOtherTenant) {
		err = fail(http.StatusNotFound, "resource_not_found_exception", "there is no such task")
	}
	return e, nil, err
}
