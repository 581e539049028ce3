package store_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// waiting is a driver whose reads wait in one of the ways in which drivers do.
type waiting struct {
	driver.Driver
	wait func(ctx context.Context) error
}

func (w *waiting) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	if err := w.wait(ctx); err != nil {
		return driver.KV{}, err
	}
	return w.Driver.Get(ctx, key)
}

// Whatever a driver asks of its context, a call ends with its caller's context, and after
// the store's limit at the latest.
func TestCallsAreBounded(t *testing.T) {
	done := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	type key struct{}
	for name, wait := range map[string]func(context.Context) error{
		"done": done,
		"a context derived from it": func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(context.WithValue(ctx, key{}, 1))
			defer cancel()
			return done(ctx)
		},
		"its deadline": func(ctx context.Context) error {
			end, ok := ctx.Deadline()
			if !ok {
				t.Error("it has no deadline")
			}
			if _, ok := ctx.Value(key{}).(string); !ok {
				t.Error("it has not its caller's values")
			}
			select {
			case <-time.After(time.Until(end)):
				return context.DeadlineExceeded
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mem := memstore.New(nil)
				defer func() { _ = mem.Close() }()
				d := &waiting{Driver: mem, wait: func(context.Context) error { return nil }}
				s := store.New(d, &store.Options{Timeout: 3 * time.Second})
				if _, err := s.Register(t.Context(), "acme", east); err != nil {
					t.Fatal(err)
				}
				d.wait = wait
				ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "caller"))
				began := time.Now()
				_, err := s.State(ctx, "acme")
				if took := time.Since(began); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Second {
					t.Errorf("after %v: %v", took, err)
				}
				began = time.Now()
				time.AfterFunc(time.Second, cancel)
				_, err = s.State(ctx, "acme")
				if took := time.Since(began); !errors.Is(err, context.Canceled) || took != time.Second {
					t.Errorf("its caller gave up after 1s; after %v: %v", took, err)
				}
			})
		})
	}
}

func (w *waiting) Head(ctx context.Context, space string) (driver.Version, error) {
	if err := w.wait(ctx); err != nil {
		return 0, err
	}
	return w.Driver.(driver.Header).Head(ctx, space)
}

// HeadBy ends when it is told to, if the store's limit is not earlier, and so does a driver
// that is called when that is past.
func TestHeadByItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		defer func() { _ = mem.Close() }()
		d := &waiting{Driver: mem, wait: func(context.Context) error { return nil }}
		s := store.New(d, &store.Options{Timeout: 3 * time.Second})
		if _, err := s.HeadBy(t.Context(), time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		d.wait = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		for end, want := range map[time.Duration]time.Duration{-time.Second: 0, time.Second: time.Second, 4 * time.Second: 3 * time.Second} {
			began := time.Now()
			_, err := s.HeadBy(t.Context(), began.Add(end))
			if took := time.Since(began); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || took != want {
				t.Errorf("to end after %v: after %v: %v", end, took, err)
			}
		}
		began := time.Now()
		_, err := s.Head(t.Context())
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Second {
			t.Errorf("with no end: after %v: %v", took, err)
		}
	})
}

// What a driver leaves running for a call that has returned ends at once, whether it asks
// for its end before that or after.
func TestCallsLeaveNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mem := memstore.New(nil)
		defer func() { _ = mem.Close() }()
		var left context.Context
		d := &waiting{Driver: mem, wait: func(ctx context.Context) error {
			left = ctx
			go func() { <-ctx.Done() }() // synctest does not end before it does
			return nil
		}}
		s := store.New(d, nil)
		began := time.Now()
		_, _ = s.State(t.Context(), "acme")
		if <-left.Done(); left.Err() == nil || time.Since(began) != 0 {
			t.Errorf("after %v: %v", time.Since(began), left.Err())
		}
		d.wait = func(ctx context.Context) error { left = ctx; return nil }
		_, _ = s.State(t.Context(), "acme")
		if <-left.Done(); left.Err() == nil || time.Since(began) != 0 {
			t.Errorf("asked afterwards, after %v: %v", time.Since(began), left.Err())
		}
	})
}
