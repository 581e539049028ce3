/*
 * journal.pml: the journals, the copy, catching up, reconciling, the last round,
 * a second move of the same partition.
 *
 * One document. A write that takes effect at A gives it the next version. The
 * mover copies what a refresh has made visible, then re-reads what the journals
 * name. When the entry flips, B has to hold the version that A holds: an older
 * one means that a write was lost which was acknowledged, or which a reader at A
 * may have seen.
 *
 * What is abstracted. Admission, acknowledgement and the lapse of a session are
 * single steps here (barrier.pml takes them apart), so the barrier is a condition.
 * B has one writer at a time (target.pml). A process that is paused takes no step.
 * A driver that dies, or is superseded, begins again from what is persisted: the
 * stage of the move. A confirmation may arrive at any later time.
 */
#ifndef MAXE
#define MAXE 5
#endif
#ifndef W0
#define W0 2
#endif
#ifndef W1
#define W1 1
#endif
#ifndef LAPSES
#define LAPSES 1
#endif
#ifndef DEATHS
#define DEATHS 1 /* of the driver */
#endif
#ifndef MOVES
#define MOVES 2
#endif
#ifndef UNKNOWNS
#define UNKNOWNS 1
#endif
#ifndef UNLISTED
#define UNLISTED 0
#endif

#define M5_acked_readable 1 /* after the flip an acknowledged write is at B */
#define UNREAD_never      2 /* after the flip B has whatever A had: somebody may have read it there */
#define REACHED           9 /* no property: shows that a run is not empty */
byte bad;
inline must(p, cond) { if :: (cond) :: else -> bad = p; assert(bad != p) fi }

#define ACTA  0
#define DRAIN 1
#define CUT   2
#define ACTB  3

#define IDLE   0
#define SENT   1
#define LANDED 2
#define UNK    3 /* unresolved; net says whether it is still under way */
#define LATE   4 /* only in mutants: ended, and its id is not readable yet */

byte epoch, hist[MAXE + 2], mv[MAXE + 2];  /* phase and move by epoch */
byte av = 1, rv = 1, bv;                   /* versions: A, A as refreshed, B */
byte ackv = 1;

byte view[2], ts[2], tver[2], left[2];
bit told[2], tj[2], net[2], old[2];        /* old: admitted under a session that has lapsed */
byte sn[2] = 1; bit van[2], closed[2], gone[2]; /* session number; one has vanished and is not accounted for; closed; without a session */
byte jseq[2], jnew[2], jlost[2];           /* journal: head, newest entry not confirmed, newest loss not confirmed */
byte lapses, unknowns, unlisted;

byte stage;                                /* persisted: 0 preparing, 1 copying, 2 catching up */
byte cfi, cfs, cfm, cfu;                   /* a confirmation under way: instance+1, session, move, sequence */

#define PHASE hist[epoch]
#define MIGR(p) (p == DRAIN || p == CUT)
#define JOURNALS(i) MIGR(hist[view[i]])
#define OPEN(i) (ts[i] == SENT || ts[i] == LANDED)

inline journal(i)
{
	if :: JOURNALS(i) && tj[i] && !gone[i] ->
		jseq[i]++;
		if :: UNLISTED && unlisted < UNLISTED -> unlisted++; jlost[i] = jseq[i]
		   :: jnew[i] = jseq[i]
		fi
	   :: else fi
}
inline drop(i) { jseq[i] = 0; jnew[i] = 0; jlost[i] = 0 }
inline endticket(i) { ts[i] = IDLE; tver[i] = 0; told[i] = 0; tj[i] = 0; old[i] = 0 }

/* The rules. Each M_... drops one. */
#ifdef M_CONFIRM_ANY_MOVE   /* a confirmation names the session, but not the move */
#define SAMEMOVE 1
#else
#define SAMEMOVE (mv[view[i]] == cfm)
#endif
#ifdef M_UNRESOLVED_READABLE_EARLY /* the id of an unknown outcome is journaled at once */
#define EARLYID 1
#else
#define EARLYID 0
#endif
#ifdef M_CLOSE_UNCONFIRMED  /* a clean close does not wait for the journal's confirmation */
#define CONFIRMED(i) 1
#else
#define CONFIRMED(i) (jnew[i] == 0 && jlost[i] == 0)
#endif
#ifdef M_RECONCILE_EARLY    /* a vanished session is reconciled before its drain */
#define DRAINED(i) 1
#else
#define DRAINED(i) !((old[i] || gone[i]) && net[i])
#endif
#ifdef M_VANISH_IGNORED     /* nobody remembers that a session was there: no roster */
#define GONE(i) 0
#else
#define GONE(i) van[i]
#endif
#ifdef M_LOST_IGNORED       /* a journal that says it is incomplete is believed */
#define LOST(i) 0
#else
#define LOST(i) jlost[i]
#endif

proctype Inst(byte i; byte writes)
{
	do
	:: d_step { view[i] < epoch -> view[i]++;
		if :: OPEN(i) -> told[i] = 1 :: else fi;
		if :: !JOURNALS(i) || mv[view[i]] != mv[view[i] - 1] -> drop(i) :: else fi;
		if :: view[1 - i] >= view[i] -> hist[view[i] - 1] = 0; mv[view[i] - 1] = 0 :: else fi } /* nobody looks there any more */
	:: d_step { ts[i] == IDLE && left[i] < writes && !closed[i] && !gone[i] && (hist[view[i]] == ACTA || hist[view[i]] == DRAIN) && PHASE != ACTB ->
		left[i]++; ts[i] = SENT; net[i] = 1; tj[i] = (hist[view[i]] == DRAIN);
#ifdef M_JOURNAL_EARLY
		journal(i)
#endif
	   }
	:: d_step { net[i] -> net[i] = 0; av++; tver[i] = av;
		if :: ts[i] == SENT -> ts[i] = LANDED :: else fi }
	:: atomic { ts[i] == LANDED ->
		if :: !old[i] -> d_step { if :: tver[i] > ackv -> ackv = tver[i] :: else fi } :: else fi;
#ifdef M_COUNT_BEFORE_JOURNAL
		ts[i] = LATE }
	:: atomic { ts[i] == LATE -> journal(i); endticket(i) }
#else
#ifndef M_JOURNAL_EARLY
		journal(i);
#endif
		endticket(i) }
#endif
	/* an unknown outcome; its id becomes readable when its drain has passed */
	:: atomic { OPEN(i) && unknowns < UNKNOWNS -> unknowns++; ts[i] = UNK;
		if :: EARLYID -> journal(i) :: else fi }
	:: atomic { ts[i] == UNK && !net[i] -> if :: !EARLYID -> journal(i) :: else fi; endticket(i) }
	/* the session lapses: its journal is lost. If the process lives it comes back under another, with its ticket */
	:: d_step { i == 0 && lapses < LAPSES && !gone[i] -> lapses++; van[i] = 1; gone[i] = 1; drop(i);
		if :: ts[i] != IDLE -> old[i] = 1 :: else fi }
	:: d_step { gone[i] && view[i] == epoch -> gone[i] = 0; sn[i]++ }
	:: d_step { i == 1 && !closed[i] && ts[i] == IDLE && left[i] == writes && CONFIRMED(i) -> closed[i] = 1; drop(i) }
	/* a confirmation arrives */
	:: d_step { cfi == i + 1 ->
		if :: cfs == sn[i] && !gone[i] && SAMEMOVE ->
			if :: jnew[i] <= cfu -> jnew[i] = 0 :: else fi;
			if :: jlost[i] <= cfu -> jlost[i] = 0 :: else fi
		   :: else fi;
		cfi = 0; cfs = 0; cfm = 0; cfu = 0 }
	od
}

inline maxinto(v, x) { if :: x > v -> v = x :: else fi }
inline transit(p, m) { hist[epoch + 1] = p; mv[epoch + 1] = m; epoch++ }

/* Every instance has applied the entry, with nothing older open. */
#define APPLIED(i) (closed[i] || gone[i] || view[i] == epoch && !(OPEN(i) && told[i]) && ts[i] != UNK)
#define AFTER(i) (asn[i] == sn[i] -> after[i] : 0)
#ifdef M_PULL_ANY_SESSION /* a pull does not name the session: its place in one journal is used in the next */
#define UPTO(i) after[i]
#else
#define UPTO(i) AFTER(i)
#endif

proctype Driver()
{
	byte i, c, E, es, deaths, after[2], asn[2], head[2];
	bit got;
next:	do
	/* begin; a move always begins at an empty B */
	:: d_step { PHASE == ACTA && mv[epoch] < MOVES && epoch < MAXE -> transit(DRAIN, mv[epoch] + 1);
#ifdef M_ABORT_KEEPS_COPY
		if :: bv == 0 -> stage = 0 :: else stage = 2 fi;
#else
		bv = 0; stage = 0;
#endif
		after[0] = 0; after[1] = 0; asn[0] = 0; asn[1] = 0 }
	/* the barrier at begin, then the refresh, then the copy */
	:: PHASE == DRAIN && stage == 0 ->
#ifndef M_NO_BEGIN_BARRIER
		d_step { (APPLIED(0) && APPLIED(1) && (!van[0] || DRAINED(0)) && (!van[1] || DRAINED(1))) -> van[0] = 0; van[1] = 0 };
#endif
#ifndef M_NO_REFRESH
		rv = av;
#endif
		stage = 1
	:: d_step { stage == 1 -> c = rv }; d_step { maxinto(bv, c); c = 0; stage = 2 }
	/* a round at one instance: pull, re-read, write, and only then confirm */
	:: stage == 2 && PHASE == DRAIN ->
		if :: i = 0 :: i = 1 fi;
		if
		:: d_step { !closed[i] && !gone[i] && !cfi && (jnew[i] > UPTO(i)) -> E = jseq[i]; asn[i] = sn[i];
#ifdef M_CONFIRM_FIRST
			cfi = i + 1; cfs = asn[i]; cfm = mv[epoch]; cfu = E
#endif
		   };
			if
			:: c = av; d_step { maxinto(bv, c); c = 0; after[i] = E }
			:: deaths < DEATHS -> d_step { deaths++; after[0] = 0; after[1] = 0; asn[0] = 0; asn[1] = 0; E = 0; i = 0 }; goto next
			fi;
#ifndef M_CONFIRM_FIRST
			if
			:: d_step { !cfi && mv[epoch] > 0 && !LOST(i) -> cfi = i + 1; cfs = asn[i]; cfm = mv[epoch]; cfu = E }
			:: skip
			fi;
#endif
			E = 0; i = 0
		/* an incomplete journal of a living session: its head is read before the comparison begins */
		:: d_step { UNLISTED && !closed[i] && !gone[i] && !cfi && jlost[i] -> es = sn[i];
#ifndef M_HEAD_AFTER_RECONCILE
			E = jseq[i]
#endif
		   };
			d_step { rv = av; c = av };
			d_step { maxinto(bv, c); c = 0;
#ifdef M_HEAD_AFTER_RECONCILE
				E = jseq[i];
#endif
				if :: !cfi -> cfi = i + 1; cfs = es; cfm = mv[epoch]; cfu = E :: else fi;
				E = 0; es = 0; i = 0 }
		/* a session that has vanished, after its drain: compare, accounted for when the repair is done */
		:: d_step { van[i] && DRAINED(i) -> rv = av; c = av }; d_step { maxinto(bv, c); c = 0; van[i] = 0; i = 0 }
		:: i = 0
		fi
	/* cutover; beside its barrier a round that confirms nothing; the last round, the flip or not */
	:: d_step { stage == 2 && PHASE == DRAIN && epoch < MAXE -> transit(CUT, mv[epoch]) };
		do
		:: d_step { i < 2 && !closed[i] && !gone[i] && !LOST(i) && (jnew[i] > UPTO(i)) -> E = jseq[i]; asn[i] = sn[i] };
#ifdef M_EARLY_UNWRITTEN /* it is not waited for: what it has pulled counts as taken */
			d_step { after[i] = E; E = 0; i++ }
#else
			c = av; d_step { maxinto(bv, c); c = 0; after[i] = E; E = 0; i++ }
#endif
		:: d_step { i < 2 -> i++ }
		:: d_step { i == 2 -> i = 0 } -> break
		od;
		if
		:: d_step { (APPLIED(0) && APPLIED(1) && !GONE(0) && !GONE(1) && !LOST(0) && !LOST(1)) ->
			head[0] = (closed[0] -> 0 : jnew[0]); head[1] = (closed[1] -> 0 : jnew[1]) };
#ifndef M_NO_LAST_ROUND
			d_step { got = (head[0] > UPTO(0) || head[1] > UPTO(1)); head[0] = 0; head[1] = 0; if :: got -> c = av :: else fi };
			d_step { maxinto(bv, c); c = 0; got = 0 };
#endif
			if
			:: d_step { transit(ACTB, mv[epoch]);
				must(M5_acked_readable, bv >= ackv);
				must(UNREAD_never, bv >= av);
#ifdef REACH
				must(REACHED, !(mv[epoch] == 2 && ackv > 2));
#endif
				} -> break
			:: skip
			fi
		:: skip
		fi;
		d_step { head[0] = 0; head[1] = 0;
		if :: epoch < MAXE -> transit(DRAIN, mv[epoch]) :: else fi } /* reopen */
	/* abort, from Draining (a Cutover is left by reopen first, which is an abort's superset) */
	:: d_step { PHASE == DRAIN && epoch < MAXE -> transit(ACTA, mv[epoch]); stage = 0;
		after[0] = 0; after[1] = 0; asn[0] = 0; asn[1] = 0 }
	/* the driver dies and another goes on from what is persisted */
	:: d_step { PHASE == DRAIN && deaths < DEATHS -> deaths++; after[0] = 0; after[1] = 0; asn[0] = 0; asn[1] = 0 }
	od
}

init {
	atomic { sn[1] = 1; run Inst(0, W0); run Inst(1, W1); run Driver() }
}
