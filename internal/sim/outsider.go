package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/history"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// outsider is a proxy that takes no part in the fleet. It reads the entry before
// each write, writes nothing during Cutover, and has sent what it sends within a
// second of that: this is what the timed barrier asks of somebody without a session.
type outsider struct {
	p *Process
	s *store.Store
}

func (w *World) newOutsider() *outsider {
	p := w.newProcess("outsider")
	p.cancel = func() {}
	w.put(p)
	return &outsider{p, p.table()}
}

// write performs a put or a delete.
func (x *outsider) write(n int, o *Op) {
	w := x.p.w
	o.Client, o.Proxy = n, x.p.name
	body := ""
	if o.Verb == history.Put {
		o.Value = w.value()
		body = w.source(o.Value)
	}
	w.record(o)
	ctx, cancel := context.WithTimeout(context.Background(), w.o.WriteTimeout)
	defer cancel()
	began := x.p.now()
	e, err := x.s.State(ctx, tenant)
	w.wait(logBetween(w.random.next("outsider"), time.Millisecond, 900*time.Millisecond)) // it takes its time
	if err != nil || e.State.Phase == placement.Cutover || x.p.now()-began > time.Second {
		w.ended(o, history.Failed)
		return
	}
	method := map[string]string{history.Put: http.MethodPut, history.Delete: http.MethodDelete}[o.Verb]
	c, err := upstream.New(placement.Cluster{Name: e.State.From.Cluster, Endpoints: []string{"http://" + e.State.From.Cluster + ":9200"}}, x.p.upstream())
	w.must(err)
	defer c.Close()
	req, err := http.NewRequestWithContext(ctx, method, "/"+e.State.From.Index+"/_doc/"+o.Doc, strings.NewReader(body))
	w.must(err)
	resp, err := c.RoundTrip(req)
	if err != nil {
		outcome := history.Unknown
		if upstream.NotSent(err) {
			outcome = history.Failed
		}
		w.ended(o, outcome)
		return
	}
	defer resp.Body.Close()
	var a struct {
		Version int64  `json:"_version"`
		Result  string `json:"result"`
	}
	_ = json.NewDecoder(resp.Body).Decode(&a) // an answer that is none has neither
	o.Status, o.Version, o.Epoch = resp.StatusCode, a.Version, uint64(e.Epoch)
	w.ended(o, judge(o.Status, a.Result))
}
