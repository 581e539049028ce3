// Package checkup looks for what does not belong together: entries, moves, waves,
// processes and what moves leave on clusters. Of each thing that it finds it says what it
// is, what it harms, and what repairs it, and it can repair most of them.
//
// Most of what a crash leaves is no fault: a controller finds it by itself and goes on
// from there. Such findings are of severity info, and only tell what will happen.
//
// It is safe beside a fleet that is at work. A finding counts only if a second look, a
// moment later, shows the same. A repair is a compare-and-swap from what was judged, or
// looks once more at the table and at the very index (by its UUID) right before it acts;
// what is left to do on a cluster it leaves to a controller, which does it as after any
// crash. Nothing that a move may still use is touched, and what cannot be known to be
// Sluice's own (a write block without a trace of a move, documents of an unknown
// tenant, a target of a move that this table has never heard of, which may be another
// installation's) is changed only when it is asked for by name.
package checkup

//go:generate go test -run TestPage . -update
