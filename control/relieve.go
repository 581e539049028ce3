package control

import (
	"context"
	"errors"
	"time"

	"github.com/sluiceproxy/sluice/placement"
)

// A driver that dies in a Cutover leaves writes held that nobody may complete before its
// lease has run out, which takes longer than proxies hold them. So whoever sees a
// Cutover outlast its deadline reopens it, without being the move's driver: the
// writes go on at the source, and the move goes on when it has a driver again.
//
// Why that is safe although the driver may be slow and not dead.
//
//   - A reopen is a compare-and-swap on the epoch of the Cutover that was seen. What
//     the driver has proven, it has proven for that epoch, and its completion is a
//     compare-and-swap on it, too. One of the two comes first, and the other is
//     refused. So either the move has flipped, and the reopen changes nothing; or the
//     entry is in Draining, and nothing that the driver was still to do at the source
//     (the fence) or for the receipt is done, because it follows a completion.
//   - It is still the driver: the record, the attempt and with it the write alias are
//     not touched. What it sends to the target is what any round sends, and nobody
//     else writes there. It confirms nothing of its last round, so every id of it, and
//     of each write that is admitted from now on, is in a journal that the next attempt
//     reads from where the last confirmation was.
//   - It may seal the target after the reopen. So may a driver that is replaced; nothing
//     leads to the target, and every attempt begins with a takeover of it.
//   - Its own reopen is refused, as its completion is. Either ends its attempt, and the
//     next one reads the entry, at a higher number, as after a crash.
//
// In the models a reopen is a step of the entry that depends on nothing else
// (barrier.pml, timed.pml), and live.pml has this one.
//
// What it costs when the driver was only slow is another attempt. It happens a moment
// after the driver itself should have reopened, so it is rare; and a Cutover that would
// have flipped so late has held its writes for longer than it was allowed to.

// relieveGrace is how much longer than its deadline a Cutover may last before others
// than its driver end it.
const relieveGrace = 500 * time.Millisecond

// relieveEvery is how often the Cutovers of others are looked at, while there are any.
const relieveEvery = 250 * time.Millisecond

// relieve ends the Cutovers that outlast their deadline, until the tenure ends.
func (t *tenancy) relieve(ctx context.Context) {
	tick := time.NewTicker(min(relieveEvery, t.c.opt.Scan))
	defer tick.Stop()
	seen := map[string]sighting{} // by move
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		held := map[string]sighting{}
		for _, m := range t.inCutover() {
			if s, ok := t.relieveOne(ctx, m, seen[m.ID]); ok {
				held[m.ID] = s
			}
		}
		seen = held
	}
}

// inCutover are the moves that hold writes, or are about to, by the hand of others.
// Each driver enters that stage in the record before it enters the Cutover.
func (t *tenancy) inCutover() []Move {
	all, ok := t.known.open()
	if !ok {
		all = t.c.known()
	}
	t.c.mu.Lock()
	defer t.c.mu.Unlock()
	var out []Move
	for _, r := range all {
		if r.Value.Stage == StageCutover && t.c.running[r.Value.ID] == nil {
			out = append(out, r.Value)
		}
	}
	return out
}

// relieveOne looks at one move, and reopens its Cutover if it has lasted for too long.
// It returns since when this process has seen it; false: there is none any more.
func (t *tenancy) relieveOne(ctx context.Context, m Move, s sighting) (sighting, bool) {
	e, err := t.c.s.State(ctx, m.Partition)
	if err != nil {
		return s, s.epoch != 0 // the next look tells
	}
	if e.State.Phase != placement.Cutover || e.Attempt.Move != m.ID {
		return s, false
	}
	now := t.c.opt.Now()
	if s.epoch != e.Epoch {
		s = sighting{e.Epoch, now}
		// One that was restarted on the same boot counts on. Were that wrong, it would be
		// early, which costs an attempt.
		if b := t.c.boot; b != "" && b == e.CutoverAt.Boot && e.CutoverAt.Since < now {
			s.at = e.CutoverAt.Since
		}
	}
	if now-s.at < m.Options.CutoverDeadline+relieveGrace {
		return s, true
	}
	_, err = t.c.s.ApplyTo(ctx, e, placement.Command{Op: placement.OpReopen, Expect: e.Epoch, Attempt: e.Attempt})
	var refusal *placement.Refusal
	switch {
	case err == nil:
		t.c.log.Warn("a cutover had outlasted its deadline and its driver did not end it: writes go on at the source, and the move when it has a driver again",
			"move", m.ID, "held", now-s.at)
		return s, false
	case errors.As(err, &refusal): // the driver was faster, or another controller
		return s, false
	}
	return s, true
}
