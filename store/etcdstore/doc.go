// Package etcdstore is the driver over etcd: a cluster of one's own, or a member
// embedded in this process ([StartEmbedded]), which is the default of Sluice.
//
// A key is "<prefix><space>/<name>". Every change of a space also puts
// "<prefix>gen/<space>" in the same transaction, so that the space's head is one
// linearizable read of one key; the watch needs not see that key, since a change
// and its generation share the revision. The end of a lease does not touch the
// generation: a head is then behind that deletion, as the contract allows, since
// nobody acknowledged it.
//
// Versions are etcd's revisions. They are the engine's, one sequence for all
// spaces, and grow for ever; a restored backup goes back, so restore only into an
// etcd that no instance of the old one is still connected to.
//
// Leases count whole seconds: a session's ttl is rounded up, never down.
package etcdstore
