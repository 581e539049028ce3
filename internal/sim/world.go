package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/cryptotest"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// Options of a world. The zero value draws what may be drawn from the seed.
type Options struct {
	Proxies, Controllers int
	Clients, Docs        int
	Load                 time.Duration // how long clients are at work and faults happen
	TTL                  time.Duration // of sessions
	DrainBarrier         time.Duration
	WriteTimeout         time.Duration
	// LateMax bounds how much later than it was sent a call may take effect that
	// its sender thinks has failed. DrainBarrier supposes that a cluster does not
	// take longer.
	LateMax      time.Duration
	JournalLimit int
	HoldRequests int
	// Headless: the store's engine has no Head, so that fresh reads look at each entry.
	// History is how many changes it keeps for a watch that has to begin again.
	Headless bool
	History  int
	// Timed: one more proxy writes, which holds no session, and the controllers
	// wait for DrainBarrier before each flip. Drawn unless Sessions is set.
	Timed, Sessions bool
	// Ghosts: a proxy that is paused between its last check and sending, for longer
	// than DrainBarrier allows for, finds somebody who listens. This is beyond what
	// is promised; what is acknowledged must be kept even so. Drawn as Timed is.
	Ghosts bool
	// Rollbacks: the operator rolls moves back. Never drawn.
	Rollbacks bool
	// Dynamic: the mapping says something of dynamic, which clients change now and then, and
	// some documents have fields of their own, which are mapped or not. Never drawn.
	Dynamic bool
	// Skip leaves out faults of the plan, by number: this is how a failing seed
	// is made small.
	Skip map[int]bool
	// Faults instead of those that are drawn.
	Faults []Fault
	// Calm: no faults.
	Calm bool
	// Trace receives what happens, line by line; nil: nothing.
	Trace func(line string) `json:"-"`

	waves bool                          // the controllers work on waves
	asked func(who, kind, space string) // is told of every list and write of the store

	plant plant
}

// plant does what must not be, to see that the checker sees it.
type plant struct {
	during  func(*World)                     // beside everything else
	settled func(*World)                     // before the last looks
	answer  func(*httptest.ResponseRecorder) // before a client sees it
}

// tenant is the one partition of a world.
const tenant placement.PartitionID = "acme"

// World is one run.
type World struct {
	t        *testing.T
	o        Options
	random   *streams
	began    time.Time
	life     context.Context
	store    *memstore.Store
	truth    *store.Store
	clusters map[string]*cluster
	leased   map[string]bool
	faults   []*fault
	healed   atomic.Bool
	wires    sync.WaitGroup

	outsider  *outsider    // nil unless Timed
	creations atomic.Int64 // of indices

	mu        sync.Mutex
	procs     map[string]*Process
	all       []*Process
	history   []*Op
	breaches  []string
	counts    map[string]int
	longest   time.Duration // hold
	created   map[string]bool
	changedAt time.Duration // of the entry
	epochs    []change      // of the entry, in order
	values    int
	fields    []string        // of the mapping, acknowledged
	ghosts    map[string]bool // values that were sent too late
	lastMoves []control.Move

	listing sync.Mutex
	listed  map[string]store.Record[control.Move] // the moves, as they were last looked at
}

// change of the entry.
type change struct {
	epoch placement.Epoch
	phase placement.Phase
	at    time.Duration
}

// Result of a run.
type Result struct {
	Seed     uint64
	Faults   []Fault
	Breaches []string // what must not be
	Ops      int
	Unknown  int // operations whose outcome the client was not told
	Failed   int // operations that were refused
	Flips    int
	// Rollbacks are those of the flips that went back to an old copy.
	Rollbacks int
	Aborts    int
	Counts    map[string]int // faults that were met, by kind
	Longest   time.Duration  // hold
	Virtual   time.Duration
	History   []*Op
}

func (o *Options) fill(r *rand.Rand) {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	num := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	num(&o.Proxies, 2+r.IntN(2))
	num(&o.Controllers, 1+r.IntN(2))
	num(&o.Clients, 3)
	docs := 2 + r.IntN(4) // so few that each is written again and again
	if chance(r, 0.25) {
		docs = 12 + r.IntN(20) // so many that what is lost stays lost
	}
	num(&o.Docs, docs)
	limit := 1000
	if chance(r, 0.1) {
		limit = 2 // so small that it overflows
	}
	num(&o.JournalLimit, limit)
	if chance(r, 0.1) {
		num(&o.HoldRequests, 1)
	}
	if chance(r, 0.2) {
		o.Headless = true
	}
	if chance(r, 0.2) {
		num(&o.History, 1)
	}
	if chance(r, 0.06) && !o.Sessions {
		o.Timed = true
	}
	if chance(r, 0.04) && !o.Sessions && !o.Timed {
		o.Ghosts = true
	}
	if o.Timed { // a cutover takes all of the barrier, and several should fit into a run
		def(&o.DrainBarrier, 8*time.Second)
		def(&o.LateMax, 4*time.Second)
		def(&o.WriteTimeout, 5*time.Second)
	}
	if o.Ghosts {
		def(&o.WriteTimeout, 3*time.Minute)
	}
	def(&o.Load, between(r, 5*time.Second, 45*time.Second))
	def(&o.TTL, 10*time.Second)
	def(&o.DrainBarrier, 30*time.Second)
	def(&o.WriteTimeout, 20*time.Second)
	def(&o.LateMax, 25*time.Second)
}

// Run performs the run of one seed in a bubble of virtual time.
func Run(t *testing.T, seed uint64, o *Options) Result {
	var res Result
	synctest.Test(t, func(t *testing.T) {
		cryptotest.SetGlobalRandom(t, seed) // ids and jitter
		w := newWorld(t, seed, o)
		res = w.run()
	})
	return res
}

func newWorld(t *testing.T, seed uint64, o *Options) *World {
	w := &World{
		t: t, random: &streams{seed: seed, at: map[string]uint64{}}, began: time.Now(), clusters: map[string]*cluster{},
		leased: map[string]bool{}, procs: map[string]*Process{}, counts: map[string]int{}, created: map[string]bool{}, ghosts: map[string]bool{},
	}
	if o != nil {
		w.o = *o
	}
	r := w.random.next("options")
	w.o.fill(r)
	w.store = memstore.New(&memstore.Options{History: w.o.History})
	w.truth = store.New(w.store, nil)
	for _, n := range []string{"a", "b"} {
		w.clusters[n] = newCluster(w, n)
	}
	for i := range w.o.Proxies {
		w.leased[fmt.Sprintf("proxy-%d", i+1)] = chance(r, 0.3)
	}
	planned := w.plan(w.random.next("faults"))
	if w.o.Faults != nil {
		planned = w.o.Faults
	}
	for i, f := range planned {
		if !w.o.Skip[i] && !w.o.Calm {
			w.faults = append(w.faults, &fault{Fault: f})
		}
	}
	return w
}

func (w *World) elapsed() time.Duration { return time.Since(w.began) }

func (w *World) must(err error) {
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *World) put(p *Process) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.procs[p.name] = p
	w.all = append(w.all, p)
}

func (w *World) process(name string) *Process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.procs[name]
}

// proxies are the ones of now, in the order of their names.
func (w *World) proxies() []*Process {
	var out []*Process
	for i := range w.o.Proxies {
		if p := w.process(fmt.Sprintf("proxy-%d", i+1)); p != nil {
			out = append(out, p)
		}
	}
	return out
}

func (w *World) start(name string) {
	if strings.HasPrefix(name, "proxy") {
		w.startProxy(name)
	} else {
		w.startController(name)
	}
}

func (w *World) count(fault string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[fault]++
}

func (w *World) note(who, format string, args ...any) {
	if w.o.Trace != nil {
		w.o.Trace(fmt.Sprintf("%10.4f %-13s %s", w.elapsed().Seconds(), who, fmt.Sprintf(format, args...)))
	}
}

// breach notes something that must not be.
func (w *World) breach(format string, args ...any) {
	text := fmt.Sprintf("%.4fs %s", w.elapsed().Seconds(), fmt.Sprintf(format, args...))
	w.note("BREACH", "%s", text)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.breaches = append(w.breaches, text)
}

func (w *World) logger(name string) *slog.Logger {
	if w.o.Trace == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(traceWriter{w, name}, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

type traceWriter struct {
	w    *World
	name string
}

func (t traceWriter) Write(b []byte) (int, error) {
	t.w.note(t.name, "%s", strings.TrimSpace(string(b)))
	return len(b), nil
}

// run is the life of the world.
func (w *World) run() Result {
	life, end := context.WithCancel(context.Background())
	w.life = life
	w.setUp(life)
	watching := make(chan struct{})
	go func() { defer close(watching); w.watch(life) }()
	for i := range w.o.Controllers {
		w.start(fmt.Sprintf("controller-%d", i+1))
	}
	for i := range w.o.Proxies {
		w.start(fmt.Sprintf("proxy-%d", i+1))
	}
	if w.controllersOnly() {
		w.await(5*time.Second, func() bool {
			for i := range w.o.Proxies {
				if !w.process(fmt.Sprintf("proxy-%d", i+1)).ready() {
					return false
				}
			}
			return true
		})
	}
	if w.o.Timed {
		w.outsider = w.newOutsider()
	}
	w.wires.Go(w.inject)
	if w.o.plant.during != nil {
		w.wires.Go(func() { w.o.plant.during(w) })
	}
	var users sync.WaitGroup
	for i := range w.o.Clients {
		users.Go(func() { w.client(i) })
	}
	if w.o.Rollbacks {
		users.Go(w.turnBack)
	} else {
		users.Go(w.operator)
	}
	users.Wait()
	w.wait(w.o.Load - w.elapsed())
	w.healed.Store(true)
	w.settle()
	if w.o.plant.settled != nil {
		w.o.plant.settled(w)
	}
	w.finalReads()
	w.residue()
	w.lastMoves = w.moves()
	end()
	for _, p := range w.all {
		p.cancel()
	}
	for _, p := range w.all {
		p.done.Wait()
	}
	<-watching
	w.wires.Wait()
	w.must(w.store.Close())
	return w.result()
}

func (w *World) wait(d time.Duration) {
	if d > 0 {
		time.Sleep(d)
	}
}

// setUp makes the tenant with some documents on cluster a.
func (w *World) setUp(ctx context.Context) {
	r := w.random.next("setup")
	settings := map[string]string{"index.gc_deletes": []string{"60s", "200ms", "0s"}[r.IntN(3)]}
	mapping := `{}`
	if w.o.Dynamic {
		mapping = `{"dynamic":"false"}`
	}
	w.clusters["a"].create("acme-docs", 1+r.IntN(2), settings, json.RawMessage(mapping), map[string]map[string]any{})
	for _, n := range []string{"a", "b"} {
		_, err := w.truth.Clusters().Put(ctx, n, placement.Cluster{Name: n, Endpoints: []string{"http://" + n + ":9200"}}, 0)
		w.must(err)
	}
	_, err := w.truth.Register(ctx, tenant, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "acme-docs", Logical: "docs"})
	w.must(err)
}

// watch notes every transition.
func (w *World) watch(ctx context.Context) {
	from, err := w.truth.Entries(ctx, func(placement.Entry, error) bool { return true })
	if err != nil {
		return
	}
	met := map[string]int{}
	_ = w.truth.Watch(ctx, from, func(cs []store.Change) error {
		for _, c := range cs {
			phase := strings.ToLower(c.Entry.State.Phase.String())
			met[phase]++
			w.changed(phase, met[phase])
			w.mu.Lock()
			w.epochs = append(w.epochs, change{c.Entry.Epoch, c.Entry.State.Phase, w.elapsed()})
			w.mu.Unlock()
			w.note("entry", "epoch %d: %v attempt %+v", c.Entry.Epoch, c.Entry.State, c.Entry.Attempt)
		}
		w.mu.Lock()
		w.changedAt = w.elapsed()
		w.mu.Unlock()
		return nil
	})
}

// operator asks for moves, there and back.
func (w *World) operator() {
	r := w.random.next("operator")
	w.wait(between(r, 200*time.Millisecond, w.o.Load/3))
	for n := range 1 + r.IntN(3) {
		w.await(w.o.Load-w.elapsed(), func() bool { return w.idle() })
		if w.elapsed() > w.o.Load*4/5 {
			return
		}
		e, err := w.truth.State(w.life, tenant)
		w.must(err)
		to := "b"
		if e.State.From.Cluster == "b" {
			to = "a"
		}
		m, err := control.RequestMove(w.life, w.truth, control.Request{Partition: tenant, Cluster: to, Options: w.bounds()})
		w.note("operator", "move %d to %s: %s %v", n, to, m.ID, err)
		if chance(r, 0.15) {
			w.wait(logBetween(r, 10*time.Millisecond, 5*time.Second))
			w.abort()
		}
		w.wait(between(r, 0, 2*time.Second))
		if chance(r, 0.5) {
			w.retire(m.ID)
		}
	}
}

// bounds of a move. A timed one holds writes for the barrier and a comparison.
func (w *World) bounds() control.MoveOptions {
	o := control.MoveOptions{DrainBarrier: w.o.DrainBarrier}
	if w.o.Timed {
		o.PauseBudget, o.CutoverDeadline = w.o.DrainBarrier+time.Minute, w.o.DrainBarrier+90*time.Second
	}
	return o
}

// retire asks for the removal of a move's old copy, when it has one.
func (w *World) retire(id string) {
	w.await(w.o.Load-w.elapsed(), func() bool { return w.idle() })
	_, err := control.RequestRetire(w.life, w.truth, id)
	w.note("operator", "retire %s: %v", id, err)
}

func (w *World) moves() []control.Move {
	w.listing.Lock()
	defer w.listing.Unlock()
	all, err := control.Moves(w.truth).ListByName(w.life, w.listed)
	w.must(err)
	w.listed = all
	var out []control.Move
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[name].Value)
	}
	return out
}

// resting reports whether a move asks for nothing more.
func resting(m control.Move) bool {
	return m.Terminal() || m.Stage == control.StageFlipped && !m.RetireRequested
}

// idle reports whether no move is under way.
func (w *World) idle() bool {
	for _, m := range w.moves() {
		if !resting(m) {
			return false
		}
	}
	return true
}

func (w *World) abort() {
	for _, m := range w.moves() {
		if !m.Settled() {
			_, err := control.RequestAbort(w.life, w.truth, m.ID)
			w.note("operator", "abort %s: %v", m.ID, err)
		}
	}
}

// meddle makes a transition by hand, at whatever epoch the entry is. What it does
// is harmless, and spoils a driver's plans.
func (w *World) meddle(op string) {
	c, e := control.New(w.truth, nil, nil), placement.Entry{Partition: tenant}
	var err error
	switch op {
	case "abort":
		_, err = c.AbortMigration(w.life, e)
	case "reopen":
		_, err = c.Reopen(w.life, e)
	case "cutover":
		_, err = c.EnterCutover(w.life, e)
	}
	w.note("meddler", "%s: %v", op, err)
}

// await asks again and again, for so long at most.
func (w *World) await(limit time.Duration, ok func() bool) bool {
	for end := w.elapsed() + limit; ; time.Sleep(250 * time.Millisecond) {
		if ok() {
			return true
		}
		if w.elapsed() >= end {
			return false
		}
	}
}
