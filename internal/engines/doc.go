// Package engines starts the real programs that Sluice stands in front of and leans on, for its tests and its demo:
// OpenSearch nodes built from the official jars, etcd and Consul as processes.
//
// Everything listens on loopback only, with data in a directory of its own. An engine can be killed, paused, resumed and
// started again on the same ports with the same data, because that is what the tests of a proxy must do to it.
//
// An engine never outlives the process that started it, however that process ends. On Linux the kernel sees to it, with the
// parent death signal; elsewhere a pipe on standard input does, whose end halts the JVM. Stop is the orderly way. (Only
// etcd and Consul on something else than Linux have nothing of the kind; they are for tests.) Each engine has a process
// group of its own, so that Ctrl-C in a terminal reaches the parent alone, which then stops its engines in the order it wants.
//
// The package is part of the shipped binary and so never imports testing; package enginetest has the helpers for tests.
// It is for throw-away and demonstration clusters: no TLS and no users unless a test asks for them, bootstrap checks
// skipped. It refuses to be more.
package engines
