package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/load"
	"github.com/sluiceproxy/sluice/placement"
)

// underLoad fills the index, lets the clients loose, and moves the tenant while they work.
func (s *story) underLoad(ctx context.Context) error {
	if err := s.seed(ctx); err != nil {
		return err
	}
	s.say("%d clients write and read through both proxies from now on: %.0f operations/s", s.o.Workers, s.o.Rate)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.load.Run(ctx, stop) }()
	err := s.moves(ctx)
	if err != nil {
		cancel() // requests that hang must not keep the end waiting
	}
	close(stop)
	if e := <-ended; err == nil {
		err = e
	}
	s.res.Counts, s.res.Trouble = s.load.Counts(), s.load.Trouble()
	if err != nil {
		return errors.Join(err, s.troubleError())
	}
	s.say("the clients have stopped; reading every id and every document once more")
	s.res.Final, err = s.check(ctx)
	return err
}

// check reads back everything in all of the tenant's indices.
func (s *story) check(ctx context.Context) (load.CheckReport, error) {
	r, err := s.load.Check(ctx)
	if err != nil || s.side == nil {
		return r, err
	}
	o, err := s.side.Check(ctx)
	r.IDs, r.Existing, r.Took = r.IDs+o.IDs, r.Existing+o.Existing, r.Took+o.Took
	r.Lost, r.Resurrected, r.WrongVersion, r.Extra = r.Lost+o.Lost, r.Resurrected+o.Resurrected, r.WrongVersion+o.WrongVersion, r.Extra+o.Extra
	r.Findings = append(r.Findings, o.Findings...)
	return r, err
}

// troubleError shows what the clients met, when a run ends before its receipt.
func (s *story) troubleError() error {
	if len(s.res.Trouble) == 0 {
		return nil
	}
	return fmt.Errorf("the clients noted: %s", strings.Join(s.res.Trouble[:min(5, len(s.res.Trouble))], "; "))
}

// seed reads the corpus and writes it through the proxies.
func (s *story) seed(ctx context.Context) error {
	// One document in fifty is kept back for the clients to create.
	docs, err := load.Corpus(ctx, s.o.Docs+s.o.Docs/50)
	if err != nil {
		return err
	}
	seed := s.o.Docs
	if spare := seed / 50; len(docs) < seed+spare {
		seed = len(docs) - len(docs)/50
		s.say("the Go standard library has %d documents to give, fewer than --docs %d: using those", seed, s.o.Docs)
	}
	options := &load.Options{Workers: s.o.Workers, Rate: s.o.Rate}
	if s.o.LogFile {
		f, err := os.Create(filepath.Join(s.dir, "acknowledged.ndjson"))
		if err != nil {
			return err
		}
		s.log, options.Log = f, f
	}
	s.load, err = load.New(load.Target{URLs: s.fleet.URLs(), Header: TenantHeader, Tenant: tenant, Index: logical}, docs, seed, options)
	if err != nil {
		return err
	}
	s.say("writing %d declarations of the Go standard library through the proxies", seed)
	start, shown := time.Now(), time.Now()
	err = s.load.Seed(ctx, func(done int) {
		if time.Since(shown) > 2*time.Second {
			shown = time.Now()
			s.say("  %d of %d", done, seed)
		}
	})
	if err != nil {
		return err
	}
	if s.o.Placement == placement.DedicatedCluster {
		few := max(50, seed/10)
		s.side, err = load.New(load.Target{URLs: s.fleet.URLs(), Header: TenantHeader, Tenant: tenant, Index: other}, docs[:few], few, &load.Options{Workers: 1})
		if err != nil {
			return err
		}
		if err := s.side.Seed(ctx, nil); err != nil {
			return err
		}
	}
	s.res.Documents = seed
	s.say("written in %.1fs, %.0f documents/s", time.Since(start).Seconds(), float64(seed)/time.Since(start).Seconds())
	return nil
}

// moves moves the tenant there and back, as often as asked.
func (s *story) moves(ctx context.Context) error {
	for i := range s.o.Moves {
		if err := sleep(ctx, s.o.Settle); err != nil {
			return err
		}
		// To an older version there is no way but to the copy that is there still.
		upgrade := s.o.OpenSearch[0] != s.o.OpenSearch[1]
		back := upgrade && i%2 == 1
		leg, err := s.move(ctx, names[i%2], names[(i+1)%2], back)
		if err == nil && (!upgrade || back || i+1 == s.o.Moves) {
			s.say("$ sluice moves retire %s", leg.ID)
			err = s.fleet.Retire(ctx, leg.ID, s.out)
		}
		s.res.Legs = append(s.res.Legs, leg)
		if err != nil {
			return err
		}
	}
	return sleep(ctx, s.o.Settle)
}

// move is one move, or one rollback of the last, with everything around it.
func (s *story) move(ctx context.Context, from, to string, back bool) (Leg, error) {
	leg := Leg{From: from, To: to, Rollback: back}
	cursors, err := s.load.OpenCursors(ctx)
	if err != nil {
		return leg, err
	}
	s.say("opened a scroll and a point in time over %d documents; they stay open through the move", cursors.PIT.Expected)
	command := []string{"move", tenant, "--to", to, "--wait"}
	if s.o.Throttle == "off" {
		command = append(command, "--copy-throttle", "off")
	}
	if back {
		command = []string{"moves", "rollback", tenant, "--wait"}
	}
	s.say("$ sluice %s", strings.Join(command, " "))
	start := time.Now()
	moving, arrived := context.WithCancel(ctx)
	widened := make(chan []string, 1)
	go func() { widened <- s.widen(moving, patience) }()
	m, err := s.fleet.moved(ctx, s.out, command...)
	arrived()
	leg.ID, leg.Took, leg.Widened = m.ID, time.Since(start), <-widened
	if err != nil {
		return leg, err
	}
	leg.ClientWrite = s.load.Writes(start, time.Now())
	if leg.Holds, err = s.fleet.holds(ctx, m); err != nil {
		return leg, err
	}
	s.say("%s lives on cluster %s after %.1fs; %d writes were held, the longest for %.0f ms; of %d writes during the move the slowest took %.0f ms",
		tenant, to, leg.Took.Seconds(), leg.Holds.Held, ms(leg.Holds.Longest), leg.ClientWrite.N, ms(leg.ClientWrite.Max))
	err = cursors.Finish(ctx)
	leg.Scroll, leg.PIT = cursors.Scroll, cursors.PIT
	if err != nil {
		return leg, err
	}
	s.say("the scroll has returned %d of %d documents, the point in time %d of %d", leg.Scroll.Read, leg.Scroll.Expected, leg.PIT.Read, leg.PIT.Expected)
	if leg.Check, err = s.check(ctx); err != nil {
		return leg, err
	}
	s.say("checked %d ids and %d documents in %.1fs: lost %d, resurrected %d, wrong version %d", leg.Check.IDs, leg.Check.Existing,
		leg.Check.Took.Seconds(), leg.Check.Lost, leg.Check.Resurrected, leg.Check.WrongVersion)
	return leg, nil
}

// patience is how long a move may wait for a calm moment before the demo widens its pause budget, and again before the last step.
const patience = 45 * time.Second

// budgets are what it is widened to, as flags of `sluice moves set`. The last is what held writes can bear.
var budgets = [][]string{{"--pause-budget", "1s"}, {"--pause-budget", "3s", "--cutover-deadline", "4s"}}

// widen does what an operator may do whose clusters stay too busy for a pause as short as a move waits for by itself, and
// returns the flags that it came to; none where the machine is calm enough. It ends with the context.
func (s *story) widen(ctx context.Context, patience time.Duration) (flags []string) {
	since := time.Now()
	for _, wider := range budgets {
		for time.Since(since) < patience {
			if sleep(ctx, patience/9) != nil {
				return flags
			}
			if waits, err := s.fleet.overBudget(ctx); err != nil || !waits {
				since = time.Now()
			}
		}
		s.say("this machine is too busy for so short a pause: the move has waited for %v", patience)
		if err := s.command(ctx, append([]string{"moves", "set", tenant}, wider...)...); err != nil {
			return flags // it has just flipped, or is about to say what is wrong
		}
		flags, since = wider, time.Now()
	}
	return flags
}

// judge decides whether anything is off.
func (s *story) judge() error {
	problems := s.res.problems()
	s.res.OK = len(problems) == 0
	if s.res.OK {
		return nil
	}
	details := append(s.res.Final.Findings, s.res.Trouble...)
	for _, l := range s.res.Legs {
		details = append(details, l.Check.Findings...)
	}
	for _, d := range details[:min(20, len(details))] {
		s.say("! %s", d)
	}
	return fmt.Errorf("%w: %s", ErrOff, strings.Join(problems, ", "))
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}
