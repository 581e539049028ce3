// Package etcdstore is the driver over etcd: a cluster of one's own ([Open]), or
// a member embedded in this process ([StartEmbedded]), which is the default of
// Sluice.
//
// A key is "<prefix><space>/<name>". Every acknowledged change of a space also
// puts "<prefix>gen/<space>" in the same transaction, so that the space's head
// is one linearizable read of one key. A watch need not see that key: a change
// and its generation share the revision. The end of a lease is acknowledged to
// nobody and does not touch the generation: the head may be behind it, never
// ahead.
//
// Its limits:
//
//   - Records are changed through this package only. What `etcdctl put` or `del`
//     writes under the prefix is seen by Get, List and Watch, but the head does
//     not cover it, so proxies may act on what was there before.
//   - Versions are etcd's revisions, one sequence for all spaces. A backup that
//     is restored goes back in it, and watches then wait for revisions that are
//     long gone: restore with `etcdutl snapshot restore --bump-revision
//     1000000000 --mark-compacted`, which sends them back to listing.
//   - Leases count whole seconds: a session's ttl is rounded up, and up to the
//     cluster's minimum of one and a half election timeouts, rounded up (2 s by
//     default, 1 s embedded). A new leader, or a restarted member, grants every
//     lease its whole ttl again; etcd looks for ended leases every 500 ms. So a
//     session may end later than its ttl says, never earlier. After a change of
//     leader its next renewal writes the record once more, unchanged, under
//     another lease: a leader of before that wakes up may revoke those it knew.
//   - A value may be about 1.5 MiB (etcd's --max-request-bytes), the database 2
//     GiB by default (--quota-backend-bytes); when it is full, writes fail until
//     it was compacted, defragmented and the alarm disarmed.
//   - A watch that is behind the cluster's compaction is driver.ErrCompacted;
//     what a slow apply has not taken yet is buffered in memory.
//   - With a password each new stream (a watch, a session's renewals) costs the
//     cluster one bcrypt; client certificates do not.
//
// etcd 3.5 and newer are supported; the tests run against 3.7.
package etcdstore
