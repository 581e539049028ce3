/*
 * live.pml: a move ends. Once there are no more faults - lapses of a session,
 * unknown outcomes, cutovers that overrun, deaths of the driver - the entry is
 * flipped or back at A, and stays so, although clients write without end.
 *
 * Weak fairness: what can be done for ever is done at last. Each duty is a process
 * of its own, so that none is crowded out by another of the same process.
 */
#ifndef FAULTS
#define FAULTS 1 /* of each kind */
#endif

#define ACTA  0
#define DRAIN 1
#define CUT   2
#define ACTB  3


byte phase = DRAIN;
bit cur = 1, acked = 1;                /* the newest entry is applied; and is published as applied */
bit open, told, unres, unk, ppend;     /* a ticket; unres: published; unk: true */
bit alive = 1, missing;                /* missing: on the roster without a session */
bit ended, driver = 1, aborts;
byte lapses, unknowns, overruns, deaths, lates;

proctype Watch() { do :: d_step { !cur -> cur = 1; if :: open -> told = 1 :: else fi } od }
proctype Writer() { do :: d_step { alive && !open && phase != CUT && cur -> open = 1; told = 0 } od }
proctype Answer() { do :: d_step { open -> open = 0; told = 0 } od }
proctype Loss() { do :: d_step { open && unknowns < FAULTS -> unknowns++; open = 0; told = 0; unk = 1 } :: ended -> break od }
proctype Drain() { do :: d_step { unk ->
#ifndef M_NEVER_DRAINED   /* an unknown outcome stays unresolved for ever */
	unk = 0
#else
	skip
#endif
	} od }
proctype Report() { do :: d_step { alive && (acked != cur || ppend != (open && told) || unres != unk) -> acked = cur; ppend = (open && told); unres = unk } od }
proctype Lapse() { do :: d_step { alive && lapses < FAULTS -> lapses++; alive = 0; missing = 1; acked = 0; ppend = 0; unres = 0 } :: ended -> break od }
proctype Join() { do :: d_step { !alive && cur -> alive = 1 } :: !alive -> break /* it has died for good */ od }

#define CLEAR (!missing && (!alive || acked && !ppend && !unres))

proctype Driver()
{
	do
	:: phase == DRAIN && driver ->
		/* catching up: a vanished session is waited out and reconciled, an unknown outcome waited out */
#ifndef M_NO_RECONCILE    /* nobody accounts for a session that has vanished */
		d_step { if :: missing -> missing = 0 :: else fi };
#endif
		(!unres || missing || !driver);
		if
		:: d_step { driver && !missing && !unres && phase == DRAIN -> phase = CUT; cur = 0; acked = 0 }
		:: d_step { missing || unres || !driver -> skip }
		fi
	:: phase == CUT && driver ->
		if
		:: d_step { CLEAR && driver -> phase = ACTB; cur = 0; acked = 0; ended = 1 }
		/* the deadline: by itself, or because something became unresolved or vanished */
#ifndef M_NO_DEADLINE     /* a cutover is never left again */
		:: d_step { driver && (missing || unres) -> phase = DRAIN; cur = 0; acked = 0 }
		:: d_step { driver && overruns < FAULTS -> overruns++; phase = DRAIN; cur = 0; acked = 0 }
#endif
		:: d_step { !driver -> skip }
		fi
	:: d_step { driver && phase != ACTB && phase != ACTA && aborts -> phase = ACTA; cur = 0; acked = 0; ended = 1 }
	:: ended -> break
	od
}

proctype Death() { do :: d_step { driver && deaths < FAULTS -> deaths++; driver = 0 } :: ended -> break od }
proctype Takeover() { do :: d_step { !driver && !ended ->
#ifndef M_NO_TAKEOVER     /* a move whose driver has died is nobody's */
	driver = 1; if :: phase == CUT -> phase = DRAIN; cur = 0; acked = 0 :: else fi
#else
	skip
#endif
	} od }
/* Another controller ends a Cutover that has outlasted its deadline, without taking the move over: the driver is dead, or late. */
proctype Relieve() { do
#ifndef M_NO_RELIEVE      /* nobody but a driver ends a Cutover */
	:: d_step { phase == CUT && (!driver || lates < FAULTS) -> if :: driver -> lates++ :: else fi; phase = DRAIN; cur = 0; acked = 0 }
#endif
	:: ended -> break
	od }
proctype Abort() { if :: d_step { !ended -> aborts = 1 } :: skip fi }

init { atomic { run Watch(); run Writer(); run Answer(); run Loss(); run Drain(); run Report(); run Lapse(); run Join(); run Driver(); run Death(); run Takeover(); run Relieve(); run Abort() } }

/* M6: whoever dies, the move is flipped or aborted in the end, and stays so */
ltl M6_ends { <> [] (phase == ACTA || phase == ACTB) }

/* However long a move is nobody's, what is held goes on */
ltl M6_goes_on { [] <> (phase != CUT) }
