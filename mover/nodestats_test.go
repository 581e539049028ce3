package mover_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	return f(r)
}

// A cluster that refuses to say how its nodes are is asked once and complained of once;
// one that cannot say now is asked again; one that says it is heeded.
func TestWatchingNodes(t *testing.T) {
	for name, test := range map[string]struct {
		status   int
		body     string
		asked    int64 // within a minute
		warnings int
		level    float64
	}{
		"forbidden":     {403, `{"error":{"type":"security_exception"}}`, 1, 1, mover.Gentle},
		"unknown":       {404, `{}`, 1, 1, mover.Gentle},
		"unavailable":   {503, `{}`, 12, 0, mover.Gentle},
		"overloaded":    {429, `{}`, 12, 0, mover.LeastLevel},
		"not JSON":      {200, `<html>`, 12, 0, mover.Gentle},
		"a full heap":   {200, nodes(`"jvm":{"mem":{"heap_used_percent":99}}`), 12, 0, mover.LeastLevel},
		"nothing wrong": {200, nodes(""), 12, 0, mover.Gentle},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int64
				c, err := upstream.New(placement.Cluster{Name: "a", Endpoints: []string{"http://a"}}, &upstream.Options{Transport: transport(func(r *http.Request) (*http.Response, error) {
					if r.URL.Path != mover.NodesPath {
						t.Errorf("asked for %s", r.URL.Path)
					}
					asked.Add(1)
					return &http.Response{StatusCode: test.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(test.body)), Request: r}, nil
				})})
				if err != nil {
					t.Fatal(err)
				}
				var log bytes.Buffer
				at := func(index string) placement.Placement {
					return placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: index, Logical: "docs"}
				}
				m, err := mover.New(mover.Spec{Move: "m", Partition: "p", From: at("x"), To: at("y")}, c, c, &mover.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				if err != nil {
					t.Fatal(err)
				}
				for range 2 { // two copies of one mover: it is not asked again either
					ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
					m.WatchNodes(ctx, c)
					<-ctx.Done()
					cancel()
				}
				if n := strings.Count(log.String(), "level=WARN"); asked.Load() != test.asked || n != test.warnings {
					t.Errorf("asked %d times, %d warnings; want %d and %d\n%s", asked.Load(), n, test.asked, test.warnings, log.String())
				}
				if got := mover.ThrottleOf(m).Level(); test.level == mover.Gentle && got != test.level || got > test.level*3 {
					t.Errorf("level %g, want about %g", got, test.level)
				}
			})
		})
	}
}

// What the throttle reads is there, under these names, in both versions.
func TestNodesOfRealClusters(t *testing.T) {
	for _, version := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		n := enginetest.SharedOpenSearch(t, version)
		r := newRigOn(t, n, n, "")
		r.fill(5) // a pool that has had no work has no threads
		r.call(r.src, "POST", "/"+r.a+"/_search", "", "", nil)
		heap, cpu, threads, breakers, err := mover.NodeFacts(t.Context(), client(t, "a", n))
		if err != nil || heap < 1 || heap > 100 || cpu < 0 || cpu > 100 || threads["write"] < 1 || threads["search"] < 1 || breakers < 2 {
			t.Errorf("%s: heap %d, processors %d, threads %v, %d breakers, %v", version, heap, cpu, threads, breakers, err)
		}
	}
}

// A target whose write queue runs over slows the copy, which says so, comes back when
// the flood has ended, and is whole.
func TestAFullQueueSlowsTheCopy(t *testing.T) {
	n := enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{HeapMB: 256, Settings: map[string]string{"node.processors": "1", "thread_pool.write.queue_size": "1"}})
	r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.gentle = true
	const docs = 300
	r.fill(docs)
	m := r.taken(&mover.Options{BatchDocs: 50, Patience: 10 * time.Minute})
	flood, stop := context.WithCancel(t.Context())
	defer stop()
	var body bytes.Buffer
	for i := range 100 {
		fmt.Fprintf(&body, "{\"index\":{}}\n{\"n\":%d,\"text\":\"%s\"}\n", i, strings.Repeat("flood ", 50))
	}
	var floods sync.WaitGroup
	defer floods.Wait()
	for range 8 {
		floods.Go(func() {
			for flood.Err() == nil {
				_ = r.dst.JSON(flood, "POST", "/flood/_bulk", nil, body.Bytes(), nil) // what is refused is refused
			}
		})
	}
	done := make(chan error, 1)
	go func() { done <- m.Copy(t.Context(), mover.Checkpoint{}, func(mover.Checkpoint) error { return nil }) }()
	least, said := mover.Gentle, ""
	for deadline := time.Now().Add(2 * time.Minute); said == "" && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		least = min(least, mover.ThrottleOf(m).Level())
		if by := m.SlowedBy(); strings.Contains(by, "(429)") || strings.Contains(by, "rejected") || strings.Contains(by, "requests wait") {
			said = by
		}
	}
	stop()
	floods.Wait()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if said == "" || least >= mover.Gentle {
		t.Errorf("level %g at the least, slowed by %q", least, said)
	}
	r.equal(m, docs)
	for deadline := time.Now().Add(time.Minute); mover.ThrottleOf(m).Level() < mover.Gentle; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the level does not come back")
		}
		mover.ThrottleOf(m).Answered(true, 1000, time.Millisecond) // a calm cluster
	}
}

// A scan whose writers wait is kept alive for as long as they do.
func TestAScanThatWaitsIsKeptAlive(t *testing.T) {
	defer mover.SetTouchEvery(50 * time.Millisecond)()
	for _, version := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(version, func(t *testing.T) {
			n := enginetest.SharedOpenSearch(t, version)
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
			r.fill(100)
			to, err := url.Parse(n.URL())
			if err != nil {
				t.Fatal(err)
			}
			var touched, refused atomic.Int64
			front := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(to) }}
			front.ModifyResponse = func(a *http.Response) error {
				if a.Request.Header.Get("X-Touch") != "" {
					touched.Add(1)
					if a.StatusCode != http.StatusOK {
						refused.Add(1)
					}
				}
				return nil
			}
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				b, err := io.ReadAll(q.Body)
				if err != nil {
					t.Error(err)
				}
				if bytes.Contains(b, []byte(`"size":0`)) {
					q.Header.Set("X-Touch", "1")
				}
				q.Body, q.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
				front.ServeHTTP(w, q)
			}))
			t.Cleanup(srv.Close)
			if r.src, err = upstream.New(placement.Cluster{Name: "a", Endpoints: []string{srv.URL}}, nil); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(r.src.Close)
			// A document a second: of so many, a busy machine reads some in less.
			m := r.taken(&mover.Options{Limits: mover.Limits{Docs: 1}, Workers: 1})
			done := make(chan error, 1)
			go func() { done <- m.Copy(t.Context(), mover.Checkpoint{}, func(mover.Checkpoint) error { return nil }) }()
			for touched.Load() < 3 {
				select {
				case err := <-done:
					t.Fatalf("the copy ended after %d touches: %v", touched.Load(), err)
				case <-time.After(5 * time.Millisecond):
				}
			}
			m.SetLimits(mover.Limits{}) // takes effect on a copy that waits
			if err := errors.Join(<-done); err != nil || refused.Load() > 0 {
				t.Fatalf("%d touches were refused; %v", refused.Load(), err)
			}
			r.equal(m, 100)
		})
	}
}
