package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// fire are writers, each of a key of its own, that count up.
type fire struct {
	t     *testing.T
	d     *redisstore.Store
	stop  context.CancelFunc
	group sync.WaitGroup
	acked atomic.Int64
	vague atomic.Int64
	err   atomic.Value // text of the newest error

	mu   sync.Mutex
	last map[string]int // newest number that was acknowledged
}

const writers = 4

func underFire(t *testing.T, d *redisstore.Store) *fire {
	ctx, stop := context.WithCancel(t.Context())
	f := &fire{t: t, d: d, stop: stop, last: map[string]int{}}
	for w := range writers {
		f.group.Go(func() { f.write(ctx, key("w"+strconv.Itoa(w))) })
	}
	t.Cleanup(f.cease)
	return f
}

func (f *fire) write(ctx context.Context, k driver.Key) {
	n, at := 0, driver.Version(0)
	for ctx.Err() == nil {
		v, err := f.d.Write(ctx, driver.Write{Key: k, Value: []byte(strconv.Itoa(n + 1)), Expect: at})
		switch {
		case err == nil:
			n, at = n+1, v
			f.acked.Add(1)
			f.mu.Lock()
			f.last[k.Name] = n
			f.mu.Unlock()
			continue
		case errors.Is(err, redisstore.ErrRewound):
			f.err.Store(err.Error())
			return
		case ctx.Err() != nil:
			return
		}
		// Its outcome is unknown, unless it is a conflict with an earlier one of which
		// that is true: what is there tells, when it can be read.
		f.vague.Add(1)
		f.err.Store(err.Error())
		kv, err := f.d.Get(ctx, k)
		if err != nil {
			continue
		}
		m, err := strconv.Atoi(string(kv.Value))
		if err != nil || m < n || kv.Version < at {
			f.t.Errorf("%s is %q at %d, after %d at %d was acknowledged", k.Name, kv.Value, kv.Version, n, at)
			return
		}
		n, at = m, kv.Version
	}
}

// progress waits until more writes are acknowledged. A sentinel whose machine was too
// busy to run it does nothing for half a minute, on purpose.
func (f *fire) progress() {
	f.t.Helper()
	want := f.acked.Load() + 50
	for deadline := time.Now().Add(2 * time.Minute); f.acked.Load() < want; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.t.Fatalf("no write is acknowledged any more; the newest error is: %v", f.err.Load())
		}
	}
}

func (f *fire) cease() {
	f.stop()
	f.group.Wait()
}

// check looks for everything that was acknowledged, by a way of its own.
func (f *fire) check(d driver.Driver) {
	f.t.Helper()
	for name, n := range f.last {
		kv, err := d.Get(f.t.Context(), key(name))
		if err != nil {
			f.t.Fatalf("%s, acknowledged up to %d: %v", name, n, err)
		}
		if m, err := strconv.Atoi(string(kv.Value)); err != nil || m < n {
			f.t.Fatalf("%s is %q; %d was acknowledged", name, kv.Value, n)
		}
	}
	f.t.Logf("%d writes acknowledged, %d of unknown outcome", f.acked.Load(), f.vague.Load())
}

// A server that is killed again and again while writers are at work loses nothing
// that it acknowledged, and a watch sees every change once.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	r := enginetest.Redis(t)
	c := at(r.Addr())
	c.Prefix = prefix()
	d, peer := connect(t, c), connect(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	var newest atomic.Uint64
	watched := make(chan error, 1)
	go func() {
		watched <- peer.Watch(ctx, "entries", 0, func(evs []driver.Event) error {
			for _, ev := range evs {
				if uint64(ev.Version) != newest.Load()+1 {
					return fmt.Errorf("%d follows %d", ev.Version, newest.Load())
				}
				newest.Store(uint64(ev.Version))
			}
			return nil
		})
	}()
	f := underFire(t, d)
	for range 5 {
		f.progress()
		if err := errors.Join(r.Kill(), r.Restart(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	f.progress()
	f.cease()
	f.check(peer)
	head, err := peer.Head(t.Context(), "entries")
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); newest.Load() < uint64(head); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) || len(watched) > 0 {
			t.Fatalf("the watch is at %d, the head is %d", newest.Load(), head)
		}
	}
	cancel()
	if err := <-watched; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}
