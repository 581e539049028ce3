package consulstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/store/driver"
)

// A lease is a key beside the record, locked by a session of Consul. When the
// session ends, Consul releases the lock, and nothing else: the record is then
// removed by whoever sees the released lease first, by a change like any other, with
// its place in the log. So a watch sees the end of a session in its order, and the
// head covers it; what Consul removed by itself would be in no log, at an index that
// nobody is told.
//
// A lease that was released is never locked again: its key is removed with the
// record, and only a record that does not exist gets a lease (Open). So the
// comparison of the lease's index is enough to know that the record is the one
// whose lease ended, whatever it holds by now.

// released reports whether a lease is there and has ended.
func released(p *api.KVPair) bool { return p != nil && p.ModifyIndex != 0 && p.Session == "" }

// reap removes the record of a lease that has ended, unless somebody else was
// quicker.
func (s *Store) reap(ctx context.Context, space string, lease *api.KVPair) error {
	doing := "remove a session that has ended from " + space
	e, err := decode(lease.Value)
	if err != nil {
		return fmt.Errorf("consul: %s: %s: %w", doing, lease.Key, err)
	}
	key := driver.Key{Space: space, Name: e.name}
	_, err = s.apply(ctx, change{
		doing: doing, space: space, name: e.name, deleted: true,
		ops: func([]byte) []*api.KVTxnOp {
			return []*api.KVTxnOp{
				{Verb: api.KVCheckIndex, Key: lease.Key, Index: lease.ModifyIndex},
				{Verb: api.KVDelete, Key: lease.Key},
				{Verb: api.KVDelete, Key: s.record(key)},
			}
		},
		refused: func(ctx context.Context) (error, error) {
			p, err := s.get(ctx, doing, lease.Key)
			if err != nil {
				return nil, err
			}
			if p == nil || p.ModifyIndex != lease.ModifyIndex {
				return errReaped, nil
			}
			return nil, nil
		},
	})
	if errors.Is(err, errReaped) {
		return nil
	}
	return err
}

var errReaped = errors.New("somebody else was quicker")

// reapInPassing is what a read does about leases that have ended. The read must not
// fail, or wait for long, because nothing can be written at the moment: until the
// record is removed it is there, for everybody.
func (s *Store) reapInPassing(ctx context.Context, space string, leases ...*api.KVPair) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout/4)
	defer cancel()
	for _, p := range leases {
		if err := s.reap(ctx, space, p); err != nil {
			s.log.Warn("a session has ended and its record cannot be removed; it is there until it can", "space", space, "error", err)
			return
		}
	}
}

// reapAll removes the records of all leases that have ended.
func (s *Store) reapAll(ctx context.Context, space string) error {
	ended, err := s.ended(ctx, "remove sessions that have ended from "+space, space)
	for _, p := range ended {
		if err == nil {
			err = s.reap(ctx, space, p)
		}
	}
	return err
}

// ended reads the leases that have ended.
func (s *Store) ended(ctx context.Context, doing, space string) ([]*api.KVPair, error) {
	var leases api.KVPairs
	err := s.read(ctx, doing, func(ctx context.Context, a *agent) (err error) {
		leases, _, err = a.KV().List(s.leases(space), consistent(ctx))
		return err
	})
	return s.endedOf(leases), err
}

// endedOf passes over what is no lease, such as the sentinel.
func (s *Store) endedOf(leases api.KVPairs) (ended []*api.KVPair) {
	for _, p := range leases {
		if _, err := decode(p.Value); err == nil && released(p) {
			ended = append(ended, p)
		}
	}
	return ended
}

// spread is the time over which the watches of a space are spread when a lease
// has ended, so that the first has it removed before most of the others try.
const spread = 300 * time.Millisecond

// reapWhileWatching waits for leases to end until ctx does. The question is about
// the leases alone: opening, closing and ending sessions answers it, writing to
// their records does not. What fails here is tried again, and the watch itself
// reports what does not pass.
func (s *Store) reapWhileWatching(ctx context.Context, space string) {
	pause, index := firstPause, uint64(0)
	for s.alive(ctx) == nil {
		leases, next, err := s.awaitLeases(ctx, space, index)
		switch {
		case err != nil:
			index = 0
		case len(s.endedOf(leases)) > 0:
			s.sleep(ctx, spread)
			err = s.reapAll(ctx, space)
			index = 0
		case next < index: // it went back: ask anew
			index = 0
		default:
			index = next
		}
		if err == nil {
			pause = firstPause
			continue
		}
		s.sleep(ctx, pause)
		pause = min(2*pause, lastPause)
	}
}

// awaitLeases returns the leases of a space when they are others than at an index,
// or after a while.
func (s *Store) awaitLeases(ctx context.Context, space string, index uint64) (leases api.KVPairs, next uint64, err error) {
	err = s.block(ctx, "watch "+space, func(a *agent, q *api.QueryOptions) error {
		q.WaitIndex = index
		found, meta, err := a.KV().List(s.leases(space), q)
		if err == nil {
			leases, next = found, meta.LastIndex
		}
		return err
	})
	return leases, next, err
}
