package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/history"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

// void is the outcome of what was performed, and found nothing to change.
const void history.Outcome = "void"

// purge is a delete by query.
const purge = "purge"

// Op is one operation of a client on one document.
type Op struct {
	history.Op
	Status int
	Proxy  string
	Epoch  uint64
	Stale  bool // read through a proxy in leased mode, which may be
}

func (o *Op) String() string {
	return fmt.Sprintf("%v %d %s epoch %d", o.Op, o.Status, o.Proxy, o.Epoch)
}

func newOp(verb, doc string) *Op { return &Op{Op: history.Op{Verb: verb, Doc: doc}} }

func (w *World) client(n int) {
	name := fmt.Sprintf("client %d", n)
	w.wait(between(w.random.next(name), 0, 300*time.Millisecond))
	var seen time.Duration // the change that the burst is for
	for burst, all := 0, 0; w.elapsed() < w.o.Load; {
		r := w.random.next(name)
		w.one(n, r)
		// Often while something changes, and seldom otherwise.
		w.mu.Lock()
		changed := w.changedAt
		w.mu.Unlock()
		if changed != seen {
			seen, burst = changed, 0
		}
		if w.elapsed()-changed < 300*time.Millisecond && burst < 8 && all < 90 {
			burst, all = burst+1, all+1
			w.wait(logBetween(r, 100*time.Microsecond, 30*time.Millisecond))
			continue
		}
		w.wait(logBetween(r, 20*time.Millisecond, 4*time.Second))
	}
}

// one performs one operation through some proxy.
func (w *World) one(n int, r *rand.Rand) {
	proxy := fmt.Sprintf("proxy-%d", 1+r.IntN(w.o.Proxies))
	doc := func() string { return fmt.Sprintf("d%d", r.IntN(w.o.Docs)) }
	patience := 3 * w.o.WriteTimeout
	if chance(r, 0.05) {
		patience = logBetween(r, time.Millisecond, time.Second) // a client that leaves
	}
	if w.outsider != nil && chance(r, 0.3) {
		w.outsider.write(n, newOp([]string{history.Put, history.Delete}[r.IntN(2)], doc()))
		return
	}
	switch x := r.IntN(40); {
	case x == 0:
		w.purge(n, proxy, doc(), patience)
	case x == 1:
		w.putMapping(proxy, patience)
	case x == 2:
		w.nobody(proxy, patience)
	case x < 16:
		w.write(n, proxy, []*Op{newOp(history.Put, doc())}, false, patience)
	case x < 24:
		w.write(n, proxy, []*Op{newOp(history.Delete, doc())}, false, patience)
	case x < 28:
		ops := []*Op{newOp(history.Put, "d0"), newOp(history.Delete, "d1")}
		w.write(n, proxy, ops, true, patience)
	default:
		w.read(n, proxy, doc(), patience)
	}
}

func (w *World) value() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.values++
	return fmt.Sprintf("v%d", w.values)
}

// record puts an operation into the history when it begins, so that one without
// an end is there too.
func (w *World) record(ops ...*Op) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, o := range ops {
		o.Call, o.Return, o.Outcome = w.elapsed(), -1, history.Unknown
		w.history = append(w.history, o)
	}
}

func (w *World) ended(o *Op, outcome history.Outcome) {
	w.mu.Lock()
	o.Return, o.Outcome = w.elapsed(), outcome
	w.mu.Unlock()
	w.note("client", "%v", o)
}

// source is a document of that value. Where mappings are dynamic, one in a few has a field
// that others have not.
func (w *World) source(v string) string {
	if w.o.Dynamic {
		k := 0
		for _, c := range v {
			k += int(c)
		}
		return fmt.Sprintf(`{"v":%q,"k%d":1}`, v, k%11)
	}
	return fmt.Sprintf(`{"v":%q}`, v)
}

// write sends one write, or a bulk of several.
func (w *World) write(n int, proxy string, ops []*Op, bulk bool, patience time.Duration) {
	for _, o := range ops {
		o.Client, o.Proxy = n, proxy
		if o.Verb == history.Put {
			o.Value = w.value()
		}
	}
	w.record(ops...)
	method, path, body := http.MethodPut, "/docs/_doc/"+ops[0].Doc, w.source(ops[0].Value)
	switch {
	case bulk:
		method, path, body = http.MethodPost, "/docs/_bulk", ""
		for _, o := range ops {
			if o.Verb == history.Put {
				body += fmt.Sprintf(`{"index":{"_id":%q}}`+"\n%s\n", o.Doc, w.source(o.Value))
			} else {
				body += fmt.Sprintf(`{"delete":{"_id":%q}}`+"\n", o.Doc)
			}
		}
	case ops[0].Verb == history.Delete:
		method, body = http.MethodDelete, ""
	}
	rec, err := w.send(proxy, method, path, body, patience)
	if err != nil {
		for _, o := range ops {
			w.ended(o, err.outcome)
		}
		return
	}
	if !bulk || rec.Code != 200 {
		for _, o := range ops {
			o.Status = rec.Code
			var a struct {
				Version int64  `json:"_version"`
				Result  string `json:"result"`
			}
			_ = json.Unmarshal(rec.Body.Bytes(), &a) // an answer that is none has neither
			o.Version = a.Version
			o.Epoch, _ = strconv.ParseUint(rec.Header().Get("X-Sluice-Epoch"), 10, 64)
			w.ended(o, judge(rec.Code, a.Result))
		}
		return
	}
	var a struct {
		Items []map[string]struct {
			Status  int    `json:"status"`
			Version int64  `json:"_version"`
			Result  string `json:"result"`
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || len(a.Items) != len(ops) {
		w.breach("a bulk was answered with %s", rec.Body)
		return
	}
	for i, o := range ops {
		for _, item := range a.Items[i] {
			o.Status, o.Version = item.Status, item.Version
			w.ended(o, judge(item.Status, item.Result))
		}
	}
}

// purge deletes a document by query.
func (w *World) purge(n int, proxy, doc string, patience time.Duration) {
	o := newOp(purge, doc)
	o.Client, o.Proxy = n, proxy
	w.record(o)
	rec, err := w.send(proxy, http.MethodPost, "/docs/_delete_by_query", fmt.Sprintf(`{"query":{"ids":{"values":[%q]}}}`, doc), patience)
	if err != nil {
		w.ended(o, err.outcome)
		return
	}
	var a struct{ Deleted *int }
	_ = json.Unmarshal(rec.Body.Bytes(), &a) // an error's body has none
	o.Status = rec.Code
	o.Epoch, _ = strconv.ParseUint(rec.Header().Get("X-Sluice-Epoch"), 10, 64)
	switch outcome := judge(rec.Code, ""); {
	case outcome == history.OK && a.Deleted == nil:
		w.breach("a delete by query was answered with %s", rec.Body)
	case outcome != history.Unknown && a.Deleted != nil && *a.Deleted == 0:
		w.ended(o, void) // a conflict, too
	default:
		w.ended(o, outcome)
	}
}

// nobody asks for a tenant that there is not. Absent, for certain, is another
// answer than "cannot be read".
func (w *World) nobody(proxy string, patience time.Duration) {
	rec, err := w.sendAs("nobody", proxy, http.MethodPut, "/docs/_doc/1", `{}`, patience)
	if err == nil && rec.Code != http.StatusNotFound && rec.Code != http.StatusServiceUnavailable {
		w.breach("a tenant that there is not was answered with %d %s", rec.Code, rec.Body)
	}
}

// putMapping gives the tenant's index a field.
func (w *World) putMapping(proxy string, patience time.Duration) {
	field, dynamic := "f"+w.value(), ""
	if w.o.Dynamic { // as it was, or the other way round: fields of documents are mapped or not
		dynamic = fmt.Sprintf(`"dynamic":%t,`, len(field)%2 == 0 || strings.HasSuffix(field, "7"))
	}
	rec, err := w.send(proxy, http.MethodPut, "/docs/_mapping", fmt.Sprintf(`{%s"properties":{%q:{"type":"keyword"}}}`, dynamic, field), patience)
	if err == nil && rec.Code == 200 {
		w.mu.Lock()
		w.fields = append(w.fields, field)
		w.mu.Unlock()
	}
}

// judge reads a status as the docs of the proxy say.
func judge(status int, result string) history.Outcome {
	switch {
	case status/100 == 2, status == 404 && result == "not_found":
		return history.OK
	case status == 504:
		return history.Unknown
	}
	return history.Failed
}

func (w *World) read(n int, proxy, doc string, patience time.Duration) {
	o := newOp(history.Get, doc)
	o.Client, o.Proxy, o.Stale = n, proxy, w.leased[proxy]
	w.record(o)
	before, err := w.truth.State(w.life, tenant)
	w.must(err)
	rec, serr := w.send(proxy, http.MethodGet, "/docs/_doc/"+doc, "", patience)
	if serr != nil {
		w.ended(o, serr.outcome) // a read without an answer is none
		return
	}
	o.Status = rec.Code
	o.Epoch, _ = strconv.ParseUint(rec.Header().Get("X-Sluice-Epoch"), 10, 64)
	var a struct {
		Found   *bool `json:"found"`
		Version int64 `json:"_version"`
		Source  struct {
			V string `json:"v"`
		} `json:"_source"`
	}
	if json.Unmarshal(rec.Body.Bytes(), &a) != nil || a.Found == nil {
		w.ended(o, history.Failed)
		if rec.Code == http.StatusNotFound {
			w.breach("M4: a read met a copy that was deleted: %v: %s", o, rec.Body)
		}
		return
	}
	o.Value, o.Version = a.Source.V, a.Version
	w.ended(o, history.OK)
	switch {
	case o.Epoch >= uint64(before.Epoch):
	case !o.Stale:
		w.breach("M2: a read in fresh mode was decided at epoch %d, and the table had %d before it was sent", o.Epoch, before.Epoch)
	case o.Call-w.replaced(o.Epoch) > w.o.TTL:
		w.breach("M2: a read in leased mode was decided at epoch %d, which had been replaced %v before it was sent", o.Epoch, o.Call-w.replaced(o.Epoch))
	}
}

type sendError struct{ outcome history.Outcome }

// replaced is when the entry got an epoch above this one.
func (w *World) replaced(epoch uint64) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.epochs {
		if uint64(c.epoch) > epoch {
			return c.at
		}
	}
	return w.elapsed()
}

// send is one HTTP request of a client to a proxy.
func (w *World) send(name, method, path, body string, patience time.Duration) (*httptest.ResponseRecorder, *sendError) {
	rec, err := w.sendAs(tenant, name, method, path, body, patience)
	if err == nil && bytes.Contains(rec.Body.Bytes(), []byte(proxy.TypeUnknownTenant)) {
		w.breach("the tenant is said not to be: %s", rec.Body)
	}
	return rec, err
}

func (w *World) sendAs(who placement.PartitionID, name, method, path, body string, patience time.Duration) (*httptest.ResponseRecorder, *sendError) {
	p := w.process(name)
	if p == nil || !p.alive() || p.leaving.Load() {
		return nil, &sendError{history.Failed} // connection refused
	}
	if !p.joined.Load() {
		if !p.ready() {
			return nil, &sendError{history.Failed} // no load balancer sends anything there yet
		}
		p.joined.Store(true)
	}
	ctx, leave := context.WithTimeout(context.Background(), patience)
	defer leave()
	r := httptest.NewRequest(method, "http://"+name+path, strings.NewReader(body)).WithContext(ctx)
	r.Header.Set("X-Tenant", string(who))
	r.Header.Set("X-Sluice-Debug", "1")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
		if strings.HasSuffix(path, "_bulk") {
			r.Header.Set("Content-Type", "application/x-ndjson")
		}
	}
	done := make(chan *httptest.ResponseRecorder, 1)
	p.serving.Add(1)
	w.wires.Go(func() {
		defer p.serving.Add(-1)
		rec := httptest.NewRecorder()
		defer func() {
			if x := recover(); x != nil && x != http.ErrAbortHandler { //nolint:errorlint // the very value
				panic(x)
			} else if x != nil {
				close(done) // broken off
			}
		}()
		if p.awake(ctx) != nil {
			return
		}
		p.data.ServeHTTP(rec, r)
		if p.awake(context.Background()) == nil {
			done <- rec
		}
	})
	select {
	case rec := <-done:
		if rec == nil || ctx.Err() != nil {
			return nil, &sendError{history.Unknown}
		}
		if w.o.plant.answer != nil {
			w.o.plant.answer(rec)
		}
		if held, _ := strconv.Atoi(rec.Header().Get("X-Sluice-Held-Ms")); held > 0 {
			w.hold(time.Duration(held) * time.Millisecond)
		}
		if bytes.Contains(rec.Body.Bytes(), []byte("acme-docs")) {
			w.breach("an answer shows a physical name: %s", rec.Body)
		}
		return rec, nil
	case <-ctx.Done():
	case <-p.dead:
	}
	return nil, &sendError{history.Unknown}
}

// hold notes how long a write was held.
func (w *World) hold(d time.Duration) {
	w.mu.Lock()
	w.longest = max(w.longest, d)
	w.mu.Unlock()
	// The hold ends by a timer, which may fire late in a process that was paused. Who
	// has lost its session meanwhile then waits for another one, as any request does.
	paused := time.Duration(0)
	for _, f := range w.faults {
		if f.Kind == Pause {
			paused = max(paused, f.For)
		}
	}
	if d > gate.DefaultHoldDeadline+gate.DefaultStoreWait+paused+time.Second {
		w.breach("a write was held for %v", d)
	}
}
