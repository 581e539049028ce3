package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// worker is one client. It alone writes its ids, one request at a time.
type worker struct {
	*client
	load   *Load
	ids    []string
	random *rand.Rand
}

// mix says how often each operation is chosen, in parts of the sum.
var mix = []struct {
	parts int
	do    func(*worker, context.Context) error
}{
	{14, func(w *worker, ctx context.Context) error { return w.write(ctx, "index") }},
	{14, func(w *worker, ctx context.Context) error { return w.write(ctx, "update") }},
	{10, func(w *worker, ctx context.Context) error { return w.write(ctx, "script") }},
	{8, func(w *worker, ctx context.Context) error { return w.write(ctx, "delete") }},
	{3, (*worker).automatic},
	{6, (*worker).increment},
	{8, (*worker).bulk},
	{16, (*worker).getOwn},
	{11, (*worker).getAny},
	{6, (*worker).mget},
	{4, (*worker).search},
}

func (w *worker) run(ctx context.Context, stop <-chan struct{}) {
	sum := 0
	for _, m := range mix {
		sum += m.parts
	}
	for w.load.pace.wait(ctx, stop) {
		n := w.random.IntN(sum)
		for _, m := range mix {
			if n -= m.parts; n < 0 {
				w.load.idle.RLock()
				// What went wrong was counted and noted where it happened; a client goes on.
				_ = m.do(w, ctx)
				w.load.idle.RUnlock()
				break
			}
		}
	}
}

// pick returns one of the worker's ids. Most picks hit a few ids, so that a document is written, deleted and created again
// several times within one move.
func (w *worker) pick() string {
	n := len(w.ids)
	if w.random.IntN(10) < 7 {
		n = min(n, 40)
	}
	return w.ids[w.random.IntN(n)]
}

// write makes one change of one document. A document that does not exist is created, whatever the operation.
func (w *worker) write(ctx context.Context, op string) error {
	id := w.pick()
	v := w.load.ledger.view(id)
	if v.possible != nil {
		return w.get(ctx, id)
	}
	if !v.acked.Exists {
		op = [...]string{"index", "create"}[w.random.IntN(2)]
	}
	c := w.load.plan(op, id, v.acked)
	method, path, payload := http.MethodPut, w.load.docPath("_doc", id), any(nil)
	switch op {
	case "index":
		payload = w.load.source(c)
	case "create":
		path, payload = w.load.docPath("_create", id), w.load.source(c)
	case "update", "script":
		method, path, payload = http.MethodPost, w.load.docPath("_update", id), updateBody(c)
	case "delete":
		method = http.MethodDelete
	}
	a, err := w.send(ctx, method, path, payload)
	if err == nil {
		var version int64
		if _, version, err = written(a); err == nil {
			w.load.success(c, version)
			return nil
		}
	}
	w.load.unsuccessful(c, err)
	return err
}

// send is call for a write, with its duration sampled.
func (w *worker) send(ctx context.Context, method, path string, payload any) (answer, error) {
	var body []byte
	if payload != nil {
		var err error
		if body, err = json.Marshal(payload); err != nil {
			return answer{}, err
		}
	}
	start := time.Now()
	a, err := w.call(ctx, method, path, body, true)
	w.tally.samples.add(start)
	return a, err
}

// written takes id and version out of the answer to a write.
func written(a answer) (string, int64, error) {
	var got struct {
		ID      string `json:"_id"`
		Version int64  `json:"_version"`
	}
	if err := json.Unmarshal(a.body, &got); err != nil || got.ID == "" || got.Version == 0 {
		return "", 0, fmt.Errorf("%w: the answer %d has no id and version: %.100s", errUnknown, a.status, a.body)
	}
	return got.ID, got.Version, nil
}

// automatic creates a document whose id the server chooses.
func (w *worker) automatic(ctx context.Context) error {
	marker := w.load.ledger.begin("", false)
	d := *w.load.docs[w.load.ids[w.random.IntN(len(w.load.ids))]]
	d.UID, d.Marker, d.Counter = fmt.Sprintf("automatic-%d", marker), marker, 0
	a, err := w.send(ctx, http.MethodPost, "/"+url.PathEscape(w.load.target.Index)+"/_doc", d)
	state := State{Exists: true, Marker: marker}
	if err == nil {
		var id string
		if id, state.Version, err = written(a); err == nil {
			w.load.ledger.ack("index", id, state)
			return nil
		}
	}
	var se *statusError
	if errors.Is(err, errUnknown) || errors.As(err, &se) && se.doubtful {
		w.load.ledger.doubt("index", "", state)
	}
	return err
}

// increment increases a counter that all workers share.
func (w *worker) increment(ctx context.Context) error {
	id := fmt.Sprintf("counter-%d", w.random.IntN(Counters))
	path := w.load.docPath("_update", id) + "?retry_on_conflict=30"
	_, err := w.send(ctx, http.MethodPost, path, map[string]any{"script": map[string]any{"source": "ctx._source.counter += 1"}})
	var se *statusError
	switch {
	case err == nil:
		w.load.ledger.count(id, true)
	case errors.Is(err, errUnknown) || errors.As(err, &se) && se.doubtful:
		w.load.ledger.count(id, false)
	}
	return err
}

// bulk sends several changes of different documents, of all kinds.
func (w *worker) bulk(ctx context.Context) error {
	var changes []change
	chosen := map[string]bool{}
	ops := [...]string{"index", "update", "script", "delete"}
	for range 3 + w.random.IntN(6) {
		id := w.pick()
		v := w.load.ledger.view(id)
		if chosen[id] || v.possible != nil {
			continue
		}
		chosen[id] = true
		op := ops[w.random.IntN(len(ops))]
		if !v.acked.Exists {
			op = "create"
		}
		changes = append(changes, w.load.plan(op, id, v.acked))
	}
	if len(changes) == 0 {
		return nil
	}
	start := time.Now()
	err := w.load.bulk(ctx, w.client, changes)
	w.tally.samples.add(start)
	return err
}
