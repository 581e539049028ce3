package mover_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/mover"
)

// A node that starts answers before it knows its indices, and some of its
// answers say that there is none. That is no absence: a move neither ends
// because of it, nor believes that what it made is gone already.
func TestAStartingClusterIsNotBelieved(t *testing.T) {
	t.Parallel()
	for _, v := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			n := enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{Version: v, Settings: map[string]string{
				"gateway.expected_data_nodes": "2", "gateway.recover_after_time": "6s", // it waits so long for the second
			}})
			ready := func() (*rig, *mover.Mover) {
				r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
				r.fill(10)
				m := r.taken(nil)
				r.copyAll(m)
				return r, m
			}
			r, m := ready()
			aborted, discards := ready()
			flipped, retires := ready()
			if err := n.Kill(); err != nil {
				t.Fatal(err)
			}
			restarted := make(chan error, 1)
			go func() { restarted <- n.Restart(context.WithoutCancel(t.Context())) }()
			reads := map[string]func(context.Context) error{
				"SyncMeta":    func(ctx context.Context) error { _, err := m.SyncMeta(ctx); return err },
				"CheckSource": m.CheckSource,
				"Apply":       func(ctx context.Context) error { _, err := m.Apply(ctx, []gate.DocRef{ref("d1", "")}); return err },
			}
			within := func(f func(context.Context) error) error {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				return f(ctx)
			}
			var gone, retired bool
			unknowing := 0
			for {
				var st struct {
					Blocks struct{ Global map[string]any }
				}
				err := r.src.JSON(t.Context(), "GET", "/_cluster/state/blocks", nil, nil, &st)
				if err == nil && len(st.Blocks.Global) == 0 {
					break // it has started
				}
				if err != nil {
					time.Sleep(20 * time.Millisecond)
					continue
				}
				unknowing++
				for name, read := range reads {
					if err := within(read); errors.Is(err, mover.ErrSourceChanged) || errors.Is(err, mover.ErrTargetChanged) {
						t.Fatalf("%s: %v", name, err)
					}
				}
				gone = gone || within(discards.Discard) == nil
				retired = retired || within(retires.Retire) == nil
			}
			if err := <-restarted; err != nil {
				t.Fatal(err)
			}
			if gone && aborted.try(r.dst, "GET", "/"+aborted.b, "") == http.StatusOK {
				t.Error("the target of an aborted move was taken for gone, and is there")
			}
			if retired && flipped.try(r.src, "GET", "/"+flipped.a, "") == http.StatusOK {
				t.Error("the source was taken for gone, and is there")
			}
			if unknowing == 0 {
				t.Error("the node was never seen without its indices")
			}
			t.Logf("looked %d times at a node that did not know its indices", unknowing)
		})
	}
}
