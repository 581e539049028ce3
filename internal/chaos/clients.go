package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/history"
)

// index is what clients call the index of every tenant.
const index = "docs"

// registerMapping is that of the documents below.
const registerMapping = `{"mappings":{"dynamic":"strict","properties":{"v":{"type":"keyword"}}}}`

// A generation of documents is written for a while and then only read again at the end, so that the history of each stays
// short enough to be judged.
const (
	generation    = 40 * time.Second
	perGeneration = 6
)

// patience is how long a client waits for an answer, unless it is one that leaves.
const patience = 40 * time.Second

// clients write and read a few documents of one tenant all at once, each document by all of them, and keep the history.
type clients struct {
	tenant string
	urls   []string // of the proxies
	began  time.Time

	mu      sync.Mutex
	ops     []history.Op
	docs    map[string]bool
	values  int
	left    int           // requests that their client did not wait for
	longest time.Duration // hold, as the proxies told
	answers map[string]int
	wrong   []string // answers that must not be
}

func newClients(tenant string, urls []string) *clients {
	return &clients{tenant: tenant, urls: urls, began: time.Now(), docs: map[string]bool{}, answers: map[string]int{}}
}

// run lets n clients work, with about rate operations a second together, until stop is closed.
func (c *clients) run(seed uint64, n int, rate float64, stop <-chan struct{}) {
	var all sync.WaitGroup
	for i := range n {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		one := newOne(c, i)
		all.Go(func() {
			defer one.http.CloseIdleConnections()
			for {
				gap := time.Duration(r.ExpFloat64() * float64(n) / rate * float64(time.Second))
				select {
				case <-stop:
					return
				case <-time.After(min(gap, 2*time.Second)):
				}
				one.step(r)
			}
		})
	}
	all.Wait()
}

// one is one client.
type one struct {
	*clients
	number int
	http   *http.Client
}

func newOne(c *clients, number int) *one {
	return &one{c, number, &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext}}}
}

// step is one request through some proxy.
func (o *one) step(r *rand.Rand) {
	doc := func() string {
		return fmt.Sprintf("g%d-%d", int(time.Since(o.began)/generation), r.IntN(perGeneration))
	}
	wait := patience
	if r.IntN(15) == 0 { // leaves after some milliseconds, or a second
		wait = time.Duration(math.Exp(r.Float64()*math.Log(1000)) * float64(time.Millisecond))
	}
	url := o.urls[r.IntN(len(o.urls))]
	switch x := r.IntN(10); {
	case x < 3:
		o.write(url, []history.Op{{Verb: history.Put, Doc: doc()}}, false, wait)
	case x < 4:
		o.write(url, []history.Op{{Verb: history.Delete, Doc: doc()}}, false, wait)
	case x < 5:
		a, b := doc(), doc()
		ops := []history.Op{{Verb: history.Put, Doc: a}, {Verb: history.Delete, Doc: b}}
		if a == b { // two writes of one document in one request have no history of their own
			ops = ops[:1]
		}
		o.write(url, ops, true, wait)
	default:
		o.read(url, doc(), wait)
	}
}

// write sends one write, or a bulk of several.
func (o *one) write(url string, ops []history.Op, bulk bool, wait time.Duration) {
	for i := range ops {
		ops[i].Client, ops[i].Call, ops[i].Outcome = o.number, time.Since(o.began), history.Unknown
		if ops[i].Verb == history.Put {
			ops[i].Value = o.value()
		}
	}
	method, path, body := http.MethodPut, "/"+index+"/_doc/"+ops[0].Doc, source(ops[0].Value)
	switch {
	case bulk:
		method, path, body = http.MethodPost, "/"+index+"/_bulk", ""
		for _, w := range ops {
			if w.Verb == history.Put {
				body += fmt.Sprintf(`{"index":{"_id":%q}}`+"\n%s\n", w.Doc, source(w.Value))
			} else {
				body += fmt.Sprintf(`{"delete":{"_id":%q}}`+"\n", w.Doc)
			}
		}
	case ops[0].Verb == history.Delete:
		method, body = http.MethodDelete, ""
	}
	a := o.send(method, url, path, body, wait)
	items := make([]item, len(ops))
	if bulk && a.status == http.StatusOK {
		var got struct{ Items []map[string]item }
		if err := json.Unmarshal(a.body, &got); err != nil || len(got.Items) != len(ops) {
			o.complain("a bulk of %d was answered with %s", len(ops), a.body)
			return
		}
		for i := range ops {
			for _, items[i] = range got.Items[i] {
			}
		}
	} else {
		for i := range ops {
			items[i] = a.item()
		}
	}
	for i := range ops {
		ops[i].Return, ops[i].Outcome, ops[i].Version = time.Since(o.began), o.outcome(ops[i].Verb, a, items[i]), items[i].Version
	}
	o.record(ops...)
}

func source(value string) string { return fmt.Sprintf(`{"v":%q}`, value) }

// read gets one document in realtime, and reports whether there was an answer.
func (o *one) read(url, doc string, wait time.Duration) bool {
	op := history.Op{Client: o.number, Verb: history.Get, Doc: doc, Call: time.Since(o.began), Outcome: history.Failed}
	a := o.send(http.MethodGet, url, "/"+index+"/_doc/"+doc, "", wait)
	op.Return = time.Since(o.began)
	var got struct {
		Index   string `json:"_index"`
		Found   *bool  `json:"found"`
		Version int64  `json:"_version"`
		Source  struct {
			V string `json:"v"`
		} `json:"_source"`
	}
	switch {
	case a.err != nil: // no answer is none
	case json.Unmarshal(a.body, &got) == nil && got.Found != nil:
		op.Outcome, op.Value, op.Version = history.OK, got.Source.V, got.Version
		if got.Index != index {
			o.complain("an answer names the index %q", got.Index)
		}
	default:
		o.outcome(history.Get, a, a.item())
	}
	o.record(op)
	return op.Outcome == history.OK
}

// answer is what a client got for a request.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error
}

// item is the part of an answer that is about one document.
type item struct {
	Status  int    `json:"status"`
	Version int64  `json:"_version"`
	Result  string `json:"result"`
	Error   struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"error"`
}

func (a answer) item() item {
	i := item{}
	_ = json.Unmarshal(a.body, &i) // an answer that is none has nothing of it
	i.Status = a.status
	return i
}

func (o *one) send(method, url, path, body string, wait time.Duration) answer {
	ctx, leave := context.WithTimeout(context.Background(), wait)
	defer leave()
	req, err := http.NewRequestWithContext(ctx, method, url+path, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set(demo.TenantHeader, o.tenant)
	req.Header.Set("X-Sluice-Debug", "1")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := o.http.Do(req)
	var text []byte
	if err == nil {
		text, err = io.ReadAll(resp.Body)
		_ = resp.Body.Close()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil {
		if wait < patience && ctx.Err() != nil {
			o.left++
		}
		return answer{err: err}
	}
	held, _ := strconv.Atoi(resp.Header.Get("X-Sluice-Held-Ms"))
	o.longest = max(o.longest, time.Duration(held)*time.Millisecond)
	return answer{resp.StatusCode, resp.Header, text, nil}
}

// outcome says what is known of a write after its answer, and notes every answer that is no success. Of a read it notes that
// alone.
func (o *one) outcome(verb string, a answer, i item) history.Outcome {
	if a.err != nil {
		var op *net.OpError
		if errors.As(a.err, &op) && op.Op == "dial" {
			o.count("no connection")
			return history.Failed
		}
		o.count("no answer")
		return history.Unknown
	}
	if i.Status/100 == 2 || verb == history.Delete && i.Status == http.StatusNotFound && i.Result == "not_found" {
		return history.OK
	}
	o.count(fmt.Sprintf("%d %s", i.Status, i.Error.Type))
	switch {
	case i.Error.Type == "sluice_unavailable", i.Error.Type == "sluice_upstream", i.Status == http.StatusTooManyRequests:
		return history.Failed
	case i.Status/100 == 5:
		return history.Unknown
	}
	o.complain("%s was answered with %d %s: %s", verb, i.Status, i.Error.Type, i.Error.Reason)
	return history.Failed
}

func (o *one) value() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.values++
	return fmt.Sprintf("%s-%d", o.tenant, o.values)
}

func (c *clients) record(ops ...history.Op) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range ops {
		c.docs[o.Doc] = true
	}
	c.ops = append(c.ops, ops...)
}

func (c *clients) count(answer string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[answer]++
}

// complain notes an answer that must not be; the first ones are enough.
func (c *clients) complain(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.wrong) == 20 {
		return
	}
	c.wrong = append(c.wrong, c.tenant+": "+fmt.Sprintf(format, args...))
}

// readAll reads every document once more through every proxy. A read without an answer is a fault now.
func (c *clients) readAll() {
	o := newOne(c, -1)
	defer o.http.CloseIdleConnections()
	c.mu.Lock()
	docs := make([]string, 0, len(c.docs))
	for d := range c.docs {
		docs = append(docs, d)
	}
	c.mu.Unlock()
	for _, d := range docs {
		for _, url := range c.urls {
			if !o.read(url, d, patience) {
				c.complain("after the faults %s cannot be read through %s", d, url)
			}
		}
	}
}

// probe writes once and says what is in the way.
func (o *one) probe(url string) error {
	op := history.Op{Client: o.number, Verb: history.Put, Doc: "probe", Value: o.value(), Call: time.Since(o.began)}
	a := o.send(http.MethodPut, url, "/"+index+"/_doc/"+op.Doc, source(op.Value), patience)
	i := a.item()
	op.Return, op.Outcome, op.Version = time.Since(o.began), o.outcome(op.Verb, a, i), i.Version
	o.record(op)
	if op.Outcome != history.OK {
		return fmt.Errorf("a write was answered with %d %s: %w", a.status, a.body, a.err)
	}
	return nil
}
