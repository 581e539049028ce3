// Package mover does the OpenSearch side of a move: it creates the copy B of a
// partition's indices at the target cluster, copies the documents, keeps B up
// with A, proves that both are equal, and fences or removes what is left. It
// knows no store and no protocol: package control drives it, persists what it
// returns, and decides. Every method may be repeated after a failure.
//
// How B is kept safe from a mover that was paused, replaced or whose request
// ended with an unknown outcome:
//
//   - Every write to B goes through a write alias that belongs to one attempt
//     (sluice-<move>-<attempt>-<n>-<i>). OpenSearch resolves the alias when it
//     executes a request, so once the alias is gone nothing sent through it can
//     begin to be applied: index operations carry require_alias, and a delete,
//     for which OpenSearch 2.19.6 and 3.9.0 ignore require_alias, meets a name
//     that does not exist (a delete without an external version does not create
//     an index).
//   - What had begun before is waited for: the index is write blocked, which
//     returns when the running operations have finished, and the block stays
//     until the cluster lists no bulk task any more that names the alias or the
//     index. The second is needed because an operation that waits in a queue
//     holds no permit yet, and would be applied after the block is lifted.
//
// Which is also what happens after a bulk of unknown outcome (a timeout, a
// broken connection, a 5xx): rotate the alias, drain, and write the batch again
// through the next alias. Writing again is safe because an index operation
// carries A's version (external_gte: it can be repeated, and loses against
// anything newer), and a delete carries B's sequence number.
//
// Documents are copied by a scan, or by a snapshot that is restored into the indices
// which the move has created; snapshot.go says why what follows is the same.
//
// A shared target cannot be blocked: into.go and intodrain.go say what holds there.
//
// A dedicated cluster is moved with all its indices, those included that the tenant
// creates meanwhile (Adopt), but not with its settings, templates, pipelines and
// scripts, nor with hidden indices and those whose name begins with a dot: they are
// the cluster's own. A pattern of indices is moved with all that match it, hidden ones
// too, to the names that the target's pattern gives them.
//
// It refuses, with a [RefusedError] that names the field and the fix, what it
// cannot move without loss: an index without _source, a closed one, a source with
// a write block, an index whose ingest pipelines the target lacks, data streams, a
// target that holds something, a target of an older major version.
package mover
