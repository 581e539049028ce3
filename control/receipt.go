package control

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

//go:generate go test -run TestReceiptSchema . -update

// Receipt says what a move did. Durations are in nanoseconds in JSON, except
// where a field's name says otherwise.
type Receipt struct {
	Partition    placement.PartitionID `json:"partition"`
	RollbackOf   string                `json:"rollback_of,omitempty"` // the move that was rolled back
	From         placement.Placement   `json:"from"`
	To           placement.Placement   `json:"to"`
	Attempts     uint32                `json:"attempts"` // drivers that worked on it
	Timeline     []StageTime           `json:"timeline"`
	Docs         int64                 `json:"docs"` // copied
	Bytes        int64                 `json:"bytes"`
	CopiedBy     *mover.Choice         `json:"copied_by,omitempty"` // left out: by scan, which nobody has put into question
	Rounds       int                   `json:"rounds"`              // of catching up
	CaughtUp     int64                 `json:"caught_up"`           // ids applied from journals
	Verification DiffCounts            `json:"verification"`
	Instances    []string              `json:"instances"` // proxies waited for at the flip
	Pause        Pause                 `json:"pause"`
	Cutovers     int                   `json:"cutovers"` // tried, the successful one included
	// CopyTime is how long the copying stage took in all. Predicted is what was thought
	// when the move began; nil: nothing could be told.
	CopyTime  time.Duration `json:"copy_time"`
	Predicted *Prediction   `json:"predicted,omitempty"`
	// Fence: "clean" (no write reached the old copy after the flip's last
	// check), "written" (somebody writes around the proxies), or why it is not known.
	Fence  string       `json:"fence"`
	Shadow *ShadowReads `json:"shadow,omitempty"` // nil: not asked for
}

// DiffCounts is the result of a verification: every id and version compared, and the
// contents in that mode.
type DiffCounts struct {
	Mode    Verify `json:"mode"`
	Scanned int64  `json:"scanned"`
	Missing int64  `json:"missing"` // at the source only, at first sight
	Extra   int64  `json:"extra"`   // at the target only, at first sight
	Older   int64  `json:"older"`   // another version at the target, at first sight
	Routing int64  `json:"routing"` // another routing of the same shard, at first sight
	Content int64  `json:"content"` // another source with the same version, at first sight
	// Unsettled are, of these, those that no journal explained when the move waited
	// because of them, or ended; 0 in a receipt.
	Unsettled int64 `json:"unsettled"`
	// Accepted were explained by no journal, and made what they are at the source. What
	// was written around the proxies after the verification, and before the cutover, is
	// taken over without being told from other writes.
	Accepted int64 `json:"accepted,omitempty"`
	// Late counts operations that went around the proxies while the last comparison was
	// made: the target may lack them.
	Late int64 `json:"late,omitempty"`
}

// Pause is how the move was felt. All but the first four are of the proxies that
// answered when the receipt was written, by their own clocks.
type Pause struct {
	ControllerMS float64 `json:"controller_ms"` // entering Cutover to completion; 0 if another driver entered it
	// BarrierMS, LastRoundMS and SealMS are its parts: the acknowledgements; taking over
	// what was left, and a look at both sides; checking, refreshing and sealing the target.
	BarrierMS    float64 `json:"barrier_ms"`
	LastRoundMS  float64 `json:"last_round_ms"`
	SealMS       float64 `json:"seal_ms"`
	HeldRequests int     `json:"held_requests"`
	Refused      int     `json:"refused"`
	P50MS        float64 `json:"p50_ms"`
	MaxMS        float64 `json:"max_ms"`     // of the sampled holds
	LongestMS    float64 `json:"longest_ms"` // of all holds
	// Errors are those that the tenant's clients were answered with between the move's
	// begin and the receipt, by kind: the proxy's own type of error (docs/errors.md),
	// status_NNN of the cluster's, item_status_NNN of an item of a bulk. What a request
	// itself has caused, such as a 404 or a 409, does not count.
	Errors            map[string]int `json:"errors"`
	Unanswered        int            `json:"unanswered"`                   // proxies that did not tell
	UnansweredProxies []string       `json:"unanswered_proxies,omitempty"` // their names
	// VanishedProxies had ended without a clean close, and cannot tell.
	VanishedProxies []string `json:"vanished_proxies,omitempty"`
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// feltPause asks every proxy what its writers felt.
func feltPause(ctx context.Context, peers *gate.Peers, proxies, vanished []store.Info, move string, f flipped) Pause {
	p := Pause{ControllerMS: millis(f.pause), BarrierMS: millis(f.barrier), LastRoundMS: millis(f.lastRound), SealMS: millis(f.seal), Errors: map[string]int{}}
	p.VanishedProxies = names(vanished)
	slices.Sort(p.VanishedProxies)
	var samples []time.Duration
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, info := range proxies {
		wg.Go(func() {
			bound, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			h, err := peers.Holds(bound, info, move)
			mu.Lock() // everything below is shared
			defer mu.Unlock()
			if err != nil {
				p.UnansweredProxies = append(p.UnansweredProxies, info.Name)
				return
			}
			p.HeldRequests += h.Held
			p.Refused += h.Refused
			p.LongestMS = max(p.LongestMS, millis(h.Longest))
			samples = append(samples, h.Samples...)
			for kind, n := range h.Errors {
				p.Errors[kind] += n
			}
		})
	}
	wg.Wait()
	slices.Sort(p.UnansweredProxies)
	p.Unanswered = len(p.UnansweredProxies)
	if len(samples) > 0 {
		slices.Sort(samples)
		p.P50MS, p.MaxMS = millis(samples[len(samples)/2]), millis(samples[len(samples)-1])
	}
	return p
}
