package control

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Metrics are what a Controller does and sees, for Prometheus. Two kinds of them are
// told apart by their help: what this controller has done, to be summed over all, and
// what it sees in the table ("of the table"), which every controller says alike, so
// that one takes the maximum. Nothing of the table is shown while the controller has no
// place in the fleet. Methods of a nil *Metrics do nothing.
type Metrics struct {
	pause                           prometheus.Histogram
	barrier, stage                  *prometheus.HistogramVec
	ended, cutovers                 *prometheus.CounterVec
	docs, bytes, caughtUp, bypassed prometheus.Counter
	all                             []prometheus.Collector
	desc                            tableDescs
	tenants                         int

	mu      sync.Mutex
	moves   *moveCounts // nil: not looked at, as the rest
	fleet   *fleetCounts
	waves   map[WaveState]int
	trash   map[TrashState]int
	running func() []Move
}

// tableDescs describe what is collected from the last look at the table.
type tableDescs struct {
	moves, longest, laggards                    *prometheus.Desc
	sessions, vanished, unresolved              *prometheus.Desc
	waves, trash, driven                        *prometheus.Desc
	info, documents, expected, dirty, predicted *prometheus.Desc
}

// moveCounts is one look at the moves.
type moveCounts struct {
	n       map[Stage]int
	since   map[Stage]time.Time // of the one that has been in the stage for longest
	waiting map[string]int      // moves that wait for a proxy, by its name
}

// fleetCounts is one look at the fleet.
type fleetCounts struct{ proxies, controllers, vanished, unresolved int }

// openStages are those of a move to which something may still happen.
var openStages = []Stage{StagePreparing, StageCopying, StageCatchingUp, StageVerifying, StageCutover, StageFlipped, StageRetiring, StageAborting}

// NewMetrics returns metrics for one Controller. tenants is the largest number of moves
// under way here that have series of their own, with the tenant's name; 0: none has.
func NewMetrics(tenants int) *Metrics {
	fine := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	long := []float64{.1, .5, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600}
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &Metrics{
		tenants: tenants,
		pause: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "sluice_move_pause_seconds", Buckets: fine,
			Help: "How long moves that flipped have kept their tenant's writes closed, from entering the cutover to the flip."}),
		barrier: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "sluice_move_barrier_seconds", Buckets: fine,
			Help: "How long a move waited for the acknowledgement of every proxy, by the barrier (begin, cutover); only barriers that passed."}, []string{"barrier"}),
		stage: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "sluice_move_stage_seconds", Buckets: long,
			Help: "How long moves were in a stage that they have left, by stage."}, []string{"stage"}),
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sluice_moves_ended_total",
			Help: "Moves whose tenant's place was decided, by outcome (flipped, aborted, failed)."}, []string{"outcome"}),
		cutovers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "sluice_move_cutovers_total",
			Help: "Cutovers that were entered, by outcome (flipped, reopened: left again with nothing lost, unknown: the next attempt finds out)."}, []string{"outcome"}),
		docs:     counter("sluice_move_copied_documents_total", "Documents that were copied to the targets of moves."),
		bytes:    counter("sluice_move_copied_bytes_total", "Bytes of the documents that were copied."),
		caughtUp: counter("sluice_move_caught_up_documents_total", "Documents that the proxies' journals named and that were copied again."),
		bypassed: counter("sluice_move_bypassed_fences_total", "Moves whose old copy was written to around the proxies between the cutover's last check and the flip: those writes are not at the target."),
	}
	m.all = []prometheus.Collector{m.pause, m.barrier, m.stage, m.ended, m.cutovers, m.docs, m.bytes, m.caughtUp, m.bypassed}
	// A rate needs a series before its first event.
	for _, o := range []string{"flipped", "aborted", "failed"} {
		m.ended.WithLabelValues(o)
	}
	for _, o := range []string{"flipped", "reopened", "unknown"} {
		m.cutovers.WithLabelValues(o)
	}
	for _, b := range []string{"begin", "cutover"} {
		m.barrier.WithLabelValues(b)
	}
	for _, s := range openStages {
		m.stage.WithLabelValues(string(s))
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	m.desc = tableDescs{
		moves:      desc("sluice_moves", "Moves to which something may still happen, of the table, by stage.", "stage"),
		longest:    desc("sluice_moves_longest_seconds", "For how long the move that has been in the stage for longest has been in it, of the table; 0: none is in it.", "stage"),
		laggards:   desc("sluice_move_laggards", "Moves that wait for the acknowledgement of a proxy, of the table, by the proxy's name; a proxy that none waits for has no series.", "proxy"),
		sessions:   desc("sluice_fleet_sessions", "Processes that hold a session, of the table, by kind (proxy, controller).", "kind"),
		vanished:   desc("sluice_fleet_vanished_proxies", "Proxies that ended without a clean stop and are not accounted for yet, of the table."),
		unresolved: desc("sluice_fleet_unresolved_partitions", "Tenants with a write of unknown outcome, or a task, at some proxy, of the table: no move of theirs flips."),
		waves:      desc("sluice_waves", "Waves, of the table, by state; those that are over are not counted.", "state"),
		trash:      desc("sluice_trash_copies", "Old copies in the trash, of the table, by state (kept, restoring, purging).", "state"),
		driven:     desc("sluice_controller_moves", "Moves that this controller works on now."),
		info:       desc("sluice_move_info", "1 for a move that this controller works on; only with telemetry.metrics_tenants.", "move", "tenant", "from", "to", "stage"),
		documents:  desc("sluice_move_documents", "Documents copied so far; only with telemetry.metrics_tenants.", "move", "tenant"),
		expected:   desc("sluice_move_documents_expected", "Documents to copy in all, as counted when the copy began; only with telemetry.metrics_tenants.", "move", "tenant"),
		dirty:      desc("sluice_move_dirty_documents", "Documents that the last round of catching up has copied again; only with telemetry.metrics_tenants.", "move", "tenant"),
		predicted:  desc("sluice_move_predicted_pause_seconds", "How long a cutover now would hold writes; only with telemetry.metrics_tenants.", "move", "tenant"),
	}
	return m
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.all {
		c.Describe(out)
	}
	d := m.desc
	for _, x := range []*prometheus.Desc{d.moves, d.longest, d.laggards, d.sessions, d.vanished, d.unresolved, d.waves, d.trash, d.driven} {
		out <- x
	}
	if m.tenants > 0 {
		for _, x := range []*prometheus.Desc{d.info, d.documents, d.expected, d.dirty, d.predicted} {
			out <- x
		}
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.all {
		c.Collect(out)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if x := m.moves; x != nil {
		now := time.Now()
		for _, s := range openStages {
			longest := 0.0
			if at := x.since[s]; !at.IsZero() {
				longest = max(now.Sub(at).Seconds(), 0)
			}
			gauge(m.desc.moves, float64(x.n[s]), string(s))
			gauge(m.desc.longest, longest, string(s))
		}
		for name, n := range x.waiting {
			gauge(m.desc.laggards, float64(n), name)
		}
	}
	if f := m.fleet; f != nil {
		gauge(m.desc.sessions, float64(f.proxies), "proxy")
		gauge(m.desc.sessions, float64(f.controllers), "controller")
		gauge(m.desc.vanished, float64(f.vanished))
		gauge(m.desc.unresolved, float64(f.unresolved))
	}
	if m.waves != nil {
		for _, s := range []WaveState{WaveRunning, WavePaused, WaveStopped, WaveAborting} {
			gauge(m.desc.waves, float64(m.waves[s]), string(s))
		}
	}
	if m.trash != nil {
		for s, name := range map[TrashState]string{TrashKept: "kept", TrashRestoring: "restoring", TrashPurging: "purging"} {
			gauge(m.desc.trash, float64(m.trash[s]), name)
		}
	}
	if m.running == nil {
		return
	}
	moves := m.running()
	gauge(m.desc.driven, float64(len(moves)))
	for _, x := range moves[:min(len(moves), m.tenants)] {
		id, tenant := x.ID, string(x.Partition)
		gauge(m.desc.info, 1, id, tenant, x.From.Cluster, x.To.Cluster, string(x.Stage))
		gauge(m.desc.documents, float64(x.Progress.Docs), id, tenant)
		gauge(m.desc.expected, float64(x.Progress.Total), id, tenant)
		gauge(m.desc.dirty, float64(x.Progress.Dirty), id, tenant)
		gauge(m.desc.predicted, x.Progress.PredictedPause.Seconds(), id, tenant)
	}
}

// drives tells where the moves that are worked on here are found.
func (m *Metrics) drives(c *Controller) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running = c.driven
}

// driven are the moves that this controller works on, the oldest first.
func (c *Controller) driven() []Move {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []Move
	for _, id := range slices.Sorted(maps.Keys(c.running)) {
		out = append(out, c.running[id].move())
	}
	return out
}

// look takes note of one look at the moves and the fleet.
func (m *Metrics) look(moves []store.Record[Move], f fleet) {
	if m == nil {
		return
	}
	x := &moveCounts{n: map[Stage]int{}, since: map[Stage]time.Time{}, waiting: map[string]int{}}
	for _, r := range moves {
		if r.Value.Terminal() {
			continue
		}
		s := r.Value.Stage
		x.n[s]++
		at := r.Value.Created
		if n := len(r.Value.Timeline); n > 0 {
			at = r.Value.Timeline[n-1].Started
		}
		if first := x.since[s]; first.IsZero() || at.Before(first) {
			x.since[s] = at
		}
		for _, late := range r.Value.Progress.Laggards {
			x.waiting[late.Name]++
		}
	}
	y := &fleetCounts{proxies: len(f.sessions), controllers: len(f.controllers), vanished: len(f.missing(nil))}
	unresolved := map[placement.PartitionID]bool{}
	for _, s := range f.sessions {
		for _, id := range s.Unresolved {
			unresolved[id] = true
		}
		for id := range s.Tasks {
			unresolved[id] = true
		}
	}
	y.unresolved = len(unresolved)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moves, m.fleet = x, y
}

func (m *Metrics) lookWaves(waves []store.Record[Wave]) {
	if m == nil {
		return
	}
	n := map[WaveState]int{}
	for _, w := range waves {
		n[w.Value.State]++
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.waves = n
}

func (m *Metrics) lookTrash(all []store.Record[Trash]) {
	if m == nil {
		return
	}
	n := map[TrashState]int{}
	for _, r := range all {
		n[r.Value.State]++
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trash = n
}

// forget drops what was seen of the table: it would grow old.
func (m *Metrics) forget() {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.moves, m.fleet, m.waves, m.trash = nil, nil, nil, nil
}

// staged counts a stage that has ended, and a move whose place is decided by that.
func (m *Metrics) staged(before, after Move) {
	n := len(after.Timeline)
	if m == nil || before.Stage == after.Stage {
		return
	}
	if n >= 2 {
		m.stage.WithLabelValues(string(after.Timeline[n-2].Stage)).Observe(after.Timeline[n-2].Duration.Seconds())
	}
	if after.Settled() && !before.Settled() {
		m.ended.WithLabelValues(string(after.Stage)).Inc()
	}
}

// passed counts a barrier that has passed.
func (m *Metrics) passed(barrier string, took time.Duration) {
	if m != nil {
		m.barrier.WithLabelValues(barrier).Observe(took.Seconds())
	}
}

// flipped counts a cutover that came to its end.
func (m *Metrics) flipped(pause time.Duration) {
	if m != nil {
		m.pause.Observe(pause.Seconds())
		m.cutovers.WithLabelValues("flipped").Inc()
	}
}

// left counts a cutover that was left again, or whose outcome this driver did not learn.
func (m *Metrics) left(how string) {
	if m != nil {
		m.cutovers.WithLabelValues(how).Inc()
	}
}

// bypass counts a fence that found writes of somebody else's.
func (m *Metrics) bypass() {
	if m != nil {
		m.bypassed.Inc()
	}
}

// caught counts documents that were copied again.
func (m *Metrics) caught(docs int) {
	if m != nil {
		m.caughtUp.Add(float64(docs))
	}
}

// copied counts documents that were copied.
func (m *Metrics) copied(docs, bytes int64) {
	if m != nil {
		m.docs.Add(float64(max(docs, 0)))
		m.bytes.Add(float64(max(bytes, 0)))
	}
}

// since counts what a copy has come to beyond what it began at, or had come to when it
// was last told.
func (t *newest) since(m *Metrics, docs, bytes *int64) {
	t.mu.Lock()
	p, seen := t.p, t.seen
	t.mu.Unlock()
	if !seen {
		return
	}
	m.copied(p.Docs-*docs, p.Bytes-*bytes)
	*docs, *bytes = max(p.Docs, *docs), max(p.Bytes, *bytes)
}
