package sim

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// storeName is the store's name on the network.
const storeName = "store"

// storeClient is a process's connection to the one store, a memstore that
// is never in doubt itself: all trouble is on the way.
type storeClient struct{ p *Process }

// headClient is one to an engine that has a Head, batchClient one to an engine that
// has none.
type (
	headClient  struct{ *storeClient }
	batchClient struct{ *storeClient }
)

var (
	_ driver.Header  = headClient{}
	_ driver.Batcher = batchClient{}
)

// table is the placement table as this process reaches it.
func (p *Process) table() *store.Store {
	var d driver.Driver = headClient{&storeClient{p}}
	if p.w.o.Headless {
		d = batchClient{&storeClient{p}}
	}
	return store.New(d, &store.Options{Logger: p.w.logger(p.name), Timeout: storeTimeout})
}

type outcome[T any] struct {
	v   T
	err error
}

// ask performs one call of the store.
func ask[T any](ctx context.Context, c *storeClient, kind string, do func(context.Context) (T, error)) (T, error) {
	var none T
	o, _, err := call(ctx, c.p.w, c.p, storeName, kind, func() {}, func() outcome[T] {
		v, err := do(context.Background()) // it does not know that its caller has left
		return outcome[T]{v, err}
	})
	if err != nil {
		return none, err
	}
	return o.v, o.err
}

func (c *storeClient) told(kind, space string) {
	if f := c.p.w.o.asked; f != nil {
		f(c.p.name, kind, space)
	}
}

func (c *storeClient) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	return ask(ctx, c, "get", func(ctx context.Context) (driver.KV, error) { return c.p.w.store.Get(ctx, key) })
}

func (c headClient) Head(ctx context.Context, space string) (driver.Version, error) {
	return ask(ctx, c.storeClient, "head", func(ctx context.Context) (driver.Version, error) { return c.p.w.store.Head(ctx, space) })
}

func (c batchClient) Versions(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
	return ask(ctx, c.storeClient, "versions", func(ctx context.Context) ([]driver.Sight, error) {
		seen := make([]driver.Sight, len(names))
		for i, name := range names {
			kv, err := c.p.w.store.Get(ctx, driver.Key{Space: space, Name: name})
			if err != nil && !errors.Is(err, driver.ErrNotFound) {
				return nil, err
			}
			seen[i].Version = kv.Version
		}
		return seen, nil
	})
}

// Since is a watch up to the head that there was when it was asked.
func (c batchClient) Since(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
	type changes struct {
		evs []driver.Event
		to  driver.Version
	}
	got, err := ask(ctx, c.storeClient, "since", func(ctx context.Context) (changes, error) {
		got := changes{to: from}
		head, err := c.p.w.store.Head(ctx, space)
		if err != nil || head <= from {
			return got, err
		}
		there := errors.New("there")
		err = c.p.w.store.Watch(ctx, space, from, func(evs []driver.Event) error {
			got.evs = append(got.evs, evs...)
			if got.to = evs[len(evs)-1].Version; got.to >= head {
				return there
			}
			return nil
		})
		if errors.Is(err, there) {
			err = nil
		}
		return got, err
	})
	return got.evs, got.to, err
}

func (c *storeClient) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	c.told("write", w.Key.Space)
	return ask(ctx, c, "write", func(ctx context.Context) (driver.Version, error) { return c.p.w.store.Write(ctx, w) })
}

func (c *storeClient) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	type listed struct {
		all []driver.KV
		v   driver.Version
	}
	c.told("list", space)
	l, err := ask(ctx, c, "list", func(ctx context.Context) (listed, error) {
		var l listed
		var err error
		l.v, err = c.p.w.store.List(ctx, space, func(kv driver.KV) bool { l.all = append(l.all, kv); return true })
		return l, err
	})
	if err != nil {
		return 0, err
	}
	for _, kv := range l.all {
		if !yield(kv) {
			break
		}
	}
	return l.v, nil
}

// Watch delivers late, in order, and not at all while the store cannot be
// reached: as a driver does that resumes a broken connection.
func (c *storeClient) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	p, w := c.p, c.p.w
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-p.dead:
			cancel()
		case <-ctx.Done():
		}
	}()
	return w.store.Watch(ctx, space, from, func(evs []driver.Event) error {
		r := w.random.next("watch " + p.name + " " + space)
		d := logBetween(r, 50*time.Microsecond, 3*time.Millisecond)
		if chance(r, 0.03) {
			d += logBetween(r, 10*time.Millisecond, 500*time.Millisecond)
		}
		for {
			for _, on := range w.active(p.name, storeName) {
				if on.Kind == Slow {
					d += time.Duration(r.Float64() * float64(on.By))
				}
			}
			if err := p.sleep(ctx, d); err != nil {
				return err
			}
			deaf := w.active(p.name, watching)
			if len(deaf) > 0 {
				w.count(string(Deaf))
			}
			if len(deaf) == 0 && w.reachable(storeName, p.name) {
				break
			}
			d = 20 * time.Millisecond // connecting again
		}
		return apply(evs)
	})
}

func (c *storeClient) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	s, err := ask(ctx, c, "open", func(ctx context.Context) (driver.Session, error) { return c.p.w.store.Open(ctx, key, value, ttl) })
	if err != nil {
		return nil, err
	}
	return &sessionClient{c: c, s: s}, nil
}

type sessionClient struct {
	c *storeClient
	s driver.Session

	mu      sync.Mutex
	sent    uint64 // updates so far
	applied uint64 // the newest that has taken effect
}

func (x *sessionClient) Renew(ctx context.Context) error {
	_, err := ask(ctx, x.c, "renew", func(ctx context.Context) (struct{}, error) { return struct{}{}, x.s.Renew(ctx) })
	return err
}

// Update keeps the contract's promise that a late update does not undo a newer
// one, which drivers keep by comparing versions.
func (x *sessionClient) Update(ctx context.Context, value []byte) (driver.Version, error) {
	x.mu.Lock()
	x.sent++
	n := x.sent
	x.mu.Unlock()
	return ask(ctx, x.c, "update", func(ctx context.Context) (driver.Version, error) {
		x.mu.Lock()
		defer x.mu.Unlock()
		if n <= x.applied {
			return 0, errBroken // too late, or for the second time
		}
		x.applied = n
		return x.s.Update(ctx, value)
	})
}

func (x *sessionClient) Close(ctx context.Context) error {
	_, err := ask(ctx, x.c, "close", func(ctx context.Context) (struct{}, error) { return struct{}{}, x.s.Close(ctx) })
	return err
}
