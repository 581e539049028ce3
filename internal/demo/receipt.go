package demo

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/load"
)

// Leg is one move of the demo and what was seen of it.
type Leg struct {
	ID          string            `json:"id"`
	From        string            `json:"from"`
	To          string            `json:"to"`
	Rollback    bool              `json:"rollback,omitempty"`
	Took        time.Duration     `json:"took_ns"`
	Widened     []string          `json:"widened,omitempty"` // flags of moves set: the clusters stayed too busy for the default budget
	Holds       Holds             `json:"holds"`             // as the proxies measured them
	ClientWrite load.Latency      `json:"client_writes"`     // durations of the writes during the move, as the clients measured them
	Scroll      load.CursorReport `json:"scroll"`
	PIT         load.CursorReport `json:"pit"`
	Check       load.CheckReport  `json:"check"`
}

// Holds are the writes that a cutover made wait.
type Holds struct {
	Held     int           `json:"held"`
	Refused  int           `json:"refused"`
	P50      time.Duration `json:"p50_ns"`
	Longest  time.Duration `json:"longest_ns"`
	Cutovers int           `json:"cutovers"` // tried, the one that succeeded among them
	Parts    PauseParts    `json:"parts"`
}

// PauseParts says where the time of a pause went, as the controller measured it, in milliseconds. All are 0 when another
// controller completed the move than the one that had entered the cutover.
type PauseParts struct {
	Whole     float64 `json:"whole_ms"` // entering the cutover to its completion
	Barrier   float64 `json:"barrier_ms"`
	LastRound float64 `json:"last_round_ms"`
	Seal      float64 `json:"seal_ms"`
}

// Rest is what is left beside the parts: the store's transitions.
func (p PauseParts) Rest() float64 { return max(0, p.Whole-p.Barrier-p.LastRound-p.Seal) }

func (p PauseParts) String() string {
	return fmt.Sprintf("barrier %.0f + last round %.0f + seal %.0f + store %.0f = %.0f ms", p.Barrier, p.LastRound, p.Seal, p.Rest(), p.Whole)
}

// Result is the outcome of a demo.
type Result struct {
	Documents int              `json:"documents"` // of the corpus
	Versions  []string         `json:"opensearch"`
	Store     string           `json:"store"` // that the placement table was in
	Counts    load.Counts      `json:"counts"`
	Legs      []Leg            `json:"moves"`
	Final     load.CheckReport `json:"final_check"`
	Trouble   []string         `json:"trouble,omitempty"`
	OK        bool             `json:"ok"`
}

// verdict is the worst of all checks: a fault that a later write hid was a fault all the same.
func (r *Result) verdict() load.CheckReport {
	v := r.Final
	for _, l := range r.Legs {
		v.Lost, v.Resurrected = max(v.Lost, l.Check.Lost), max(v.Resurrected, l.Check.Resurrected)
		v.WrongVersion, v.Extra = max(v.WrongVersion, l.Check.WrongVersion), max(v.Extra, l.Check.Extra)
	}
	return v
}

func (r *Result) cursors() bool {
	for _, l := range r.Legs {
		if !l.Scroll.Complete() || !l.PIT.Complete() || l.PIT.Expected == 0 {
			return false
		}
	}
	return true
}

// problems names what is off; empty when nothing is.
func (r *Result) problems() []string {
	var out []string
	add := func(n int64, what string) {
		if n != 0 {
			out = append(out, fmt.Sprintf("%d %s", n, what))
		}
	}
	v := r.verdict()
	add(v.Lost, "lost")
	add(v.Resurrected, "resurrected")
	add(v.WrongVersion, "with a wrong version")
	add(v.Extra, "that nobody wrote")
	add(r.Counts.Jumps, "acknowledged with an unexpected version")
	add(r.Counts.Failed, "requests failed")
	add(r.Counts.Retried, "requests retried")
	add(r.Counts.Unknown, "writes of unknown outcome")
	add(r.Counts.Stale, "stale reads")
	if !r.cursors() {
		out = append(out, "a cursor did not return every document")
	}
	return out
}

// write prints the receipt.
func (r *Result) write(w io.Writer) error {
	v, c := r.verdict(), r.Counts
	var b strings.Builder
	fmt.Fprintf(&b, "acknowledged writes   %-8d lost %d   resurrected %d   wrong version %d\n", c.Acknowledged, v.Lost, v.Resurrected, v.WrongVersion+c.Jumps)
	fmt.Fprintf(&b, "requests              %-8d failed %d   retried by clients %d\n", c.Requests, c.Failed, c.Retried)
	fmt.Fprintf(&b, "reads                 %-8d stale %d   (a get that missed a write acknowledged before it was sent)\n", c.Reads, c.Stale)
	fmt.Fprintf(&b, "pause (writes held)   %s\n", r.pause())
	if worst := r.worst(); worst.Parts.Whole > 0 {
		fmt.Fprintf(&b, "longest pause         %s\n", worst.Parts)
	}
	if r.cursors() {
		b.WriteString("cursors               scroll and PIT opened before the flip finished with every document\n")
	} else {
		for _, l := range r.Legs {
			fmt.Fprintf(&b, "cursors               move to %s: scroll %d of %d, PIT %d of %d, repeated %d\n", l.To,
				l.Scroll.Read, l.Scroll.Expected, l.PIT.Read, l.PIT.Expected, l.Scroll.Repeated+l.PIT.Repeated)
		}
	}
	for _, l := range r.Legs {
		if len(l.Widened) > 0 {
			fmt.Fprintf(&b, "too busy a machine    the move to %s waited for a calm moment until it was given %s\n", l.To, strings.Join(l.Widened, " "))
		}
	}
	if v.Extra > 0 || c.Unknown > 0 {
		fmt.Fprintf(&b, "also                  documents that nobody wrote %d   writes of unknown outcome %d\n", v.Extra, c.Unknown)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// pause sums up the holds of all moves. The median is that of the moves' medians, which differ little.
func (r *Result) pause() string {
	var medians []time.Duration
	var longest, client time.Duration
	held := 0
	for _, l := range r.Legs {
		if l.Holds.Held > 0 {
			medians = append(medians, l.Holds.P50)
		}
		held += l.Holds.Held
		longest, client = max(longest, l.Holds.Longest), max(client, l.ClientWrite.Max)
	}
	seen := fmt.Sprintf("slowest write a client saw %.0f ms", ms(client))
	if len(medians) == 0 {
		return "no write was held   " + seen
	}
	slices.Sort(medians)
	return fmt.Sprintf("p50 %.0f ms, max %.0f ms   longest single hold %.0f ms   (%d writes held; %s)",
		ms(medians[len(medians)/2]), ms(longest), ms(longest), held, seen)
}

// worst returns the holds of the move that held a write, or would have held one, for longest.
func (r *Result) worst() Holds {
	var w Holds
	for _, l := range r.Legs {
		if l.Holds.Longest > w.Longest || l.Holds.Longest == w.Longest && l.Holds.Parts.Whole > w.Parts.Whole {
			w = l.Holds
		}
	}
	return w
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
