package etcdstore

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/sluiceproxy/sluice/store/driver"
)

// List implements driver.Driver. The first page is a linearizable read, whose
// revision is the moment of the list and what Watch continues from; the other
// pages are read at that same revision.
//
// When the cluster compacts that revision away before the last page was read,
// the rest of the moment is gone. What was yielded cannot be taken back, and
// going on at a newer revision would be a list of two moments, with records
// missing that were moved between them; keeping a million records until the last
// page is there would be the wrong price for what takes a compaction within the
// seconds of a list. So that is an error, driver.ErrCompacted like a watch's,
// and the caller discards and lists again.
func (s *Store) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	doing := "list " + space
	from := s.spaceOf(space)
	cut, end := len(from), clientv3.GetPrefixRangeEnd(from)
	var rev int64 // 0 until the first page came: the newest
	for {
		var r *clientv3.GetResponse
		err := s.call(ctx, doing, transient, func(ctx context.Context) (err error) {
			r, err = s.c.Get(ctx, from, clientv3.WithRange(end), clientv3.WithLimit(s.page), clientv3.WithRev(rev))
			return err
		})
		if errors.Is(err, rpctypes.ErrCompacted) {
			return 0, fmt.Errorf("etcd: %s: %w: revision %d went while it was being read", doing, driver.ErrCompacted, rev)
		}
		if err != nil {
			return 0, err
		}
		if rev == 0 {
			rev = r.Header.Revision
		}
		for _, kv := range r.Kvs {
			if !yield(driver.KV{Name: string(kv.Key[cut:]), Value: kv.Value, Version: driver.Version(kv.ModRevision)}) {
				return driver.Version(rev), nil
			}
		}
		if !r.More || len(r.Kvs) == 0 {
			return driver.Version(rev), nil
		}
		from = string(r.Kvs[len(r.Kvs)-1].Key) + "\x00" // the next possible key
	}
}

// Page implements driver.Pager by one linearizable read of a range.
func (s *Store) Page(ctx context.Context, space, after string, limit int) ([]driver.KV, bool, error) {
	prefix := s.spaceOf(space)
	from := prefix
	if after != "" {
		from += after + "\x00" // the next possible key
	}
	var r *clientv3.GetResponse
	err := s.call(ctx, "page "+space, transient, func(ctx context.Context) (err error) {
		r, err = s.c.Get(ctx, from, clientv3.WithRange(clientv3.GetPrefixRangeEnd(prefix)), clientv3.WithLimit(int64(limit)))
		return err
	})
	if err != nil {
		return nil, false, err
	}
	out := make([]driver.KV, len(r.Kvs))
	for i, kv := range r.Kvs {
		out[i] = driver.KV{Name: string(kv.Key[len(prefix):]), Value: kv.Value, Version: driver.Version(kv.ModRevision)}
	}
	return out, r.More, nil
}
