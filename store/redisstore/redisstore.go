package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Store implements driver.Driver and driver.Header over Redis or Valkey.
type Store struct {
	prefix  string
	timeout time.Duration
	log     *slog.Logger
	dialer  *dialer
	need    int // replicas that must have a change; fixed once Open has returned
	page    int // records that List reads at a time
	history [2]any

	client atomic.Pointer[redis.Client] // replaced when a cluster moves the keys
	memory *memory

	ctx        context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup // calls that nobody waits for any more, and observers

	mu        sync.Mutex
	closed    bool
	observers map[string]bool // spaces whose leases are observed
}

// Bounds of an answer, so that a script never holds up the server for more than
// some milliseconds.
const (
	pageRecords = 500
	pageBytes   = 1 << 20
	batchEvents = 100
)

// Close ends all calls with ErrClosed and closes the connections. Sessions that are
// open live on until their ttl has passed. It may be called more than once.
func (s *Store) Close() error {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	s.mu.Unlock()
	if !first {
		return nil
	}
	s.end()
	err := s.client.Load().Close() // what still reads from a connection fails
	s.background.Wait()
	return err
}

// decimal is a version as scripts compare it: as text, exactly.
func decimal(v driver.Version) string { return strconv.FormatUint(uint64(v), 10) }

// Get implements driver.Driver. A read that fails for a reason that passes is
// tried again until the deadline.
func (s *Store) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	doing := "read " + key.Space
	r, err := s.read(ctx, doing, getScript, key.Space, key.Name)
	if err != nil {
		return driver.KV{}, err
	}
	if r.status == "missing" {
		return driver.KV{}, driver.ErrNotFound
	}
	raw, err := r.text(0)
	if err != nil {
		return driver.KV{}, fmt.Errorf("redis: %s: %w", doing, err)
	}
	kv, err := record(key.Name, raw)
	if err != nil {
		return driver.KV{}, fmt.Errorf("redis: %s: %w", doing, err)
	}
	return kv, nil
}

// Write implements driver.Driver as one script that compares the record's
// version, changes it, and logs the change under the space's next version.
func (s *Store) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	doing := "write " + w.Key.Space
	if err := w.Key.Validate(); err != nil {
		return 0, fmt.Errorf("redis: %s: %w", doing, err)
	}
	if w.Delete && w.Expect == 0 {
		return 0, fmt.Errorf("redis: %s: a deletion must name the expected version", doing)
	}
	args := []any{w.Key.Name, decimal(w.Expect), "put", w.Value}
	if w.Delete {
		args = []any{w.Key.Name, decimal(w.Expect), "delete"}
	}
	return s.change(ctx, doing, writeScript, w.Key.Space, args...)
}

// change runs a script that changes a space, and returns the change's version or
// one of the certain answers.
func (s *Store) change(ctx context.Context, doing string, sc script, space string, args ...any) (driver.Version, error) {
	r, err := s.write(ctx, doing, sc, space, append([]any{s.history[0], s.history[1], rand.Text()}, args...)...)
	if err != nil {
		return 0, err
	}
	switch r.status {
	case "ok":
		return r.mark.version, nil
	case "conflict":
		return 0, driver.ErrConflict
	case "lost":
		return 0, driver.ErrSessionLost
	case "late":
		return 0, fmt.Errorf("redis: %s: a later one has taken effect already", doing)
	}
	return 0, fmt.Errorf("redis: %s: an answer of unknown kind, %q", doing, r.status)
}

// Head implements driver.Header: the counter of the space, which each change
// moves, the end of a lease too.
func (s *Store) Head(ctx context.Context, space string) (driver.Version, error) {
	r, err := s.read(ctx, "read the head of "+space, headScript, space)
	return r.mark.version, err
}
