package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/sluiceproxy/sluice/store"
)

const (
	trafficAge  = time.Second     // an answer of a proxy serves everybody who asks in that time
	trafficTime = 2 * time.Second // for one proxy to answer
	trafficMost = 16 << 20        // bytes of an answer
	trafficOnce = 16              // proxies that are asked at the same time
)

// loadView is what was asked of something, since the proxy started.
type loadView struct {
	Requests int64   `json:"requests"`
	Failed   int64   `json:"failed" doc:"With a status from 500 on, or without an answer."`
	Seconds  float64 `json:"seconds" doc:"That they took, in all."`
}

// trafficView is what one proxy has served since it started. Rates are differences of
// two answers of the same session.
type trafficView struct {
	Session string `json:"session"`
	Name    string `json:"name"`
	Error   string `json:"error,omitempty" doc:"Why it did not tell; then nothing else is there."`

	Tenants   int                 `json:"tenants" doc:"In its copy of the table."`
	UnderWay  int                 `json:"under_way" doc:"Requests, now; held ones count."`
	Held      int                 `json:"held" doc:"Writes that a cutover holds, now."`
	ByClass   map[string]loadView `json:"by_class,omitempty" doc:"Requests by their class."`
	ByCluster map[string]loadView `json:"by_cluster,omitempty" doc:"Requests to each cluster; seconds are those up to the head of its answer."`
	// Tenant is absent where the proxy does not count it.
	Tenant *loadView `json:"tenant,omitempty" doc:"Of the tenant that was asked for. Absent: the proxy does not count it by itself (telemetry.metrics_tenants)."`
}

type trafficInput struct {
	Tenant string `query:"tenant" maxLength:"256" doc:"Also what this tenant has asked for, where the proxies count it."`
}

type trafficOutput struct {
	Body struct {
		Items []trafficView `json:"items" nullable:"false" doc:"Every proxy that holds a session."`
	}
}

// exposition is what a proxy's metrics say; the tenants' part is kept as a whole, so
// that one answer serves all who ask.
type exposition struct {
	at      time.Time
	err     error
	view    trafficView
	tenants map[string]loadView
}

// meter asks the proxies what they have served. It is safe for concurrent use.
type meter struct {
	client *http.Client

	mu   sync.Mutex // held while proxies are asked: who comes meanwhile gets the same answers
	seen map[string]exposition
}

func newMeter() *meter {
	// Addresses are those that the fleet publishes; no redirect leads elsewhere. A
	// connection is not kept: nobody says for how long somebody will ask.
	return &meter{seen: map[string]exposition{}, client: &http.Client{
		Timeout: trafficTime, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// trafficReaders is the operation that reads what the proxies serve.
func (a *API) trafficReaders() {
	m := newMeter()
	handle(a, huma.Operation{OperationID: "getTraffic", Method: http.MethodGet, Path: "/traffic", Tags: []string{"fleet"}, Summary: "Say what the proxies have served, each since it started"},
		Viewer, func(ctx context.Context, in *trafficInput) (*trafficOutput, error) {
			sessions, _, err := a.s.Sessions().List(ctx)
			if err != nil {
				return nil, err
			}
			out := &trafficOutput{}
			out.Body.Items = []trafficView{}
			for _, e := range m.ask(ctx, sessions) {
				v := e.view
				if l, ok := e.tenants[in.Tenant]; ok && in.Tenant != "" {
					v.Tenant = &l
				}
				out.Body.Items = append(out.Body.Items, v)
			}
			return out, nil
		})
}

// ask returns what each proxy says, in the order of the sessions.
func (m *meter) ask(ctx context.Context, sessions []store.Record[store.SessionRecord]) []exposition {
	m.mu.Lock()
	defer m.mu.Unlock()
	var proxies []store.Record[store.SessionRecord]
	for _, r := range sessions {
		if r.Value.Kind != store.KindController {
			proxies = append(proxies, r)
		}
	}
	out := make([]exposition, len(proxies))
	slots := make(chan struct{}, trafficOnce)
	var wg sync.WaitGroup
	for i, r := range proxies {
		if e, ok := m.seen[r.Name]; ok && time.Since(e.at) < trafficAge {
			out[i] = e
			continue
		}
		wg.Go(func() { // each writes its own element
			slots <- struct{}{}
			defer func() { <-slots }()
			e := m.scrape(ctx, r.Value.Address)
			e.at, e.view.Session, e.view.Name = time.Now(), r.Name, r.Value.Name
			if e.err != nil {
				e.view.Error = e.err.Error()
			}
			out[i] = e
		})
	}
	wg.Wait()
	m.seen = map[string]exposition{} // without those that have gone
	for i, r := range proxies {
		if ctx.Err() == nil || out[i].err == nil { // what the client broke off says nothing of the proxy
			m.seen[r.Name] = out[i]
		}
	}
	return out
}

// scrape reads a proxy's metrics, which its admin listener has beside the fleet's endpoint.
func (m *meter) scrape(ctx context.Context, address string) (e exposition) {
	if address == "" {
		e.err = errors.New("it has published no address")
		return e
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address, "/")+"/metrics", nil)
	if err != nil {
		e.err = err
		return e
	}
	resp, err := m.client.Do(r)
	if err != nil {
		e.err = err
		return e
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		e.err = fmt.Errorf("its metrics answer %s", resp.Status)
		return e
	}
	return readExposition(io.LimitReader(resp.Body, trafficMost))
}

// readExposition takes of a proxy's metrics what the view has. Of a process that has other
// metrics all of it is zero.
func readExposition(in io.Reader) (e exposition) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(in)
	if err != nil {
		e.err = fmt.Errorf("its metrics cannot be read: %w", err)
		return e
	}
	gauge := func(name string) (n int) {
		for _, m := range families[name].GetMetric() {
			n += int(m.GetGauge().GetValue())
		}
		return n
	}
	e.view.Tenants, e.view.UnderWay, e.view.Held = gauge("sluice_gate_partitions"), gauge("sluice_proxy_requests_under_way"), gauge("sluice_gate_held_writes")
	// each shows the series of a family: two of its labels, a counter's value or a
	// histogram's count, and a histogram's sum.
	each := func(name, by, with string, take func(key, state string, n, sum float64)) {
		for _, m := range families[name].GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			h := m.GetHistogram()
			take(labels[by], labels[with], m.GetCounter().GetValue()+float64(h.GetSampleCount()), h.GetSampleSum())
		}
	}
	count := func(out map[string]loadView, name, by, with string, failed func(string) bool) {
		each(name, by, with, func(key, state string, n, sum float64) {
			v := out[key]
			v.Requests, v.Seconds = v.Requests+int64(n), v.Seconds+sum
			if failed(state) {
				v.Failed += int64(n)
			}
			out[key] = v
		})
	}
	spend := func(out map[string]loadView, seconds float64, key string) {
		v := out[key]
		v.Seconds += seconds
		out[key] = v
	}
	fault := func(status string) bool { return strings.HasPrefix(status, "5") }
	e.view.ByClass, e.view.ByCluster, e.tenants = map[string]loadView{}, map[string]loadView{}, map[string]loadView{}
	count(e.view.ByClass, "sluice_proxy_requests_total", "class", "status", fault)
	each("sluice_proxy_request_seconds", "class", "", func(key, _ string, _, sum float64) { spend(e.view.ByClass, sum, key) })
	count(e.view.ByCluster, "sluice_proxy_upstream_seconds", "cluster", "outcome", func(o string) bool { return o != "ok" })
	count(e.tenants, "sluice_proxy_tenant_requests_total", "tenant", "status", fault)
	each("sluice_proxy_tenant_request_seconds_total", "tenant", "", func(key, _ string, n, _ float64) { spend(e.tenants, n, key) })
	return e
}
