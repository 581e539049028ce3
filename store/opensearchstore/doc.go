// Package opensearchstore is the driver over an index of an OpenSearch cluster, for
// who runs OpenSearch and nothing else that could hold the placement table.
//
// # How
//
// The table is one index with one primary shard, so that the shard's _seq_no is the
// order of all changes. A record is one document under the hash of its key, with the
// key inside. It is read by a real-time GET from the primary and changed by one write
// with if_seq_no and if_primary_term, or op_type=create. A deletion is a document too,
// a tombstone, because OpenSearch shows no deletion to a search.
//
// A watch must report every change, also of a record that changed twice between two
// polls, and OpenSearch has no transaction over a record and a log. So a document
// carries its own past: the last changes with their versions, of which each writer
// knows the newest, since it writes over exactly that. A watch takes what it missed
// out of the newest state. The alternatives were a document per change, whose newest
// is found by a search and not by a GET, and a second log document, which is lost with
// the process that should have written it. What it costs is the past in each write: at
// most 32 KiB (some 500 small changes, some 50 of half a KiB), but always the last 4. A
// watch that is further behind is driver.ErrCompacted and lists again.
//
// What a poll may report is bounded by the shard's global checkpoint: up to there every
// copy has everything, without holes. It is read first, then the index is refreshed,
// then searched, all through one node. All watches of a Store share the poll; with
// nothing new it is one request to the primary per Options.Poll. When this process
// reads or writes something newer than what was polled it polls at once, so that a
// request that has to wait for its replica does not wait for the next poll.
//
// List is as of a checkpoint as well: what a search sees beyond it is put back to what
// it was by its past, and comes again in the watch.
//
// Leases: OpenSearch has none. A renewal counts a beat in the document on. It moves the
// document's _seq_no, and leaves the record's version as it is. Every process that
// watches a space, and every one that lists, reads or tries to open under a leased key
// again and again, observes: when a beat has not moved for the ttl and a tenth more on
// the observer's own monotonic clock it writes the tombstone, over that very beat. A
// renewal that comes later fails on it, so the session knows that it is lost. While
// nobody observes, sessions do not end.
//
// # What it refuses
//
// An index with several primary shards, or with index.translog.durability async. An
// index whose sequence numbers went back: its UUID and its history's UUID are in the
// table, so one that was restored from a snapshot, created again, or given a stale copy
// as its primary by force is [ErrReplaced]. A running process notices within a second;
// that something does not exist, or was created, it believes only after having looked.
// Aliases are required in writes, so none creates an index by accident.
//
// # What is sent twice
//
// Reads, until their context ends, on the next node if one does not answer. A write is
// sent once, whatever the client library could do; its outcome is unknown after any
// error but a conflict, 503 and the time-out of wait_for_active_shards included, because
// OpenSearch may have tried it on a primary that failed. The exception is 429: such a
// write was turned away before anything of it happened. Since OpenSearch repeats a write
// by itself when a primary fails, and then reports a conflict of the write with its own
// first effect, every change has a nonce, and a conflict is one only if the nonce is not
// found in the record's past.
//
// # Its limits
//
//   - Reads are not linearizable across a network partition. A primary that was deposed
//     while it was cut off, or frozen, answers from what it has until it learns of that,
//     which takes seconds: Get may miss what its successor has acknowledged, and may show
//     a write that was never acknowledged and is going to be taken back. It cannot
//     acknowledge a write, nor does a watch or a list report what it alone has: both need
//     the other copies. With one copy (replicas 0) there is no successor, and none of
//     this. A linearizable head would need a write per read: a replicated write is the
//     only thing that a deposed primary cannot do. That is 10 to 20 ms on every barrier,
//     so this driver has no driver.Header. It is a driver.Batcher: a barrier is one
//     multi-get of all partitions that are waited for, which is as good as a Get of each.
//   - A watch lags by up to Options.Poll, 100 ms by default, and a refresh. Write pauses
//     are longer by about half of it than on a store that pushes.
//   - With replicas a write is acknowledged by all copies that are in sync. OpenSearch
//     takes a copy that fails out of them first, so the last one may be alone; its disk is
//     then the only one. No other copy is promoted by itself, so nothing is lost in
//     silence; the table is red. See Config.WaitForActiveShards.
//   - Sessions end up to a tenth of the ttl and two polls late, later if observers come
//     and go.
//   - A record is rewritten as a whole, with its past. Values should be some KiB; a
//     request is bounded by http.max_content_length (100 MB).
//   - The table shares the fate of its cluster: its garbage collections, its full disks
//     (the flood stage makes the table read only, and sessions then lapse), its upgrades.
//     It may be a cluster that tenants are moved from or to. But a cluster in trouble is
//     often why they are moved, and then the moves are stuck with it. A small cluster of
//     its own is better.
//   - A node whose disk is set back as a whole, such as by a snapshot of its virtual
//     machine, has the same identity and older versions, which nothing in it shows. Only
//     processes that have seen newer ones notice: their watches stand still, and log why.
//   - Snapshots that include the index cannot be restored over it, see above.
//
// OpenSearch 2.x and 3.x are supported; the tests run against 2.19.6 and 3.9.0.
package opensearchstore
