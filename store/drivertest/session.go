package drivertest

import (
	"errors"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

func sessionKey(name string) driver.Key { return driver.Key{Space: "sessions", Name: name} }

func open(t *testing.T, d driver.Driver, name string, ttl time.Duration) driver.Session {
	t.Helper()
	s, err := d.Open(t.Context(), sessionKey(name), []byte("v0"), ttl)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// eventually waits for ok.
func eventually(t *testing.T, what string, bound time.Duration, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(bound); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("gave up after %v waiting until %s", bound, what)
		}
	}
}

func gone(t *testing.T, d driver.Driver, k driver.Key) bool {
	_, err := d.Get(t.Context(), k)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		t.Fatal(err)
	}
	return err != nil
}

// A session that is renewed lives past its ttl, and its value can be replaced.
func testSessionRenewed(t *testing.T, h Harness) {
	d := h.New(t)
	s := open(t, d, "s", h.TTL)
	for end := time.Now().Add(2*h.TTL + h.TTL/2); time.Now().Before(end); time.Sleep(h.TTL / 4) {
		if err := s.Renew(t.Context()); err != nil {
			t.Fatalf("renew: %v", err)
		}
		if gone(t, d, sessionKey("s")) {
			t.Fatal("the record is gone although its session was renewed in time")
		}
	}
	v, err := s.Update(t.Context(), []byte("v1"))
	if err != nil {
		t.Fatal(err)
	}
	want(t, d, sessionKey("s"), "v1", v)
}

// A session that is not renewed ends: not before its ttl, visibly to watch and
// get, and then a late renewal or update is ErrSessionLost for ever, even when
// the name was taken again.
func testSessionExpires(t *testing.T, h Harness) {
	d := h.New(t)
	w := follow(t, d, "sessions", now(t, d, "sessions"))
	began := time.Now()
	s := open(t, d, "s", h.TTL)
	eventually(t, "the session has ended", h.TTL+h.Late, func() bool { return gone(t, d, sessionKey("s")) })
	if lived := time.Since(began); lived < h.TTL {
		t.Errorf("the session ended after %v, before its ttl of %v", lived, h.TTL)
	}
	eventually(t, "the watch shows its end", patience, func() bool {
		evs := w.seen()
		return len(evs) > 0 && evs[len(evs)-1].Deleted
	})
	again := open(t, d, "s", 10*h.TTL)
	if err := s.Renew(t.Context()); !errors.Is(err, driver.ErrSessionLost) {
		t.Errorf("late renewal: %v, want ErrSessionLost", err)
	}
	if _, err := s.Update(t.Context(), []byte("late")); !errors.Is(err, driver.ErrSessionLost) {
		t.Errorf("late update: %v, want ErrSessionLost", err)
	}
	kv, err := d.Get(t.Context(), sessionKey("s"))
	if err != nil || string(kv.Value) != "v0" {
		t.Errorf("the new session's record: %q, %v", kv.Value, err)
	}
	if err := again.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A session's key must not exist.
func testSessionUnique(t *testing.T, h Harness) {
	d := h.New(t)
	s := open(t, d, "s", 10*h.TTL)
	if _, err := d.Open(t.Context(), sessionKey("s"), nil, h.TTL); !errors.Is(err, driver.ErrConflict) {
		t.Fatalf("opened twice: %v, want ErrConflict", err)
	}
	if err := s.Renew(t.Context()); err != nil {
		t.Fatalf("the first session suffered: %v", err)
	}
	_ = s.Close(t.Context())
}

// Close removes the record, and is the end of the session.
func testSessionCloses(t *testing.T, h Harness) {
	d := h.New(t)
	s := open(t, d, "s", 10*h.TTL)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !gone(t, d, sessionKey("s")) {
		t.Fatal("the record is still there")
	}
	if err := s.Renew(t.Context()); !errors.Is(err, driver.ErrSessionLost) {
		t.Fatalf("renewed after close: %v, want ErrSessionLost", err)
	}
}
