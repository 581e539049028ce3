/*
 * target.pml: who writes to B. Two attempts of a move, one of which may be
 * paused while the other has taken over; bulks that are delayed, or whose
 * outcome is unknown; a document that is deleted and created again, so that its
 * version starts over; clients' writes at B after the flip; an abort, and the
 * index that is removed by it.
 *
 * One document. A's history is a list of contents: number n is the n-th thing
 * that A held, with a version VER(n), and content 3 is "deleted" while 4 has
 * version 1 again. Nothing writes to A from the moment that an attempt looks for
 * the last time (barrier.pml), so the flip demands that B holds A's content.
 */
#ifndef HIST
#define HIST 4    /* contents of A: 1 and 2 are versions 1 and 2, 3 is deleted, 4 is version 1 again */
#endif
#ifndef ATTEMPTS
#define ATTEMPTS 2
#endif
#ifndef BULKS
#define BULKS 3    /* of each attempt */
#endif
#ifndef CLIENTS
#define CLIENTS 1 /* writes of clients at B after the flip */
#endif

#define M3_no_residue     1 /* after an abort nothing of the move is left, or lands later, at B */
#define M5_acked_readable 2 /* the flip is to what A holds, and no mover changes B after it */
#define REACHED           9 /* no property: shows that a run is not empty */
byte bad;
#ifndef ONLY
#define ONLY p
#endif
inline must(p, cond) { if :: (cond) || p != ONLY :: else -> bad = p; assert(bad != p) fi }

#define DELETED 3
#define VER(n) (n == 4 -> 1 : n)
#define CLIENT 9 /* a client's write at B after the flip, newer than all */

/* B: what it holds (0 nothing), and a number that every change moves (_seq_no) */
byte A = 1, b, bver, bseq;
bit bthere = 1;                     /* B's index exists */
byte alias;                         /* attempt that may write, 0: nobody */
byte owner = 1;                     /* attempt that the entry names */
byte state;                         /* 0 migrating, 1 flipped, 2 aborted */
byte written;                       /* clients' writes at B */
bit swept;
bit last;                           /* writes are held: the barrier has passed */

/* A bulk of each attempt on its way: 0 none, 1 index with A's version, 2 delete if _seq_no, 3 blind */
byte op[3], oc[3], oseq[3]; bit begun[3], unknown[3];

#ifdef M_AUTO_CREATE
#define M_NO_ALIAS
#endif
#ifdef M_NO_ALIAS         /* a mover writes to the index by its name */
#define MAY(a) 1
#else
#define MAY(a) (alias == a)
#endif
#ifdef M_NO_DRAIN         /* an alias is taken away, but what had begun is not waited for */
#define QUIET(x) 1
#else
#define QUIET(x) (!begun[1] && !begun[2])
#endif
#ifdef M_UNKNOWN_IGNORED  /* a mover does not drain its own bulk of unknown outcome */
#define SETTLED(a) 1
#else
#define SETTLED(a) (!unknown[a])
#endif
#ifdef M_NO_SEAL          /* complete does not take the alias away first */
#define SEALED (alias == a)
#else
#define SEALED (alias == 0)
#endif
#ifdef M_AUTO_CREATE      /* a write to an index that is gone creates it, since it goes by the index's name */
#define EXISTS 1
#else
#define EXISTS bthere
#endif

inline change(c) { b = c; bver = VER(c); bseq++ }
inline ended(a) { op[a] = 0; oc[a] = 0; oseq[a] = 0; begun[a] = 0 }
inline after_write() {
	must(M5_acked_readable, !(state == 1 && written && b != CLIENT));
	must(M5_acked_readable, !(state == 1 && !written && b != A));
	must(M3_no_residue, !(state == 2 && swept))
}

/* The target cluster. It resolves the name when it begins to execute a bulk. */
proctype Cluster()
{
	byte a;
	do
	:: d_step { op[1] && !begun[1] && MAY(1) && EXISTS -> begun[1] = 1 }
	:: d_step { op[2] && !begun[2] && MAY(2) && EXISTS -> begun[2] = 1 }
	:: d_step { op[1] && !begun[1] && !(MAY(1) && EXISTS) -> ended(1) } /* refused */
	:: d_step { op[2] && !begun[2] && !(MAY(2) && EXISTS) -> ended(2) }
	:: atomic { if :: begun[1] -> a = 1 :: begun[2] -> a = 2 fi;
		if
		:: (bthere || EXISTS) && op[a] == 1 && (b == 0 || b == DELETED || bver <= VER(oc[a])) && b != CLIENT -> d_step { change(oc[a]); after_write() }
		:: (bthere || EXISTS) && op[a] == 2 && bseq == oseq[a] -> d_step { b = 0; bver = 0; bseq++; after_write() }
		:: (bthere || EXISTS) && op[a] == 3 -> d_step { change(oc[a]); if :: oc[a] == DELETED -> b = 0; bver = 0 :: else fi; after_write() }
		:: else
		fi;
		ended(a); a = 0 }
	/* clients, after the flip; gc_deletes has been restored, and a client's version is newer than any of A's */
	:: d_step { state == 1 && written < CLIENTS -> written++; b = CLIENT; bseq++ }
	/* clients at A, before it */
	:: d_step { state == 0 && !last && A < HIST -> A++ }
	od
}

#define MINE (owner == a && state == 0)

/* A driver of attempt a. The lease is asked before each step that sends something,
   but a pause may follow the answer: hence sent steps do not look at owner again. */
proctype Driver(byte a)
{
	byte c, seq, sent; bit ok;
	/* take over: the entry first, which shuts the last driver out of it; then the alias; then what had begun */
	if
	:: a == 1
	:: a == 2 -> d_step { owner == 1 && state == 0 -> owner = 2; last = 0 }
	fi;
	alias = 0;
	d_step { QUIET(0) -> skip };
	d_step { MINE -> alias = a };
	do
	/* index with A's version, read by a realtime get */
	:: d_step { MINE && !op[a] && SETTLED(a) && A != DELETED && sent < BULKS -> c = A; sent++ };
		d_step { op[a] = 1; oc[a] = c; c = 0 };
		if
		:: d_step { !op[a] -> skip }
		:: d_step { op[a] -> unknown[a] = 1 } /* no answer */
		fi
	/* what A does not have, or what met a conflict: B first, then A again, then if_seq_no */
	:: d_step { MINE && !op[a] && SETTLED(a) && b != 0 && b != A && sent < BULKS -> seq = bseq; c = b; sent++ };
#ifdef M_BLIND_OVERWRITE
		d_step { c = A };
		d_step { op[a] = 3; oc[a] = c; c = 0; seq = 0 };
#else
		if
		:: d_step { (A == DELETED || VER(A) < VER(c)) -> op[a] = 2; oseq[a] = seq }
		:: d_step { !(A == DELETED || VER(A) < VER(c)) -> skip }
		fi;
		d_step { c = 0; seq = 0 };
#endif
		if
		:: d_step { !op[a] -> skip }
		:: d_step { op[a] -> unknown[a] = 1 }
		fi
	/* an unknown outcome is drained, through another alias */
	:: d_step { MINE && unknown[a] -> alias = 0 }; d_step { QUIET(0) && !(op[a] && MAY(a)) -> unknown[a] = 0; ended(a) }; d_step { MINE -> alias = a }
	/* the barrier has passed: the last round, the check, the seal, complete */
	:: d_step { MINE && !last -> last = 1 }
	:: d_step { MINE && last && SETTLED(a) && (b == A || A == DELETED && b == 0) && !(op[a] && !unknown[a]) -> ok = 1 };
#ifndef M_NO_SEAL
		d_step { alias == a -> alias = 0 };
#endif
		d_step { ok = 0; if :: MINE && SEALED -> state = 1; must(M5_acked_readable, b == A || A == DELETED && b == 0);
			if :: A == DELETED -> A = 0 :: else fi;
#ifdef REACH
			must(REACHED, !(a == 2 && A == 4));
#endif
			:: else fi }
	/* reopen */
	:: d_step { MINE && last -> last = 0; alias = a }
	/* abort: the entry, then the alias, then what had begun, then the index */
	:: d_step { MINE -> state = 2 };
		alias = 0;
		d_step { QUIET(0) -> bthere = 0; b = 0; bver = 0; swept = 1 }
	:: d_step { state != 0 || owner != a } -> break
	od
}

init {
	atomic { run Cluster(); run Driver(1);
#if ATTEMPTS > 1
		run Driver(2)
#endif
	}
}
