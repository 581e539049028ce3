package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/store/driver"
)

// block is how long one read of the log waits for changes. After it the watch
// looks whether it is still where it thinks it is.
const block = 2 * time.Second

// errGap is a log that does not continue where the watch is.
var errGap = errors.New("the log has a gap")

// Watch implements driver.Driver.
//
// Versions of a space have no holes, and each change names the tag of the one
// before it. So a watch can tell of each entry that it is the very next change of
// the very history that it has followed; trimming and failovers do not go
// unnoticed. Whenever it has (re)connected, and whenever nothing came for a while,
// a script compares its position with the log, on the same connection.
func (s *Store) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	at := mark{version: from}
	if seen, _ := s.memory.recall(space); seen.version == from {
		at.tag = seen.tag
	}
	failing := false
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		before := at.version
		mine, err := s.watchOnce(ctx, space, &at, apply)
		switch {
		case mine:
			return err
		case s.ctx.Err() != nil:
			return fmt.Errorf("redis: watch %s: %w", space, ErrClosed)
		case ctx.Err() != nil:
			return fmt.Errorf("redis: watch %s: %w", space, ctx.Err())
		case errors.Is(err, driver.ErrCompacted):
			return driver.ErrCompacted
		}
		s.follow(err)
		var behind *behindError
		if errors.As(err, &behind) {
			// A call that finds the master anew tells whether it is true of that one.
			if err = s.confirm(ctx, space, at); err == nil {
				continue
			}
		}
		if !transient(err) && !refused(err) && !redis.HasErrorPrefix(err, "UNBLOCKED") {
			return fmt.Errorf("redis: watch %s: %w", space, err)
		}
		if at.version > before {
			failing, pause = false, firstPause
		}
		if !failing && !errors.Is(err, errGap) {
			s.log.Warn("a watch of redis broke, it is resumed until it works", "space", space, "error", err)
			failing = true
		}
		s.sleep(ctx, pause)
	}
}

// watchOnce watches on one connection until something goes wrong, and moves at
// along with what was applied. The error is apply's if mine is true.
func (s *Store) watchOnce(ctx context.Context, space string, at *mark, apply func([]driver.Event) error) (mine bool, err error) {
	conn := &pinned{conn: s.client.Load().Conn()}
	defer s.release(conn)
	for check := true; ; {
		if check {
			if err := s.position(ctx, conn, space, at); err != nil {
				return false, err
			}
		}
		entries, err := s.await(ctx, conn, space, at.version, block)
		if err != nil {
			return false, err
		}
		if check = len(entries) == 0; check {
			continue
		}
		evs, end, leased, err := s.events(space, *at, entries)
		if err != nil {
			return false, err // position says whether that is a compaction or another history
		}
		if leased {
			s.watchLeases(space)
		}
		if err := apply(evs); err != nil {
			return true, err
		}
		*at = end
		if err := s.memory.note(space, end); err != nil {
			return false, err
		}
	}
}

// confirm returns nil when the master, found anew, has what the watch has followed,
// or does not lack what this process has seen; the watch then goes on there.
// Otherwise that was lost.
func (s *Store) confirm(ctx context.Context, space string, at mark) error {
	s.redial(s.client.Load())
	r, err := s.read(ctx, "watch "+space, checkScript, space, decimal(at.version), at.tag)
	if err == nil && r.status == "diverged" {
		lost := &behindError{space: space, seen: at.version, now: r.mark.version}
		if at.tag == "" { // a version from elsewhere, of which nothing is known
			return fmt.Errorf("%w: %v", ErrRewound, lost)
		}
		return s.memory.rewind(lost)
	}
	return err
}

// pinned is one connection. A step on it may be left behind by whoever waited for
// it, so the connection is closed when that has ended, and no step begins after.
type pinned struct {
	mu     sync.Mutex // held during a step
	closed bool
	conn   *redis.Conn
}

func (p *pinned) do(step func(*redis.Conn) (reply, error)) (reply, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return reply{}, ErrClosed
	}
	return step(p.conn)
}

func (p *pinned) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	_ = p.conn.Close()
}

// release closes a connection without waiting for a step on it, unless the store is
// being closed, which makes such a step fail at once.
func (s *Store) release(p *pinned) {
	if !s.begin(p.close) {
		p.close()
	}
}

// position compares a position with the log, and learns its tag.
func (s *Store) position(ctx context.Context, p *pinned, space string, at *mark) error {
	args := []any{decimal(at.version), at.tag}
	r, err := s.detach(ctx, func(ctx context.Context) (reply, error) {
		return p.do(func(conn *redis.Conn) (reply, error) {
			return s.runOn(ctx, conn, checkScript, space, args)
		})
	})
	switch {
	case err != nil:
		return err
	case r.status == "compacted":
		return driver.ErrCompacted
	case r.status == "diverged":
		return &behindError{space: space, seen: at.version, now: r.mark.version}
	}
	tag, err := r.text(0)
	if err != nil {
		return err
	}
	leased, err := r.number(1)
	if err != nil {
		return err
	}
	if tag != "" {
		at.tag = tag
	}
	if leased > 0 {
		s.watchLeases(space)
	}
	return nil
}

// await reads what the log has after a version, and waits for it.
func (s *Store) await(ctx context.Context, p *pinned, space string, after driver.Version, wait time.Duration) ([]redis.XMessage, error) {
	bounded, cancel := context.WithTimeout(ctx, wait+s.timeout)
	defer cancel()
	args := &redis.XReadArgs{
		Streams: []string{s.keys(space)[3], decimal(after) + "-0"}, Count: batchEvents, Block: wait,
	}
	r, err := s.detachFor(bounded, wait+s.timeout, func(ctx context.Context) (reply, error) {
		return p.do(func(conn *redis.Conn) (reply, error) {
			streams, err := conn.XRead(ctx, args).Result()
			switch {
			case errors.Is(err, redis.Nil) || err == nil && len(streams) == 0:
				return reply{rest: []any{[]redis.XMessage(nil)}}, nil
			case err != nil:
				return reply{}, err
			}
			return reply{rest: []any{streams[0].Messages}}, nil
		})
	})
	if err != nil {
		return nil, err
	}
	entries, _ := r.rest[0].([]redis.XMessage)
	return entries, nil
}

// events decodes entries that must be the very next ones, and returns the position
// after them.
func (s *Store) events(space string, at mark, entries []redis.XMessage) (evs []driver.Event, end mark, leased bool, err error) {
	evs = make([]driver.Event, 0, len(entries))
	for _, e := range entries {
		id, _, _ := strings.Cut(e.ID, "-")
		v, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return nil, at, false, fmt.Errorf("a log entry with the id %q", e.ID)
		}
		name, ok1 := e.Values["n"].(string)
		tag, ok2 := e.Values["t"].(string)
		before, ok3 := e.Values["b"].(string)
		if !ok1 || !ok2 || !ok3 {
			return nil, at, false, fmt.Errorf("the log entry %s is not one of this driver's", e.ID)
		}
		if driver.Version(v) != at.version+1 {
			return nil, at, false, errGap
		}
		if at.tag != "" && before != at.tag {
			return nil, at, false, &behindError{space: space, seen: at.version, now: driver.Version(v)}
		}
		at = mark{driver.Version(v), tag}
		ev := driver.Event{KV: driver.KV{Name: name, Version: at.version}, Deleted: true}
		if value, ok := e.Values["x"].(string); ok {
			ev.Deleted, ev.Value = false, []byte(value)
		}
		_, begins := e.Values["l"]
		leased = leased || begins
		evs = append(evs, ev)
	}
	return evs, at, leased, nil
}

// tryWatch does once what a watch does.
func (s *Store) tryWatch(ctx context.Context, space string) error {
	conn := &pinned{conn: s.client.Load().Conn()}
	defer s.release(conn)
	at := mark{}
	if err := s.position(ctx, conn, space, &at); err != nil {
		return err
	}
	_, err := s.await(ctx, conn, space, 0, time.Millisecond)
	return err
}
