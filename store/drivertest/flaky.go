package drivertest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// ErrBroken is what a driver of NewFlaky fails with.
var ErrBroken = errors.New("broken on purpose")

// NewFlaky returns a driver over d, and the function that sets what fails from
// then on; None heals. A watch that is under way is broken by every fault and
// goes on where it was after None. With Silence a call waits until the silence
// ends, its context does, or timeout has passed. The driver implements
// driver.Header or driver.Batcher if d does.
func NewFlaky(d driver.Driver, timeout time.Duration) (driver.Driver, func(Fault)) {
	f := &flaky{d: d, timeout: timeout, changed: make(chan struct{})}
	if h, ok := d.(driver.Header); ok {
		return &flakyHeader{f, h}, f.set
	}
	if b, ok := d.(driver.Batcher); ok {
		return &flakyBatcher{f, b}, f.set
	}
	return f, f.set
}

// flaky is a driver with a fault between its caller and its engine.
type flaky struct {
	d       driver.Driver
	timeout time.Duration

	mu      sync.Mutex
	fault   Fault
	changed chan struct{} // closed and replaced at each change of fault
}

func (f *flaky) set(to Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = to
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *flaky) now() (Fault, chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fault, f.changed
}

// call runs do as the fault allows.
func (f *flaky) call(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch fault, changed := f.now(); fault {
	case None:
		return do()
	case LoseReplies:
		_ = do()
		return ErrBroken
	case Slow:
		if err := lag(ctx); err != nil {
			return err
		}
		err := do()
		if late := lag(ctx); late != nil {
			return late
		}
		return err
	case Silence:
		timeout := time.NewTimer(f.timeout)
		defer timeout.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		case <-timeout.C:
		}
	}
	return ErrBroken
}

// lag waits for what travels one way, or for the context's end.
func lag(ctx context.Context) error {
	t := time.NewTimer(Lag)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (f *flaky) Get(ctx context.Context, key driver.Key) (kv driver.KV, err error) {
	err = f.call(ctx, func() error { kv, err = f.d.Get(ctx, key); return err })
	return kv, err
}

func (f *flaky) List(ctx context.Context, space string, yield func(driver.KV) bool) (v driver.Version, err error) {
	err = f.call(ctx, func() error { v, err = f.d.List(ctx, space, yield); return err })
	return v, err
}

func (f *flaky) Write(ctx context.Context, w driver.Write) (v driver.Version, err error) {
	err = f.call(ctx, func() error { v, err = f.d.Write(ctx, w); return err })
	return v, err
}

func (f *flaky) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	var x driver.Session
	err := f.call(ctx, func() (err error) { x, err = f.d.Open(ctx, key, value, ttl); return err })
	if err != nil {
		return nil, err
	}
	return &flakySession{f, x}, nil
}

func (f *flaky) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	for {
		fault, changed := f.now()
		if fault != None && fault != Slow {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		inner, cancel := context.WithCancel(ctx)
		stop := make(chan struct{})
		go func() {
			select {
			case <-changed:
				cancel()
			case <-stop:
			}
		}()
		var mine error
		err := f.d.Watch(inner, space, from, func(evs []driver.Event) error {
			if inner.Err() != nil {
				return inner.Err() // the connection broke before these came through
			}
			if mine = apply(evs); mine == nil {
				from = evs[len(evs)-1].Version
			}
			return mine
		})
		broken := inner.Err() != nil
		close(stop)
		cancel()
		if mine != nil {
			return mine
		}
		if !broken || ctx.Err() != nil {
			return err
		}
	}
}

// Reasons implements driver.Reasoner: they are those of the driver beneath.
func (f *flaky) Reasons() map[string]string {
	if r, ok := f.d.(driver.Reasoner); ok {
		return r.Reasons()
	}
	return nil
}

// Weaknesses implements driver.Weak: they are those of the driver beneath.
func (f *flaky) Weaknesses(ctx context.Context) ([]driver.Weakness, error) {
	if w, ok := f.d.(driver.Weak); ok {
		return w.Weaknesses(ctx)
	}
	return nil, nil
}

type flakyHeader struct {
	*flaky
	h driver.Header
}

func (f *flakyHeader) Head(ctx context.Context, space string) (v driver.Version, err error) {
	err = f.call(ctx, func() error { v, err = f.h.Head(ctx, space); return err })
	return v, err
}

type flakyBatcher struct {
	*flaky
	b driver.Batcher
}

func (f *flakyBatcher) Versions(ctx context.Context, space string, names []string) (seen []driver.Sight, err error) {
	err = f.call(ctx, func() error { seen, err = f.b.Versions(ctx, space, names); return err })
	return seen, err
}

func (f *flakyBatcher) Since(ctx context.Context, space string, from driver.Version) (evs []driver.Event, v driver.Version, err error) {
	err = f.call(ctx, func() error { evs, v, err = f.b.Since(ctx, space, from); return err })
	return evs, v, err
}

type flakySession struct {
	f *flaky
	x driver.Session
}

func (s *flakySession) Renew(ctx context.Context) error {
	return s.f.call(ctx, func() error { return s.x.Renew(ctx) })
}

func (s *flakySession) Update(ctx context.Context, value []byte) (v driver.Version, err error) {
	err = s.f.call(ctx, func() error { v, err = s.x.Update(ctx, value); return err })
	return v, err
}

func (s *flakySession) Close(ctx context.Context) error {
	return s.f.call(ctx, func() error { return s.x.Close(ctx) })
}
