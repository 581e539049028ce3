package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
)

// ErrClosed is what every call returns, wrapped, after Close. A write that
// returns it may have taken effect if it was under way.
var ErrClosed = catalog.New("store_client_closed", "the redis client is closed")

// ErrNotReplicated: the master has the change, but too few replicas confirmed it
// in time. Its outcome is unknown: it stays if this master stays, and a failover
// may lose it.
var ErrNotReplicated = catalog.New("not_replicated", "too few replicas confirmed the change")

// Pauses between attempts: doubled from the first to the last, with jitter, so
// that many clients do not come back at the same moment.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// read runs a script that changes nothing, again after an error that may pass,
// until the deadline.
func (s *Store) read(ctx context.Context, doing string, sc script, space string, args ...any) (reply, error) {
	return s.call(ctx, doing, transient, func(ctx context.Context) (reply, error) { return s.run(ctx, sc, space, args) })
}

// write runs a script that changes something. It is sent once: sent again after
// an answer was lost it would find its own effect, and the conflict that it
// reported would be a lie, since the caller takes that for "nothing was written".
// Only what the server says it has not begun is sent again.
func (s *Store) write(ctx context.Context, doing string, sc script, space string, args ...any) (reply, error) {
	return s.call(ctx, doing, refused, func(ctx context.Context) (reply, error) { return s.run(ctx, sc, space, args) })
}

// call runs a step, and again after an error of which again says so, until the
// context ends, or the default deadline if it has none. The error says what was
// being done, and holds the context's error if that is the reason.
func (s *Store) call(ctx context.Context, doing string, again func(error) bool, step func(context.Context) (reply, error)) (reply, error) {
	caller := ctx
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
		defer cancel()
	}
	var last error
	var behind *behindError // where one was found before
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		r, err := s.detach(ctx, step)
		switch {
		case err == nil:
			return r, nil
		case s.ctx.Err() != nil:
			return reply{}, fmt.Errorf("redis: %s: %w", doing, ErrClosed)
		case caller.Err() != nil:
			return reply{}, fmt.Errorf("redis: %s: %w", doing, because(caller.Err(), last))
		case errors.Is(err, ErrRewound):
			return reply{}, fmt.Errorf("redis: %s: %w", doing, err)
		case ctx.Err() != nil:
			return reply{}, fmt.Errorf("redis: %s: no answer within %v: %w", doing, s.timeout, because(err, last))
		}
		s.follow(err)
		var now *behindError
		if errors.As(err, &now) {
			// The script did nothing. A second look, by connections that are new, tells.
			if behind != nil && now.client != behind.client {
				return reply{}, fmt.Errorf("redis: %s: %w", doing, s.memory.rewind(now))
			}
			behind = now
			s.redial(now.client)
		} else if !again(err) {
			return reply{}, fmt.Errorf("redis: %s: %w", doing, err)
		}
		last = err
		s.sleep(ctx, pause)
	}
}

// because adds what went wrong before to an error that only says that time is up.
func because(err, last error) error {
	if last == nil {
		return err
	}
	return fmt.Errorf("%w (%v)", err, last)
}

// detach runs one attempt, and stops waiting for it when the context ends: the
// client library looks at a context's deadline while it reads, not at its end. What
// is left behind ends by itself within the timeout, or when the store is closed.
func (s *Store) detach(ctx context.Context, step func(context.Context) (reply, error)) (reply, error) {
	return s.detachFor(ctx, s.timeout, step)
}

func (s *Store) detachFor(ctx context.Context, bound time.Duration, step func(context.Context) (reply, error)) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{}, err
	}
	type result struct {
		r   reply
		err error
	}
	done := make(chan result, 1)
	if !s.begin(func() {
		attempt, cancel := context.WithTimeout(ctx, bound)
		defer cancel()
		defer context.AfterFunc(s.ctx, cancel)()
		r, err := step(attempt)
		done <- result{r, err}
	}) {
		return reply{}, ErrClosed
	}
	select {
	case x := <-done:
		return x.r, x.err
	case <-ctx.Done():
		return reply{}, ctx.Err()
	case <-s.ctx.Done():
		return reply{}, ErrClosed
	}
}

// begin starts a goroutine that Close waits for, unless the store is closed.
func (s *Store) begin(f func()) bool {
	s.mu.Lock() // so that Close waits for this one, or this one finds it closed
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.background.Go(f)
	return true
}

// sleep waits about that long, or for the context's or the store's end.
func (s *Store) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-s.ctx.Done():
	}
}

// run sends one script and takes note of what it says about the space.
func (s *Store) run(ctx context.Context, sc script, space string, args []any) (reply, error) {
	c := s.client.Load()
	r, err := s.runOn(ctx, c, sc, space, args)
	var behind *behindError
	if errors.As(err, &behind) {
		behind.client = c
	}
	return r, err
}

// scripter is a client, or one connection of it.
type scripter interface {
	redis.Scripter
	Pipeline() redis.Pipeliner
}

func (s *Store) runOn(ctx context.Context, c scripter, sc script, space string, args []any) (reply, error) {
	seen, err := s.memory.recall(space)
	if err != nil {
		return reply{}, err
	}
	argv := append([]any{decimal(seen.version), seen.tag}, args...)
	var raw any
	var short error
	if sc.writes && s.need > 0 {
		raw, short, err = s.replicated(ctx, c, sc, s.keys(space), argv)
	} else {
		raw, err = sc.Run(ctx, c, s.keys(space), argv...).Result()
	}
	if err != nil {
		return reply{}, err
	}
	r, err := parse(raw)
	if err != nil {
		return reply{}, err
	}
	if r.status == "rewound" {
		return reply{}, &behindError{space: space, seen: seen.version, now: r.mark.version}
	}
	if short != nil && r.status == "ok" {
		return reply{}, short
	}
	return r, s.memory.note(space, r.mark)
}

// replicated sends a script and WAIT on one connection, since WAIT is about the
// writes of its own connection and answers for others at once. short says that too
// few replicas confirmed what the script did, if it did anything.
func (s *Store) replicated(ctx context.Context, c scripter, sc script, keys []string, argv []any) (raw any, short, err error) {
	patience := s.timeout
	if deadline, ok := ctx.Deadline(); ok {
		patience = time.Until(deadline)
	}
	// Its own answer must still come in time, to say that replicas are what lacked.
	patience = max(patience-patience/4, time.Millisecond)
	send := func(f func(redis.Pipeliner) *redis.Cmd) (*redis.Cmd, *redis.IntCmd) {
		p := c.Pipeline()
		cmd := f(p)
		// Rounded up: 0 would mean for ever.
		wait := redis.NewIntCmd(ctx, "wait", s.need, (patience + time.Millisecond - 1).Milliseconds())
		_ = p.Process(ctx, wait)
		_, _ = p.Exec(ctx) // both commands have their errors
		return cmd, wait
	}
	cmd, wait := send(func(p redis.Pipeliner) *redis.Cmd { return p.EvalSha(ctx, sc.Hash(), keys, argv...) })
	if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
		cmd, wait = send(func(p redis.Pipeliner) *redis.Cmd { return sc.Eval(ctx, p, keys, argv...) })
	}
	if err := cmd.Err(); err != nil {
		return nil, nil, err
	}
	n, err := wait.Result()
	if err != nil {
		short = fmt.Errorf("%w: %w", ErrNotReplicated, err)
	} else if n < int64(s.need) {
		short = fmt.Errorf("%w: %d of %d", ErrNotReplicated, n, s.need)
	}
	return cmd.Val(), short, nil
}

// refused reports whether the server rejected a script before it began, for a
// reason that passes: only such a write may be sent again.
func refused(err error) bool {
	var said redis.Error
	if !errors.As(err, &said) {
		return false
	}
	for _, code := range []string{"LOADING ", "READONLY ", "MOVED ", "CLUSTERDOWN ", "TRYAGAIN ", "MASTERDOWN "} {
		if strings.HasPrefix(said.Error(), code) {
			return true
		}
	}
	return false
}

// transient reports whether it makes sense to ask again what may be asked twice.
func transient(err error) bool {
	var said redis.Error
	var setting *SettingError
	var bad *placement.InvalidError
	switch {
	case errors.Is(err, ErrRewound), errors.As(err, &setting), errors.As(err, &bad):
		return false
	case errors.As(err, &said):
		return refused(err) || redis.HasErrorPrefix(err, "NOREPLICAS") || redis.HasErrorPrefix(err, "BUSY") || redis.HasErrorPrefix(err, "MISCONF")
	}
	return true // the connection broke, or could not be made; the context's own end is looked at before
}

// follow goes where a cluster says that the keys are now.
func (s *Store) follow(err error) {
	if addr, ok := redis.IsMovedError(err); ok {
		used := s.client.Load()
		if s.dialer.move(addr) {
			s.redial(used)
		}
	}
}

// redial gives up all connections of a client, unless that has been done: what is
// under way on them fails, with an outcome that is unknown. The next call looks for
// the master anew.
func (s *Store) redial(used *redis.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed && s.client.Load() == used {
		s.client.Store(s.dialer.client(s.timeout))
		_ = used.Close()
	}
}
