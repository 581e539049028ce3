package gate

import (
	"context"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Run makes the instance part of the fleet and keeps it so until ctx ends. Then
// it admits nothing more, waits for what is in flight and for the mover to
// confirm the journals, up to CloseDeadline, and closes the session: cleanly if
// nothing was left, and otherwise as one that vanished, which makes the moves
// that it took part in reconcile. Keep FleetHandler reachable until Run returns.
func (g *Gate) Run(ctx context.Context) error {
	life, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	g.mu.Lock()
	g.life = life
	g.mu.Unlock()

	var wg sync.WaitGroup
	warn := func(what string, err error) { g.opt.Logger.Warn(what, "error", err) }
	wg.Go(func() { g.rep.run(life, g.store, warn) })
	wg.Go(func() { g.keepSession(life) })
	wg.Go(func() { g.publish(life) })
	if g.opt.Mode == Leased {
		wg.Go(func() { g.proveProgress(life) })
	}
	<-ctx.Done()
	g.closing.Store(true)
	g.wake()
	clean := g.drain()
	sess := g.sess.Load()
	g.setSession(nil)
	leave()
	wg.Wait()
	if sess == nil {
		return nil
	}
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return sess.Close(bound, clean)
}

// drain waits until nothing that this instance did is unaccounted for, and
// reports whether that came about in time.
func (g *Gate) drain() bool {
	deadline := time.Now().Add(g.opt.CloseDeadline)
	for {
		if g.flight.open() == 0 && len(g.flight.unresolvedPartitions()) == 0 && g.journals.size() == 0 {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// keepSession holds a session at all times. It opens one before the table is
// (again) read up to its head, and only then lets requests be admitted: so a
// session that a controller does not see at an epoch has read the table after it.
func (g *Gate) keepSession(ctx context.Context) {
	pause := newBackoff()
	for ctx.Err() == nil {
		sess, err := g.join(ctx)
		if err != nil {
			if ctx.Err() == nil {
				g.opt.Logger.Warn("joining the fleet failed, trying again", "error", err)
			}
			pause.sleep(ctx)
			continue
		}
		pause.reset()
		g.setSession(sess)
		g.wake()
		err = sess.Run(ctx)
		if ctx.Err() != nil {
			return // Run closes it
		}
		g.setSession(nil)
		g.opt.Logger.Warn("session lost, opening another", "error", err)
		bound, cancel := context.WithTimeout(ctx, time.Second)
		_ = sess.Close(bound, false) // it ends by itself; sooner is better
		cancel()
	}
}

func (g *Gate) join(ctx context.Context) (*store.Session, error) {
	// Everything that was journaled under the last session is lost to the mover;
	// tickets still open are reported by the new session's first report on, since
	// their counts are on the views, and are journaled under it when they end.
	g.journals.reset()
	info := store.Info{Kind: store.KindProxy, Name: g.opt.Name, Address: g.opt.Address, Build: g.opt.Build}
	sess, err := g.store.OpenSession(ctx, info, g.report(0), &store.SessionOptions{TTL: g.opt.TTL, Now: g.opt.Now})
	if err != nil {
		return nil, err
	}
	g.journals.belongTo(sess.ID())
	run, stop := context.WithCancel(ctx)
	defer stop()
	go func() { _ = sess.Run(run) }() // keep it while the table is read
	if err := g.catchUp(ctx); err != nil {
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = sess.Close(bound, false)
		return nil, err
	}
	return sess, nil
}

// catchUp returns when the replica holds everything that was acknowledged
// before catchUp was called.
func (g *Gate) catchUp(ctx context.Context) error {
	select {
	case <-g.rep.listed:
	case <-ctx.Done():
		return ctx.Err()
	}
	at := g.opt.Now()
	if !g.store.HasHead() {
		if err := g.rep.advance(ctx, g.store); err != nil {
			return err
		}
		g.progress.Store(int64(at))
		return nil
	}
	head, err := g.store.Head(ctx)
	if err != nil {
		return err
	}
	if err := g.rep.wait(ctx, head); err != nil {
		return err
	}
	g.progress.Store(int64(at))
	return nil
}

// proveProgress feeds leased mode: a head that was read at a time, and then
// applied, proves the replica current as of that time, and so does what had changed by
// then.
func (g *Gate) proveProgress(ctx context.Context) {
	t := time.NewTicker(g.opt.TTL / 8)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		bound, cancel := context.WithTimeout(ctx, g.opt.TTL/2)
		if err := g.catchUp(bound); err != nil && ctx.Err() == nil {
			g.opt.Logger.Warn("the watch has not been proven to progress", "error", err)
		}
		cancel()
	}
}

// publish writes the report whenever something in it changed. Wakes that come
// while a write is under way share the next one: a group commit.
func (g *Gate) publish(ctx context.Context) {
	pause := newBackoff()
	tick := time.NewTicker(g.opt.TTL / 4)
	defer tick.Stop()
	var last placement.Epoch
	for {
		select {
		case <-ctx.Done():
			return
		case <-g.dirty:
		case <-tick.C:
			if placement.Epoch(g.rep.applied.Load()) == last {
				continue
			}
		}
		sess := g.sess.Load()
		if sess == nil {
			continue // setSession is followed by a wake
		}
		r := g.report(placement.Epoch(g.rep.applied.Load()))
		if err := sess.Publish(ctx, r); err != nil {
			if ctx.Err() != nil {
				return
			}
			if sess.Valid() {
				g.opt.Logger.Warn("publishing failed, trying again", "error", err)
				pause.sleep(ctx)
				g.wake()
			}
			continue
		}
		last = r.Applied
		pause.reset()
	}
}

// report gathers what is published. The order of reading matters: applied was
// read first, and whatever leaves pending is in unresolved or in the journal
// before it leaves, whatever leaves unresolved is in the journal before; so no
// write that was admitted before applied can be missing from all three.
func (g *Gate) report(applied placement.Epoch) store.Report {
	r := store.Report{Applied: applied, Closing: g.closing.Load()}
	r.Pending = g.rep.pending()
	r.Unresolved = g.flight.unresolvedPartitions()
	r.OldReads = g.rep.readsOnOld()
	r.Tasks = g.flight.tasksByPartition()
	r.Journals = g.journals.heads()
	return r
}
