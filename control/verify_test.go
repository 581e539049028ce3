package control_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
)

// The comparison takes longer than the drain barrier, as it does with many
// documents, and there is always a write that the source has applied and whose
// client has no answer yet. That is no drift.
func TestSlowComparisonIsNoDrift(t *testing.T) {
	b := newBench(t, "slow", 200)
	upstream, err := url.Parse(b.urls["a"])
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(upstream)
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/_search/point_in_time") {
			time.Sleep(3 * time.Second) // the cluster is slow; the drain barrier is 2 s
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(slow.Close)
	rec, err := b.s.Clusters().Get(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.s.Clusters().Put(t.Context(), "a", placement.Cluster{Name: "a", Endpoints: []string{slow.URL}}, rec.Version); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for n := 1; ctx.Err() == nil; n++ {
				if err := b.slowWrite(w, n); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	defer wg.Wait()
	defer cancel()
	b.start(t, b.s, "c1")
	m := b.await(t, b.request(t, "b").ID, settled)
	cancel()
	wg.Wait()
	if m.Stage != control.StageFlipped {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	b.check(t)
}

// slowWrite is a write whose answer is long on its way.
func (b *bench) slowWrite(w, n int) error {
	id := fmt.Sprintf("d%d", w+10*(n%3))
	tk, err := b.g.Write(context.Background(), b.tenant, 100)
	if err != nil {
		return err
	}
	tk.Record(gate.DocRef{Index: string(b.tenant), ID: id})
	p := tk.Entry().State.From
	var ans struct {
		Version int64 `json:"_version"`
	}
	code, err := b.try(context.Background(), p.Cluster, http.MethodPut, "/"+p.Index+"/_doc/"+id, fmt.Sprintf(`{"n":%d}`, n), &ans)
	time.Sleep(400 * time.Millisecond) // the answer's way
	if err != nil || code >= 300 {
		tk.Unknown()
		return fmt.Errorf("%d, %w", code, err)
	}
	if err := tk.Done(); err != nil {
		return err
	}
	b.mu.Lock()
	b.docs[id] = doc{n: n, version: ans.Version}
	b.mu.Unlock()
	return nil
}
