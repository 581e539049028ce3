/*
 * barrier.pml: placement, sessions, roster, tickets, acknowledgements, the
 * barrier, complete, reopen, abort, a second begin, clean close, reads.
 *
 * What is abstracted. The mover is perfect: its last round makes B equal to A in
 * one step (journal.pml and target.pml are about movers). A document is the set
 * of the writes that took effect on it, so "lost" and "un-read" are bits that
 * go missing. Time is order: a session's own deadline passes before the store
 * forgets the session, and a drain is over when nothing sent before is still
 * under way. A process that is paused is one that takes no step; one that died
 * takes none any more. A transition that was sent and takes effect later is one
 * whose step comes later, with the epoch that it expected.
 *
 * Sizes: MAXE epochs, S0 and S1 sessions and W0 and W1 writes of the two
 * instances, provers (controllers) C.
 */
#ifndef MAXE
#define MAXE 4
#endif
#ifndef W0
#define W0 1
#endif
#ifndef W1
#define W1 1
#endif
#ifndef S0
#define S0 2
#endif
#ifndef S1
#define S1 1
#endif
#ifndef C
#define C 1
#endif
#ifndef CLOSE
#define CLOSE 0
#endif
#ifndef GATHER
#define GATHER 0
#endif
#ifndef READERS
#define READERS 1
#endif

/* The properties; must(P, condition) reports the one that fails. */
#define M1_no_stale_commit      1 /* nothing takes effect on A after the flip */
#define M2_no_stale_send        2 /* after the flip no write is sent to A ... */
#define M2_no_stale_read        3 /* ... and no read that began after it goes there */
#define M4_one_placement        4 /* both halves of a read come from one place */
#define M5_acked_readable       5 /* an acknowledged write is where reads go */
#define UNREAD_never            6 /* what a read has seen, later reads see */
#define REACHED                 9 /* no property: shows that a run is not empty */
byte bad;
#ifdef ONLY_ACKED /* the weaker promise, where a process may pause between the check and the send */
#define STRICT(p, cond) skip
#else
#define STRICT(p, cond) must(p, cond)
#endif
inline must(p, cond) { if :: (cond) :: else -> bad = p; assert(bad != p) fi }

#define ACTA  0
#define DRAIN 1
#define CUT   2
#define ACTB  3

/* A ticket's life. */
#define IDLE   0
#define CHK    1 /* the session was taken, nothing is counted yet */
#define ADM    2 /* counted on the view te */
#define CLR    3 /* only in the mutant SEND_PAUSE: checked, not yet sent */
#define SENT   4
#define LANDED 5 /* the cluster's answer is here */
#define UNK    6 /* no answer: unresolved */

#define FORGOT 7 /* only in the mutant DRAIN_SHORT */

#define NS   4 /* session s belongs to instance s%2 */

byte epoch = 1, hist[MAXE + 2];
byte A, B, acked, seen;

bit alive[NS], valid[NS], acc[NS];
byte roster[NS];             /* 0 none, 1 listed, 2 marked as given up */
byte papp[NS]; bit ppend[NS], punres[NS];

byte view[2], cur[2], sst[2], opened[2]; /* sst: 1 on the roster, 2 open, 3 serving */
byte cst[2];                             /* 1 closing, 2 found nothing open, 3 closed */
byte ts[2], tsid[2], done[2]; bit told[2], tb[2], net[2]; /* told: admitted under a view that is closed */
bit gst[2]; byte gapp[2], gsid[2]; /* a report that is being gathered */

#define FLIPPED (hist[epoch] == ACTB)
#define BITOF(i) (1 << ((i) * 2 + done[i]))
#define PENDING(i) (ts[i] >= ADM && ts[i] <= LANDED && told[i])
#define UNRESOLVED(i) (ts[i] == UNK)
#define PLACE (FLIPPED * B + (1 - FLIPPED) * A)
#define HERE(x) ((PLACE & (x)) == (x))
#ifdef M_NO_ADOPT /* a new session reports only its own tickets */
#define MINE(i) (tsid[i] == cur[i])
#else
#define MINE(i) 1
#endif

/* The rules. Each M_... drops one; the checker has to find what goes wrong. */
#ifdef M_DRAIN_SHORT      /* an unknown outcome is forgotten while it may still take effect */
#define DRAINED(i) 1
#else
#define DRAINED(i) !net[i]
#endif
#ifdef M_NO_DRAIN_VANISHED /* the same, for what a vanished session had sent */
#define GONE_QUIET(s) 1
#else
#define GONE_QUIET(s) !(net[s % 2] && tsid[s % 2] == s)
#endif
#ifdef M_CLOSE_DIRTY      /* a clean close does not wait for what is open */
#define NOTHING_OPEN(i) 1
#else
#define NOTHING_OPEN(i) (ts[i] == IDLE || ts[i] == CHK)
#endif
#ifdef M_EARLY_EXPIRY     /* the store forgets a session that still believes in itself */
#define EXPIRED(s) 1
#else
#define EXPIRED(s) !valid[s]
#endif
#ifdef M_NOT_BOUND        /* a ticket's end asks for any valid session, not for its own */
#define NEVER_LAPSED(i) valid[cur[i]]
#else
#define NEVER_LAPSED(i) valid[tsid[i]]
#endif
#ifdef M_NO_EPOCH         /* complete asks for the phase, not for the epoch that was proven */
#define PROVEN (hist[epoch] == CUT)
#else
#define PROVEN (epoch == E)
#endif
#ifdef M_NO_READ_BARRIER
#define APPLIED(i) 1
#else
#define APPLIED(i) (view[i] >= need)
#endif

#ifdef M_ACK_UNDRAINED    /* acknowledged when applied, whatever is still open */
#define DRAINS 0
#else
#define DRAINS 1
#endif
#define NEWS(i) (sst[i] >= 2 && alive[cur[i]] && (papp[cur[i]] != view[i] || ppend[cur[i]] != (PENDING(i) && MINE(i) && DRAINS) || punres[cur[i]] != (UNRESOLVED(i) && MINE(i))))

inline endticket(i) { ts[i] = IDLE; told[i] = 0; tsid[i] = 0; tb[i] = 0; done[i]++ }

proctype Inst(byte i; byte sessions; byte writes)
{
	do
	/* the watch brings every change once, in order; it closes the older view */
	:: d_step { view[i] < epoch -> view[i]++;
		if :: ts[i] >= ADM -> told[i] = 1 :: else fi;
		if :: view[1 - i] >= view[i] -> hist[view[i] - 1] = 0 :: else fi } /* nobody looks there any more */

	/* the session: roster; session, and the roster read back; the table up to its head.
	   A process whose session has lapsed opens another, with whatever tickets it has. */
	:: d_step { cst[i] == 0 && opened[i] < sessions && (sst[i] == 0 || sst[i] >= 2 && !valid[cur[i]]) ->
		cur[i] = opened[i] * 2 + i; opened[i]++; sst[i] = 1;
#ifndef M_LIST_FIRST
		roster[cur[i]] = 1
#endif
	   }
#ifdef M_LIST_FIRST
	:: d_step { sst[i] == 1 && view[i] == epoch -> sst[i] = 2 }
	:: d_step { sst[i] == 2 && !valid[cur[i]] -> roster[cur[i]] = 1; alive[cur[i]] = 1; valid[cur[i]] = 1; sst[i] = 3 }
#else
	:: d_step { sst[i] == 1 ->
		if
#ifndef M_ACCOUNT_UNMARKED
		:: roster[cur[i]] == 2 -> sst[i] = 0 /* taken for vanished before it began */
#endif
		:: else -> alive[cur[i]] = 1; valid[cur[i]] = 1; sst[i] = 2
		fi }
	:: d_step { sst[i] == 2 && view[i] == epoch -> sst[i] = 3 }
#endif
	/* its own deadline passes */
	:: d_step { sst[i] >= 2 && valid[cur[i]] -> valid[cur[i]] = 0 }

	/* a write: take the session, then be counted on the view, unless that has been closed */
#if CLOSE
	:: d_step { ts[i] == IDLE && done[i] < writes && cst[i] == 0 && sst[i] == 3 && valid[cur[i]] -> ts[i] = CHK; tsid[i] = cur[i] }
	:: d_step { ts[i] == CHK && hist[view[i]] != CUT ->
		if
#ifndef M_CLOSE_RACE
		:: cst[i] != 0 -> endticket(i) /* closing is looked at again after the count went up */
#endif
		:: else -> ts[i] = ADM; tb[i] = (hist[view[i]] == ACTB)
		fi }
#else
#ifdef M_CHECK_THEN_COUNT
	:: d_step { ts[i] == IDLE && done[i] < writes && sst[i] == 3 && valid[cur[i]] && hist[view[i]] != CUT -> ts[i] = CHK; tsid[i] = cur[i]; tb[i] = (hist[view[i]] == ACTB) }
	:: d_step { ts[i] == CHK -> ts[i] = ADM }
#else
	:: d_step { ts[i] == IDLE && done[i] < writes && sst[i] == 3 && valid[cur[i]] && hist[view[i]] != CUT ->
		ts[i] = ADM; tsid[i] = cur[i]; tb[i] = (hist[view[i]] == ACTB) }
#endif
#endif
	:: d_step { ts[i] == ADM ->
		if
#ifndef M_NO_SEND_CHECK
		:: !valid[tsid[i]] -> endticket(i)
#endif
		:: else ->
#ifdef M_SEND_PAUSE
			ts[i] = CLR
#else
			ts[i] = SENT; net[i] = 1;
			STRICT(M2_no_stale_send, tb[i] || !FLIPPED)
#endif
		fi }
#ifdef M_SEND_PAUSE
	:: d_step { ts[i] == CLR -> ts[i] = SENT; net[i] = 1 }
#endif
	/* the network and the cluster: it takes effect at some time, which may be never */
	:: d_step { net[i] ->
		net[i] = 0;
		if
		:: tb[i] -> B = B | BITOF(i)
		:: else -> STRICT(M1_no_stale_commit, !FLIPPED); A = A | BITOF(i)
		fi;
		if :: ts[i] == SENT -> ts[i] = LANDED :: ts[i] == FORGOT -> endticket(i) :: else fi }
	:: d_step { ts[i] == SENT || ts[i] == LANDED -> ts[i] = UNK }
	/* its drain has passed: nothing is under way any more */
	:: d_step { ts[i] == UNK && DRAINED(i) -> if :: net[i] -> ts[i] = FORGOT :: else -> endticket(i) fi }
	/* the end: acknowledged only if its own session has never lapsed */
	:: d_step { ts[i] == LANDED ->
		if
		:: NEVER_LAPSED(i) -> acked = acked | BITOF(i);
			must(M5_acked_readable, HERE(acked))
		:: else
		fi;
		endticket(i) }

	/* the report: applied is read first, then what is open; one record, replaced as a whole */
#if GATHER
	:: d_step { gst[i] == 0 && sst[i] >= 2 && alive[cur[i]] -> gst[i] = 1; gsid[i] = cur[i];
#ifdef M_APPLIED_LAST
		gapp[i] = PENDING(i)
#else
		gapp[i] = view[i]
#ifdef M_SPLIT_PUBLICATION
		; papp[gsid[i]] = gapp[i]
#endif
#endif
	   }
	:: d_step { gst[i] == 1 ->
		if
		:: alive[gsid[i]] -> punres[gsid[i]] = UNRESOLVED(i);
#ifdef M_APPLIED_LAST
			ppend[gsid[i]] = gapp[i]; papp[gsid[i]] = view[i]
#else
			papp[gsid[i]] = gapp[i]; ppend[gsid[i]] = PENDING(i)
#endif
		:: else
		fi;
		gst[i] = 0; gapp[i] = 0; gsid[i] = 0 }
#else
	:: d_step { NEWS(i) -> papp[cur[i]] = view[i]; ppend[cur[i]] = PENDING(i) && MINE(i) && DRAINS; punres[cur[i]] = UNRESOLVED(i) && MINE(i) }
#endif

	/* a clean close: nothing more is admitted, nothing is open, then both records go */
#if CLOSE
	:: d_step { cst[i] == 0 && sst[i] == 3 && valid[cur[i]] -> cst[i] = 1 }
	:: d_step { cst[i] == 1 && NOTHING_OPEN(i) -> cst[i] = 2 }
	:: d_step { cst[i] == 2 ->
		cst[i] = 3; gst[i] = 0; gapp[i] = 0; gsid[i] = 0;
		if :: valid[cur[i]] && alive[cur[i]] -> roster[cur[i]] = 0 :: else fi;
		valid[cur[i]] = 0; alive[cur[i]] = 0; sst[i] = 0 }
#endif
	od
}

/* The store forgets a session, never before the session's own deadline. A session
   that was missing for a drain is marked, so that it cannot begin any more, and
   is accounted for if it is missing still: what it did is in A, and the comparison
   of A and B finds it. */
#define FORGETS(s) d_step { alive[s] && EXPIRED(s) -> alive[s] = 0; papp[s] = 0; ppend[s] = 0; punres[s] = 0 }
#ifdef M_ACCOUNT_UNMARKED
#define MARKS(s) d_step { false }
#define ACCOUNTS(s) d_step { roster[s] == 1 && !alive[s] && !acc[s] && GONE_QUIET(s) -> acc[s] = 1 }
#else
#define MARKS(s) d_step { roster[s] == 1 && !alive[s] -> roster[s] = 2 }
#define ACCOUNTS(s) d_step { roster[s] == 2 && !alive[s] && !acc[s] && GONE_QUIET(s) -> acc[s] = 1 }
#endif

/* Controllers' transitions other than complete depend on the entry alone: they
   are compare-and-swaps, so whoever sends them, and however late they arrive,
   they are steps of the entry. */
proctype Entry()
{
	do
	:: d_step { hist[epoch] == DRAIN && epoch < MAXE -> epoch++; hist[epoch] = CUT }
	:: d_step { hist[epoch] == CUT && epoch < MAXE -> epoch++; hist[epoch] = DRAIN }   /* reopen */
	:: d_step { (hist[epoch] == CUT || hist[epoch] == DRAIN) && epoch < MAXE -> epoch++; hist[epoch] = ACTA } /* abort */
	:: d_step { hist[epoch] == ACTA && epoch < MAXE -> epoch++; hist[epoch] = DRAIN }  /* a second move */
	:: FORGETS(0) :: FORGETS(1) :: FORGETS(2) :: FORGETS(3)
	:: MARKS(0) :: MARKS(1) :: MARKS(2) :: MARKS(3)
	:: ACCOUNTS(0) :: ACCOUNTS(1) :: ACCOUNTS(2) :: ACCOUNTS(3)
	od
}

#define CLEAR(s) (!alive[s] || (papp[s] >= E && NOPEND(s) && NOUNRES(s)))
#define NOPEND(s) !ppend[s]
#ifdef M_UNRESOLVED_IGNORED
#define NOUNRES(s) 1
#else
#define NOUNRES(s) !punres[s]
#endif
#ifdef M_NO_ROSTER
#define KNOWN(s) 1
#else
#define KNOWN(s) (!(R & (1 << (s))) || alive[s] || acc[s])
#endif

#ifdef M_NO_BARRIER
#define BARRIER(E, R) 1
#else
#define BARRIER(E, R) (CLEAR(0) && CLEAR(1) && CLEAR(2) && CLEAR(3) && KNOWN(0) && KNOWN(1) && KNOWN(2) && KNOWN(3))
#endif

/* A controller at its barrier. Its proof is of one epoch. */
proctype Prover()
{
	byte E, R, copy;
	do
	:: d_step { hist[epoch] == CUT -> E = epoch };
	   d_step { R = (roster[0] > 0) | (roster[1] > 0) << 1 | (roster[2] > 0) << 2 | (roster[3] > 0) << 3 };
	   if
	   :: d_step { BARRIER(E, R) -> R = 0 };
	      d_step { copy = A }; /* the last round */
	      if
	      :: d_step { PROVEN -> epoch++; hist[epoch] = ACTB; B = copy;
		must(M5_acked_readable, HERE(acked));
		STRICT(UNREAD_never, HERE(seen));
#ifdef REACH
		must(REACHED, !(acked && roster[0] == 2));
#endif
		E = 0; copy = 0 }
	      :: d_step { epoch != E -> E = 0; copy = 0 }
	      fi
	   :: d_step { epoch != E -> E = 0; R = 0 }
	   fi
	od
}

/* Reads in fresh mode, in two halves. */
proctype Reader()
{
	byte i, mustsee, need, res; bit place, after;
	do
	:: atomic {
		if :: i = 0 :: i = 1 fi;
		sst[i] == 3 && valid[cur[i]] -> mustsee = acked | seen; need = epoch; after = FLIPPED };
	   d_step { APPLIED(i) -> place = (hist[view[i]] == ACTB); must(M2_no_stale_read, place || !after); need = 0 };
	   d_step {
		if :: place -> res = B :: else -> res = A fi;
#ifdef M_RESOLVE_TWICE
		must(M4_one_placement, place == (hist[view[i]] == ACTB));
#endif
		must(M5_acked_readable, (res & mustsee & acked) == (mustsee & acked));
		STRICT(UNREAD_never, (res & mustsee) == mustsee);
		seen = seen | res;
		STRICT(UNREAD_never, HERE(seen));
		mustsee = 0; res = 0; place = 0; after = 0; i = 0 }
	od
}

init {
	byte i;
	atomic {
		hist[1] = DRAIN; cur[0] = 0; cur[1] = 1;
		for (i : 0 .. 1) {
			view[i] = 1; sst[i] = 3; opened[i] = 1;
			roster[i] = 1; alive[i] = 1; valid[i] = 1; papp[i] = 1
		}
		i = 0;
		run Inst(0, S0, W0); run Inst(1, S1, W1); run Entry();
		for (i : 1 .. C) { run Prover() }
#if READERS
		for (i : 1 .. READERS) { run Reader() }
#endif
	}
}
