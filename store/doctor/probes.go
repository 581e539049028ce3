package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// probe looks at one guarantee.
type probe struct {
	guarantee string
	run       func(context.Context, *examiner) error
	slow      bool
}

var probes = []probe{
	{guarantee: "MissingKeyIsNotFound", run: probeMissing},
	{guarantee: "CreateHasExactlyOneWinner", run: probeCreate},
	{guarantee: "WriteNeedsTheVersion", run: probeVersion},
	{guarantee: "SameValueIsAChange", run: probeSameValue},
	{guarantee: "DeleteNeedsTheVersion", run: probeDelete},
	{guarantee: "NoUpdateIsLost", run: probeUpdates},
	{guarantee: "NamesAndValuesAreAnyBytes", run: probeBytes},
	{guarantee: "GetSeesEveryAcknowledgedWrite", run: probeGet},
	{guarantee: "ListThenWatchHasNoGapAndNoRepetition", run: probeWatch},
	{guarantee: "WatchGoesBack", run: probeWatchBack},
	{guarantee: "EndedContextIsHonouredAtOnce", run: probeContext},
	{guarantee: "SessionNeedsAFreeKey", run: probeSessionKey},
	{guarantee: "CloseRemovesTheSession", run: probeSessionClose},
	{guarantee: "SessionEndsWhenNotRenewed", run: probeSessionEnds, slow: true},
	{guarantee: "HeadCoversEveryAcknowledgedWriteAndAWatchReachesIt", run: probeHead},
	{guarantee: "VersionsSeeEveryAcknowledgedWrite", run: probeVersions},
	{guarantee: "SinceIsTheWatchUpToNow", run: probeSince},
}

func probeMissing(ctx context.Context, x *examiner) error {
	_, err := x.get(ctx, x.key("missing"))
	if err == nil {
		return broken("a key that nobody wrote was found")
	}
	if !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	return nil
}

func probeCreate(ctx context.Context, x *examiner) error {
	const writers = 8
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			d := x.d
			if i%2 == 1 {
				d = x.other
			}
			_, errs[i] = d.Write(ctx, driver.Write{Key: x.key("race"), Value: []byte(strconv.Itoa(i))})
		})
	}
	wg.Wait()
	winner, won := -1, 0
	for i, err := range errs {
		switch {
		case err == nil:
			winner, won = i, won+1
		case !errors.Is(err, driver.ErrConflict):
			return err
		}
	}
	kv, err := x.get(ctx, x.key("race"))
	if err != nil {
		return err
	}
	if won != 1 || string(kv.Value) != strconv.Itoa(winner) {
		return broken("%d of %d writers created the same key, and it holds %q", won, writers, kv.Value)
	}
	return nil
}

// create makes a key of the run.
func (x *examiner) create(ctx context.Context, name, value string) (driver.Version, error) {
	return x.write(ctx, driver.Write{Key: x.key(name), Value: []byte(value)})
}

func probeVersion(ctx context.Context, x *examiner) error {
	k := x.key("version")
	v1, err := x.create(ctx, "version", "one")
	if err != nil {
		return err
	}
	v2, err := x.write(ctx, driver.Write{Key: k, Value: []byte("two"), Expect: v1})
	if err != nil {
		return err
	}
	if v2 <= v1 {
		return broken("the version went from %d to %d", v1, v2)
	}
	for _, stale := range []driver.Version{0, v1, v2 + 1} {
		_, err := x.d.Write(ctx, driver.Write{Key: k, Value: []byte("stale"), Expect: stale})
		if err == nil {
			return broken("a write at version %d was taken, the key was at %d", stale, v2)
		}
		if !errors.Is(err, driver.ErrConflict) {
			return err
		}
	}
	kv, err := x.get(ctx, k)
	if err == nil && (string(kv.Value) != "two" || kv.Version != v2) {
		return broken("refused writes changed the key: %q at version %d", kv.Value, kv.Version)
	}
	return err
}

func probeSameValue(ctx context.Context, x *examiner) error {
	v1, err := x.create(ctx, "same", "x")
	if err != nil {
		return err
	}
	v2, err := x.write(ctx, driver.Write{Key: x.key("same"), Value: []byte("x"), Expect: v1})
	if err != nil {
		return err
	}
	if v2 <= v1 {
		return broken("a write of the same value has version %d, after %d", v2, v1)
	}
	return x.expectEvents(ctx, v1, "same", v2)
}

func probeDelete(ctx context.Context, x *examiner) error {
	k := x.key("delete")
	v1, err := x.create(ctx, "delete", "x")
	if err != nil {
		return err
	}
	if _, err := x.d.Write(ctx, driver.Write{Key: k, Expect: v1 + 1, Delete: true}); !errors.Is(err, driver.ErrConflict) {
		if err == nil {
			return broken("a deletion at the wrong version was taken")
		}
		return err
	}
	v2, err := x.write(ctx, driver.Write{Key: k, Expect: v1, Delete: true})
	if err != nil {
		return err
	}
	v3, err := x.create(ctx, "delete", "y")
	if err != nil {
		return err
	}
	if v1 >= v2 || v2 >= v3 {
		return broken("created, deleted, created again: versions %d, %d, %d", v1, v2, v3)
	}
	return nil
}

func probeUpdates(ctx context.Context, x *examiner) error {
	const writers, each = 4, 5
	k := x.key("count")
	if _, err := x.create(ctx, "count", "0"); err != nil {
		return err
	}
	errs := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { errs[i] = increment(ctx, x.d, k, each) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	kv, err := x.get(ctx, k)
	if err == nil && string(kv.Value) != strconv.Itoa(writers*each) {
		return broken("%d increments made %s", writers*each, kv.Value)
	}
	return err
}

func increment(ctx context.Context, d driver.Driver, k driver.Key, times int) error {
	for done := 0; done < times; {
		kv, err := d.Get(ctx, k)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(kv.Value))
		if err != nil {
			return broken("the counter holds %q", kv.Value)
		}
		_, err = d.Write(ctx, driver.Write{Key: k, Value: []byte(strconv.Itoa(n + 1)), Expect: kv.Version})
		if err == nil {
			done++
		} else if !errors.Is(err, driver.ErrConflict) {
			return err
		}
	}
	return nil
}

func probeBytes(ctx context.Context, x *examiner) error {
	value := []byte{0, 0xff, '"', '\\', '\n', 0xc3, 0x28}
	k := x.key("bytes\x00\xff/%2F\n")
	if _, err := x.write(ctx, driver.Write{Key: k, Value: value}); err != nil {
		return err
	}
	kv, err := x.get(ctx, k)
	if err == nil && !bytes.Equal(kv.Value, value) {
		return broken("wrote %q, read %q", value, kv.Value)
	}
	return err
}

func probeGet(ctx context.Context, x *examiner) error {
	k := x.key("get")
	v := driver.Version(0)
	for i := range 10 {
		value := []byte(strconv.Itoa(i))
		next, err := x.write(ctx, driver.Write{Key: k, Value: value, Expect: v})
		if err != nil {
			return err
		}
		v = next
		kv, err := x.get(ctx, k)
		if errors.Is(err, driver.ErrNotFound) || err == nil && (kv.Version != v || !bytes.Equal(kv.Value, value)) {
			return broken("the write at version %d was acknowledged, and a read after it has version %d", v, kv.Version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

var errEnough = errors.New("enough")

// expectEvents watches from a version and wants the events of one key to be at
// these versions, in this order, and no others before the last.
func (x *examiner) expectEvents(ctx context.Context, from driver.Version, name string, want ...driver.Version) error {
	var got []driver.Version
	err := x.other.Watch(ctx, Space, from, func(evs []driver.Event) error {
		for _, ev := range evs {
			if ev.Name == x.run+name {
				got = append(got, ev.Version)
			}
		}
		if len(got) >= len(want) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) || errors.Is(err, context.DeadlineExceeded) {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			return broken("a watch from version %d saw changes %v, and should have seen %v", from, got, want)
		}
		return nil
	}
	return err
}

func probeWatch(ctx context.Context, x *examiner) error {
	const n = 10
	from, err := x.other.List(ctx, Space, func(driver.KV) bool { return true })
	if err != nil {
		return err
	}
	type seen struct {
		v  driver.Version
		at time.Time
	}
	events := make(chan seen, 10*n)
	watching, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- x.other.Watch(watching, Space, from, func(evs []driver.Event) error {
			for _, ev := range evs {
				if ev.Name == x.run+"watch" {
					events <- seen{ev.Version, time.Now()}
				}
			}
			return nil
		})
	}()
	v := driver.Version(0)
	for range n {
		begun := time.Now()
		if v, err = x.write(ctx, driver.Write{Key: x.key("watch"), Value: []byte("x"), Expect: v}); err != nil {
			return err
		}
		select {
		case ev := <-events:
			if ev.v != v {
				return broken("the watch saw version %d where %d was written", ev.v, v)
			}
			x.times.watch = append(x.times.watch, ev.at.Sub(begun))
		case err := <-ended:
			return fmt.Errorf("the watch ended: %w", err)
		case <-ctx.Done():
			return broken("the watch did not see the write of version %d within %s", v, x.opt.Timeout)
		}
	}
	return nil
}

func probeWatchBack(ctx context.Context, x *examiner) error {
	first, err := x.create(ctx, "back", "0")
	if err != nil {
		return err
	}
	var want []driver.Version
	v := first
	for range 5 {
		if v, err = x.write(ctx, driver.Write{Key: x.key("back"), Value: []byte("x"), Expect: v}); err != nil {
			return err
		}
		want = append(want, v)
	}
	return x.expectEvents(ctx, first, "back", want...)
}

func probeContext(ctx context.Context, x *examiner) error {
	ended, cancel := context.WithCancel(ctx)
	cancel()
	begun := time.Now()
	_, err := x.d.Write(ended, driver.Write{Key: x.key("ended"), Value: []byte("x")})
	if took := time.Since(begun); err == nil || took > time.Second {
		return broken("a write under a context that had ended returned %v after %s", err, took)
	}
	_, err = x.get(ctx, x.key("ended"))
	if err == nil {
		return broken("a write under a context that had ended took effect")
	}
	if !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	return nil
}

func probeSessionKey(ctx context.Context, x *examiner) error {
	if _, err := x.create(ctx, "taken", "x"); err != nil {
		return err
	}
	s, err := x.d.Open(ctx, x.key("taken"), []byte("y"), x.opt.SessionTTL)
	if err == nil {
		return errors.Join(broken("a session was opened under a key that exists"), s.Close(ctx))
	}
	if !errors.Is(err, driver.ErrConflict) {
		return err
	}
	return nil
}

func probeSessionClose(ctx context.Context, x *examiner) error {
	s, err := x.d.Open(ctx, x.key("session"), []byte("x"), x.opt.SessionTTL)
	if err != nil {
		return err
	}
	if err := s.Renew(ctx); err != nil {
		return err
	}
	if _, err := s.Update(ctx, []byte("y")); err != nil {
		return err
	}
	kv, err := x.get(ctx, x.key("session"))
	if err != nil {
		return err
	}
	if string(kv.Value) != "y" {
		return broken("an update of a session's record is not there: %q", kv.Value)
	}
	if err := s.Close(ctx); err != nil {
		return err
	}
	if _, err := x.get(ctx, x.key("session")); !errors.Is(err, driver.ErrNotFound) {
		if err == nil {
			return broken("the record of a closed session is still there")
		}
		return err
	}
	if err := s.Renew(ctx); !errors.Is(err, driver.ErrSessionLost) {
		return broken("a closed session was renewed: %v", err)
	}
	return nil
}

// probeSessionEnds lets a session lapse. Too early is a broken promise: an
// instance counts on its TTL. The engines end it late, by up to its TTL and a bit.
func probeSessionEnds(ctx context.Context, x *examiner) error {
	ttl := x.opt.SessionTTL
	from, err := x.other.List(ctx, Space, func(driver.KV) bool { return true })
	if err != nil {
		return err
	}
	// An instance counts from before it asked; the engine may not end it within
	// the TTL after that.
	begun := time.Now()
	if _, err := x.d.Open(ctx, x.key("lapse"), []byte("x"), ttl); err != nil {
		return err
	}
	bound, cancel := context.WithTimeout(ctx, 3*ttl+10*time.Second)
	defer cancel()
	var after time.Duration
	err = x.other.Watch(bound, Space, from, func(evs []driver.Event) error {
		for _, ev := range evs {
			if ev.Deleted && ev.Name == x.run+"lapse" {
				after = time.Since(begun)
				return errEnough
			}
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough) && after < ttl:
		return broken("a session of %s ended after %s", ttl, after)
	case errors.Is(err, errEnough):
		return nil
	case ctx.Err() == nil && bound.Err() != nil:
		return broken("a session of %s had not ended after %s", ttl, 3*ttl+10*time.Second)
	}
	return err
}

func probeHead(ctx context.Context, x *examiner) error {
	h := x.d.(driver.Header)
	v := driver.Version(0)
	for range 10 {
		next, err := x.write(ctx, driver.Write{Key: x.key("head"), Value: []byte("x"), Expect: v})
		if err != nil {
			return err
		}
		begun := time.Now()
		head, err := h.Head(ctx, Space)
		if err != nil {
			return err
		}
		x.times.head = append(x.times.head, time.Since(begun))
		if head < next {
			return broken("version %d was acknowledged, and the head after it is %d", next, head)
		}
		if v != 0 { // a watch from the beginning may be compacted
			if err := x.reaches(ctx, v, head); err != nil {
				return err
			}
		}
		v = next
	}
	return nil
}

// reaches wants a watch to come to the head without a further write.
func (x *examiner) reaches(ctx context.Context, from, head driver.Version) error {
	err := x.other.Watch(ctx, Space, from, func(evs []driver.Event) error {
		if evs[len(evs)-1].Version >= head {
			return errEnough
		}
		return nil
	})
	switch {
	case errors.Is(err, errEnough):
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return broken("no watch reaches the head %d", head)
	}
	return err
}

// probeVersions reads keys that were just written beside one that nobody writes, over
// the other connection.
func probeVersions(ctx context.Context, x *examiner) error {
	b, err := x.batcher()
	if err != nil {
		return err
	}
	names := []string{x.run + "version-a", x.run + "version-none", x.run + "version-b"}
	want := make([]driver.Version, len(names))
	for range 5 {
		for i := range names {
			if i == 1 {
				continue
			}
			v, err := x.write(ctx, driver.Write{Key: driver.Key{Space: Space, Name: names[i]}, Value: []byte("x"), Expect: want[i]})
			if err != nil {
				return err
			}
			want[i] = v
		}
		seen, err := b.Versions(ctx, Space, names)
		if err != nil {
			return err
		}
		for i, s := range seen {
			if s.Err != nil {
				return s.Err
			}
			if s.Version != want[i] {
				return broken("of %d keys that were read at once, number %d is at version %d; the newest is %d", len(names), i+1, s.Version, want[i])
			}
		}
	}
	return nil
}

// probeSince makes changes and asks what changed, over the other connection, each
// time from where the last answer had come to.
func probeSince(ctx context.Context, x *examiner) error {
	b, err := x.batcher()
	if err != nil {
		return err
	}
	v, err := x.create(ctx, "since", "0")
	if err != nil {
		return err
	}
	from := v
	for range 5 {
		if v, err = x.write(ctx, driver.Write{Key: x.key("since"), Value: []byte("x"), Expect: v}); err != nil {
			return err
		}
		evs, at, err := b.Since(ctx, Space, from)
		if err != nil {
			return err
		}
		n := 0
		for _, ev := range evs {
			if ev.Name != x.run+"since" {
				continue // somebody else's, who examines the store at the same time
			}
			if n++; ev.Version != v {
				return broken("the one change since %d was that of version %d, and one of version %d is told", from, v, ev.Version)
			}
		}
		if n != 1 || at < v {
			return broken("a change of version %d was acknowledged; what changed since %d, up to %d, has it %d times", v, from, at, n)
		}
		from = at
	}
	return nil
}

// batcher is the other connection's.
func (x *examiner) batcher() (driver.Batcher, error) {
	b, ok := x.other.(driver.Batcher)
	if !ok {
		return nil, errors.New("the second connection is one of another driver")
	}
	return b, nil
}
