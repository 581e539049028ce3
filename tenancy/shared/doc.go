// Package shared keeps a tenant inside an index that it shares with others: what
// it writes is marked as its own, what it asks is narrowed to its own, and what
// comes back shows no mark. It is pure: bytes in, bytes out.
//
// In the index a document carries the tenant's id in the partition field. Its _id
// is the tenant's prefix and the client's id; its _routing is the prefix and the
// client's routing, if it gave one. So two documents that differ in their routing
// only stay two, as in an index of the tenant's own, and a search that names a
// routing goes to that shard alone. Documents without a routing of the client's
// are all on one shard; a search that names none asks every shard, because those
// with one can be anywhere. The prefix ends at the first colon, which the escaped
// id of a tenant cannot hold: no tenant's prefix begins another's.
//
// What it refuses, with a [RefusedError] that says why: everything that is not on
// its lists. A query is let through if each of its parts is known to concern the
// documents that match, and is then put beside a filter on the partition field.
// Whatever looks past the matching documents (global aggregations, suggesters,
// lookups, joins, terms without a document, a limited number of words that are like
// another), runs code (scripts, pipelines), or shows the index's own bookkeeping
// (explanations, profiles) is refused, or made such that it does not: backgrounds
// are narrowed, and similar words are searched without a limit. So is a document that carries the partition field, and every text that
// is not strict JSON with each key once: two parsers could read it differently.
//
// What it cannot hide: relevance scores depend on how often a word occurs in the
// whole index, sequence numbers and the positions of documents in a shard grow with
// the writes of all, and all tenants of an index share one mapping. Tenants who must not learn even that belong into
// indices of their own.
package shared
