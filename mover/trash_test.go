package mover_test

import (
	"errors"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/mover"
)

func held() error { return nil }

// An old copy that is put aside keeps its write block, its UUID and its documents; what
// has its name by then and is another is left alone.
func TestPutAsideAndBack(t *testing.T) {
	for _, version := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(version, func(t *testing.T) {
			n := enginetest.SharedOpenSearch(t, version)
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
			r.fill(50)
			ctx := t.Context()
			m := r.taken(nil)
			r.copyAll(m)
			if err := m.Seal(ctx, nil); err != nil {
				t.Fatal(err)
			}
			if seen, err := m.Fence(ctx); err != nil || seen {
				t.Fatal(seen, err)
			}
			if err := m.Untouched(ctx); err != nil {
				t.Errorf("nobody has written: %v", err)
			}
			idx := m.Indexes()
			for range 2 { // and again, as after a crash
				if err := m.PutAside(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if got := r.try(r.src, "GET", "/"+r.a+"/_count", ""); got != 400 {
				t.Errorf("it is not closed: %d", got)
			}
			if open, err := m.OpenCursors(ctx); err != nil || open != 0 {
				t.Errorf("cursors of what is closed: %d, %v", open, err)
			}
			if err := m.Untouched(ctx); !errors.Is(err, mover.ErrSourceClosed) {
				t.Errorf("looking at what is closed: %v", err)
			}
			for range 2 {
				if err := mover.Reopen(ctx, r.src, idx, false, held); err != nil {
					t.Fatal(err)
				}
			}
			var count struct{ Count int }
			r.call(r.src, "GET", "/"+r.a+"/_count", "", "", &count)
			if got := r.try(r.src, "PUT", "/"+r.a+"/_doc/new", `{}`); got != 403 || count.Count != 50 {
				t.Errorf("reopened it has %d documents, and a write gets %d", count.Count, got)
			}
			if err := m.Untouched(ctx); err != nil {
				t.Errorf("closing and opening is no write: %v", err)
			}
			if err := mover.Reopen(ctx, r.src, idx, true, held); err != nil {
				t.Fatal(err)
			}
			r.call(r.src, "PUT", "/"+r.a+"/_doc/new", "", `{}`, nil)
			if err := m.Untouched(ctx); !errors.Is(err, mover.ErrSourceWritten) {
				t.Errorf("after a write: %v", err)
			}
			lost := errors.New("lost")
			if err := mover.Purge(ctx, r.src, idx, func() error { return lost }); !errors.Is(err, lost) {
				t.Errorf("without the lease: %v", err)
			}
			if err := m.PutAside(ctx); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := mover.Purge(ctx, r.src, idx, held); err != nil {
					t.Fatal(err)
				}
			}
			if got := r.try(r.src, "HEAD", "/"+r.a, ""); got != 404 {
				t.Errorf("it is still there: %d", got)
			}
			r.call(r.src, "PUT", "/"+r.a, "", "", nil) // another one
			if err := mover.Purge(ctx, r.src, idx, held); err != nil {
				t.Error(err)
			}
			if err := mover.Reopen(ctx, r.src, idx, true, held); !errors.Is(err, mover.ErrSourceChanged) {
				t.Errorf("opening another index of the name: %v", err)
			}
			if err := m.PutAside(ctx); !errors.Is(err, mover.ErrSourceChanged) {
				t.Errorf("closing another index of the name: %v", err)
			}
			if got := r.try(r.src, "GET", "/"+r.a+"/_count", ""); got != 200 {
				t.Errorf("another index of the name was touched: %d", got)
			}
		})
	}
}
