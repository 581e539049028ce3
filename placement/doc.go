// Package placement holds the values of a partition's record and the pure state
// machine over them. It does no I/O, reads no clock and starts no goroutine, so
// that the store, the model and the simulation all run the very same [Step].
//
// An entry is Active(P), or Migrating{From, To} in phase Draining or Cutover:
//
//	Active(A) --begin--> Draining --enter_cutover--> Cutover --complete--> Active(B)
//	                        |  <---- reopen ----       |
//	                        |__________abort___________|--> Active(A)
//
// In Draining reads and writes go to A. In Cutover reads go to A and no write is
// admitted. A transition that is not in this picture is refused with a [Refusal]
// and changes nothing. The package has no "set": only transitions change a
// migrating entry, because replacing one during Cutover would flip it.
package placement
