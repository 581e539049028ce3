package control_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// A tenant moves into a shared index under load, first in vain and then by drivers that
// are killed one after the other; the other tenant there notices nothing.
func TestMoveIntoASharedIndex(t *testing.T) {
	t.Parallel()
	b := newBench(t, "joiner", 300)
	pool := placement.Placement{Kind: placement.SharedIndex, Cluster: "b", Index: "joined", Logical: "joiner", PartitionField: "tenant"}
	b.call(t, "b", http.MethodPut, "/joined", `{"settings":{"number_of_shards":2,"number_of_replicas":0,"gc_deletes":"3s"},"mappings":{"properties":{"tenant":{"type":"keyword"},"n":{"type":"integer"}}}}`, nil)
	theirs := pool
	theirs.Logical = "docs"
	if _, err := b.s.Register(t.Context(), "neighbour", theirs); err != nil {
		t.Fatal(err)
	}
	quit, done := make(chan struct{}), make(chan struct{})
	others := int64(0)
	go func() {
		defer close(done)
		for ; ; others++ {
			select {
			case <-quit:
				return
			case <-time.After(5 * time.Millisecond):
			}
			path, body := inPool("neighbour", "joined", fmt.Sprintf("n%d", others), `{"n":-1}`)
			if code, err := b.try(context.Background(), "b", http.MethodPut, path, body, nil); err != nil || code != http.StatusCreated {
				t.Errorf("a write of the other tenant: %d, %v", code, err)
				return
			}
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request := func() control.Move {
		t.Helper()
		m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Kind: placement.SharedIndex, Index: "joined",
			Options: control.MoveOptions{DrainBarrier: 2 * time.Second, PauseBudget: 4 * time.Second, CutoverDeadline: 8 * time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		if m.To != pool {
			t.Fatalf("to %+v", m.To)
		}
		return m
	}
	mine, err := shared.New(b.tenant, "tenant")
	if err != nil {
		t.Fatal(err)
	}
	left := func() (n struct{ Count int64 }) {
		b.call(t, "b", http.MethodPost, "/joined/_refresh", "", nil)
		b.call(t, "b", http.MethodPost, "/joined/_count", `{"query":`+string(mine.Filter())+`}`, &n)
		return n
	}

	ended := b.start(t, b.s, "first")
	m := request()
	b.await(t, m.ID, func(m control.Move) bool { return m.Checkpoint.Docs > 0 || m.Settled() })
	if _, err := control.RequestAbort(t.Context(), b.s, m.ID); err != nil {
		t.Fatal(err)
	}
	if m = b.await(t, m.ID, settled); m.Stage != control.StageAborted || left().Count != 0 {
		t.Fatalf("it ended as %s: %s; %d documents are left", m.Stage, m.Error, left().Count)
	}
	ended()

	wg := b.load(ctx, t, 2)
	m = request()
	stages := b.kill(t, m.ID, 4, 6, 9)
	b.start(t, b.s, "heir")
	if m = b.await(t, m.ID, settled); m.Stage != control.StageFlipped || m.Receipt == nil {
		t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
	}
	r := m.Receipt
	t.Logf("killed in %v; %d docs, %d rounds, %d caught up, %d attempts, pause %+v, fence %q", stages, r.Docs, r.Rounds, r.CaughtUp, r.Attempts, r.Pause, r.Fence)
	if r.Verification.Unsettled != 0 || r.Fence != "clean" {
		t.Errorf("receipt: %+v", r)
	}
	cancel()
	wg.Wait()
	close(quit)
	<-done
	n := int64(0)
	for id, want := range b.docs {
		phys, err := mine.ID(id)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Found   bool  `json:"found"`
			Version int64 `json:"_version"`
			Source  struct {
				N int `json:"n"`
			} `json:"_source"`
		}
		b.call(t, "b", http.MethodGet, "/joined/_doc/"+url.PathEscape(phys)+"?routing="+url.QueryEscape(mine.Routing("")), "", &got)
		if got.Found == want.deleted || got.Found && (got.Version != want.version || got.Source.N != want.n) {
			t.Errorf("%s: %+v, acknowledged was %+v", id, got, want)
		}
		if !want.deleted {
			n++
		}
	}
	if got := left().Count; got != n {
		t.Errorf("%d documents of the tenant, %d were acknowledged", got, n)
	}
	var all struct{ Count int64 }
	b.call(t, "b", http.MethodGet, "/joined/_count", "", &all)
	if all.Count-left().Count != others || others == 0 {
		t.Errorf("%d documents of the other tenant, which wrote %d", all.Count-left().Count, others)
	}
	var aliases map[string]any
	b.call(t, "b", http.MethodGet, "/joined/_alias", "", &aliases)
	if strings.Contains(fmt.Sprint(aliases), "sluice") {
		t.Errorf("aliases are left: %v", aliases)
	}
}
