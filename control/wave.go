package control

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// ErrUnknownWave: there is no wave of that id.
var ErrUnknownWave = catalog.New("unknown_wave", "unknown wave")

// ErrWaveBusy: the wave begins moves, or has some under way.
var ErrWaveBusy = catalog.New("wave_busy", "the wave is at work")

// WaveState is what a wave does.
type WaveState string

// The states of a wave. Moves that are under way go on in all but aborting.
const (
	WaveRunning  WaveState = "running"  // begins moves, within its limits
	WavePaused   WaveState = "paused"   // begins none until it is resumed
	WaveStopped  WaveState = "stopped"  // like paused, because too many moves have failed
	WaveAborting WaveState = "aborting" // begins none; those that have not flipped are aborted
	WaveAborted  WaveState = "aborted"
	WaveDone     WaveState = "done" // every item has ended, some perhaps in failure
)

// Ended reports whether nothing will happen in the wave any more.
func (s WaveState) Ended() bool { return s == WaveAborted || s == WaveDone }

// WaveLimits bound how much of a wave is under way at once.
type WaveLimits struct {
	AtOnce    int `json:"at_once"`    // moves in all (default 4)
	PerSource int `json:"per_source"` // moves from one cluster (default 2)
	PerTarget int `json:"per_target"` // moves to one cluster (default 2)
	StopAfter int `json:"stop_after"` // failures that stop the wave (default 1; -1: none does)
}

// Window is a time of day in which a wave may begin moves.
type Window struct {
	From int    `json:"from"` // minutes since midnight
	To   int    `json:"to"`   // minutes since midnight; before From: on the next day
	Zone string `json:"zone"` // of the IANA database
}

// ParseWindow reads HH:MM-HH:MM with the name of a time zone, UTC if it is empty.
func ParseWindow(text, zone string) (Window, error) {
	w := Window{Zone: zone}
	bad := func(fix string) (Window, error) {
		return w, &placement.InvalidError{Field: "window", Value: text, Fix: fix}
	}
	if w.Zone == "" {
		w.Zone = "UTC"
	}
	if _, err := time.LoadLocation(w.Zone); err != nil {
		return w, &placement.InvalidError{Field: "zone", Value: zone, Fix: "must be a name of the IANA time zone database, such as Europe/Berlin"}
	}
	from, to, ok := strings.Cut(text, "-")
	a, err1 := time.Parse("15:04", from)
	b, err2 := time.Parse("15:04", to)
	if !ok || err1 != nil || err2 != nil {
		return bad("must be two times of the day, such as 22:00-06:00")
	}
	w.From, w.To = a.Hour()*60+a.Minute(), b.Hour()*60+b.Minute()
	if w.From == w.To {
		return bad("must not begin when it ends; leave it out for the whole day")
	}
	return w, nil
}

// valid refuses a window that was not made by ParseWindow.
func (w Window) valid() error {
	_, err := ParseWindow(fmt.Sprintf("%02d:%02d-%02d:%02d", w.From/60, w.From%60, w.To/60, w.To%60), w.Zone)
	return err
}

func (w Window) String() string {
	return fmt.Sprintf("%02d:%02d-%02d:%02d %s", w.From/60, w.From%60, w.To/60, w.To%60, w.Zone)
}

// open reports whether t is in the window.
func (w Window) open(t time.Time) (bool, error) {
	zone, err := time.LoadLocation(w.Zone)
	if err != nil {
		return false, fmt.Errorf("window %s: %w", w, err)
	}
	t = t.In(zone)
	m := t.Hour()*60 + t.Minute()
	if w.From < w.To {
		return m >= w.From && m < w.To, nil
	}
	return m >= w.From || m < w.To, nil
}

// Wave is a number of moves that are made as one piece of work. Its items are
// records of their own.
type Wave struct {
	ID         string      `json:"id"`
	Plan       string      `json:"plan,omitempty"` // what it was made from, for people
	Created    time.Time   `json:"created"`
	Updated    time.Time   `json:"updated"`
	State      WaveState   `json:"state"`
	Reason     string      `json:"reason,omitempty"`      // why it is in that state, or what it waits for
	ReasonCode string      `json:"reason_code,omitempty"` // of Reason, in the catalogue of errors
	Owner      string      `json:"owner,omitempty"`       // session of the controller that works on it
	Items      int         `json:"items"`
	Limits     WaveLimits  `json:"limits"`
	Windows    []Window    `json:"windows,omitempty"` // none: always
	Options    MoveOptions `json:"options"`
	// Forgiven is how many failures there were when somebody last resumed it.
	Forgiven int `json:"forgiven,omitempty"`
}

// ItemState is how far one tenant of a wave is.
type ItemState string

// The states of an item.
const (
	ItemWaiting ItemState = "waiting"
	ItemMoving  ItemState = "moving" // has a move's id; the record of the move may still be missing
	ItemDone    ItemState = "done"   // the tenant has flipped, or was there already
	ItemFailed  ItemState = "failed" // refused, failed, or aborted by itself
	ItemSkipped ItemState = "skipped"
)

// Ended reports whether nothing will happen to the item any more.
func (s ItemState) Ended() bool { return s == ItemDone || s == ItemFailed || s == ItemSkipped }

// WaveItem is one tenant of a wave.
type WaveItem struct {
	Wave      string                `json:"wave"`
	N         int                   `json:"n"` // its place, from 0; earlier ones begin first
	Partition placement.PartitionID `json:"partition"`
	From      string                `json:"from"` // cluster, when it was planned
	To        string                `json:"to"`   // cluster
	Index     string                `json:"index,omitempty"`
	Kind      placement.Kind        `json:"kind,omitempty"`  // at the target; empty: the same as now
	Field     string                `json:"field,omitempty"` // the partition field of a shared index (default: that of its tenants)
	Back      string                `json:"back,omitempty"`  // the move that this one rolls back
	State     ItemState             `json:"state"`
	Move      string                `json:"move,omitempty"`
	Error     string                `json:"error,omitempty"`
	ErrorCode string                `json:"error_code,omitempty"` // of Error, in the catalogue of errors
	Began     time.Time             `json:"began,omitzero"`
	Ended     time.Time             `json:"ended,omitzero"`
}

// waits records why the wave is in its state; nil: for no reason any more.
func (w *Wave) waits(why error) { w.Reason, w.ReasonCode = reason(why, "retrying") }

// arrived reports whether a tenant that lives at p is where the item was to take it.
func (i WaveItem) arrived(p placement.Placement) bool {
	return i.Back == "" && p.Cluster == i.To && (i.Index == "" || i.Index == p.Index) && (i.Kind == "" || i.Kind == p.Kind)
}

func (i WaveItem) name() string { return fmt.Sprintf("%s-%06d", i.Wave, i.N) }

// Waves are the records of all waves, ended ones included.
func Waves(s *store.Store) store.Records[Wave] { return store.RecordsOf[Wave](s, store.SpaceWaves) }

// WaveItems are the items of all waves.
func WaveItems(s *store.Store) store.Records[WaveItem] {
	return store.RecordsOf[WaveItem](s, store.SpaceWaveItems)
}

// maxWave is how many tenants one wave may have.
const maxWave = 100_000

// WaveRequest asks for a wave. Of its items only Partition, To, Index, Kind, Field and Back
// are read.
type WaveRequest struct {
	Plan    string
	Items   []WaveItem
	Limits  WaveLimits
	Windows []Window
	Options MoveOptions
	Paused  bool   // it waits to be resumed
	ID      string // see Request
}

func (l WaveLimits) withDefaults() (WaveLimits, error) {
	for _, f := range []struct {
		field string
		value *int
		def   int
	}{{"at_once", &l.AtOnce, 4}, {"per_source", &l.PerSource, 2}, {"per_target", &l.PerTarget, 2}, {"stop_after", &l.StopAfter, 1}} {
		if *f.value == 0 {
			*f.value = f.def
		}
		if *f.value < 0 && f.field != "stop_after" {
			return l, &placement.InvalidError{Field: f.field, Value: fmt.Sprint(*f.value), Fix: "must be above 0"}
		}
	}
	return l, nil
}

// RequestWave checks the items and writes the records that a controller will take
// up. The wave's own comes last: items without one are nobody's.
func RequestWave(ctx context.Context, s *store.Store, r WaveRequest) (Wave, error) {
	fail := func(err error) (Wave, error) { return Wave{}, fmt.Errorf("request a wave: %w", err) }
	limits, err := r.Limits.withDefaults()
	if err != nil {
		return fail(err)
	}
	opt, err := r.Options.withDefaults()
	if err != nil {
		return fail(err)
	}
	if len(r.Items) == 0 || len(r.Items) > maxWave {
		return fail(&placement.InvalidError{Field: "items", Value: fmt.Sprint(len(r.Items)), Fix: fmt.Sprintf("must be 1 to %d tenants", maxWave)})
	}
	for _, w := range r.Windows {
		if err := w.valid(); err != nil {
			return fail(err)
		}
	}
	now := time.Now().UTC()
	id := r.ID
	if id == "" {
		id = NewWaveID()
	} else if made, err := Waves(s).Get(ctx, id); !errors.Is(err, store.ErrNotFound) {
		return made.Value, err
	}
	items, err := checkItems(ctx, s, id, r.Items)
	if err != nil {
		return fail(err)
	}
	w := Wave{ID: id, Plan: r.Plan, Created: now, Updated: now, State: WaveRunning, Items: len(items), Limits: limits, Windows: r.Windows, Options: opt}
	if r.Paused {
		w.State = WavePaused
		w.waits(catalog.New("wave_paused", "requested so"))
	}
	for _, i := range items {
		// One that is there is of this very request, which had not come to its end.
		if _, err := WaveItems(s).Put(ctx, i.name(), i, 0); err != nil && (r.ID == "" || !errors.Is(err, store.ErrConflict)) {
			return fail(err)
		}
	}
	if _, err := Waves(s).Put(ctx, id, w, 0); err != nil {
		return fail(err)
	}
	return w, nil
}

// checkItems refuses a wave that names a tenant twice, or what does not exist.
func checkItems(ctx context.Context, s *store.Store, wave string, in []WaveItem) ([]WaveItem, error) {
	clusters, _, err := s.Clusters().List(ctx)
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, c := range clusters {
		known[c.Name] = true
	}
	lives := map[placement.PartitionID]string{}
	if _, err := s.Entries(ctx, func(e placement.Entry, err error) bool {
		if err == nil {
			lives[e.Partition] = e.State.From.Cluster
		}
		return true
	}); err != nil {
		return nil, err
	}
	seen := map[placement.PartitionID]bool{}
	out := make([]WaveItem, 0, len(in))
	for n, i := range in {
		from, ok := lives[i.Partition]
		switch {
		case !ok:
			return nil, fmt.Errorf("%w %q", placement.ErrUnknownPartition, string(i.Partition))
		case seen[i.Partition]:
			return nil, &placement.InvalidError{Field: "items", Value: string(i.Partition), Fix: "must name each tenant once"}
		case !known[i.To]:
			return nil, fmt.Errorf("%w %q: add it with `sluice cluster add`", ErrUnknownCluster, i.To)
		}
		if i.Kind != "" {
			if err := movable(i.Kind); err != nil {
				return nil, err
			}
		}
		seen[i.Partition] = true
		out = append(out, WaveItem{Wave: wave, N: n, Partition: i.Partition, From: from, To: i.To, Index: i.Index, Kind: i.Kind, Field: i.Field, Back: i.Back, State: ItemWaiting})
	}
	return out, nil
}

// RequestWaveState asks a wave to become running, paused or aborting.
func RequestWaveState(ctx context.Context, s *store.Store, id string, to WaveState) (Wave, error) {
	failed := 0
	if to == WaveRunning {
		items, err := itemsOf(ctx, s, id)
		if err != nil {
			return Wave{}, err
		}
		for _, i := range items {
			if i.Value.State == ItemFailed {
				failed++
			}
		}
	}
	return changeWave(ctx, s, id, func(w *Wave) error {
		switch {
		case w.State.Ended():
			return fmt.Errorf("wave %s: %w (%s)", id, ErrSettled, w.State)
		case w.State == WaveAborting && to != WaveAborting:
			return fmt.Errorf("wave %s: %w: an abort was requested", id, ErrSettled)
		}
		w.State = to
		w.waits(nil)
		if to == WaveRunning {
			w.Forgiven = failed
		}
		return nil
	})
}

// RequestWaveLimits changes the limits of a wave that has not ended; zeroes are left
// as they are.
func RequestWaveLimits(ctx context.Context, s *store.Store, id string, l WaveLimits) (Wave, error) {
	return changeWave(ctx, s, id, func(w *Wave) error {
		if w.State.Ended() {
			return fmt.Errorf("wave %s: %w (%s)", id, ErrSettled, w.State)
		}
		next := w.Limits
		for _, f := range []struct{ to, from *int }{{&next.AtOnce, &l.AtOnce}, {&next.PerSource, &l.PerSource}, {&next.PerTarget, &l.PerTarget}, {&next.StopAfter, &l.StopAfter}} {
			if *f.from != 0 {
				*f.to = *f.from
			}
		}
		var err error
		w.Limits, err = next.withDefaults()
		return err
	})
}

// changeWave changes a wave by compare-and-swap.
func changeWave(ctx context.Context, s *store.Store, id string, change func(*Wave) error) (Wave, error) {
	for {
		r, err := Waves(s).Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return Wave{}, fmt.Errorf("%w %q", ErrUnknownWave, id)
		}
		if err != nil {
			return Wave{}, err
		}
		w := r.Value
		if err := change(&w); err != nil {
			return r.Value, err
		}
		w.Updated = time.Now().UTC()
		if _, err = Waves(s).Put(ctx, id, w, r.Version); err == nil {
			return w, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return Wave{}, err
		}
	}
}

// itemsOf are the items of a wave, in order.
func itemsOf(ctx context.Context, s *store.Store, wave string) ([]store.Record[WaveItem], error) {
	all, _, err := WaveItems(s).List(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r store.Record[WaveItem]) bool { return r.Value.Wave != wave })
	slices.SortFunc(all, func(a, b store.Record[WaveItem]) int { return a.Value.N - b.Value.N })
	return all, nil
}

// WaveStatus is a wave as people watch it.
type WaveStatus struct {
	Wave   Wave              `json:"wave"`
	Counts map[ItemState]int `json:"counts"`
	Items  []WaveItem        `json:"items"`
	Moves  map[string]Move   `json:"moves"` // of the items that are moving
	// ETA is how long the rest takes if it goes on as it did; 0 while unknown.
	ETA time.Duration `json:"eta"`
}

// WaveByID reads the record of a wave, or returns ErrUnknownWave.
func WaveByID(ctx context.Context, s *store.Store, id string) (Wave, error) {
	r, err := Waves(s).Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Wave{}, fmt.Errorf("%w %q", ErrUnknownWave, id)
	}
	return r.Value, err
}

// ReadWave reads a wave with its items and the moves that are under way.
func ReadWave(ctx context.Context, s *store.Store, id string) (WaveStatus, error) {
	w, err := WaveByID(ctx, s, id)
	if err != nil {
		return WaveStatus{}, err
	}
	items, err := itemsOf(ctx, s, id)
	if err != nil {
		return WaveStatus{}, err
	}
	out := WaveStatus{Wave: w, Counts: map[ItemState]int{}, Moves: map[string]Move{}}
	for _, i := range items {
		out.Items = append(out.Items, i.Value)
		out.Counts[i.Value.State]++
		if i.Value.State != ItemMoving {
			continue
		}
		m, err := Moves(s).Get(ctx, i.Value.Move)
		switch {
		case err == nil:
			out.Moves[m.Value.ID] = m.Value
		case !errors.Is(err, store.ErrNotFound):
			return WaveStatus{}, err
		}
	}
	out.ETA = waveETA(out)
	return out, nil
}

// etaItems is how many of the items that ended last an ETA is made of.
const etaItems = 100

// waveETA spreads what is left over the lanes that the limits allow, each item as
// long as those that ended last took, waiting for a controller's slot included. Hours in which
// nothing begins are not in it.
func waveETA(st WaveStatus) time.Duration {
	if st.Wave.State != WaveRunning {
		return 0
	}
	var ended []WaveItem
	from, to := map[string]int{}, map[string]int{}
	for _, i := range st.Items {
		switch {
		case !i.State.Ended():
			from[i.From]++
			to[i.To]++
		case i.State != ItemSkipped && !i.Began.IsZero():
			ended = append(ended, i)
		}
	}
	left := st.Counts[ItemWaiting] + st.Counts[ItemMoving]
	if len(ended) == 0 || left == 0 {
		return 0
	}
	slices.SortFunc(ended, func(a, b WaveItem) int { return b.Ended.Compare(a.Ended) })
	ended = ended[:min(len(ended), etaItems)]
	var took time.Duration
	for _, i := range ended {
		took += i.Ended.Sub(i.Began)
	}
	each := took / time.Duration(len(ended))
	// The cluster with the most left, within its own limit, may be what takes longest.
	l := st.Wave.Limits
	rounds := func(n, lanes int) int { lanes = min(n, lanes, l.AtOnce); return (n + lanes - 1) / lanes }
	most := rounds(left, l.AtOnce)
	for _, n := range from {
		most = max(most, rounds(n, l.PerSource))
	}
	for _, n := range to {
		most = max(most, rounds(n, l.PerTarget))
	}
	return each * time.Duration(most)
}
