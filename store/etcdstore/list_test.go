package etcdstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
	"github.com/sluiceproxy/sluice/store/driver"
)

// A list whose moment is compacted away between two pages is an error that says
// to list again; nothing is yielded twice, nothing of another moment.
func TestListDuringCompaction(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	s := e.WithPrefix(prefix())
	s.SetPage(10)
	var first driver.Version
	for i := range 35 {
		v := put(t, s, key(fmt.Sprintf("%02d", i)), "old", 0)
		if i == 0 {
			first = v
		}
	}
	compact := compactor(t, e.Endpoint())
	seen := map[string]bool{}
	_, err := s.List(t.Context(), "entries", func(kv driver.KV) bool {
		if seen[kv.Name] || string(kv.Value) != "old" {
			t.Errorf("%q is yielded with %q (seen: %t)", kv.Name, kv.Value, seen[kv.Name])
		}
		seen[kv.Name] = true
		if len(seen) == 15 {
			first = put(t, s, key("00"), "new", first)
			compact()
		}
		return true
	})
	if !errors.Is(err, driver.ErrCompacted) || len(seen) != 20 {
		t.Fatalf("%d records, then %v; want the two pages that had been read, then ErrCompacted", len(seen), err)
	}
	n := 0
	if at, err := s.List(t.Context(), "entries", func(driver.KV) bool { n++; return true }); err != nil || n != 35 || at < first {
		t.Fatalf("listed again: %d records at %d, %v", n, at, err)
	}
}

// A connection that goes silent under a watch is given up and dialled again,
// though nothing but the watch uses it.
func TestSilentConnectionIsNoticed(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	p, err := faultproxy.New(strings.TrimPrefix(e.Endpoint(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = p.Close() }()
	ns := prefix()
	s := connect(t, ns, "http://"+p.Addr())
	v := put(t, s, key("k"), "", 0)
	events := make(chan driver.Version, 10)
	go func() {
		_ = s.Watch(t.Context(), "entries", v, func(evs []driver.Event) error {
			for _, ev := range evs {
				events <- ev.Version
			}
			return nil
		})
	}()
	v = put(t, s, key("k"), "", v)
	if got := <-events; got != v {
		t.Fatalf("watched %d, want %d", got, v)
	}
	p.Blackhole()
	before := p.Stats().Accepted
	v = put(t, e.WithPrefix(ns), key("k"), "", v)
	deadline := time.After(30 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); p.Stats().Accepted == before; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the silence was not noticed")
		}
	}
	p.Pass()
	select {
	case got := <-events:
		if got != v {
			t.Fatalf("watched %d, want %d", got, v)
		}
	case <-deadline:
		t.Fatal("the watch did not go on")
	}
}
