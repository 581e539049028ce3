package sim

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/tenancy"
)

// Process is one start of a proxy or a controller. A killed one never comes
// back; another is started under the same name.
type Process struct {
	w       *World
	name    string
	dead    chan struct{}
	die     sync.Once
	told    atomic.Bool  // to end
	leaving atomic.Bool  // no new requests are taken
	serving atomic.Int64 // requests
	resumes atomic.Int64 // when a pause ends, ns since the world began; in the past: it runs
	until   atomic.Value // string: the change of the entry with which the pause ends
	rate    float64      // of its clock
	offset  time.Duration
	cancel  context.CancelFunc
	done    sync.WaitGroup

	// Of a proxy.
	gate   *gate.Gate
	data   http.Handler
	fleet  http.Handler
	mode   gate.Mode
	joined atomic.Bool     // it was ready once
	known  <-chan struct{} // closed when it knows the clusters
}

// ready is what a load balancer asks before it sends anything to a process that
// has started.
func (p *Process) ready() bool {
	select {
	case <-p.known:
		return p.gate.Ready() == nil
	default:
		return false
	}
}

func (w *World) newProcess(name string) *Process {
	w.count(clockRate)
	r := w.random.next("clock " + name)
	return &Process{
		w: w, name: name, dead: make(chan struct{}),
		// A session's margin is a fifth of its TTL: rates may differ by so much.
		rate: 0.91 + 0.18*r.Float64(), offset: time.Duration(r.Int64N(int64(1000 * time.Hour))),
	}
}

// now is the process's suspend-counting clock.
func (p *Process) now() time.Duration {
	return p.offset + time.Duration(p.rate*float64(p.w.elapsed()))
}

// awake returns when the process is not paused; errDead once it was killed.
//
// Those who wait for the same end go on one after the other, in an order that is
// the same in every run.
func (p *Process) awake(ctx context.Context) error {
	var turn time.Duration
	for {
		select {
		case <-p.dead:
			return errDead
		default:
		}
		left := time.Duration(p.resumes.Load()) - p.w.elapsed()
		if left+turn <= 0 {
			return nil
		}
		if turn == 0 {
			turn = between(p.w.random.next("wake "+p.name), 1, 100*time.Microsecond)
		}
		left += turn
		if until, _ := p.until.Load().(string); until != "" {
			left = min(left, 10*time.Millisecond) // and look again
		}
		// Not even its timers run while it is paused: the context's end is seen after.
		t := time.NewTimer(left)
		select {
		case <-t.C:
		case <-p.dead:
			t.Stop()
			return errDead
		}
	}
}

func (p *Process) sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return p.awake(ctx)
	case <-ctx.Done():
		return ctx.Err()
	case <-p.dead:
		return errDead
	}
}

// pause stops the process for so long, or until a change of the entry.
func (p *Process) pause(d time.Duration, until string) {
	p.w.count(string(Pause))
	p.until.Store(until)
	p.resumes.Store(max(p.resumes.Load(), int64(p.w.elapsed()+d)))
}

func (p *Process) paused() bool { return time.Duration(p.resumes.Load()) > p.w.elapsed() }

// kill ends the process at once; first is false if that was done before.
func (p *Process) kill() (first bool) {
	p.die.Do(func() {
		close(p.dead)
		first = true
	})
	p.cancel()
	return first
}

// stop is what SIGTERM does. It returns when the process has ended, and false if
// it was killed meanwhile. Half of the processes answer the requests that have
// come before their gate closes, as cmd does; the others are of somebody who
// imports the gate, and do not.
func (p *Process) stop() bool {
	if p.data != nil && chance(p.w.random.next("stop "+p.name), 0.5) {
		p.leaving.Store(true)
		p.w.await(10*time.Second, func() bool { return p.serving.Load() == 0 || !p.alive() })
	}
	p.cancel()
	p.done.Wait()
	return p.kill()
}

func (p *Process) alive() bool {
	select {
	case <-p.dead:
		return false
	default:
		return true
	}
}

// startProxy starts a proxy under a name.
func (w *World) startProxy(name string) {
	p := w.newProcess(name)
	p.mode = gate.Fresh
	if w.leased[name] {
		p.mode = gate.Leased
	}
	ctx, cancel := context.WithCancel(w.life)
	p.cancel = cancel
	s := p.table()
	g, err := gate.New(s, &gate.Options{
		Name: name, Address: "http://" + name, Build: "sim", Mode: p.mode, TTL: w.o.TTL, DrainBarrier: w.o.DrainBarrier,
		FleetSecret: fleetSecret, Now: p.now, Logger: w.logger(name), JournalLimit: w.o.JournalLimit, HoldRequests: w.o.HoldRequests,
	})
	w.must(err)
	dir := proxy.NewDirectory(s, &proxy.DirectoryOptions{Upstream: p.upstream()})
	tenants, err := tenancy.New(tenancy.Config{Header: "X-Tenant"}, nil)
	w.must(err)
	h, err := proxy.New(g, lookup{p, dir}, tenants, &proxy.Options{CursorKeys: [][]byte{fleetSecret}, WriteTimeout: w.o.WriteTimeout, ReadTimeout: 30 * time.Second,
		Cleartext: proxy.CleartextAllow})
	w.must(err)
	p.gate, p.data, p.fleet, p.known = g, h, g.FleetHandler(), dir.Ready()
	p.done.Go(func() { _ = g.Run(ctx) })
	p.done.Go(func() { _ = dir.Run(ctx) })
	w.put(p)
}

// lookup is a proxy's directory of clusters. It is asked between the admission of
// a write and the check before it is sent, so a process can be paused there.
type lookup struct {
	p *Process
	d *proxy.Directory
}

func (l lookup) Cluster(name string) (*upstream.Client, error) {
	l.p.w.ambush(l.p, name, "", atLookup)
	if err := l.p.awake(context.Background()); err != nil {
		return nil, err
	}
	return l.d.Cluster(name)
}

// startController starts a controller under a name.
func (w *World) startController(name string) {
	p := w.newProcess(name)
	ctx, cancel := context.WithCancel(w.life)
	p.cancel = cancel
	s := p.table()
	opt := &control.ControllerOptions{
		Name: name, Build: "sim", TTL: w.o.TTL, UpstreamOptions: p.upstream(), Now: p.now, Logger: w.logger(name),
		Barrier: &control.FleetBarrierOptions{Now: p.now}, Waves: w.o.waves, Trash: w.o.waves,
	}
	if w.o.waves {
		opt.Workers = 8
	}
	if w.o.Timed {
		// Of no known boot: that a process counts on from what an earlier one has
		// written is for the tests of control.
		opt.Timed = &control.TimeBarrierOptions{Wait: w.o.DrainBarrier, Now: p.now, Boot: func() string { return "" }}
	}
	c := control.NewController(s, gate.NewPeers(fleetSecret, &http.Client{Transport: &transport{p}, Timeout: 5 * time.Second}), opt)
	p.done.Go(func() { _ = c.Run(ctx) })
	w.put(p)
}

var fleetSecret = []byte("a secret of the simulated fleet!")

func (p *Process) upstream() *upstream.Options {
	return &upstream.Options{Transport: &transport{p}}
}

// transport is a process's way to clusters and to other processes.
type transport struct{ p *Process }

type reply struct {
	status int
	body   []byte
	broken bool // the server died meanwhile
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	p, w := t.p, t.p.w
	to, _, _ := strings.Cut(req.URL.Host, ":")
	var body []byte
	var readErr error
	connected := func() {
		if trace := httptrace.ContextClientTrace(req.Context()); trace != nil && trace.GotConn != nil {
			trace.GotConn(httptrace.GotConnInfo{})
		}
		if req.Body != nil {
			body, readErr = io.ReadAll(req.Body)
			_ = req.Body.Close()
		}
	}
	query := req.URL.Query()
	path, method, header := req.URL.Path, req.Method, req.Header.Clone()
	if w.clusters[to] != nil && method == http.MethodPut && strings.Count(path, "/") == 1 {
		w.changed("creating", int(w.creations.Add(1)))
	}
	ans, _, err := call(req.Context(), w, p, to, method, connected, func() reply {
		if readErr != nil {
			return reply{broken: true} // half a body: nothing happens
		}
		if c := w.clusters[to]; c != nil {
			return c.serve(method, path, query, body, p.name)
		}
		peer := w.process(to)
		if peer == nil || !peer.alive() || peer.fleet == nil || peer.awake(context.Background()) != nil {
			return reply{broken: true}
		}
		r := httptest.NewRequest(method, req.URL.String(), bytes.NewReader(body))
		r.Header = header
		rec := httptest.NewRecorder()
		peer.fleet.ServeHTTP(rec, r)
		return reply{status: rec.Code, body: rec.Body.Bytes(), broken: peer.awake(context.Background()) != nil}
	})
	if errors.Is(err, errTooLate) && w.o.Ghosts && method == http.MethodPut && strings.Contains(path, "/_doc/") && w.clusters[to] != nil {
		w.haunt(body)
		ans, err = w.clusters[to].serve(method, path, query, body, p.name), nil
	}
	if err == nil && ans.broken {
		err = errBroken
	}
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: ans.status, Status: http.StatusText(ans.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(ans.body)),
		ContentLength: int64(len(ans.body)), Request: req,
	}, nil
}

// storeTimeout is not the gate's bound of the same default: of two timers that
// fire in the same instant, either may be first.
const storeTimeout = 4900 * time.Millisecond
