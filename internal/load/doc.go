// Package load puts an index under load over HTTP and knows exactly what it must hold afterwards.
//
// It is the independent witness of a move: it imports nothing of Sluice, speaks to proxies (or to OpenSearch itself) as any
// client would, and keeps a [Ledger] of every write that was acknowledged, with the version of the answer. Each worker owns
// ids that nobody else writes and works on them one request at a time, so that the history of an id is known without a
// guess. [Check] then reads everything back, twice (realtime and by search), and compares.
//
// What it counts:
//
//	lost            an acknowledged write is not there: the document is missing, or holds an older write
//	resurrected     a document whose deletion was acknowledged is there
//	wrong version   the document's _version is not the one that was acknowledged
//	extra           a document that no client wrote
//	stale           a read that was sent after a write had been acknowledged, and did not see it
//	failed          a request whose final answer was no success
//	rejected        of the failed, those whose answer says that the request was wrong (4xx; see Options.Starting for an exception)
//	retried         a request that a client repeated: after 429 or 503 with Retry-After, or when nothing could have been
//	                received (no connection), or a read whose connection broke
//	unknown         a write whose outcome the client cannot know: 504 sluice_outcome_unknown, or the connection broke. The
//	                ledger then allows both outcomes until one is seen, and the id is not written any more until then.
//
// The documents are real: the declarations and doc comments of the Go standard library, see [Corpus].
package load
