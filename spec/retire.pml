/*
 * retire.pml: leased reads, and the end of the old copy. The entry has a place
 * (0 is A's first copy) and, while a way back is open, a previous one. A move back
 * (rollback) goes to the previous copy. Readers in leased mode go by their replica
 * for as long as they have a lease on it, and keep reading for as long as they like.
 *
 * Two instances; copies 0 and 1. A read of a copy that was deleted has failed.
 */
#define M2_no_deleted_place 1 /* no entry leads to a copy that was deleted */
#define M4_read_of_deleted  2 /* no read that was admitted meets a copy that retire has deleted */
#define LEASED_bounded      3 /* no read begins on a replica older than the lease allows */
#define REACHED             9 /* no property: shows that a run is not empty */
byte bad;
inline must(p, cond) { if :: (cond) :: else -> bad = p; assert(bad != p) fi }

byte epoch = 2, place[5], prev = 0; /* copy of each epoch; prev: 0 and 1 a copy, 2 none */
bit deleted[2];
byte view[2] = 1;                   /* epoch applied */
bit lease[2] = 1, aliv[2] = 1; /* lease: on the replica; aliv: session in the store */
bit rd[2]; byte rep[2];             /* a read is open, resolved at this epoch */
byte proof[2] = 2;                  /* leased mode: head that was read, and is to be applied */
byte missed[2];                     /* lease periods since the replica was current */

#ifdef M_LEASE_FROM_RENEWAL /* the lease goes on as long as the session does, whatever the watch does */
#define PROGRESS(i) 1
#else
#define PROGRESS(i) (view[i] >= proof[i])
#endif
#ifdef M_RETIRE_UNAPPLIED   /* retire does not wait until every session has applied the flip */
#define KNOWS(i, e) 1
#else
#define KNOWS(i, e) (view[i] >= e || !aliv[i])
#endif
#ifdef M_RETIRE_OPEN_READS
#define NOREADS(i, e) 1
#else
#define NOREADS(i, e) (!aliv[i] || !(rd[i] && rep[i] < e))
#endif

proctype Inst(byte i)
{
	do
	:: d_step { view[i] < epoch -> view[i]++ }
	/* a lease period ends: it goes on only from a head that was read at its beginning and is applied */
	:: d_step { lease[i] && aliv[i] ->
		if :: PROGRESS(i) -> proof[i] = epoch; if :: view[i] < epoch && missed[i] < 2 -> missed[i]++ :: view[i] == epoch -> missed[i] = 0 :: else fi
		   :: else -> lease[i] = 0; missed[i] = 0
		fi }
	:: d_step { lease[i] -> lease[i] = 0; missed[i] = 0 }
	/* the store forgets a session whose own deadline has passed; its reads have ended or are failed by itself */
	:: d_step { !lease[i] && aliv[i] && !rd[i] -> aliv[i] = 0 }
	:: d_step { lease[i] && !rd[i] -> rd[i] = 1; rep[i] = view[i]; must(LEASED_bounded, missed[i] < 2) }
	:: d_step { rd[i] -> must(M4_read_of_deleted, !deleted[place[rep[i]]]); rd[i] = 0; rep[i] = 0 }
	od
}

#ifdef M_RETIRE_WITHOUT_CAS /* the copy is deleted without the entry having forgotten it */
#define FORGET skip
#define FORGOTTEN 1
#else
#define FORGET prev = 2; place[epoch + 1] = place[epoch]; epoch++
#define FORGOTTEN (prev == 2)
#endif

proctype Retire()
{
	byte e = 2;
	d_step { KNOWS(0, e) && KNOWS(1, e) && NOREADS(0, e) && NOREADS(1, e) && epoch == e -> FORGET };
	d_step { FORGOTTEN -> deleted[0] = 1; must(M2_no_deleted_place, place[epoch] != 0);
#ifdef REACH
		must(REACHED, 0)
#endif
	}
}

/* A way back, to the copy that the entry still knows. */
proctype Rollback()
{
	byte to;
	if
	:: d_step { prev != 2 && epoch == 2 -> to = prev; place[epoch + 1] = to; prev = 2; epoch++; must(M2_no_deleted_place, !deleted[to]) }
	:: skip
	fi
}

init { atomic { place[1] = 0; place[2] = 1; run Inst(0); run Inst(1); run Retire(); run Rollback() } }
