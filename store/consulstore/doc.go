// Package consulstore is the driver over Consul's key-value store.
//
// Consul has what Sluice needs (transactions over several keys, one index for
// everything that a transaction writes, questions that are answered when something
// changes, sessions) except a history that a watch could go back to: a blocking query
// gives the whole prefix, each time. So the driver keeps one. A change of a space is
// one transaction, that
//
//   - compares and changes the record,
//   - puts a log record with the change's value into the newest bucket of the log,
//   - overwrites the space's generation, which watches wait for and whose index is the
//     head, and
//   - checks that the newest bucket is still the newest.
//
// The version of a change is the transaction's index in Consul's own log, and its
// order. Beside Watch is written why that has no gap and no repetition, beside apply why
// writers of different records are not in each other's way, and in reap.go how
// the end of a session, which Consul decides by itself, comes to have its place in
// the log like everything else.
//
// What is guaranteed is what package driver asks for, shown by package drivertest
// against real servers, one and three. Reads (Get, List, Head) are Consul's
// "consistent" ones. A write is sent once: what has failed with anything but an answer
// may have taken effect.
//
// Its limits:
//
//   - Sessions end late: when twice their TTL has passed since the last renewal, and
//     anew when another server becomes the leader; never early. The shortest TTL is
//     10 s unless the servers' session_ttl_min says otherwise, the longest 24 h; Open
//     refuses others.
//   - The record of a session that has ended is removed by whoever sees that: a watch
//     of the space, or who reads it. Nobody else would know the difference.
//   - Sessions are bound to a node in Consul's catalog that is no machine
//     (Config.Node), because otherwise they would end with the agent they were made
//     through. Whoever deregisters that node ends all of them.
//   - List is one query: Consul cannot page through one moment. The server gathers
//     the whole answer in memory; here one record is held at a time.
//   - A watch can go back over some thousand changes of its space (Options.History),
//     then it is driver.ErrCompacted. Each change costs each watch the reading of some
//     tens of log records.
//   - A value may have 180 KiB: it is in a transaction twice, in base64, and Consul
//     takes 512 KiB.
//   - Records are changed through this package only. What is written, or removed,
//     under the prefix by other means is in no log. A snapshot that is restored takes
//     versions back; watches that run notice it and send their callers to list
//     again, but what was acknowledged after the snapshot is lost, as with any backup:
//     stop the fleet first.
//   - A server whose disk is full cannot lead, so that with one server reads fail,
//     too (see Weaknesses).
//   - Each watch holds two connections to the agent, which allows 200 to one address by
//     default (limits.http_max_conns_per_client).
//
// Consul 1.13 and newer are supported; the tests run against 1.14.
package consulstore
