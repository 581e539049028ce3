package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Watch implements driver.Driver.
//
// A broken connection is resumed by the client library, after the last revision
// that it received (serveSubstream in its watch.go). What it gives up at, such as
// a member that lost its leader (asked for with WithRequireLeader, so that a
// watch does not wait silently on the wrong side of a partition), ends its
// channel; then the watch is begun again here, after the last revision that was
// applied, for as long as the context lives.
//
// Changes of one revision come in one response: fragments are not asked for, and
// a member that catches a watch up ends a response only between revisions
// (eventBatch in its watcher_group.go), after at most a thousand of them; with
// values of at most 1.5 MiB that is below the 2 GiB that gRPC carries.
func (s *Store) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	failing := false
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		before := from
		mine, err := s.watchOnce(ctx, space, &from, apply)
		if mine {
			return err
		}
		if gone := s.alive(ctx); gone != nil {
			return fmt.Errorf("etcd: watch %s: %w", space, gone)
		}
		switch {
		case errors.Is(err, rpctypes.ErrCompacted):
			return driver.ErrCompacted
		case forbidden(err):
			return fmt.Errorf("etcd: watch %s: %w", space, err) // which waiting does not change
		}
		if from > before {
			failing, pause = false, firstPause
		}
		if !failing {
			s.log.Warn("a watch of etcd ended, it is begun again until it works", "space", space, "error", err)
			failing = true
		}
		s.sleep(ctx, pause)
	}
}

// forbidden reports whether the user may not watch. The reason of a watch that is
// refused comes as text, not as a status.
func forbidden(err error) bool {
	return strings.Contains(err.Error(), rpctypes.ErrorDesc(rpctypes.ErrGRPCPermissionDenied))
}

// errEnded is a watch that the client library ended without a reason.
var errEnded = errors.New("the watch ended")

// watchOnce watches until something goes wrong, and moves from along with what
// was applied. The error is apply's if mine is true.
//
// The watch asks for the revision from itself and drops what it has already:
// etcd before 3.5.18 can lose the deletion that was made at the very revision of
// a compaction, for watches that begin with that revision. Asked for one more,
// it answers that this one has been compacted. Dropping also makes sure that
// nothing is ever repeated.
func (s *Store) watchOnce(ctx context.Context, space string, from *driver.Version, apply func([]driver.Event) error) (mine bool, err error) {
	prefix := s.spaceOf(space)
	ctx, cancel := context.WithCancel(clientv3.WithRequireLeader(ctx))
	defer cancel()
	responses := s.c.Watch(ctx, prefix, clientv3.WithPrefix(), clientv3.WithRev(max(int64(*from), 1)))
	for {
		var r clientv3.WatchResponse
		var ok bool
		select {
		case r, ok = <-responses:
		case <-ctx.Done():
			return false, ctx.Err()
		case <-s.done:
			return false, ErrClosed
		}
		if !ok {
			return false, errEnded
		}
		if err := r.Err(); err != nil {
			return false, err
		}
		evs := make([]driver.Event, 0, len(r.Events))
		for _, e := range r.Events {
			if driver.Version(e.Kv.ModRevision) <= *from {
				continue
			}
			ev := driver.Event{
				KV:      driver.KV{Name: string(e.Kv.Key[len(prefix):]), Version: driver.Version(e.Kv.ModRevision)},
				Deleted: e.Type == clientv3.EventTypeDelete,
			}
			if !ev.Deleted {
				ev.Value = e.Kv.Value
			}
			evs = append(evs, ev)
		}
		if len(evs) == 0 {
			continue
		}
		if err := apply(evs); err != nil {
			return true, err
		}
		*from = evs[len(evs)-1].Version
	}
}
