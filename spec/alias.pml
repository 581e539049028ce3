/*
 * alias.pml: who may change B, by which of Sluice's aliases it has. Requests that
 * change the aliases, create or block the index were sent, got no answer, and take
 * effect at any later time, or never; bulks are delayed; two attempts, of which one
 * may be paused or dead while the other has taken over; the seal, opened again or
 * not; the flip; an abort.
 *
 * Of B only what may write there is modelled (target.pml has a document). The index
 * has a marker from its creation, and later a seal's alias in its place: these are
 * the guards. A change of the aliases is one step of the cluster, or none when one
 * that it removes is not there. Each turn of an attempt has two names: one to write
 * through, one to block and drain through. A turn's bulk is one that was sent
 * through its name.
 *
 * A request that is answered late is one whose step comes late: its sender waits, or
 * is paused. So only what its sender does not wait for is kept apart, in "late".
 */
#ifndef TURNS
#define TURNS 3 /* of each attempt, at most 3 */
#endif
#ifndef LATES
#define LATES 2 /* requests that take effect when nobody waits for them */
#endif
#ifndef SEALS
#define SEALS 2 /* of each attempt, at most 3 */
#endif
#ifndef BULKS
#define BULKS 1 /* of each attempt */
#endif

#define M3_no_residue  1 /* after an abort's cleaning B has no index of the move, and gets none */
#define M5_sole_writer 2 /* a take, and the flip, end what was sent through any earlier name */
#define LIVE_unblocked 3 /* from the flip on nothing of the move blocks B's writes */
#define LIVE_released  4 /* once the target was released it has no alias of the move, and gets none */
#define REACHED        9 /* no property: shows that a run is not empty */
byte bad;
inline must(p, cond) { if :: (cond) :: else -> bad = p; assert(bad != p) fi }

/* Names are bits: the write names of attempt 1, of attempt 2, then the drain names. */
#define WRITE(a, t) (1 << (((a) - 1) * 3 + (t) - 1))
#define DRAIN(a, t) (WRITE(a, t) << 6)
#define BY(a)       (455 << (((a) - 1) * 3)) /* 7 and 7 << 6 */
#define SEAL(a, t, n) ((a) << 4 | (t) << 2 | (n))

bit there, marker, blocked;
short names; byte seal; /* seal: which, 0 none */
byte owner = 1;         /* of the move's record: whose lease is valid */
byte entry;             /* attempt that the entry names, 0: not begun */
byte state;             /* 0 migrating or not begun, 1 flipped, 2 aborted */
bit released, cleaned;
byte lates, floor;      /* write names below floor are over */
byte op[3]; bit begun[3]; /* a bulk: the name that it was sent through */
bit creating;           /* a creation is under way that nobody waits for */
bit noted = 0;          /* in the record: an index may be created */

typedef Late {
	byte kind;          /* 0 nothing, 1 aliases, 2 block, 3 unblock */
	bit gm, am;         /* the marker must be there and is removed; is added */
	byte gs, as;        /* the same of a seal */
	short gn, rn, an;   /* of names: must be there and are removed; are removed if there; are added */
};
Late late[LATES];

/* What follows each change. */
inline seen()
{
	must(LIVE_unblocked, !(state == 1 && blocked));
	must(LIVE_released, !(state == 1 && released && (marker || seal || names)));
	must(M3_no_residue, !(cleaned && there))
}

#ifdef M_UNGUARDED         /* a change of the aliases does not ask for the guards that were read */
#define GUARD(m, s) 1
#else
#define GUARD(m, s) ((!(m) || marker) && ((s) == 0 || seal == (s)))
#endif
#ifdef M_DRAIN_ALIAS_OPTIONAL /* a rotation does not ask for its own drain alias at its end */
#define ALL(n) 1
#else
#define ALL(n) ((names & (n)) == (n))
#endif

#ifdef M_BLOCK_BY_NAME     /* the index is blocked by its name, which it keeps after the flip */
#define VIA(n) 1
#else
#define VIA(n) (names & (n))
#endif

/* One change of the aliases. ok: it was done. */
inline aliases(ok, gm_, gs_, gn_, rn_, am_, as_, an_)
{
	if
	:: there && GUARD(gm_, gs_) && ALL(gn_) ->
		ok = 1;
		marker = (marker && !(gm_)) || (am_);
		seal = ((as_) -> (as_) : ((gs_) == seal -> 0 : seal));
		names = (names & ~((gn_) | (rn_))) | (an_);
		seen()
	:: else -> ok = 0
	fi
}

/* The same, sent without waiting for it any more. */
inline leave(k, gm_, gs_, gn_, rn_, am_, as_, an_)
{
	late[lates].kind = k; late[lates].gm = gm_; late[lates].gs = gs_; late[lates].gn = gn_;
	late[lates].rn = rn_; late[lates].am = am_; late[lates].as = as_; late[lates].an = an_;
	lates++
}
inline forget(i)
{
	late[i].kind = 0; late[i].gm = 0; late[i].gs = 0; late[i].gn = 0;
	late[i].rn = 0; late[i].am = 0; late[i].as = 0; late[i].an = 0
}

inline lands(i)
{
	if
	:: late[i].kind == 1 -> aliases(ok, late[i].gm, late[i].gs, late[i].gn, late[i].rn, late[i].am, late[i].as, late[i].an)
	:: late[i].kind == 2 -> if :: there && VIA(late[i].gn) -> blocked = 1; seen() :: else fi
	:: late[i].kind == 3 -> if :: there && VIA(late[i].gn) -> blocked = 0 :: else fi
	fi;
	forget(i); ok = 0
}

/* The cluster: late requests, and bulks. It resolves a name when it begins to execute. */
proctype Cluster()
{
	bit ok;
	do
	:: d_step { late[0].kind -> lands(0) }
#if LATES > 1
	:: d_step { late[1].kind -> lands(1) }
#endif
	:: d_step { creating -> creating = 0; if :: !there -> there = 1; marker = 1; seen() :: else fi }
	:: d_step { op[1] && !begun[1] -> if :: there && !blocked && (names & op[1]) -> begun[1] = 1 :: else -> op[1] = 0 fi }
	:: d_step { op[2] && !begun[2] -> if :: there && !blocked && (names & op[2]) -> begun[2] = 1 :: else -> op[2] = 0 fi }
	:: d_step { begun[1] -> if :: there -> must(M5_sole_writer, state != 1 && op[1] >= floor) :: else fi; op[1] = 0; begun[1] = 0 }
	:: d_step { begun[2] -> if :: there -> must(M5_sole_writer, state != 1 && op[2] >= floor) :: else fi; op[2] = 0; begun[2] = 0 }
	od
}

#define LEASE  (owner == a)
#define QUIET  (!begun[1] && !begun[2])
#ifdef M_SEAL_NAME_AGAIN   /* all seals have one name */
#define SEALNO SEAL(3, 0, 1)
#else
#define SEALNO SEAL(a, used, seals)
#endif
#ifdef M_SEAL_BARE         /* a seal leaves no alias, and what has none is taken for one to open again */
#define MAYOPEN 1
#define SEALAS 0
#else
#define MAYOPEN (lm || ls)
#define SEALAS SEALNO
#endif
#ifdef M_CREATE_PAUSE      /* a pause between the look at the lease and the creation, for longer than takeover and abort take */
#define MAYCREATE 1
#else
#define MAYCREATE LEASE
#endif
/* A turn's names are used once, whatever has become of the requests that should have
   given them to the index. */
#ifdef M_TURN_AGAIN        /* the next turn is that after the highest which the index has a name of */
#define HAS(t) (ln & (DRAIN(a, t) | WRITE(a, t)))
#define NEXT(t) (HAS(3) -> 4 : (HAS(2) -> 3 : (HAS(1) -> 2 : (ls >> 4 == a -> (t) + 1 : 1))))
#else
#define NEXT(t) ((t) + 1)
#endif

proctype Driver(byte a)
{
	byte turn, used, seals, bulks; /* turn: whose name is written through, 0 none; used: the highest that was begun */
	bit lm; byte ls; short ln; /* as listed */
	bit drains, ok, knows;     /* knows: no creation of this move is under way */

	/* claim the record; then believe the entry */
	if
	:: a == 1
	:: a == 2 -> d_step { owner == 1 -> owner = 2 }
	fi;
	if
	:: d_step { state == 1 -> skip } -> goto flipped
	:: d_step { state == 2 -> skip } -> goto discard
	:: d_step { state == 0 && entry -> entry = a } /* takes over: from here on the last one's complete is refused */
	:: d_step { state == 0 && !entry && LEASE -> knows = !noted; noted = 1 };
		if
		:: d_step { there -> skip }
		:: d_step { !there && MAYCREATE -> there = 1; marker = 1; seen() }
		:: d_step { !there && MAYCREATE && lates < LATES -> lates++; creating = 1; knows = 0 } -> goto abort
		:: d_step { !MAYCREATE -> skip } -> goto done
		fi;
		d_step { if :: knows && LEASE -> noted = 0 :: else fi }
	fi;
	drains = (a > 1);

take:	skip; /* list; then the lease */
#ifdef M_LEASE_BEFORE_LISTING /* what was listed before another took over, sealed and flipped is believed */
	if :: d_step { LEASE -> skip } :: !LEASE -> goto done fi;
#endif
	d_step { turn = 0; lm = marker; ls = seal; ln = names };
#ifndef M_LEASE_BEFORE_LISTING
	if :: d_step { LEASE -> skip } :: !LEASE -> goto done fi;
#endif
	if
	:: d_step { MAYOPEN && (a == 2 || !(ln & BY(2))) && used < TURNS -> used = NEXT(used); if :: ln -> drains = 1 :: else fi }
	:: else -> goto done
	fi;
	if :: used > TURNS -> goto done :: else fi;
	if
	:: !drains
	:: drains ->
		/* the drain alias in, the write aliases out */
		if
		:: d_step { aliases(ok, lm, ls, 0, ln, lm, ls, DRAIN(a, used)) }
		:: d_step { lates < LATES -> leave(1, lm, ls, 0, ln, lm, ls, DRAIN(a, used)) } -> goto again
		fi;
		if :: !ok -> goto done :: else -> ok = 0 fi;
#ifndef M_BLOCK_UNLEASED   /* the lease is not looked at between the drain alias and the block */
		if :: d_step { LEASE -> skip } :: !LEASE -> goto done fi;
#endif
		if
		:: d_step { there && VIA(DRAIN(a, used)) -> blocked = 1; seen() }
		:: d_step { !(there && VIA(DRAIN(a, used))) -> skip } -> goto done
		:: d_step { lates < LATES -> leave(2, 0, 0, DRAIN(a, used), 0, 0, 0, 0) } -> goto again
		fi;
		d_step { QUIET -> skip };
		if
		:: d_step { there && VIA(DRAIN(a, used)) -> blocked = 0 }
		:: d_step { !(there && VIA(DRAIN(a, used))) -> skip } -> goto done
		:: d_step { lates < LATES -> leave(3, 0, 0, DRAIN(a, used), 0, 0, 0, 0) } -> goto again
		fi
	fi;
	if :: d_step { LEASE -> skip } :: !LEASE -> goto done fi;
	/* the drain alias and the guards out, the write alias and the marker in */
	if
	:: d_step { aliases(ok, lm, ls, drains * DRAIN(a, used), 0, 1, 0, WRITE(a, used));
		if :: ok && floor < WRITE(a, used) -> floor = WRITE(a, used) :: else fi }
	:: d_step { lates < LATES -> leave(1, lm, ls, drains * DRAIN(a, used), 0, 1, 0, WRITE(a, used)) } -> goto again
	fi;
	if :: !ok -> goto done :: else fi;
	d_step { ok = 0; turn = used; drains = 0; lm = 0; ls = 0; ln = 0;
		if :: !entry && state == 0 -> entry = a :: else fi }; /* begin */
	goto work;

again:	skip; /* an unknown outcome: tried again while the lease lasts, or the attempt is over */
	d_step { ok = 0; drains = 1; lm = 0; ls = 0; ln = 0 };
	if
	:: goto take
	:: goto done
	fi;

work:	do
	/* a bulk: the lease, then it is sent; an unknown outcome is drained before anything else is done */
	:: d_step { LEASE && bulks < BULKS && !op[a] -> bulks++ };
		d_step { op[a] = WRITE(a, turn) };
		if
		:: d_step { !op[a] -> skip }
		:: d_step { op[a] -> drains = 1 } -> goto take
		fi
	/* seal: list, the lease, everything listed out, the seal's own alias in */
	:: d_step { entry == a && state == 0 && seals < SEALS -> lm = marker; ls = seal; ln = names };
		if :: d_step { LEASE -> skip } :: !LEASE -> goto done fi;
		d_step { turn = 0; seals++ };
		if
		:: d_step { aliases(ok, lm, ls, ln, 0, 0, SEALAS, 0) }
		:: d_step { lates < LATES -> leave(1, lm, ls, ln, 0, 0, SEALAS, 0) }
		fi;
		d_step { lm = 0; ls = 0; ln = 0 };
		if
		/* complete: a compare-and-swap on the entry */
		:: d_step { ok && entry == a && state == 0 -> ok = 0; state = 1; seen();
#ifdef REACH
			must(REACHED, !(a == 2 && used == 2 && names));
#endif
			} -> goto flipped
		/* reopen, whatever the seal's outcome, and take again */
		:: d_step { entry == a && state == 0 -> ok = 0 } -> goto take
		:: d_step { entry != a || state != 0 -> ok = 0 } -> goto done
		fi
	/* abort */
	:: goto abort
	:: goto done
	od;

abort:	skip; d_step { lm = 0; ls = 0; ln = 0; drains = 0; turn = 0; if :: LEASE && state == 0 -> state = 2 :: else fi };
	if :: state == 2 && LEASE -> goto discard :: else -> goto done fi;

discard:	skip; /* whatever may still be created is waited out; nothing can be written there; then the index goes */
#ifndef M_CREATE_FORGOTTEN
	if
	:: d_step { noted && !knows -> skip }; d_step { !creating -> skip }
	:: d_step { !noted || knows -> skip }
	fi;
#endif
	d_step { ln = names };
	if :: d_step { LEASE -> skip } :: !LEASE -> goto done fi;
	d_step { names = names & ~ln; ln = 0 };
	d_step { if :: there -> blocked = 1 :: else fi };
	d_step { QUIET -> skip };
	d_step { there = 0; marker = 0; seal = 0; names = 0; blocked = 0; cleaned = 1; floor = 255 };
	goto done;

flipped:	skip; /* release, which may be repeated */
	d_step { ls = seal; ln = names };
#ifdef M_RELEASE_ONE       /* only the seal's alias is removed, not what may have come between the listing and the seal */
#define STRAYS 0
#else
#define STRAYS ln
#endif
	if
	:: d_step { if :: ls != seal -> ls = 0 :: else fi; aliases(ok, 0, ls, 0, STRAYS, 0, 0, 0); ok = 0; ls = 0; ln = 0; released = 1; seen() }
	:: d_step { lates < LATES -> leave(1, 0, ls, 0, STRAYS, 0, 0, 0); ls = 0; ln = 0 } -> goto flipped
	fi;
done:	skip; d_step { turn = 0; used = 0; seals = 0; bulks = 0; lm = 0; ls = 0; ln = 0; drains = 0; ok = 0; knows = 0 }
}

init { atomic { run Cluster(); run Driver(1); run Driver(2) } }
