package consulstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
)

// raw is the client library, beside the driver.
func raw(t *testing.T, url string) *api.Client {
	t.Helper()
	transport := api.DefaultConfig().Transport
	t.Cleanup(transport.CloseIdleConnections)
	c, err := api.NewClient(&api.Config{Address: url, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The writers trim the log by themselves: it does not grow beyond its bound, a
// watch that is behind is told, and one that is there misses nothing.
func TestLogIsTrimmedByTheWriters(t *testing.T) {
	t.Parallel()
	url := enginetest.SharedConsul(t).URL()
	ns := prefix()
	o := options
	o.History = 64
	s, err := consulstore.Open(t.Context(), consulstore.Config{Addresses: []string{url}, Prefix: ns}, &o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	first := put(t, s, key("k"), "first", 0)
	enough := errors.New("enough")
	var seen []driver.Version
	watched := make(chan error, 1)
	const writes = 600
	go func() {
		watched <- s.Watch(t.Context(), "entries", first, func(evs []driver.Event) error {
			for _, ev := range evs {
				seen = append(seen, ev.Version)
			}
			if len(seen) >= writes {
				return enough
			}
			return nil
		})
	}()
	var written []driver.Version
	v := first
	for i := range writes {
		v = put(t, s, key("k"), fmt.Sprint(i), v)
		written = append(written, v)
	}
	err = <-watched
	// Trimmed so hard, the log may leave even a watch behind that only just lags.
	if err != enough && !errors.Is(err, driver.ErrCompacted) {
		t.Fatalf("watch: %v", err)
	}
	for i, got := range seen {
		if got != written[i] {
			t.Fatalf("change %d was seen at %d, and made at %d", i, got, written[i])
		}
	}
	kept, _, err := raw(t, url).KV().Keys(ns+"log/", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	// Buckets are of random size: three are kept, of 32 on average.
	if len(kept) == 0 || len(kept) > writes*2/3 {
		t.Errorf("%d log records are kept of %d, for about 64", len(kept), writes)
	}
	if err := s.Watch(t.Context(), "entries", first, func([]driver.Event) error { return enough }); !errors.Is(err, driver.ErrCompacted) {
		t.Errorf("a watch from what was trimmed: %v; want ErrCompacted", err)
	}
}

// Writers of different records of one space do not fail each other, however many.
func TestWritersOfDifferentRecords(t *testing.T) {
	t.Parallel()
	s := connect(t, prefix(), enginetest.SharedConsul(t).URL())
	const writers, each = 48, 6
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // this is not about how fast the machine is
	defer cancel()
	var group sync.WaitGroup
	began := time.Now()
	for w := range writers {
		group.Go(func() {
			var v driver.Version
			for i := range each {
				var err error
				v, err = s.Write(ctx, driver.Write{Key: key(fmt.Sprint(w)), Value: fmt.Append(nil, i), Expect: v})
				if err != nil {
					t.Errorf("write %d of %d: %v", i, w, err)
					return
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d writes by %d writers in %v", writers*each, writers, time.Since(began))
}

// The longest value fits Consul's defaults, under the longest name, and a longer
// one is refused before anything is sent.
func TestLongestValue(t *testing.T) {
	t.Parallel()
	s := connect(t, prefix(), enginetest.SharedConsul(t).URL())
	k := key(strings.Repeat("\xff", driver.MaxName))
	value := bytes.Repeat([]byte{0xff}, consulstore.MaxValue)
	v := put(t, s, k, string(value), 0)
	kv, err := s.Get(t.Context(), k)
	if err != nil || !bytes.Equal(kv.Value, value) || kv.Name != k.Name {
		t.Fatalf("got %d bytes under a name of %d, %v", len(kv.Value), len(kv.Name), err)
	}
	_, err = s.Write(t.Context(), driver.Write{Key: k, Value: append(value, 0), Expect: v})
	if err == nil || !strings.Contains(err.Error(), "512 KiB") {
		t.Fatalf("a longer value: %v", err)
	}
}

// When a snapshot is restored, which takes the records back, a watch does not go
// on as if nothing had happened, and what is written then is newer than anything
// before.
func TestRestoredSnapshot(t *testing.T) {
	t.Parallel()
	server := enginetest.ConsulWith(t, &engines.ConsulOptions{Settings: quick})
	s := connect(t, prefix(), server.URL())
	c := raw(t, server.URL())
	v := put(t, s, key("k"), "before", 0)
	snapshot, _, err := c.Snapshot().Save(nil)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := io.ReadAll(snapshot)
	if err := errors.Join(err, snapshot.Close()); err != nil {
		t.Fatal(err)
	}
	newest := put(t, s, key("k"), "after", v)
	watched := make(chan error, 1)
	ready := make(chan struct{}, 1)
	go func() {
		watched <- s.Watch(t.Context(), "entries", v, func([]driver.Event) error { ready <- struct{}{}; return nil })
	}()
	<-ready
	if err := c.Snapshot().Restore(nil, bytes.NewReader(saved)); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-watched:
		if !errors.Is(err, driver.ErrCompacted) {
			t.Fatalf("the watch ended with %v; want ErrCompacted", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the watch did not notice")
	}
	for deadline := time.Now().Add(30 * time.Second); ; {
		next, err := s.Write(t.Context(), driver.Write{Key: key("k"), Value: []byte("again"), Expect: v})
		if err == nil && next <= newest {
			t.Fatalf("written at %d, after a write at %d", next, newest)
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// When somebody removes everything the space begins anew, and watches say so.
func TestEverythingIsRemoved(t *testing.T) {
	t.Parallel()
	url := enginetest.SharedConsul(t).URL()
	ns := prefix()
	s := connect(t, ns, url)
	v := put(t, s, key("k"), "x", 0)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	watched := make(chan error, 1)
	go func() { watched <- s.Watch(ctx, "entries", v, func([]driver.Event) error { return nil }) }()
	if _, err := raw(t, url).KV().DeleteTree(ns, nil); err != nil {
		t.Fatal(err)
	}
	if err := <-watched; !errors.Is(err, driver.ErrCompacted) {
		t.Fatalf("watch: %v; want ErrCompacted", err)
	}
	if _, err := s.Get(ctx, key("k")); !errors.Is(err, driver.ErrNotFound) {
		t.Fatalf("get: %v", err)
	}
	if next := put(t, s, key("k"), "y", 0); next <= v {
		t.Fatalf("written at %d, after a write at %d", next, v)
	}
}
