// Package control owns the protocol of a move: the transitions that anybody may
// ask for ([ControlPlane]), the barriers that must hold before a partition is
// flipped ([FleetBarrier], [TimeBarrier]), and the [Controller] that runs moves
// and resumes them after a crash at any step.
//
// Two records describe a move. The entry in the placement table is the truth:
// only a compare-and-swap on it changes where requests go. The [Move] record
// follows it, and holds what a successor needs: the stage, the checkpoints, the
// target's indices, who drives. A controller that takes a move over reads the
// entry first and believes it, not the record.
//
// What it refuses: to complete a cutover whose barrier was not proven for that
// very epoch; to complete over a write whose outcome is unknown, a server-side
// task, or a proxy that vanished and was not reconciled; to complete when the
// verification found a difference that no journal explains; and to conclude
// anything from a store that cannot be read.
package control
