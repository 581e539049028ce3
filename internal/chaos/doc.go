// Package chaos breaks a whole Sluice of real processes, for as long as it is told, and judges what clients saw: three
// proxies, two controllers, an etcd of three members and two OpenSearch clusters, with tenants that move back and forth all
// the time.
//
// What it does to them, chosen by a seed: processes and engines are killed with SIGKILL and started again, stopped with
// SIGSTOP for longer than their session lasts, and cut off from one another or slowed down, each pair of processes by
// itself: clients from proxies, controllers from proxies, both from etcd and from the clusters, and the members of etcd from
// each other, the leader from all others among it; moves are aborted; clients leave in the middle of a request. Two proxies,
// two controllers and two clusters have nothing to say to each other.
//
// What must hold all the same: the history of each document is linearizable (package history), with the writes of unknown
// outcome allowed to take effect at any time from when they were sent; nothing that was acknowledged is lost, comes back or
// has another version (package load); no answer but refusals that say so; and once the faults are over, every move ends, the
// store is as it should be, no copy is left that nobody owns, writes flow, and `sluice doctor` finds nothing; while things go
// wrong it finds nothing that it would repair, because all of that is a controller's to heal. A refused request is no fault: while engines
// die that is what a client is promised. That an index is not there is no refusal, but for two kinds of request while a node
// starts (see load.Options), for then OpenSearch says it.
//
// Two faults are bounded, because Sluice's promise is: a cluster is not stopped for longer than the drain barrier, which is
// the assumption about its slowest write, and no two members of etcd are killed or stopped at once, which would only be an
// outage.
package chaos
