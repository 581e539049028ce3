package store

import (
	"context"
	"errors"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Observer is told of every call that the table makes of its engine, but for watches,
// which last: what it was (get, list, write, head, versions, since, open, renew, update
// or close), how long it took, and what became of it. An answer that is certain, such
// as a version conflict, is none of an error; nor is a call that the caller gave up.
type Observer func(call string, took time.Duration, err error)

// call tells of one call. It is deferred with the time at which the call began.
func (o Observer) call(name string, began time.Time, err *error) {
	switch e := *err; {
	case errors.Is(e, driver.ErrNotFound), errors.Is(e, driver.ErrConflict), errors.Is(e, driver.ErrSessionLost), errors.Is(e, driver.ErrCompacted):
		o(name, time.Since(began), nil)
	case errors.Is(e, context.Canceled):
	default:
		o(name, time.Since(began), e)
	}
}

// observe puts o around d. What else the driver can do is asked of the driver itself,
// except for what the table asks of it: whether it has a head, or batches.
func observe(d driver.Driver, o Observer) driver.Driver {
	x := observed{d, o}
	switch d := d.(type) {
	case driver.Header:
		return observedHeader{x, d}
	case driver.Batcher:
		return observedBatcher{x, d}
	}
	return x
}

type observed struct {
	driver.Driver
	o Observer
}

func (d observed) Get(ctx context.Context, key driver.Key) (kv driver.KV, err error) {
	defer d.o.call("get", time.Now(), &err)
	return d.Driver.Get(ctx, key)
}

func (d observed) List(ctx context.Context, space string, yield func(driver.KV) bool) (v driver.Version, err error) {
	defer d.o.call("list", time.Now(), &err)
	return d.Driver.List(ctx, space, yield)
}

func (d observed) Write(ctx context.Context, w driver.Write) (v driver.Version, err error) {
	defer d.o.call("write", time.Now(), &err)
	return d.Driver.Write(ctx, w)
}

func (d observed) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (s driver.Session, err error) {
	defer d.o.call("open", time.Now(), &err)
	if s, err = d.Driver.Open(ctx, key, value, ttl); err != nil {
		return nil, err
	}
	return observedSession{s, d.o}, nil
}

type observedHeader struct {
	observed
	head driver.Header
}

func (d observedHeader) Head(ctx context.Context, space string) (v driver.Version, err error) {
	defer d.o.call("head", time.Now(), &err)
	return d.head.Head(ctx, space)
}

type observedBatcher struct {
	observed
	batch driver.Batcher
}

func (d observedBatcher) Versions(ctx context.Context, space string, names []string) (seen []driver.Sight, err error) {
	defer d.o.call("versions", time.Now(), &err)
	return d.batch.Versions(ctx, space, names)
}

func (d observedBatcher) Since(ctx context.Context, space string, from driver.Version) (evs []driver.Event, v driver.Version, err error) {
	defer d.o.call("since", time.Now(), &err)
	return d.batch.Since(ctx, space, from)
}

type observedSession struct {
	s driver.Session
	o Observer
}

func (x observedSession) Renew(ctx context.Context) (err error) {
	defer x.o.call("renew", time.Now(), &err)
	return x.s.Renew(ctx)
}

func (x observedSession) Update(ctx context.Context, value []byte) (v driver.Version, err error) {
	defer x.o.call("update", time.Now(), &err)
	return x.s.Update(ctx, value)
}

func (x observedSession) Close(ctx context.Context) (err error) {
	defer x.o.call("close", time.Now(), &err)
	return x.s.Close(ctx)
}
