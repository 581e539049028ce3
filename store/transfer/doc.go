// Package transfer moves the placement table from one engine to another: Export
// writes it as lines of JSON, Import brings it into another driver.
//
// It moves the entries, the clusters, the records of moves and the roster (a
// process that vanished during a move must still be accounted for), not the
// sessions. Epochs never go back: the import records in the target a base that is
// at least the newest epoch of the source, and package store adds it to
// everything that the new engine counts.
//
// What it refuses, and why:
//   - to import while processes serve the target, or from a source that was not
//     closed: two fleets on two tables each move a tenant without the other's
//     knowledge, which is split brain. Export with Close marks the source, so that
//     nothing opens it any more; it refuses while a process has a session there.
//   - a target that holds something, unless told to replace it.
//   - a file that is cut short, changed, of an unknown version, or holds a record
//     that this program cannot read. The whole file is checked before anything is
//     written.
//   - entries that are migrating, unless told to take them.
//
// An import that dies half-way leaves the target marked as incomplete: nothing
// serves it. The same import again goes on; every write is conditional, and what
// is there already is compared and left.
package transfer
