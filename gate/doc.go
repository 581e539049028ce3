// Package gate is what any Go proxy imports to join the fleet. It keeps a
// replica of the placement table, reads placements fresh on every request, gives
// each write a ticket, holds writes while their partition is in Cutover, and
// tells the controllers, through the instance's session, what it has applied and
// what is still in flight.
//
// It fails closed: without a valid session, or when the store cannot say where a
// partition is, Read and Write return an [UnavailableError] and never a guess.
//
// The safety argument, in the order in which a flip happens:
//
//   - Admission. A ticket is counted on the view (one epoch of one entry) that it
//     was resolved at. Count and closed bit are one word, so when the view is
//     closed a write is either counted in it or sees the bit and resolves again.
//   - Acknowledgement. A view is closed before the epoch that replaced it is
//     published as applied; while it has tickets its partition is published as
//     pending. So "applied >= e and not pending" says: every write that was
//     admitted here before e has ended, and none will be admitted under it again.
//   - Fencing. A ticket belongs to the session that it was admitted under. It is
//     sent only while that session is valid, and its end re-checks that this very
//     session has never lapsed; whoever the controllers may have stopped waiting
//     for acknowledges nothing.
//   - Journal. While a partition drains, the ids that a write touched become
//     readable after its outcome and before its count goes down, so a mover that
//     has read up to the head published with a clear acknowledgement has seen all.
package gate
