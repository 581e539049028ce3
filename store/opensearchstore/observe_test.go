package opensearchstore_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

// A read that finds something newer than what was polled brings the watches of its
// process up to it at once: a request's barrier does not wait for the next poll.
func TestAReadWakesTheWatch(t *testing.T) {
	t.Parallel()
	node := enginetest.SharedOpenSearch(t, version())
	target, err := url.Parse(node.URL())
	if err != nil {
		t.Fatal(err)
	}
	var polled atomic.Pointer[time.Time]
	forward := httputil.NewSingleHostReverseProxy(target)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/_stats/docs") {
			now := time.Now()
			polled.Store(&now)
		}
		forward.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	name := table()
	other := connect(t, name, node.URL())
	v := put(t, other, key("k"), "0", 0)
	mine := connectWith(t, opensearchstore.Config{Addresses: []string{srv.URL}, Index: name},
		&opensearchstore.Options{Timeout: timeout, DialTimeout: time.Minute, Poll: time.Hour})
	seen := make(chan driver.Version, 10)
	go func() {
		err := mine.Watch(t.Context(), "entries", v, func(evs []driver.Event) error { seen <- evs[0].Version; return nil })
		if t.Context().Err() == nil {
			t.Errorf("watch: %v", err)
		}
	}()
	// Pauses between polls double from 5 ms on: after 6 s without one the next is due
	// 10.24 s after the last.
	for tick := time.NewTicker(50 * time.Millisecond); polled.Load() == nil || time.Since(*polled.Load()) < 6*time.Second; <-tick.C {
		continue
	}
	v = put(t, other, key("k"), "1", v)
	last := *polled.Load()
	if kv, err := mine.Get(t.Context(), key("k")); err != nil || kv.Version != v {
		t.Fatalf("%d, %v; want version %d", kv.Version, err, v)
	}
	select {
	case got := <-seen:
		if got != v || time.Since(last) > 10*time.Second {
			t.Errorf("the watch came to %d, %v after the last poll; want %d", got, time.Since(last), v)
		}
	case <-time.After(time.Minute):
		t.Fatal("the watch did not come to what was read")
	}
}

// Who lists again and again ends the sessions that nobody renews, without a watch, and
// so does who tries to open one under the same key; never before their ttl.
func TestListsAndOpensObserve(t *testing.T) {
	t.Parallel()
	node := enginetest.SharedOpenSearch(t, version())
	name := table()
	holder, observer := connect(t, name, node.URL()), connect(t, name, node.URL())
	const ttl = time.Second
	gone := func(k driver.Key, look func() bool) {
		t.Helper()
		x, err := holder.Open(t.Context(), k, []byte("x"), ttl)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := x.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		for tick := time.NewTicker(20 * time.Millisecond); !look(); <-tick.C {
			if time.Since(began) > 30*time.Second {
				t.Fatal("the session does not end")
			}
		}
		if lived := time.Since(began); lived < ttl {
			t.Errorf("the session ended after %v, before its ttl", lived)
		}
		if err := x.Renew(t.Context()); !errors.Is(err, driver.ErrSessionLost) {
			t.Errorf("a late renewal: %v; want ErrSessionLost", err)
		}
	}
	listed := driver.Key{Space: "sessions", Name: "listed"}
	gone(listed, func() bool {
		there := false
		if _, err := observer.List(t.Context(), "sessions", func(kv driver.KV) bool { there = kv.Name == "listed"; return !there }); err != nil {
			t.Fatal(err)
		}
		return !there
	})
	gone(driver.Key{Space: "sessions", Name: "opened"}, func() bool {
		y, err := observer.Open(t.Context(), driver.Key{Space: "sessions", Name: "opened"}, nil, time.Minute)
		if err == nil {
			err = y.Renew(t.Context())
		}
		if err != nil && !errors.Is(err, driver.ErrConflict) {
			t.Fatal(err)
		}
		return err == nil
	})
	gone(driver.Key{Space: "sessions", Name: "read"}, func() bool {
		_, err := observer.Get(t.Context(), driver.Key{Space: "sessions", Name: "read"})
		if err != nil && !errors.Is(err, driver.ErrNotFound) {
			t.Fatal(err)
		}
		return err != nil
	})
}
