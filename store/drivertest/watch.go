package drivertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

const patience = 20 * time.Second

// watcher collects a watch's events and checks that they come in order.
type watcher struct {
	mu     sync.Mutex
	events []driver.Event
	at     driver.Version
	grew   chan struct{}
	err    error
}

func follow(t *testing.T, d driver.Driver, space string, from driver.Version) *watcher {
	t.Helper()
	w := &watcher{at: from, grew: make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := d.Watch(ctx, space, from, func(evs []driver.Event) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			if len(evs) == 0 {
				t.Error("watch called apply with nothing")
				return nil
			}
			if evs[0].Version <= w.at {
				t.Errorf("watch repeated or went back: version %d after %d", evs[0].Version, w.at)
			}
			w.events = append(w.events, evs...)
			w.at = evs[len(evs)-1].Version
			close(w.grew)
			w.grew = make(chan struct{})
			return nil
		})
		w.mu.Lock()
		w.err = err
		w.mu.Unlock()
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

// now is the version from which a watch of the space shows what comes next. The
// engine may have forgotten everything before it, so no test watches from 0.
func now(t *testing.T, d driver.Driver, space string) driver.Version {
	t.Helper()
	v, err := d.List(t.Context(), space, func(driver.KV) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// until waits for the watch to reach version.
func (w *watcher) until(t *testing.T, version driver.Version) {
	t.Helper()
	deadline := time.After(patience)
	for {
		w.mu.Lock()
		at, grew, err := w.at, w.grew, w.err
		w.mu.Unlock()
		if at >= version {
			return
		}
		select {
		case <-grew:
		case <-deadline:
			t.Fatalf("the watch stands at %d (%v), want %d", at, err, version)
		}
	}
}

func (w *watcher) seen() []driver.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]driver.Event(nil), w.events...)
}

// List yields every record once, stops when told to, and its version is at
// least that of everything acknowledged before.
func testList(t *testing.T, h Harness) {
	d := h.New(t)
	const n = 12_000 // more than any driver's page
	last := driver.Version(0)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := w; i < n; i += 16 {
				v, err := d.Write(t.Context(), driver.Write{Key: key(fmt.Sprintf("%06d", i)), Value: []byte("x")})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				last = max(last, v)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	at, err := d.List(t.Context(), "entries", func(kv driver.KV) bool {
		if seen[kv.Name] {
			t.Errorf("%q came twice", kv.Name)
		}
		seen[kv.Name] = true
		return true
	})
	if err != nil || len(seen) != n || at < last {
		t.Fatalf("listed %d of %d, version %d (newest write %d), %v", len(seen), n, at, last, err)
	}
	count := 0
	if _, err := d.List(t.Context(), "entries", func(driver.KV) bool { count++; return count < 3 }); err != nil || count != 3 {
		t.Fatalf("told to stop after 3, came %d, %v", count, err)
	}
}

// List and then Watch from its version together show every change exactly once,
// in the order of versions, while writers go on.
func testListWatch(t *testing.T, h Harness) {
	d := h.New(t)
	const writers, rounds = 4, 60
	var mu sync.Mutex
	acked := map[driver.Version]string{}
	var wg sync.WaitGroup
	started := make(chan struct{})
	for w := range writers {
		wg.Go(func() {
			var at driver.Version
			for i := range rounds {
				del := i%7 == 6
				v, err := d.Write(t.Context(), driver.Write{Key: key(fmt.Sprint(w)), Value: fmt.Append(nil, i), Expect: at, Delete: del})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				acked[v] = fmt.Sprint(w)
				mu.Unlock()
				if at = v; del {
					at = 0
				}
				if i == 10 && w == 0 {
					close(started)
				}
			}
		})
	}
	<-started
	listed := map[string]driver.Version{}
	from, err := d.List(t.Context(), "entries", func(kv driver.KV) bool { listed[kv.Name] = kv.Version; return true })
	if err != nil {
		t.Fatal(err)
	}
	w := follow(t, d, "entries", from)
	wg.Wait()
	if t.Failed() {
		return
	}
	var newest driver.Version
	missing := map[driver.Version]string{}
	for v, name := range acked {
		newest = max(newest, v)
		if v > from {
			missing[v] = name
		} else if listed[name] > 0 && v > listed[name] {
			t.Errorf("the list at %d has %q at %d, but %d was acknowledged", from, name, listed[name], v)
		}
	}
	w.until(t, newest)
	for _, ev := range w.seen() {
		if missing[ev.Version] != ev.Name {
			t.Errorf("the watch from %d shows %q at %d, which is no write of it, or a repetition", from, ev.Name, ev.Version)
		}
		delete(missing, ev.Version)
	}
	if len(missing) > 0 {
		t.Errorf("the watch missed %d changes: %v", len(missing), missing)
	}
}

// A watch from before a compaction is ErrCompacted, never a gap; list and watch
// again see everything.
func testCompaction(t *testing.T, h Harness) {
	d := h.New(t)
	v1 := put(t, d, key("k"), "0", 0)
	v := v1
	for i := range 10 {
		v = put(t, d, key("k"), fmt.Sprint(i), v)
	}
	h.Compact(t, d)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := d.Watch(ctx, "entries", v1, func(evs []driver.Event) error {
		return fmt.Errorf("got events from %d on, across the compaction", evs[0].Version)
	})
	if !errors.Is(err, driver.ErrCompacted) {
		t.Fatalf("watch from before the compaction: %v, want ErrCompacted", err)
	}
	from, err := d.List(t.Context(), "entries", func(kv driver.KV) bool {
		if kv.Version != v {
			t.Errorf("listed at %d, want %d", kv.Version, v)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	w := follow(t, d, "entries", from)
	w.until(t, put(t, d, key("k"), "after", v))
	if n := len(w.seen()); n != 1 {
		t.Fatalf("%d events after the list, want 1", n)
	}
}

// A watch whose connection breaks goes on by itself, without a gap or a
// repetition, when the engine can be reached again.
func testWatchBroken(t *testing.T, h Harness) {
	if h.Faults == nil {
		return
	}
	f := h.Faults(t)
	from := now(t, f.Direct, "entries")
	v := put(t, f.Direct, key("k"), "0", 0)
	w := follow(t, f.Driver, "entries", from)
	w.until(t, v)
	total := 1
	for range 3 {
		f.Cut()
		for range 5 {
			v = put(t, f.Direct, key("k"), "x", v)
			total++
		}
		f.Heal()
		w.until(t, v)
	}
	if n := len(w.seen()); n != total {
		t.Fatalf("%d events, want %d", n, total)
	}
}
