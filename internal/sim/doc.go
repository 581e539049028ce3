// Package sim runs the shipped control, gate, store, mover and proxy code in a
// simulated world: many instances and controllers in one process, in virtual
// time (testing/synctest), over a network, a store and clusters that delay,
// lose, fail, fail and take effect, take effect much later, restart and are cut
// off, on machines whose clocks run at different rates, whose processes are
// paused for longer than their lease and are killed. What clients saw is then
// checked for linearizability, and the world for the invariants M1 to M6.
//
// Everything that happens follows from the seed: what a message meets is drawn
// from a stream of its own, named by who sends what to whom and how often he has,
// so that a change in one place does not change the rest. [Run] is one seed.
//
// What is not simulated is OpenSearch and the engines of the store. The world's
// clusters implement the part of OpenSearch that the mover and document
// requests use, in the ways that were seen on the real one; package
// internal/demo and the tests of mover and proxy are the check of that.
package sim
