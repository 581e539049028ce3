package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// paused is a driver whose process is stopped for a while before it opens a session.
type paused struct {
	driver.Driver
	meanwhile func(id string)
}

func (p *paused) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	p.meanwhile(key.Name)
	return p.Driver.Open(ctx, key, value, ttl)
}

// A process that was given up between its two records does not begin: whoever
// gave it up will not look for it again.
func TestWhoWasStruckDoesNotBegin(t *testing.T) {
	mem := memstore.New(nil)
	t.Cleanup(func() { _ = mem.Close() })
	other := store.New(mem, nil)
	d := &paused{Driver: mem, meanwhile: func(id string) {
		if struck, err := other.Strike(t.Context(), []string{id}); err != nil || !struck[id] {
			t.Errorf("strike %s: %v, %v", id, struck, err)
		}
	}}
	x, err := store.New(d, nil).OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "p"}, store.Report{}, nil)
	if err == nil {
		t.Fatalf("session %s has begun", x.ID())
	}
	if all, _, err := other.Sessions().List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("sessions left: %v, %v", all, err)
	}
}

// A process that holds a session is not given up, whatever its record says.
func TestStrikeLeavesWhoHoldsASession(t *testing.T) {
	mem := memstore.New(nil)
	t.Cleanup(func() { _ = mem.Close() })
	s := store.New(mem, nil)
	x, err := s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "p"}, store.Report{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // marked the first time
		if struck, err := s.Strike(t.Context(), []string{x.ID(), "nobody"}); err != nil || len(struck) != 0 {
			t.Fatalf("struck %v, %v", struck, err)
		}
	}
	if err := x.Close(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if struck, err := s.Strike(t.Context(), []string{x.ID()}); err != nil || !struck[x.ID()] {
		t.Errorf("struck %v, %v", struck, err)
	}
}
