package drivertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

func key(name string) driver.Key { return driver.Key{Space: "entries", Name: name} }

func put(t *testing.T, d driver.Driver, k driver.Key, value string, expect driver.Version) driver.Version {
	t.Helper()
	v, err := d.Write(t.Context(), driver.Write{Key: k, Value: []byte(value), Expect: expect})
	if err != nil {
		t.Fatalf("write %q at %d: %v", k.Name, expect, err)
	}
	return v
}

func want(t *testing.T, d driver.Driver, k driver.Key, value string, version driver.Version) {
	t.Helper()
	kv, err := d.Get(t.Context(), k)
	if err != nil || string(kv.Value) != value || kv.Version != version || kv.Name != k.Name {
		t.Fatalf("get %q: %q at %d, %v; want %q at %d", k.Name, kv.Value, kv.Version, err, value, version)
	}
}

// An absent key is ErrNotFound, also after it was deleted.
func testMissingKey(t *testing.T, h Harness) {
	d := h.New(t)
	if _, err := d.Get(t.Context(), key("nothing")); !errors.Is(err, driver.ErrNotFound) {
		t.Fatalf("got %v, want ErrNotFound", err)
	}
	v := put(t, d, key("gone"), "x", 0)
	if _, err := d.Write(t.Context(), driver.Write{Key: key("gone"), Expect: v, Delete: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Get(t.Context(), key("gone")); !errors.Is(err, driver.ErrNotFound) {
		t.Fatalf("after the deletion: %v, want ErrNotFound", err)
	}
}

// Of many creations of one key exactly one succeeds; the others are conflicts.
func testCreateRace(t *testing.T, h Harness) {
	d := h.New(t)
	for round := range 5 {
		var won, lost atomic.Int64
		var wg sync.WaitGroup
		k := key(fmt.Sprintf("race-%d", round))
		for i := range 16 {
			wg.Go(func() {
				_, err := d.Write(t.Context(), driver.Write{Key: k, Value: fmt.Appendf(nil, "%d", i)})
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, driver.ErrConflict):
					lost.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != 15 {
			t.Fatalf("%d won and %d lost, want 1 and 15", won.Load(), lost.Load())
		}
	}
}

// A write at another version than the key's is ErrConflict and changes nothing.
func testVersionConflict(t *testing.T, h Harness) {
	d := h.New(t)
	k := key("k")
	v1 := put(t, d, k, "one", 0)
	v2 := put(t, d, k, "two", v1)
	if v2 <= v1 {
		t.Fatalf("versions do not grow: %d then %d", v1, v2)
	}
	for _, expect := range []driver.Version{0, v1, v2 + 1} {
		_, err := d.Write(t.Context(), driver.Write{Key: k, Value: []byte("no"), Expect: expect})
		if !errors.Is(err, driver.ErrConflict) {
			t.Fatalf("write at %d: %v, want ErrConflict", expect, err)
		}
	}
	if _, err := d.Write(t.Context(), driver.Write{Key: key("absent"), Value: []byte("no"), Expect: v2}); !errors.Is(err, driver.ErrConflict) {
		t.Fatalf("write of an absent key at %d: %v, want ErrConflict", v2, err)
	}
	want(t, d, k, "two", v2)
}

// A write of the value that is there already is a change with a new version.
func testSameValue(t *testing.T, h Harness) {
	d := h.New(t)
	v1 := put(t, d, key("k"), "same", 0)
	w := follow(t, d, "entries", v1)
	v2 := put(t, d, key("k"), "same", v1)
	if v2 <= v1 {
		t.Fatalf("the version did not grow: %d then %d", v1, v2)
	}
	w.until(t, v2)
}

// A deletion names the version that it removes, and versions go on growing when
// the key is created again.
func testDelete(t *testing.T, h Harness) {
	d := h.New(t)
	k := key("k")
	v1 := put(t, d, k, "x", 0)
	v2 := put(t, d, k, "y", v1)
	for _, expect := range []driver.Version{v1, v2 + 1} {
		if _, err := d.Write(t.Context(), driver.Write{Key: k, Expect: expect, Delete: true}); !errors.Is(err, driver.ErrConflict) {
			t.Fatalf("delete at %d: %v, want ErrConflict", expect, err)
		}
	}
	want(t, d, k, "y", v2)
	v3, err := d.Write(t.Context(), driver.Write{Key: k, Expect: v2, Delete: true})
	if err != nil || v3 <= v2 {
		t.Fatalf("delete: version %d after %d, %v", v3, v2, err)
	}
	if v4 := put(t, d, k, "z", 0); v4 <= v3 {
		t.Fatalf("created again at %d, deleted at %d", v4, v3)
	}
}

// A name may hold any bytes, and is never taken for another.
func testNames(t *testing.T, h Harness) {
	d := h.New(t)
	names := []string{"a", "a/", "a/b", "ab", "\x00", "a\x00", "\xff", "\xff\xff", " ", "../x", "é", "a\nb", "%2f", "*"}
	versions := map[string]driver.Version{}
	for _, n := range names {
		versions[n] = put(t, d, key(n), "value of "+n, 0)
	}
	for _, n := range names {
		want(t, d, key(n), "value of "+n, versions[n])
	}
	got := map[string]driver.Version{}
	if _, err := d.List(t.Context(), "entries", func(kv driver.KV) bool { got[kv.Name] = kv.Version; return true }); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(names) {
		t.Fatalf("listed %d names, want %d", len(got), len(names))
	}
	for n, v := range versions {
		if got[n] != v {
			t.Errorf("listed %q at %d, want %d", n, got[n], v)
		}
	}
}

// Spaces do not see each other, also when one's name begins with the other's.
func testSpaces(t *testing.T, h Harness) {
	d := h.New(t)
	a, b := driver.Key{Space: "moves", Name: "k"}, driver.Key{Space: "movesx", Name: "k"}
	va, vb := put(t, d, a, "a", 0), put(t, d, b, "b", 0)
	want(t, d, a, "a", va)
	want(t, d, b, "b", vb)
	n := 0
	if _, err := d.List(t.Context(), "moves", func(driver.KV) bool { n++; return true }); err != nil || n != 1 {
		t.Fatalf("listed %d, %v; want 1", n, err)
	}
}

// A cancelled or expired context ends every call promptly, and never with one of
// the certain answers.
func testCancelled(t *testing.T, h Harness) {
	d := h.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	_, getErr := d.Get(ctx, key("k"))
	_, writeErr := d.Write(ctx, driver.Write{Key: key("k"), Value: []byte("x")})
	_, listErr := d.List(ctx, "entries", func(driver.KV) bool { return true })
	watchErr := d.Watch(ctx, "entries", 0, func([]driver.Event) error { return nil })
	_, openErr := d.Open(ctx, driver.Key{Space: "sessions", Name: "s"}, nil, h.TTL)
	for what, err := range map[string]error{"get": getErr, "write": writeErr, "list": listErr, "watch": watchErr, "open": openErr} {
		if err == nil || errors.Is(err, driver.ErrNotFound) || errors.Is(err, driver.ErrConflict) || errors.Is(err, driver.ErrCompacted) {
			t.Errorf("%s under a cancelled context: %v", what, err)
		}
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("cancelled calls took %v", took)
	}
	from := now(t, d, "entries")
	watching, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- d.Watch(watching, "entries", from, func([]driver.Event) error { return nil })
	}()
	stop()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a watch that was cancelled ended with %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a watch did not end with its context")
	}
}

// A head is never behind a write that was acknowledged before it was asked for,
// and a watch reaches it without any further write.
func testHead(t *testing.T, h Harness) {
	d := h.New(t)
	head, ok := d.(driver.Header)
	if !ok {
		return // the engine has no such read; the Store asks key by key
	}
	w := follow(t, d, "entries", now(t, d, "entries"))
	var last driver.Version
	for i := range 50 {
		v := put(t, d, key(fmt.Sprint(i)), "x", 0)
		if i%5 == 4 {
			var err error
			if v, err = d.Write(t.Context(), driver.Write{Key: key(fmt.Sprint(i)), Expect: v, Delete: true}); err != nil {
				t.Fatal(err)
			}
		}
		got, err := head.Head(t.Context(), "entries")
		if err != nil || got < v {
			t.Fatalf("head %d, %v after a write acknowledged at %d", got, err, v)
		}
		put(t, d, driver.Key{Space: "moves", Name: fmt.Sprint(i)}, "x", 0) // another space must not move it out of reach
		last = got
	}
	got, err := head.Head(t.Context(), "entries")
	if err != nil || got < last {
		t.Fatalf("head %d, %v after head %d", got, err, last)
	}
	w.until(t, got)
}
