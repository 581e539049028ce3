// Package sim runs the shipped control, gate, store, mover and proxy code in a
// simulated world: many instances and controllers in one process, in virtual
// time (testing/synctest), over a network, a store and clusters that delay,
// lose, fail, fail and take effect, take effect much later, restart and are cut
// off, on machines whose clocks run at different rates, whose processes are
// paused for longer than their lease, told to end, and killed. Some faults come at
// any time; others in time with the protocol, just after the entry has changed, or
// at a point within a call. What clients saw is then checked for linearizability,
// and the world for the invariants M1 to M6, for tickets that never end, holds
// beyond their bound, and processes that are not accounted for.
//
// Everything that happens follows from the seed: what a message meets is drawn
// from a stream of its own, named by who sends what to whom and how often he has,
// so that a change in one place does not change the rest. [Run] is one seed.
//
// # How the simulation itself is checked
//
//   - A mutant for each rule that the models in spec show to be needed: the shipped
//     code without it, which a seed has to find. By chance alone most take hundreds
//     of seeds, some thousands; so each has the seed that finds it, and where chance
//     does not do, a world that has much of what it takes. In those worlds the code
//     as it is has to be found clean. Where the simulation has no mutant for a rule,
//     the list says why. make mutants runs all, and make test does.
//   - A plant for each thing that the checker looks at: the very violation, which
//     it has to see (TestTheCheckerSees).
//   - A count of every kind of fault that something has met; none may be missing.
//   - The share of the protocol's statements that seeds run, with a floor (make
//     cover-sim lists the rest). Go counts blocks between branches. It does not say
//     which conditions were both true and false where that leads to no block.
//
// What seeds do not run is, besides errors that cannot be and defaults: entries
// that are removed or cannot be decoded, tables that are imported, journals of
// thousands of ids, tenants with a cluster of their own, and pipelines that rewrite
// ids. They have tests of their own.
//
// # What is not simulated
//
// OpenSearch, and the engines of the store. The world's clusters implement the
// part of OpenSearch that the mover and document requests use, in the ways that
// were seen on the real one; package internal/demo and the tests of mover and
// proxy are the check of that. A paused process stops at its next message to
// somebody, not between two statements: a mutant of a rule about two steps that
// are one therefore sleeps between them. And a message that was sent takes effect
// within the time that the drain barrier allows for, except in the runs with
// Ghosts, where only what was acknowledged must be kept (M_SEND_PAUSE in spec).
package sim
