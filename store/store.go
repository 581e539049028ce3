// Package store is the placement table over a driver. The one Store holds the
// codec, the compare-and-swap loop, the watch, the sessions and the read
// barrier; drivers supply primitives and none repeats the state machine.
//
// What it refuses: to guess. A read that fails is [ErrUnavailable], never
// "absent"; a write whose outcome is unknown is read back before anything is
// decided; an entry that cannot be decoded is a [CorruptError] and is left alone.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Spaces of the driver that the store uses.
const (
	SpaceEntries  = "entries"  // one per partition
	SpaceSessions = "sessions" // leased, one per live process
	SpaceRoster   = "roster"   // unleased, one per process until its end is accounted for
	SpaceClusters = "clusters" // named OpenSearch clusters
	SpaceMoves    = "moves"    // the mover's records
	SpaceWaves    = "waves"    // many moves as one piece of work
	// SpaceWaveItems has one record for each tenant of a wave.
	SpaceWaveItems = "waveitems"
	SpaceLabels    = "labels" // of tenants, by tenant
	SpaceTrash     = "trash"  // old copies that are kept for a time, by move
	// SpaceAudit has who asked for which changes, and SpaceReplays what was answered to
	// requests that may be repeated.
	SpaceAudit   = "audit"
	SpaceReplays = "replays"
	// and SpaceTable, one reserved record
)

// ErrUnavailable: the store could not be read or written, or the outcome of a
// write could not be learned. Nothing may be concluded from it.
var ErrUnavailable = catalog.New("store_unavailable", "store unavailable")

// CorruptError is a record that this program cannot decode. It is never
// overwritten: repair or remove it by hand.
type CorruptError struct {
	Space, Name string
	Reason      string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("record %q in %s is corrupt: %s; it was left as it is: put the right value back, or delete its key", e.Name, e.Space, e.Reason)
}

// ErrorCode is its code in the catalogue of errors.
func (e *CorruptError) ErrorCode() string { return "corrupt_record" }

// Options of a Store. The zero value is useful.
type Options struct {
	// Timeout bounds one call to the driver (default 5 s).
	Timeout time.Duration
	Observe Observer     // nil: nobody is told
	Logger  *slog.Logger // default: discard
}

// Store is the table over one driver. It is safe for concurrent use and starts
// no goroutine of its own.
type Store struct {
	d       driver.Driver
	local   driver.LocalHeader // nil: d is none
	timeout time.Duration
	log     *slog.Logger
	base    atomic.Uint64 // notRead until the reserved record was read
}

// New returns the table over d. The caller keeps d and closes it. The first call
// of any method reads the table's reserved record; Open does so at once.
func New(d driver.Driver, o *Options) *Store {
	s := &Store{d: d, timeout: 5 * time.Second, log: slog.New(slog.DiscardHandler)}
	s.local, _ = d.(driver.LocalHeader)
	s.base.Store(notRead)
	if o != nil && o.Timeout > 0 {
		s.timeout = o.Timeout
	}
	if o != nil && o.Logger != nil {
		s.log = o.Logger
	}
	if o != nil && o.Observe != nil {
		s.d = observe(d, o.Observe)
	}
	return s
}

// unavailable wraps what the driver said, unless it is one of the certain
// answers or the caller's own context ended.
func unavailable(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}

// get reads one record, telling absence (driver.ErrNotFound) from failure.
func (s *Store) get(ctx context.Context, key driver.Key) (driver.KV, error) {
	if _, err := s.opened(ctx); err != nil {
		return driver.KV{}, err
	}
	c := s.bound(ctx)
	defer c.end()
	kv, err := s.d.Get(c, key)
	if err == nil || errors.Is(err, driver.ErrNotFound) {
		return kv, err
	}
	return driver.KV{}, unavailable(ctx, "read "+key.Space, err)
}

// write does one conditional write. Conflict comes back as driver.ErrConflict.
func (s *Store) write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if _, err := s.opened(ctx); err != nil {
		return 0, err
	}
	c := s.bound(ctx)
	defer c.end()
	v, err := s.d.Write(c, w)
	if err == nil || errors.Is(err, driver.ErrConflict) {
		return v, err
	}
	return 0, unavailable(ctx, "write "+w.Key.Space, err)
}

// State reads a partition's entry. An absent partition is
// placement.ErrUnknownPartition; a store that cannot be read is ErrUnavailable.
func (s *Store) State(ctx context.Context, id placement.PartitionID) (placement.Entry, error) {
	kv, err := s.get(ctx, entryKey(id))
	if errors.Is(err, driver.ErrNotFound) {
		return placement.Entry{}, &placement.Refusal{Code: placement.CodeUnknownPartition, Op: "read", Partition: id}
	}
	if err != nil {
		return placement.Entry{}, err
	}
	base, err := s.opened(ctx)
	if err != nil {
		return placement.Entry{}, err
	}
	return decodeAt(base, kv)
}

// Register creates the entry of a new partition, Active at p. It only creates:
// an existing partition is placement.ErrAlreadyExists whatever it holds, because
// replacing an entry during Cutover would flip it.
func (s *Store) Register(ctx context.Context, id placement.PartitionID, p placement.Placement) (placement.Entry, error) {
	if err := id.Validate(); err != nil {
		return placement.Entry{}, err
	}
	if err := p.Validate(); err != nil {
		return placement.Entry{}, err
	}
	base, err := s.opened(ctx)
	if err != nil {
		return placement.Entry{}, err
	}
	e := placement.Entry{Partition: id, State: placement.State{Phase: placement.Active, From: p}}
	v, err := s.write(ctx, driver.Write{Key: entryKey(id), Value: EncodeEntry(e)})
	switch {
	case err == nil:
		e.Epoch = epochOf(base, v)
		return e, nil
	case errors.Is(err, driver.ErrConflict):
		cur, err := s.State(ctx, id)
		if err != nil {
			return placement.Entry{}, err
		}
		return cur, &placement.Refusal{Code: placement.CodeAlreadyExists, Op: "register", Partition: id, State: cur.State, Epoch: cur.Epoch}
	}
	// The outcome is unknown. Reading settles only "it exists now", not whether
	// this very call created it; a caller that repeats learns that from
	// ErrAlreadyExists and the placement that comes with it.
	return placement.Entry{}, err
}

// Remove deletes an entry that is not migrating. It does not touch the data.
func (s *Store) Remove(ctx context.Context, id placement.PartitionID) error {
	return s.RemoveAt(ctx, id, 0)
}

// RemoveAt is Remove of an entry that must be at an epoch, or 0 for any; ErrConflict if it
// is at another.
func (s *Store) RemoveAt(ctx context.Context, id placement.PartitionID, at placement.Epoch) error {
	base, err := s.opened(ctx)
	if err != nil {
		return err
	}
	for {
		e, err := s.State(ctx, id)
		if err != nil {
			return err
		}
		if at != 0 && e.Epoch != at {
			return fmt.Errorf("remove %q, which is at epoch %d: %w", string(id), e.Epoch, ErrConflict)
		}
		if e.State.Migrating() {
			return &placement.Refusal{Code: placement.CodeAlreadyMigrating, Op: "remove", Partition: id, State: e.State, Epoch: e.Epoch}
		}
		_, err = s.write(ctx, driver.Write{Key: entryKey(id), Expect: versionOf(base, e.Epoch), Delete: true})
		if !errors.Is(err, driver.ErrConflict) {
			return err
		}
	}
}

// Apply is ApplyTo of whatever entry the partition has.
func (s *Store) Apply(ctx context.Context, id placement.PartitionID, cmd placement.Command) (placement.Entry, error) {
	return s.ApplyTo(ctx, placement.Entry{Partition: id}, cmd)
}

// ApplyTo performs one transition: placement.Step, then a write iff the entry is
// still at the epoch that Step has judged. Whoever loses the race reads and lets
// Step judge the new state, so at most one of several contenders wins and the
// others get Step's refusal.
//
// e is the entry as the caller knows it, from State, a watch or an earlier
// transition; it is read first if only its Partition is set. That it may have
// been changed since does no harm: epochs are not given out twice, so a write that
// was decided on it is refused, and a refusal that was decided on it is not told
// but decided again on what is read.
//
// When a write's outcome is unknown, ApplyTo reads the entry back: the entry
// exactly as intended at a newer epoch means that it took effect (an Attempt and
// a Start make two commands' results distinguishable); anything unreadable stays
// ErrUnavailable, and the caller reads before it acts.
func (s *Store) ApplyTo(ctx context.Context, e placement.Entry, cmd placement.Command) (placement.Entry, error) {
	base, err := s.opened(ctx)
	if err != nil {
		return placement.Entry{}, err
	}
	// An epoch that is not above the base is of no record: to expect it would be to create one.
	for known := e.Epoch > base; ; known = false {
		if !known {
			if e, err = s.State(ctx, e.Partition); err != nil {
				return placement.Entry{}, refusalOp(err, cmd.Op)
			}
		}
		next, err := placement.Step(e, cmd)
		switch {
		case err != nil && known:
			continue
		case err != nil:
			return e, err
		}
		value := EncodeEntry(next)
		v, err := s.write(ctx, driver.Write{Key: entryKey(e.Partition), Value: value, Expect: versionOf(base, e.Epoch)})
		switch {
		case err == nil:
			next.Epoch = epochOf(base, v)
			return next, nil
		case errors.Is(err, driver.ErrConflict):
			continue
		}
		// Unknown outcome. The entry after it is one of: still at e.Epoch (not
		// applied, or not yet: it may be applied later, so this is not
		// "refused"), or changed. Only an exact match tells that we won.
		now, rerr := s.State(ctx, e.Partition)
		if rerr == nil && now.Epoch > e.Epoch && string(EncodeEntry(now)) == string(value) {
			return now, nil
		}
		return e, err
	}
}

func refusalOp(err error, op placement.Op) error {
	var r *placement.Refusal
	if errors.As(err, &r) {
		c := *r
		c.Op = op
		return &c
	}
	return err
}

// Entries calls yield for every entry as of one moment and returns the version
// to watch from. A record that cannot be decoded is passed as a *CorruptError.
func (s *Store) Entries(ctx context.Context, yield func(placement.Entry, error) bool) (placement.Epoch, error) {
	base, err := s.opened(ctx)
	if err != nil {
		return 0, err
	}
	v, err := s.d.List(ctx, SpaceEntries, func(kv driver.KV) bool { return yield(decodeAt(base, kv)) })
	if err != nil {
		return 0, unavailable(ctx, "list entries", err)
	}
	return epochOf(base, v), nil
}

// Change is one change of an entry as a watcher sees it.
type Change struct {
	Entry   placement.Entry // Partition and Epoch are set even if Removed or Err
	Removed bool
	Err     error // *CorruptError: the entry cannot be decoded
}

// Watch reports every change after epoch from, in order, each once, until the
// context ends or an error occurs. driver.ErrCompacted: list again.
func (s *Store) Watch(ctx context.Context, from placement.Epoch, apply func([]Change) error) error {
	base, err := s.opened(ctx)
	if err != nil {
		return err
	}
	return s.d.Watch(ctx, SpaceEntries, versionOf(base, from), func(evs []driver.Event) error { return apply(changesAt(base, evs)) })
}

// changesAt decodes what a watch reports.
func changesAt(base placement.Epoch, evs []driver.Event) []Change {
	changes := make([]Change, len(evs))
	for i, ev := range evs {
		c := Change{Removed: ev.Deleted}
		if !ev.Deleted {
			c.Entry, c.Err = DecodeEntry(ev.KV)
		}
		c.Entry.Partition, c.Entry.Epoch = placement.PartitionID(ev.Name), epochOf(base, ev.Version)
		changes[i] = c
	}
	return changes
}

// decodeAt decodes an entry and gives it the epoch that leaves the store, also
// when it is corrupt.
func decodeAt(base placement.Epoch, kv driver.KV) (placement.Entry, error) {
	e, err := DecodeEntry(kv)
	e.Epoch = epochOf(base, kv.Version)
	return e, err
}

func entryKey(id placement.PartitionID) driver.Key {
	return driver.Key{Space: SpaceEntries, Name: string(id)}
}
