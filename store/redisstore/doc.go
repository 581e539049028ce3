// Package redisstore is the driver over Redis 7.0 and newer and Valkey 7.2 and newer: one server,
// a master with replicas (found by asking the configured addresses, or sentinels),
// or a cluster.
//
// A fleet's keys are "{prefix}:space:kind". Only what is in the braces is hashed, so
// all are in one slot and one script may change them. Each space has a counter; a
// script that changes a record raises it by one, keeps the record under that version,
// and appends the change to a stream under the same number, at once. So versions have
// no holes, and a watch that reads the stream knows of each entry whether it is the
// very next one. A second stream keeps what each change replaced: with it List yields
// one moment although it reads page by page (see Store.List).
//
// # What is refused
//
// Open refuses a server that may lose what it acknowledges: without an append-only
// file, synced always (everysec is taken if Config.AllowWeakDurability is set), with a
// memory policy that evicts, or with replicas and no min-replicas-to-write. Each
// connection that is made later is held to the same. A write is sent once, and after
// any error its outcome is unknown; with replicas it counts when WAIT, on its own
// connection, has confirmed it on Config.WaitReplicas of them, else the error is
// ErrNotReplicated.
//
// # Failovers
//
// Redis replicates after the fact, and nobody votes. With WaitReplicas equal to the
// number of replicas that may become master no failover loses an acknowledged change.
// With fewer, W of N, none does as long as the one that is promoted is the most advanced
// of at least N-W+1 replicas, which is what sentinels do when they reach that many.
//
// A change that was not acknowledged may be seen before it is lost. Therefore every
// change has a random tag and names the tag of the one before it, and every call tells
// the server which change of the space this process has seen last. A server that does
// not have it has lost history: after a second look, over new connections, the Store
// returns ErrRewound from then on and does nothing any more, and AwaitLoss tells of it,
// so that the process ends. It has to be started anew; there is no other remedy, since
// versions that were seen are given out again. What is not noticed: a loss that nobody
// who still runs has seen, and one that is older than what the log keeps.
//
// # Sessions
//
// Keys with a TTL are not used, nor the server's clock: the end of such a key is in no
// log, it is counted on a wall clock, and a clock that jumps ahead would end every
// session while its holder relies on it. Instead a session is a heartbeat counter.
// Whoever lists or watches a space with sessions, or has one there, looks at the
// counters, and ends a session whose counter has not moved for its ttl and a tenth
// more on the observer's own monotonic clock, by a script that does so only while the
// counter is the one that was counted for. So a session never ends early, whatever the
// server's clock does; it ends late by a tenth of the ttl and the time between two
// looks (an eighth of the ttl, at least 25 ms, at most half a second; with hundreds of
// sessions more, in proportion), and a whole ttl later if all observers were started
// anew, or the server was: then they begin to count again. If no process is left,
// sessions stay until one comes.
//
// # Limits
//
//   - Reads are linearizable while one master serves. A master that was cut off, and
//     replaced, answers reads until it has missed its replicas for
//     min-replicas-max-lag (10 s by default, by its wall clock, so for longer when that
//     is set back meanwhile); without replicas that is of no matter.
//     Let a failover take longer than that: with sentinels, down-after-milliseconds
//     above it.
//   - The log keeps Options.History changes of a space, of at most
//     Options.HistoryBytes. A watch, or a list, that is farther behind is
//     driver.ErrCompacted.
//   - Everything is in memory: the records, their names once more, and the log twice.
//     When maxmemory is reached writes fail and reads go on. When the disk is full, a
//     Redis that syncs always ends itself.
//   - The server does one thing at a time. A script reads at most a megabyte or 500
//     records; another tenant's `KEYS *` is in the way all the same.
//   - In a cluster the fleet is on one node. A node that is asked in vain says where the
//     keys are, and is believed; in the moment of a move calls fail.
//   - Records are changed through this package only. FLUSHALL, a restore and a restart
//     without the file are ErrRewound to every process that runs.
//   - A transition takes a round trip and a sync of the disk, with replicas one more
//     round trip between the servers.
package redisstore
