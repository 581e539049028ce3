/*
 * timed.pml: the timed barrier, for proxies that hold no session. Such a proxy
 * looks at the entry now and then, and is trusted with one thing: that it has
 * stopped writing to A less than STOP ticks after the entry went to Cutover. The
 * barrier waits WAIT >= STOP ticks.
 *
 * Here time is a clock: ticks happen at any moment, but not while a proxy that
 * has to stop has not. The transition to Cutover is a write to the store that may
 * take effect long after it was sent. Two controllers ask for completion; they
 * may be restarted, and the second runs on a machine with another clock.
 */
#ifndef STOP
#define STOP 2
#endif
#ifndef WAIT
#define WAIT 2
#endif
#ifndef TICKS
#define TICKS 9
#endif

#define M1_no_stale_commit 1 /* nothing takes effect on A after the flip */
#define REACHED            9 /* no property: shows that a run is not empty */
byte bad;
inline must(p, cond) { if :: (cond) :: else -> bad = p; assert(bad != p) fi }

#define DRAIN 1
#define CUT   2
#define ACTB  3

byte now, phase = DRAIN, epoch = 1;
byte since;            /* in the entry: when this Cutover began, by controller 0's clock */
byte cutat;            /* when it truly began */
bit stopped = 0;       /* the proxy has heard of it */
bit sent; byte stamp;  /* a transition to Cutover on its way, and the start that it carries */
byte stampepoch;

proctype Clock()
{
	do
	:: d_step { now < TICKS && (phase != CUT || stopped || now + 1 < cutat + STOP) -> now++ }
	od
}

proctype Proxy()
{
	do
	:: d_step { !stopped -> must(M1_no_stale_commit, phase != ACTB) } /* it writes to A */
	:: d_step { phase != DRAIN && !stopped -> stopped = 1 }
	:: d_step { phase == DRAIN && stopped -> stopped = 0 }
	od
}

/* The start in the entry is believed by the machine that wrote it, if it is not
   before the Cutover took effect; whoever else asks counts from when it saw it. */
#ifdef M_PROOF_OF_OTHER_EPOCH /* the time when a cutover was first seen is kept for the next one */
#define FORWHICH 1
#else
#define FORWHICH epoch
#endif
#ifdef M_STAMPED_BEFORE   /* the start is read before the transition is sent, and believed when it has arrived late */
#define FROMENTRY (c == 0 && now >= since + WAIT)
#else
#ifdef M_OTHER_CLOCK      /* controller 1's clock is WAIT ahead of controller 0's, which wrote the start when it took effect */
#define FROMENTRY (now + c * WAIT >= cutat + WAIT)
#else
#define FROMENTRY (c == 0 && now >= cutat + WAIT)
#endif
#endif

proctype Controller(byte c)
{
	byte first, seen;      /* in memory: when this epoch was first seen in Cutover */
	byte proven;
	do
	/* enter cutover: sent, and taking effect at any later time, if the epoch is still the same */
	:: d_step { c == 0 && !sent && phase == DRAIN && epoch < 4 -> sent = 1; stamp = now; stampepoch = epoch }
	:: d_step { c == 0 && sent -> sent = 0;
		if :: phase == DRAIN && epoch == stampepoch -> phase = CUT; epoch++; cutat = now; since = stamp :: else fi;
		stamp = 0; stampepoch = 0 }
	:: d_step { phase == CUT && epoch < 4 -> phase = DRAIN; epoch++; since = 0; cutat = 0 } /* reopen */
	/* see it; a restart forgets */
	:: d_step { phase == CUT && seen != FORWHICH -> seen = FORWHICH; first = now }
	:: d_step { seen != 0 -> seen = 0; first = 0 }
	/* complete: proven for an epoch, then a compare-and-swap on that epoch */
	:: d_step { phase == CUT && (seen == FORWHICH && now >= first + WAIT || FROMENTRY) -> proven = epoch };
		d_step { if :: phase == CUT && epoch == proven -> phase = ACTB;
#ifdef REACH
			must(REACHED, epoch != 4);
#endif
			:: else fi; proven = 0 }
	od
}
init { atomic { run Clock(); run Proxy(); run Controller(0); run Controller(1) } }
