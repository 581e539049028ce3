package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/clock"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// ControllerOptions of a Controller. The zero value is useful.
type ControllerOptions struct {
	Name  string // for people (default: the host's name and pid)
	Build string
	// TTL of the controller's session (default 10 s): how long its moves rest
	// when it dies, before another takes them over.
	TTL     time.Duration
	Workers int // moves driven at once (default 4)
	// CopyWorkers is how many bulk requests one move has under way at once
	// (default 2).
	CopyWorkers int
	// Scan is how often moves are listed again and looked at for a driver that
	// has gone (default 1 s).
	Scan time.Duration
	// DrainBarrier is for how long a vanished proxy is remembered at least: its
	// writes may still take effect on moves that have not begun yet (default
	// DefaultDrainBarrier; a move's own is heeded as well).
	DrainBarrier    time.Duration
	UpstreamOptions *upstream.Options
	Barrier         *FleetBarrierOptions
	// Timed, if not nil, is for fleets with proxies that hold no session: writes
	// are held for its Wait before each flip, and what they wrote is found by
	// comparing both sides. See TimeBarrier for what is assumed of them.
	Timed *TimeBarrierOptions
	// Waves lets it work on waves, too; Trash, on what is in the trash.
	Waves, Trash bool
	// TrashTime is for how long the old copy of a move stays in the trash when it is
	// retired, if the move does not say (default 0: it is removed at once).
	TrashTime time.Duration
	// Tracer makes spans of moves and of their stages; nil: none. TraceTenants puts
	// the tenant's name into them.
	Tracer       trace.Tracer
	TraceTenants bool
	// Metrics, if not nil, are of this controller alone.
	Metrics *Metrics

	Logger *slog.Logger         // default: discard
	Now    func() time.Duration // suspend-counting clock (default clock.SinceBoot)
}

// Controller runs moves and resumes those that were left. Any number of them
// may run on one store: a move is driven by the one whose session its record
// names. It is safe for concurrent use.
type Controller struct {
	s       *store.Store
	peers   *gate.Peers
	opt     ControllerOptions
	log     *slog.Logger
	barrier *FleetBarrier
	timed   *TimeBarrier // nil: every proxy holds a session
	absent  *absences
	boot    string // which the entries' clock readings are compared by; empty: they are not

	mu      sync.Mutex
	running map[string]*drive         // by move
	clients map[string]*clusterClient // by cluster
	checked map[string]bool           // ended moves whose entry was found not to be theirs
	later   map[string]time.Duration  // by move: when it is looked at again, on opt.Now
	left    map[string]driver.Version // by move: of the record as its last driver here left it
	past    []store.Record[Move]      // all moves, as last listed; never changed
}

type clusterClient struct {
	version driver.Version
	client  *upstream.Client
}

// NewController returns a controller over s. peers reaches the proxies' fleet
// endpoints.
func NewController(s *store.Store, peers *gate.Peers, o *ControllerOptions) *Controller {
	opt := ControllerOptions{}
	if o != nil {
		opt = *o
	}
	if opt.Name == "" {
		host, _ := os.Hostname()
		opt.Name = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	if opt.TTL <= 0 {
		opt.TTL = 10 * time.Second
	}
	if opt.Workers <= 0 {
		opt.Workers = 4
	}
	if opt.DrainBarrier <= 0 {
		opt.DrainBarrier = DefaultDrainBarrier
	}
	if opt.Scan <= 0 {
		opt.Scan = time.Second
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	boot := ""
	if opt.Now == nil { // another clock is of no boot
		opt.Now, boot = clock.SinceBoot, clock.BootID()
	}
	c := &Controller{
		s: s, peers: peers, opt: opt, boot: boot, log: opt.Logger, barrier: NewFleetBarrier(s, opt.Barrier), absent: newAbsences(opt.Now),
		running: map[string]*drive{}, clients: map[string]*clusterClient{}, checked: map[string]bool{}, later: map[string]time.Duration{}, left: map[string]driver.Version{},
	}
	if opt.Timed != nil {
		c.timed = NewTimeBarrier(opt.Timed)
	}
	opt.Metrics.drives(c)
	return c
}

// Run drives moves until ctx ends. While the store cannot be reached, or after
// its session was lost, it drives none and tries again.
func (c *Controller) Run(ctx context.Context) error {
	defer c.closeClients()
	for n := 0; ctx.Err() == nil; n++ {
		began := time.Now()
		if err := c.tenure(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn("the controller lost its place, beginning anew", "error", err)
		}
		if time.Since(began) > 30*time.Second {
			n = 0
		}
		sleep(ctx, backoff(n))
	}
	return nil
}

// tenure is the life of one session. Everything that was started under it has
// ended when it returns.
func (c *Controller) tenure(ctx context.Context) error {
	sess, err := c.s.OpenSession(ctx, store.Info{Kind: store.KindController, Name: c.opt.Name, Build: c.opt.Build}, store.Report{},
		&store.SessionOptions{TTL: c.opt.TTL, Now: c.opt.Now})
	if err != nil {
		return err
	}
	life, end := context.WithCancelCause(ctx)
	var work sync.WaitGroup
	work.Go(func() {
		if err := sess.Run(life); err != nil {
			end(err)
		}
	})
	work.Go(func() {
		// The deadline may pass while a renewal hangs: whoever sees it first ends all.
		select {
		case <-sess.Lost():
			end(store.ErrSessionLost)
		case <-life.Done():
		}
	})
	t := &tenancy{c: c, sess: sess, wake: make(chan struct{}, 1), items: map[string][]store.Record[WaveItem]{}}
	work.Go(func() { t.follow(life) })
	work.Go(func() { t.relieve(life) })
	if c.opt.Waves {
		work.Go(func() { t.waves(life) })
	}
	if c.opt.Trash {
		work.Go(func() { t.trash(life) })
	}
	err = t.loop(life)
	end(err)
	t.drives.Wait()
	work.Wait()
	c.opt.Metrics.forget()
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer cancel()
	// Cleanly: no barrier waits for a controller, and its moves are found by
	// their owner's session being gone.
	if cerr := sess.Close(bound, true); cerr != nil {
		c.log.Warn("closing the controller's session failed", "error", cerr)
	}
	if ctx.Err() != nil {
		return nil
	}
	return context.Cause(life)
}

// tenancy is what belongs to one session.
type tenancy struct {
	c      *Controller
	sess   *store.Session
	wake   chan struct{} // capacity 1: a move has changed
	drives sync.WaitGroup
	known  known
	looks  int // of loop's goroutine: scans so far
	// items, of the goroutine that works on waves, are those of the waves that are this
	// session's. Only a wave's owner writes them; they are read again after any error.
	items map[string][]store.Record[WaveItem]
}

// follow wakes the loop when a move changes, and hands requests to the driver
// that runs. What it misses the periodic scan finds.
func (t *tenancy) follow(ctx context.Context) {
	seen := func(m Move) {
		t.c.mu.Lock()
		d := t.c.running[m.ID]
		t.c.mu.Unlock()
		if d != nil {
			d.observe(m)
		}
	}
	poke := func() {
		select {
		case t.wake <- struct{}{}:
		default:
		}
	}
	for n := 0; ctx.Err() == nil; n++ {
		err := Moves(t.c.s).Follow(ctx, func(all []store.Record[Move]) error {
			n = 0
			t.known.reset(all)
			for _, r := range all {
				seen(r.Value)
			}
			poke()
			return nil
		}, func(changes []store.RecordChange[Move]) error {
			t.known.apply(changes)
			for _, ch := range changes {
				if ch.Err == nil && !ch.Removed {
					seen(ch.Value)
				}
			}
			poke()
			return nil
		})
		t.known.lose()
		if ctx.Err() == nil {
			t.c.log.Warn("following the moves failed, trying again", "error", err)
			sleep(ctx, backoff(n))
		}
	}
}

// loop looks for moves to drive until the tenure ends.
func (t *tenancy) loop(ctx context.Context) error {
	tick := time.NewTicker(t.c.opt.Scan)
	defer tick.Stop()
	for look := t.scan; ; {
		if err := look(ctx); err != nil && ctx.Err() == nil {
			t.c.log.Warn("looking for moves failed, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			look = t.scan
		case <-t.wake:
			// Drivers write their records about once a second; that alone need not
			// make everybody look at everything at once.
			sleep(ctx, 20*time.Millisecond)
			look = t.takeFree
		}
	}
}

// takeFree takes up, of the moves that the watch has told of, what has no driver. Those
// of drivers that are gone wait for the next scan.
func (t *tenancy) takeFree(ctx context.Context) error {
	moves, ok := t.known.open()
	if !ok {
		return t.scan(ctx)
	}
	for _, r := range moves {
		if claimable(r.Value, t.sess.ID(), func(string) bool { return true }) {
			t.take(ctx, r)
		}
	}
	return nil
}

// scan reads the moves, then looks at the fleet, and takes up what nobody
// drives. A session which the later look does not show has ended for good, since
// a session never comes back, so its owner drives no more: its lease says so to
// itself before the store does. That holds for moves as they were some time ago, too:
// whoever has changed one since is found when it is claimed.
func (t *tenancy) scan(ctx context.Context) error {
	moves, err := t.openMoves(ctx, t.looks%relist == 0)
	if err != nil {
		return err
	}
	t.looks++
	f, err := readFleet(ctx, t.c.s, fleet{})
	if err != nil {
		return err
	}
	t.c.absent.note(f)
	t.c.opt.Metrics.look(moves, f)
	t.c.mu.Lock()
	t.c.past = moves
	t.c.mu.Unlock()
	for _, r := range moves {
		if claimable(r.Value, t.sess.ID(), f.alive) {
			t.take(ctx, r)
		}
	}
	t.c.reap(ctx, f, moves)
	return nil
}

// known are the moves as last listed.
func (c *Controller) known() []store.Record[Move] {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.past
}

// claimable reports whether somebody should take the move up.
func claimable(m Move, me string, alive func(string) bool) bool {
	switch {
	case m.Terminal(), m.Stage == StageFlipped && !m.RetireRequested && !m.soaked(time.Now()):
		return false
	}
	return m.Owner == "" || m.Owner == me || !alive(m.Owner)
}

// take starts a driver, if there is none and a worker is free.
func (t *tenancy) take(ctx context.Context, r store.Record[Move]) {
	c := t.c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[r.Value.ID] != nil || c.full(r.Value.Settled()) || c.postponed(r.Value.ID) || ctx.Err() != nil {
		return
	}
	if r.Version < c.left[r.Value.ID] {
		return // the watch has yet to tell how it ended
	}
	d := newDrive(c, t.sess, r)
	c.running[r.Value.ID] = d
	t.drives.Go(func() {
		d.run(ctx)
		_, version := d.snapshot()
		c.mu.Lock()
		delete(c.running, r.Value.ID)
		c.left[r.Value.ID] = version
		c.mu.Unlock()
	})
}

// reap strikes off the roster what no move needs any more: a vanished proxy whose
// drain has passed on this process's own clock and which every move that it
// could have affected has accounted for. A move that begins later finds its
// writes landed already. The record is deleted at the version that was read.
func (c *Controller) reap(ctx context.Context, f fleet, moves []store.Record[Move]) {
	var gone []string
	for id := range f.roster {
		if !f.alive(id) && c.absent.absent(id) >= c.opt.DrainBarrier {
			// Of moves that have begun by now each must be seen.
			all, _, err := Moves(c.s).List(ctx)
			if err != nil {
				return
			}
			moves = all
			break
		}
	}
	for _, id := range slices.Sorted(maps.Keys(f.roster)) {
		drain := c.opt.DrainBarrier
		needed := false
		for _, m := range moves {
			if m.Value.Settled() {
				continue
			}
			drain = max(drain, m.Value.Options.DrainBarrier)
			needed = needed || f.roster[id].Value.Kind != store.KindController && !m.Value.Reconciled[id]
		}
		if !f.alive(id) && !needed && c.absent.absent(id) >= drain {
			gone = append(gone, id)
		}
	}
	if err := c.strikeOff(ctx, gone); err != nil && ctx.Err() == nil {
		c.log.Warn("striking vanished sessions off the roster failed, trying again later", "error", err)
	}
	for _, r := range moves {
		if m := r.Value; m.Stage == StageAborted || m.Stage == StageFailed {
			c.unstick(ctx, m)
		}
	}
}

// strikeOff removes roster records of processes that have gone. A process that is
// about to open its session after all finds the mark, or nothing.
func (c *Controller) strikeOff(ctx context.Context, ids []string) error {
	struck, err := c.s.Strike(ctx, ids)
	if err != nil {
		return err
	}
	for id := range struck {
		rec, err := c.s.Roster().Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err == nil {
			err = c.s.Roster().Delete(ctx, id, rec.Version)
		}
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return fmt.Errorf("strike off: %w", err)
		}
	}
	return nil
}

// unstick aborts a migration whose move has ended without it: a driver that was
// paused just before begin, and went on after its move had been aborted by
// another. Once per move, after its end: the session of such a driver has ended
// by then, and its own next step aborts as well.
func (c *Controller) unstick(ctx context.Context, m Move) {
	c.mu.Lock()
	done := c.checked[m.ID]
	c.mu.Unlock()
	if done {
		return
	}
	e, err := c.s.State(ctx, m.Partition)
	switch {
	case err == nil && e.State.Migrating() && e.Attempt.Move == m.ID:
		_, err = c.s.ApplyTo(ctx, e, placement.Command{Op: placement.OpAbort, Expect: e.Epoch, Attempt: e.Attempt})
		if err != nil {
			return
		}
	case err != nil && !errors.Is(err, placement.ErrUnknownPartition):
		return
	}
	c.mu.Lock()
	c.checked[m.ID] = true
	c.mu.Unlock()
}

// client returns the pooled client of a cluster, made anew when its record changed.
func (c *Controller) client(ctx context.Context, name string) (*upstream.Client, error) {
	rec, err := c.s.Clusters().Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, name)
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.clients[name]; k != nil && k.version == rec.Version {
		return k.client, nil
	}
	var o upstream.Options
	if c.opt.UpstreamOptions != nil {
		o = *c.opt.UpstreamOptions
	}
	if o.Logger == nil {
		o.Logger = c.opt.Logger
	}
	u, err := upstream.New(rec.Value, &o)
	if err != nil {
		return nil, err
	}
	if k := c.clients[name]; k != nil {
		k.client.Close() // idle connections only: whoever uses it goes on
	}
	c.clients[name] = &clusterClient{rec.Version, u}
	return u, nil
}

func (c *Controller) closeClients() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, k := range c.clients {
		k.client.Close()
		delete(c.clients, name)
	}
}

// backoff is 50 ms, doubling to 5 s.
func backoff(n int) time.Duration { return min(50*time.Millisecond<<min(n, 7), 5*time.Second) }

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
