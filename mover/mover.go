package mover

import (
	"cmp"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// Index is one index of a move. It is what control persists.
type Index struct {
	Logical    string `json:"logical"` // as clients know it
	Source     string `json:"source"`
	SourceUUID string `json:"source_uuid"`
	Target     string `json:"target"`
	TargetUUID string `json:"target_uuid"`
	Shards     int    `json:"shards"` // of the source, and of a target that the move has made
	// TargetShards are those of a shared target.
	TargetShards int `json:"target_shards,omitempty"`
	// GCDeletes is the source's index.gc_deletes, which the target gets before
	// the move completes; empty is OpenSearch's default.
	GCDeletes string `json:"gc_deletes,omitempty"`
	// Base holds the source's global checkpoint of each primary shard: what was
	// written up to it is at the target. NoteBase and Resync note it.
	Base map[string]int64 `json:"base,omitempty"`
	// Mark holds the source's newest sequence number of each primary shard, as
	// Seal found them. Fence compares with them. Empty until Seal.
	Mark map[string]int64 `json:"mark,omitempty"`
	// Fenced holds, of a source that is not shared, what Mark was when Fence had
	// blocked it. Untouched compares with it.
	Fenced map[string]int64 `json:"fenced,omitempty"`
	// Held holds, of a shared source, how many documents of the tenant each shard
	// had after the flip. Fence notes it, and Untouched compares with it and forgets it.
	Held map[string]int64 `json:"held,omitempty"`
	// TargetBase holds the target's global checkpoint of each primary shard before the
	// flip: what clients write there has higher numbers. NoteTarget notes it, and a
	// rollback begins from it.
	TargetBase map[string]int64 `json:"target_base,omitempty"`
}

// atTarget is how many shards the target has.
func (i Index) atTarget() int { return cmp.Or(i.TargetShards, i.Shards) }

// rotation is the whole of Mover.gate; a bulk takes 1 of it.
const rotation = 1 << 20

// Spec says what to move. Move must be a part of an index name: lower case
// letters, digits and '-'.
type Spec struct {
	Move      string
	Attempt   uint32
	Partition placement.PartitionID
	From, To  placement.Placement
	// RollbackOf is the move whose old copy is the target, and Old its indices as it
	// has noted them; empty for a move that is no rollback.
	RollbackOf string
	Old        []Index
}

// Options of a Mover. The zero value is useful.
type Options struct {
	Logger *slog.Logger
	// Lease is asked before each batch and after each answer; its error stops
	// the work at once. Nil: always held.
	Lease      func() error
	BatchDocs  int            // most documents of a batch; 0 is 1000
	BatchBytes int            // aimed-at size of a batch in bytes; 0 is 4 MiB
	Workers    int            // concurrent bulk requests; 0 is 2
	Limits     Limits         // of Copy, see SetLimits
	Copy       CopyOptions    // what Choose and Precheck decide by
	Progress   func(Progress) // called during Copy, from one goroutine at a time
	// Patience bounds how long a cluster may refuse one request (429) before the
	// work ends with ErrOverloaded; 0 is two minutes.
	Patience time.Duration
}

// Progress of a copy.
type Progress struct {
	Docs, Total, Bytes int64
	Step               string        // of a copy by snapshot, StepSnapshot or StepRestore; Bytes are of it
	TotalBytes         int64         // of the step
	Rate               float64       // documents a second, of late
	ETA                time.Duration // 0 while unknown
}

// Mover moves one partition. Its methods are called in order by one goroutine;
// Progress, Rates and PredictPause may be called by others meanwhile, and Apply and
// Adopt beside a Verify.
type Mover struct {
	spec     Spec
	src, dst *upstream.Client
	opt      Options
	throttle *throttle // of Copy
	log      *slog.Logger
	rates    rates
	avgBytes atomic.Int64 // of a document, as measured of late
	creating atomic.Bool  // see Creating
	// pristine: see Unwritten.
	pristine atomic.Bool
	// tenant is whose documents of a shared source are moved; nil: all of the source's.
	tenant *shared.Tenant
	// into is whose documents of a shared target are written; nil: the target is the move's own.
	into *shared.Tenant
	// apart: Pair has found indices that do not choose shards alike.
	apart bool

	// work is held by whatever writes documents to the target, so that a copy
	// never writes what an Apply has already replaced.
	work *semaphore.Weighted

	// gate orders bulks and rotations: a bulk holds a part of it from the
	// choice of the alias to the answer, so a rotation, which holds all of
	// it, finds no bulk of this process under way except those of unknown
	// outcome, which it drains.
	gate      *semaphore.Weighted
	turn      int         // n of the alias in use; 0: none taken
	begun     int         // newest turn that was begun. Its names are used once: a request that gives them to the target may take effect long after it failed
	seals     int         // how often the target was sealed
	unsettled atomic.Bool // a bulk ended with an unknown outcome and no rotation has followed

	mu     sync.Mutex // guards the following
	idx    []Index
	meta   map[string]synced // by source index: what SyncMeta last applied
	thawed map[int]*thawed   // by the index's number; see thaw
	ways   []string          // see everyShard
}

// New returns a Mover. It refuses a Spec that cannot be moved with an
// *placement.InvalidError or a *RefusedError.
func New(spec Spec, src, dst *upstream.Client, o *Options) (*Mover, error) {
	if o == nil {
		o = &Options{}
	}
	if !validMove(spec.Move) {
		return nil, &placement.InvalidError{Field: "move", Value: spec.Move, Fix: "must be 1 to 64 of a-z, 0-9 and '-', beginning with a letter or a digit"}
	}
	if src == nil || dst == nil {
		return nil, &placement.InvalidError{Field: "cluster", Value: "", Fix: "source and target clients must be given"}
	}
	for _, p := range []placement.Placement{spec.From, spec.To} {
		if err := p.Validate(); err != nil {
			return nil, err
		}
	}
	tenant, into, err := ends(spec)
	if err != nil {
		return nil, err
	}
	if spec.From.Overlaps(spec.To) {
		return nil, &placement.InvalidError{Field: "placement", Value: spec.To.String(), Fix: "must differ from where the partition is"}
	}
	if spec.Attempt == 0 {
		spec.Attempt = 1
	}
	m := &Mover{tenant: tenant, into: into, work: semaphore.NewWeighted(1), gate: semaphore.NewWeighted(rotation), spec: spec, src: src, dst: dst, opt: *o, log: o.Logger, meta: map[string]synced{}, thawed: map[int]*thawed{}}
	if m.log == nil {
		m.log = slog.New(slog.DiscardHandler)
	}
	m.log = m.log.With("move", spec.Move, "attempt", spec.Attempt)
	if m.opt.Lease == nil {
		m.opt.Lease = func() error { return nil }
	}
	if m.opt.BatchDocs <= 0 {
		m.opt.BatchDocs = 1000
	}
	if m.opt.BatchBytes <= 0 {
		m.opt.BatchBytes = 4 << 20
	}
	if m.opt.Workers <= 0 {
		m.opt.Workers = 2
	}
	if m.opt.Patience <= 0 {
		m.opt.Patience = 2 * time.Minute
	}
	m.throttle = newThrottle(m.opt, src.Name(), dst.Name())
	return m, nil
}

func validMove(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// Use continues a persisted move.
func (m *Mover) Use(idx []Index) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idx = slices.Clone(idx)
}

// Indexes returns what Prepare made or Use was given, with what was learnt
// since (Index.Mark). Persist it after Seal.
func (m *Mover) Indexes() []Index {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.idx)
}

// pageDocs returns how many documents to ask for at a time, so that a batch is
// about BatchBytes and at most BatchDocs.
func (m *Mover) pageDocs() int {
	avg := m.avgBytes.Load()
	if avg <= 0 {
		return min(100, m.opt.BatchDocs) // unknown yet: begin small, documents may be large
	}
	return int(max(1, min(int64(m.opt.BatchDocs), int64(m.opt.BatchBytes)/avg)))
}

// copyDocs returns how many documents a copy asks for at a time.
func (m *Mover) copyDocs() int { return m.throttle.page(m.pageDocs(), m.avgBytes.Load()) }

// SetLimits changes Options.Limits of a copy that may be under way.
func (m *Mover) SetLimits(l Limits) { m.throttle.set(l) }

// SlowedBy says, for people, which pressure of the clusters holds a copy back; empty:
// none does.
func (m *Mover) SlowedBy() string { return m.throttle.slowedBy() }

// sized notes how large documents are. It reacts at once to larger ones, and
// slowly to smaller ones.
func (m *Mover) sized(docs int, bytes int64) {
	if docs == 0 {
		return
	}
	avg, old := max(1, bytes/int64(docs)), m.avgBytes.Load()
	if avg < old {
		avg = max(1, old-(old-avg+3)/4)
	}
	m.avgBytes.Store(avg) // racing workers lose one another's sample, which does no harm
}
