package etcdstore

import (
	"context"

	"go.etcd.io/etcd/server/v3/storage/mvcc"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Beside the only member, in its process, a head is read without a round trip, and
// where nothing was written since the last one without a read. Both are linearizable.
//
// A change is an entry of the member's log, whatever made it, the end of a lease
// included. The member raises its committed index before it hands entries over to be
// applied (raftNode.start: updateCommittedIndex, then applyc), and its applied index
// after each was applied. What anybody knows of a change, by an answer, a read or a
// watch, he knows from its being applied. So whatever was known to anybody before
// is of an entry up to the committed index; and when the applied index has come to that,
// all of it is in the member's memory, which readLocal reads.
//
// The applied index alone would not do: an answer leaves before it is raised, so it may
// stand where it stood before the change. Nor would memory alone: watches are told of
// a change a moment before reads see it (watchableStoreTxnWrite.End). While the
// applied index is behind, the read therefore goes through the cluster.
//
// LocalHead does not read even memory: if the committed index still is what it was at the
// last readLocal, all that anybody knows was applied before that.
//
// All of this is of a member that nobody else votes beside. One that joins could
// acknowledge what this one has not applied yet: so as soon as there is another, reads
// go through the cluster as everywhere else. Its joining is an entry of the log, too:
// it takes part only after this member has applied that, so the committed index was
// raised before, and LocalHead does not answer.

// seenHead is the head of a space as it was read last.
type seenHead struct {
	space     string
	committed uint64 // the committed index, up to which all was applied before it was read
	version   driver.Version
}

// LocalHead implements driver.LocalHeader.
func (s *Store) LocalHead(space string) (driver.Version, bool) {
	seen := s.seen.Load()
	if seen == nil || seen.space != space || s.member.CommittedIndex() != seen.committed || s.alive(context.Background()) != nil {
		return 0, false
	}
	return seen.version, true
}

// readLocal reads the head of a space from the member's index, in memory; false: this is
// not the only member, or it is about to apply what may be known already.
func (s *Store) readLocal(space string) (driver.Version, bool) {
	committed := s.member.CommittedIndex()
	if s.member.AppliedIndex() < committed || len(s.member.Cluster().Members()) != 1 {
		return 0, false
	}
	r, err := s.member.KV().Range(context.Background(), []byte(s.generation(space)), nil, mvcc.RangeOptions{FastKeysOnly: true})
	if err != nil {
		return 0, false
	}
	v := driver.Version(0)
	if len(r.KVs) > 0 {
		v = driver.Version(r.KVs[0].ModRevision)
	}
	s.seen.Store(&seenHead{space, committed, v})
	return v, true
}
