package control

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Prediction is what a move is thought to take. It decides nothing. The receipt has it
// beside what it came to.
type Prediction struct {
	Docs  int64 `json:"docs"`  // at the source when it was made
	Bytes int64 `json:"bytes"` // of the source's primaries on disk; what is copied are documents, which may be more or less
	// CopyTime is of the copying stage alone.
	CopyTime time.Duration `json:"copy_time"`
	// Pause is the longest time that a write is held.
	Pause time.Duration `json:"pause"`
	// RestsOn is what CopyTime rests on, PauseRestsOn what Pause does.
	RestsOn      Ground `json:"rests_on,omitempty"`
	PauseRestsOn Ground `json:"pause_rests_on,omitempty"`
	// Moves is how many earlier moves between the two clusters it rests on; 0: none.
	Moves  int           `json:"moves"`
	Sample *mover.Sample `json:"sample,omitempty"` // nil: none was read
	Basis  string        `json:"basis"`            // for people
}

// Ground is what a prediction rests on.
type Ground string

// The grounds of predictions, from the best on.
const (
	GroundReceipts Ground = "receipts" // of earlier moves between the two clusters
	GroundSample   Ground = "sample"   // documents of the source that were read for it
	GroundDefault  Ground = "default"  // what OpenSearch usually takes
)

const (
	// predictFrom is how many earlier moves count, the newest ones.
	predictFrom = 5
	// predictDocs is how many documents a move must have copied to tell a rate: of fewer,
	// the time is that of the steps around the copy.
	predictDocs = 1000
	// usualPause is what a move without predecessors is told: the mover's guess for a
	// few ids that are left to catch up with, and the barrier.
	usualPause = 100 * time.Millisecond
)

// PredictMove says what the move that is asked for is thought to take, after a Precheck.
// What earlier moves do not tell it finds out by a sample of the source, see sampled.
func PredictMove(ctx context.Context, s *store.Store, r Request, rep mover.Report) (Prediction, error) {
	e, err := s.State(ctx, r.Partition)
	if err != nil {
		return Prediction{}, fmt.Errorf("predict a move: %w", err)
	}
	moves, _, err := Moves(s).List(ctx)
	if err != nil {
		return Prediction{}, fmt.Errorf("predict a move: %w", err)
	}
	p := predict(moves, e.State.From, placement.Placement{Cluster: r.Cluster}, r.Options.CopyRate, rep.Docs, rep.Bytes)
	if p.RestsOn == GroundReceipts && p.PauseRestsOn == GroundReceipts || rep.Copy != nil && rep.Copy.Method == mover.CopySnapshot {
		return p, nil
	}
	x, err := sample(ctx, s, r)
	switch {
	case ctx.Err() != nil:
		return p, context.Cause(ctx)
	case err != nil: // no reason to predict nothing
		p.Basis += "; the source could not be sampled: " + err.Error()
		return p, nil
	}
	return p.sampled(x, r.Options.CopyRate), nil
}

// predict goes by the receipts of earlier moves from one cluster to the other.
func predict(moves []store.Record[Move], from, to placement.Placement, limit float64, docs, bytes int64) Prediction {
	p := Prediction{Docs: docs, Bytes: bytes, Pause: usualPause, RestsOn: GroundDefault, PauseRestsOn: GroundDefault, Basis: "what OpenSearch usually takes: no earlier move between these clusters tells"}
	p.CopyTime = mover.UsualCopyTime(docs, bytes)
	var rates []float64 // documents a second
	var pauses []time.Duration
	byAge := slices.Clone(moves) // ids sort by age
	slices.SortFunc(byAge, func(a, b store.Record[Move]) int {
		switch {
		case a.Name > b.Name:
			return -1
		case a.Name < b.Name:
			return 1
		}
		return 0
	})
	for _, m := range byAge {
		r := m.Value.Receipt // a rollback copies little, and tells nothing of a copy
		if r == nil || r.RollbackOf != "" || r.From.Cluster != from.Cluster || r.To.Cluster != to.Cluster || len(pauses) == predictFrom {
			continue
		}
		// A limit that was set is none that the clusters have, and a snapshot is no scan.
		if r.Docs >= predictDocs && r.CopyTime > 0 && m.Value.Options.CopyRate == 0 && !m.Value.seeds() {
			rates = append(rates, float64(r.Docs)/r.CopyTime.Seconds())
		}
		pauses = append(pauses, time.Duration(max(r.Pause.LongestMS, r.Pause.ControllerMS)*float64(time.Millisecond)))
	}
	if len(pauses) > 0 {
		slices.Sort(pauses)
		p.Pause, p.Moves, p.PauseRestsOn = pauses[len(pauses)/2], len(pauses), GroundReceipts
		p.Basis = fmt.Sprintf("the newest %d moves between these clusters", len(pauses))
		if len(rates) == 0 {
			p.Basis += fmt.Sprintf("; none copied %d documents without a limit, so the time is what OpenSearch usually takes", predictDocs)
		}
	}
	if len(rates) > 0 {
		slices.Sort(rates)
		p.RestsOn = GroundReceipts
		p.CopyTime = time.Duration(float64(docs) / rates[len(rates)/2] * float64(time.Second))
	}
	if limit > 0 {
		p.CopyTime = max(p.CopyTime, time.Duration(float64(docs)/limit*float64(time.Second)))
	}
	return p
}

// foresee is called when the move begins; what it says is kept in the record. Not being able to tell
// is no reason to stop.
func (d *drive) foresee(ctx context.Context) *Prediction {
	docs, bytes, err := d.mv.Size(ctx)
	if err != nil {
		d.log.Debug("the move's size could not be read", "error", err)
		return nil
	}
	m := d.move()
	p := predict(d.c.known(), m.From, m.To, m.Options.CopyRate, docs, bytes)
	return &p
}

// copyTime is how long a move has been in its copying stage.
func (m Move) copyTime() time.Duration {
	var sum time.Duration
	for _, t := range m.Timeline {
		if t.Stage == StageCopying {
			sum += t.Duration
		}
	}
	return sum
}
