package etcdstore_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// A head that is told without asking is never behind a write that was acknowledged, nor
// behind one that somebody has read or watched, in this process or in another: each
// writer and each witness looks at once, while others write and refresh what is known.
func TestLocalHeadIsNeverBehind(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	ns := prefix()
	near, far := e.WithPrefix(ns), connect(t, ns, e.Endpoint())
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var known, asked atomic.Int64
	check := func(what string, v driver.Version) {
		if head, ok := near.LocalHead("entries"); ok {
			known.Add(1)
			if head < v {
				t.Errorf("the head is known to be %d, and %d was %s", head, v, what)
			}
			return
		}
		asked.Add(1)
		if head, err := near.Head(t.Context(), "entries"); err != nil || head < v {
			t.Errorf("the head is %d, %v, and %d was %s", head, err, v, what)
		}
	}
	var writers, witnesses sync.WaitGroup
	for w, d := range []*etcdstore.Store{near, far, near, far} {
		writers.Go(func() {
			k, v := key(strconv.Itoa(w)), driver.Version(0)
			for i := range 150 {
				v = put(t, d, k, strconv.Itoa(i), v)
				check("acknowledged", v)
				check("acknowledged", v) // of what the first has read, if nobody else has written
			}
		})
		witnesses.Go(func() {
			for ctx.Err() == nil {
				if kv, err := d.Get(ctx, key(strconv.Itoa(w))); err == nil {
					check("read", kv.Version)
				}
			}
		})
		witnesses.Go(func() {
			_ = d.Watch(ctx, "entries", 0, func(evs []driver.Event) error {
				check("watched", evs[len(evs)-1].Version)
				return nil
			})
		})
	}
	writers.Wait()
	stop()
	witnesses.Wait()
	if known.Load() == 0 || asked.Load() == 0 {
		t.Errorf("it was known %d times and asked for %d times", known.Load(), asked.Load())
	}
	_ = near.Close()
	if v, ok := near.LocalHead("entries"); ok {
		t.Errorf("it is known to be %d after Close", v)
	}
	if _, err := near.Head(t.Context(), "entries"); !errors.Is(err, etcdstore.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

// Spaces have heads of their own, and what is written to another moves none.
func TestLocalHeadOfASpace(t *testing.T) {
	t.Parallel()
	e := startEmbedded(t, t.TempDir())
	s := e.WithPrefix(prefix())
	if _, ok := s.LocalHead("entries"); ok {
		t.Error("it is known before it was asked for")
	}
	v := put(t, s, key("k"), "x", 0)
	other := put(t, s, driver.Key{Space: "other", Name: "k"}, "x", 0)
	for _, want := range []struct {
		space string
		v     driver.Version
	}{{"entries", v}, {"other", other}, {"entries", v}, {"none", 0}} {
		if head, err := s.Head(t.Context(), want.space); err != nil || head != want.v {
			t.Errorf("%s: %d, %v; want %d", want.space, head, err, want.v)
		}
		if head, ok := s.LocalHead(want.space); ok && head != want.v {
			t.Errorf("%s: it is known to be %d; want %d", want.space, head, want.v)
		}
	}
	if _, ok := connect(t, "", e.Endpoint()).LocalHead("entries"); ok {
		t.Error("it is known without a member in the process")
	}
}
