package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	tables "github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// bigTable is the name of the large one.
const bigTable = "bench"

// table measures the large table, phase by phase. What comes later needs a table,
// and nothing else of what comes earlier.
func (b *bench) table(ctx context.Context) {
	wanted := b.plan.entries
	t := &table{Wanted: wanted, EntrySize: entrySize()}
	if wanted == 0 {
		t.Wanted, t.Why = b.backend.entries, b.why
	}
	b.res.Table = t
	// One more than its own bound, so that the last writes can end.
	if !b.step(ctx, fmt.Sprintf("fill with %d entries", t.Wanted), b.fillLimit+time.Minute, b.fillTable) {
		return
	}
	if b.pid != nil {
		t.ServerMB = residentMB(b.pid())
	}
	b.step(ctx, "list", b.limit, b.list)
	b.step(ctx, "first watch", b.limit, b.firstWatch)
	b.step(ctx, "steady state", b.limit, b.steady)
	b.step(ctx, "replica", b.limit, b.replica)
	b.step(ctx, "fan-out", b.limit, b.fanOut)
}

func (b *bench) fillTable(ctx context.Context) error {
	t := b.res.Table
	limited, cancel := context.WithTimeout(ctx, b.fillLimit)
	defer cancel()
	began := time.Now()
	var err error
	if b.fill == nil {
		t.Filled = fmt.Sprintf("store.Register, %d at a time", b.writers)
		t.Entries, err = b.register(limited, bigTable, t.Wanted)
	} else {
		t.Filled = fmt.Sprintf("bulk requests of %d documents as the driver writes them, 3 at a time", bulkSize)
		var done atomic.Int64
		stop := b.sayProgress(&done, t.Wanted)
		err = b.fill(limited, b.addr, bigTable, t.Wanted, func(n int) { done.Add(int64(n)) })
		stop()
		t.Entries = int(done.Load())
	}
	t.FillSeconds = round(time.Since(began).Seconds(), 2)
	if err == nil && t.Entries < t.Wanted {
		b.say("  %d entries in %v: going on with those", t.Entries, b.fillLimit)
	}
	return err
}

// list lists twice, for the time and, through the proxy, for the bytes.
func (b *bench) list(ctx context.Context) error {
	t := b.res.Table
	once := func(open func(context.Context, string) (store, error)) (time.Duration, error) {
		d, err := open(ctx, bigTable)
		if err != nil {
			return 0, err
		}
		defer func() { _ = d.Close() }()
		n := 0
		var bad error
		began := time.Now()
		_, err = tables.New(d, nil).Entries(ctx, func(e placement.Entry, err error) bool {
			n++
			bad = errors.Join(bad, err)
			return err == nil
		})
		took := time.Since(began)
		if err = errors.Join(err, bad); err == nil && n != t.Entries {
			err = fmt.Errorf("listed %d entries of %d", n, t.Entries)
		}
		return took, err
	}
	took, err := once(b.direct)
	if err != nil {
		return err
	}
	t.ListMs = ms(took)
	if b.proxy == nil {
		return nil
	}
	before := b.wire()
	if _, err := once(b.counted); err != nil {
		return err
	}
	t.ListBytes = b.flow(before)
	return nil
}

// writer changes the first entry, again and again. Its connections are its own:
// a watch of the same driver may learn of what the driver wrote sooner.
type writer struct {
	store
	at driver.Version
}

func (b *bench) writer(ctx context.Context) (*writer, error) {
	d, err := b.direct(ctx, bigTable)
	if err != nil {
		return nil, err
	}
	kv, err := d.Get(ctx, keyOf(0))
	if err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &writer{d, kv.Version}, nil
}

func keyOf(i int) driver.Key {
	return driver.Key{Space: tables.SpaceEntries, Name: string(partition(i))}
}

// change makes one change, and says when it was sent and acknowledged.
func (w *writer) change(ctx context.Context) (sent, acked time.Time, err error) {
	sent = time.Now()
	v, err := w.Write(ctx, driver.Write{Key: keyOf(0), Value: value(0), Expect: w.at})
	acked = time.Now()
	if err != nil {
		return sent, acked, fmt.Errorf("change an entry: %w", err)
	}
	w.at = v
	return sent, acked, nil
}

// firstWatch begins a watch where a list would end, with one change after it.
func (b *bench) firstWatch(ctx context.Context) error {
	w, err := b.writer(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	if _, _, err := w.change(ctx); err != nil {
		return err
	}
	enough := errors.New("enough")
	var took []time.Duration
	for range b.firstWatches {
		from := w.at
		if _, _, err := w.change(ctx); err != nil {
			return err
		}
		d, err := b.direct(ctx, bigTable)
		if err != nil {
			return err
		}
		began := time.Now()
		err = d.Watch(ctx, tables.SpaceEntries, from, func(evs []driver.Event) error {
			took = append(took, time.Since(began))
			if got := evs[0].Version; got != w.at {
				return fmt.Errorf("the first change is %d, not %d", got, w.at)
			}
			return enough
		})
		if cerr := d.Close(); !errors.Is(err, enough) || cerr != nil {
			return errors.Join(err, cerr)
		}
	}
	b.res.Table.FirstWatch = distOf(took)
	return nil
}

// sight is that a watch has seen a change.
type sight struct {
	watch   int
	version driver.Version
	at      time.Time
}

// watcher watches from a version until its function is called, which returns when
// the watch has ended and its connections are closed. Sights go to seen, which must have room or a reader.
func watcher(ctx context.Context, d store, from driver.Version, number int, seen chan<- sight) (stop func() error) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() {
		ended <- d.Watch(ctx, tables.SpaceEntries, from, func(evs []driver.Event) error {
			now := time.Now()
			for _, ev := range evs {
				select {
				case seen <- sight{number, ev.Version, now}:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}()
	return func() error {
		failed := ctx.Err() == nil && len(ended) > 0
		cancel()
		err := <-ended
		if !failed {
			err = nil // it was told to
		}
		return errors.Join(err, d.Close())
	}
}

// await returns when a watch has seen a version.
func await(ctx context.Context, seen <-chan sight, v driver.Version) (sight, error) {
	for {
		select {
		case s := <-seen:
			if s.version >= v {
				return s, nil
			}
		case <-ctx.Done():
			return sight{}, fmt.Errorf("a change was not seen: %w", ctx.Err())
		}
	}
}

// steady makes changes now and then: a table is quiet most of the time. One watch
// is for the times; another, through the proxy, for the bytes.
func (b *bench) steady(ctx context.Context) (err error) {
	t := b.res.Table
	w, err := b.writer(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	timed, err := b.direct(ctx, bigTable)
	if err != nil {
		return err
	}
	seen := make(chan sight, 64)
	defer ending(&err, watcher(ctx, timed, w.at, 0, seen))
	counted, err := b.counted(ctx, bigTable)
	if err != nil {
		return err
	}
	seenToo := make(chan sight, 64)
	defer ending(&err, watcher(ctx, counted, w.at, 0, seenToo))

	var write, acked, sent []time.Duration
	one := func(record bool) error {
		s, a, err := w.change(ctx)
		if err != nil {
			return err
		}
		first, err := await(ctx, seen, w.at)
		if err != nil {
			return err
		}
		if _, err := await(ctx, seenToo, w.at); err != nil {
			return err
		}
		if record {
			write, acked, sent = append(write, a.Sub(s)), append(acked, first.at.Sub(a)), append(sent, first.at.Sub(s))
		}
		return nil
	}
	if err := one(false); err != nil { // until then a watch may still be beginning
		return err
	}
	if !pause(ctx, time.Second/2) {
		return ctx.Err()
	}
	before, began := b.wire(), time.Now()
	if !pause(ctx, b.quiet) {
		return ctx.Err()
	}
	quiet := float64(b.flow(before)) / time.Since(began).Seconds()
	before, began = b.wire(), time.Now()
	for range b.changes {
		if !pause(ctx, rand.N(b.between)) {
			break
		}
		if err := one(true); err != nil {
			return err
		}
	}
	flow := float64(b.flow(before)) - quiet*time.Since(began).Seconds()
	t.Write, t.AckToSeen, t.SentToSeen = distOf(write), distOf(acked), distOf(sent)
	if b.proxy != nil {
		t.QuietBytesS, t.EventBytes = round(quiet, 0), round(max(0, flow)/float64(len(write)), 0)
	}
	return ctx.Err()
}

// ending calls stop, for a defer, and keeps the first error.
func ending(err *error, stop func() error) {
	if serr := stop(); *err == nil {
		*err = serr
	}
}
