package mover_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// through puts a fault proxy between the mover and its target.
func (r *rig) through(n *engines.OpenSearch) *faultproxy.Proxy {
	r.t.Helper()
	u, err := url.Parse(n.URL())
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := faultproxy.New(u.Host)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		if err := p.Close(); err != nil {
			r.t.Error(err)
		}
	})
	c, err := upstream.New(placement.Cluster{Name: "b", Endpoints: []string{"http://" + p.Addr()}}, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(c.Close)
	r.dst = c
	return p
}

// A bulk that took effect, or did not, without the mover learning which: the
// alias is rotated, B drained, and the copy goes on.
func TestUnknownOutcomesAreSettled(t *testing.T) {
	t.Parallel() // it waits for the end of calls that nobody answers
	for _, fault := range []string{"replies", "requests"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
			const docs = 3000
			r.fill(docs)
			p := r.through(n)
			var asked atomic.Int64
			m := r.taken(&mover.Options{BatchDocs: 100, Lease: func() error {
				switch asked.Add(1) {
				case 14, 40:
					if fault == "replies" {
						p.DropReplies()
					} else {
						p.DropRequests()
					}
				case 18, 44:
					p.Pass()
				}
				return nil
			}})
			r.copyAll(m)
			if asked.Load() < 44 {
				t.Fatalf("the lease was asked %d times: the faults did not happen", asked.Load())
			}
			r.equal(m, docs)
			var al map[string]struct{ Aliases map[string]any }
			r.call(r.dst, "GET", "/"+r.b+"/_alias", "", "", &al)
			writes := 0
			for a := range al[r.b].Aliases {
				if strings.HasPrefix(a, "sluice-"+r.spec.Move+"-1-") {
					writes++
					if strings.HasSuffix(a, "-1-1-0") {
						t.Errorf("the alias of the unknown outcome is still there: %s", a)
					}
				}
			}
			if writes != 1 {
				t.Errorf("%d write aliases", writes)
			}
			r.call(r.dst, "PUT", "/"+r.b+"/_doc/probe", "", `{}`, nil) // no block is left
		})
	}
}

// A call that ends with its context leaves an unknown outcome; nothing can be
// sealed or believed before it has been settled.
func TestUnsettledRefusesToSeal(t *testing.T) {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	r := newRigOn(t, n, n, "")
	r.fill(100)
	p := r.through(n)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var armed atomic.Bool
	m := r.taken(&mover.Options{Lease: func() error {
		if armed.CompareAndSwap(true, false) {
			p.Blackhole()
			// Not before: on a busy machine the time would be over before the bulk.
			time.AfterFunc(500*time.Millisecond, cancel)
		}
		return nil
	}})
	if _, err := m.SyncMeta(t.Context()); err != nil { // so that the bulk is next
		t.Fatal(err)
	}
	armed.Store(true)
	if _, err := m.Apply(ctx, []gate.DocRef{ref("d1", "")}); err == nil {
		t.Fatal("applied through a black hole")
	}
	p.Pass()
	if err := m.Seal(t.Context(), nil); !errors.Is(err, mover.ErrNotSettled) {
		t.Errorf("seal: %v", err)
	}
	if _, err := m.CheckRefs(t.Context(), []gate.DocRef{ref("d1", "")}); !errors.Is(err, mover.ErrNotSettled) {
		t.Errorf("check: %v", err)
	}
	r.apply(m, ref("d1", "")) // settles first
	if err := m.Seal(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestWritesDuringTheCopy(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":3,"number_of_replicas":0}}`)
	const n = 10_000
	r.fill(n)
	m := r.taken(&mover.Options{BatchDocs: 200})
	stop, done := make(chan struct{}), make(chan struct{})
	var refs []gate.DocRef // the writer's until done is closed
	var failed error
	go func() {
		defer close(done)
		rnd := rand.New(rand.NewPCG(1, 2))
		for len(refs) < 200 || !closed(stop) {
			i := rnd.IntN(n + 500)
			routing := ""
			if i%3 == 0 {
				routing = fmt.Sprintf("r%d", i%7)
			}
			id := fmt.Sprintf("d%d", i)
			refs = append(refs, ref(id, routing))
			method, body := "PUT", any([]byte(fmt.Sprintf(`{"n":%d,"later":%d}`, i, len(refs))))
			if rnd.IntN(3) == 0 {
				method, body = "DELETE", nil
			}
			q := url.Values{}
			if routing != "" {
				q.Set("routing", routing)
			}
			err := r.src.JSON(context.Background(), method, "/"+r.a+"/_doc/"+id, q, body, nil)
			var s *upstream.StatusError
			if err != nil && !(errors.As(err, &s) && s.Status == 404) {
				failed = err
				return
			}
		}
	}()
	r.copyAll(m)
	close(stop)
	<-done
	if failed != nil {
		t.Fatal(failed)
	}
	a := r.apply(m, refs...)
	t.Logf("%d writes during the copy: %+v", len(refs), a)
	d, err := m.CheckRefs(t.Context(), refs)
	if err != nil || !d.Empty() {
		t.Errorf("%+v, %v", d, err)
	}
	if d, err := m.Reconcile(t.Context(), false); err != nil || !d.Empty() {
		t.Errorf("missing %d, extra %d, older %d, %v", d.NMissing, d.NExtra, d.NOlder, err)
	}
	t.Logf("rates: %+v", m.Rates())
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
