package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/store"
)

// byQuery starts an update or delete by query. Such a task goes on whoever goes
// away, so it is always started as a task with an id, and its ticket is held, and
// the task named in the session, until it has ended.
func (q *request) byQuery() error {
	body, err := q.whole(q.p.o.QueryBody)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		again, err := q.byQueryOnce(body)
		if again && try == 0 {
			q.retries.Add(1)
			continue
		}
		return err
	}
}

func (q *request) byQueryOnce(body []byte) (again bool, err error) {
	t, err := q.enterWrite(int64(len(body)))
	if err != nil {
		return false, err
	}
	pl := q.entry.State.From
	at := origin{pl, q.entry.Incarnation}
	to, body, err := q.planByQuery(pl, body)
	var c *upstream.Client
	if err == nil {
		c, err = q.client(pl.Cluster)
	}
	if err != nil {
		t.Cancel()
		return false, err
	}
	t.RecordUnlisted()
	to.query.Set("wait_for_completion", "false")
	id, again, err := q.startTask(t, c, to, bytesPayload(body, "application/json"), at)
	if err != nil || id == "" {
		return again, err
	}
	if q.query.Get("wait_for_completion") == "false" {
		q.ticket = nil // whoever follows the task has it
		if !q.p.follow(func() {
			defer q.p.abandoned(t)
			_, _, _ = q.p.awaitTask(t, c, id)
		}) {
			// Shutting down: the session names the task, and the gate hands it over.
			t.Unknown()
		}
		return false, q.answerJSON(http.StatusOK, map[string]string{"task": q.wrap(at, affinity.Task, id)})
	}
	status, answer, err := q.p.awaitTask(t, c, id)
	if err != nil {
		return false, err
	}
	q.forgetTask(c, id)
	answer = q.waited(answer)
	resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}}
	return false, q.answer(resp, answer, at)
}

// startTask sends the request. id is empty when the cluster refused it and the
// answer has been passed on; the ticket has then ended, as on an error.
func (q *request) startTask(t *gate.Ticket, c *upstream.Client, pl plan, p *payload, at origin) (id string, again bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.r.Context()), q.p.o.WriteTimeout)
	defer cancel()
	req, err := q.build(ctx, pl.method, pl.path, pl.query, p)
	if err != nil {
		t.Cancel()
		return "", false, err
	}
	if err := t.Send(); err != nil {
		t.Cancel()
		return "", true, err
	}
	resp, err := q.call(c, req)
	var raw []byte
	if err == nil {
		raw, err = readAnswer(resp)
	}
	if err != nil {
		if upstream.NotSent(err) {
			t.Cancel()
			return "", true, q.readFailure(c.Name(), err)
		}
		t.Unknown()
		q.p.m.unknown.Inc()
		return "", false, gate.ErrOutcomeUnknown
	}
	var started struct {
		Task string `json:"task"`
	}
	if resp.StatusCode < 300 && json.Unmarshal(raw, &started) == nil && started.Task != "" {
		t.SetTask(store.Task{Cluster: c.Name(), ID: started.Task})
		return started.Task, false, nil
	}
	if err := t.Done(); err != nil {
		return "", false, err
	}
	if err := upstreamStatus(resp, c.Name()); err != nil {
		return "", false, err
	}
	return "", false, q.answer(resp, raw, at)
}

// taskState is OpenSearch's answer about a task.
type taskState struct {
	Completed bool            `json:"completed"`
	Response  json.RawMessage `json:"response"`
	Error     json.RawMessage `json:"error"`
}

// awaitTask polls a task until it has ended, and then ends the ticket. It does not
// look at the client's context: the task goes on without the client.
func (p *Proxy) awaitTask(t *gate.Ticket, c *upstream.Client, id string) (status int, answer []byte, err error) {
	pause := 10 * time.Millisecond
	timer := time.NewTimer(pause)
	defer timer.Stop()
	seen := time.Now()
	for {
		var s taskState
		ctx, cancel := context.WithTimeout(context.Background(), p.o.WriteTimeout)
		err := c.JSON(ctx, http.MethodGet, taskPath(id), nil, nil, &s)
		cancel()
		var refused *upstream.StatusError
		switch {
		case err == nil && s.Completed:
			if err := t.Done(); err != nil {
				p.m.unknown.Inc()
				return 0, nil, err
			}
			status, answer = taskAnswer(s)
			return status, answer, nil
		case err == nil:
			seen = time.Now()
		case errors.As(err, &refused) && refused.Status == http.StatusNotFound, time.Since(seen) > p.o.TaskPatience:
			// Its node is gone, or nobody can be asked: what it did is not known.
			p.log.Warn("a by-query task was lost sight of", "cluster", c.Name(), "err", err)
			t.Unknown()
			p.m.unknown.Inc()
			return 0, nil, gate.ErrOutcomeUnknown
		}
		<-timer.C
		pause = min(pause*3/2, time.Second)
		timer.Reset(pause)
	}
}

// taskAnswer is what the synchronous request would have been answered: the
// highest status of any failure, as OpenSearch does.
func taskAnswer(s taskState) (int, []byte) {
	if len(s.Error) > 0 && string(s.Error) != "null" {
		var e struct{ Type string }
		_ = json.Unmarshal(s.Error, &e) // an error without a type is a 500
		status := statusOf(e.Type)
		b, err := json.Marshal(map[string]any{"error": s.Error, "status": status})
		if err != nil {
			return http.StatusInternalServerError, []byte(`{}`)
		}
		return status, b
	}
	var r struct {
		TimedOut bool `json:"timed_out"`
		Failures []struct {
			Status int             `json:"status"`
			Reason json.RawMessage `json:"reason"`
		} `json:"failures"`
	}
	status := http.StatusOK
	if json.Unmarshal(s.Response, &r) == nil {
		if r.TimedOut {
			status = http.StatusRequestTimeout
		}
		for _, f := range r.Failures {
			if f.Status < 600 { // any other is none, and could not be sent
				status = max(status, f.Status)
			}
		}
	}
	return status, s.Response
}

// waited is the answer to a client that has waited, made of a task's: OpenSearch
// counts there what the endpoint does not do, and tells times to people.
func (q *request) waited(answer []byte) []byte {
	out, err := rewriteBytes(answer, waitedRules{
		created: q.op == opReindex,
		updated: !strings.HasSuffix(q.pattern, "/_delete_by_query"),
		human:   q.query.Has("human") && q.query.Get("human") != "false",
	})
	if err != nil {
		return answer // whoever passes it on looks at it again
	}
	return out
}

// waitedRules leave members out of the counts of a task, and of its slices.
type waitedRules struct{ created, updated, human bool }

func (r waitedRules) key(path []string, key string) (string, fate) {
	if key == "slices" && len(path) == 0 {
		return key, look
	}
	if len(path) > 0 && path[0] != "slices" {
		return key, opaque
	}
	switch key {
	case "created":
		return key, keepIf(r.created)
	case "updated":
		return key, keepIf(r.updated)
	case "throttled", "throttled_until":
		return key, keepIf(r.human)
	}
	return key, opaque
}

func keepIf(yes bool) fate {
	if yes {
		return opaque
	}
	return drop
}

func (waitedRules) wants([]string) bool { return false }

func (waitedRules) scalar(_ []string, v string, _ bool) (string, bool, error) { return v, false, nil }

// statusOf is the status of an exception that a task ended with.
func statusOf(kind string) int {
	switch {
	case kind == "index_not_found_exception":
		return http.StatusNotFound
	case kind == "cluster_block_exception", kind == "security_exception":
		return http.StatusForbidden
	case strings.HasPrefix(kind, "parse"), strings.HasPrefix(kind, "parsing"), kind == "illegal_argument_exception",
		kind == "query_shard_exception", kind == "script_exception", kind == "search_phase_execution_exception",
		kind == "action_request_validation_exception", kind == "x_content_parse_exception":
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// forgetTask removes the stored result of a task that the client never knew of.
func (q *request) forgetTask(c *upstream.Client, id string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(q.r.Context()), 5*time.Second)
	defer cancel()
	if err := c.JSON(ctx, http.MethodDelete, "/.tasks"+strings.Replace(taskPath(id), "/_tasks/", "/_doc/", 1), nil, nil, nil); err != nil {
		q.p.log.Debug("the stored result of a task stays behind", "cluster", c.Name(), "err", err)
	}
}

// task tells a client about a task that it started, on whichever cluster that
// runs.
func (q *request) task() error {
	e, done, err := q.ownTask()
	if err != nil {
		return err
	}
	defer done()
	at := origin{e.Placement, e.Incarnation}
	ctx, cancel := context.WithTimeout(q.r.Context(), q.p.o.ReadTimeout)
	defer cancel()
	resp, err := q.sendRead(ctx, at.place.Cluster, http.MethodGet, taskPath(e.ID), q.query, &payload{})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return q.stream(resp, at)
}

var _ http.Handler = (*Proxy)(nil)
var _ ClusterSource = (*Directory)(nil)
