package chaos

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/history"
	"github.com/sluiceproxy/sluice/internal/load"
)

// LeastMoves is how many moves must have reached their target for a run to have shown anything.
const LeastMoves = 3

// Receipt is what a run did and what was seen of it.
type Receipt struct {
	Seed     uint64         `json:"seed"`
	Duration time.Duration  `json:"duration_ns"` // of the faults
	Recovery time.Duration  `json:"recovery_ns"` // from the last fault until everything was well
	Faults   map[string]int `json:"faults"`
	Moves    Moves          `json:"moves"`
	Doctor   Doctor         `json:"doctor"`
	Requests Requests       `json:"requests"`
	Longest  time.Duration  `json:"longest_hold_ns"` // as a proxy told its client
	Judged   Judged         `json:"judged"`
	// Anomalies are what must not be, one a line. None is what this is all about.
	Anomalies []string `json:"anomalies"`
}

// Requests are those of all clients.
type Requests struct {
	Sent    int64          `json:"sent"`
	Refused int64          `json:"refused"` // certainly without effect, or a read without an answer
	Unknown int64          `json:"unknown"` // writes
	Answers map[string]int `json:"answers"` // to the clients with histories, beside success
}

// Judged says what the verdict rests on.
type Judged struct {
	Documents  int              `json:"documents"`
	Operations int              `json:"operations"`
	Ledger     load.CheckReport `json:"ledger"`
}

// searchLimit bounds the search for an order of one document's operations.
const searchLimit = time.Minute

// judge reads everything back and compares.
func (r *run) judge(ctx context.Context, healthy time.Duration) (*Receipt, error) {
	took := time.Since(r.world.began) - healthy
	for _, c := range r.clients {
		c.readAll()
	}
	report, err := r.ledger.Check(ctx)
	if err != nil {
		return nil, err
	}
	re := &Receipt{Seed: r.o.Seed, Duration: took, Recovery: healthy, Faults: r.counts(), Requests: Requests{Answers: map[string]int{}}}
	re.Judged.Ledger = report
	r.judgeLedger(re, report)
	r.judgeHistory(re, ledgerTenant, r.history)
	for _, c := range r.clients {
		for _, text := range c.wrong {
			r.complain("%s", text)
		}
		r.judgeHistory(re, c.tenant, c.ops)
		for _, o := range c.ops {
			re.Requests.Sent++
			switch {
			case o.Outcome == history.Failed:
				re.Requests.Refused++
			case o.Outcome == history.Unknown:
				re.Requests.Unknown++
			}
		}
		for answer, n := range c.answers {
			re.Requests.Answers[answer] += n
		}
		re.Longest = max(re.Longest, c.longest)
	}
	for _, m := range r.movers {
		re.Moves.add(m.moves)
	}
	if hold := max(re.Longest, re.Moves.Longest); hold > longestHold {
		r.complain("a write was held for %v, and the deadline is %v", hold, holdDeadline)
	}
	if none := r.missing(); len(none) > 0 {
		r.complain("these faults never happened: %q", none)
	}
	if re.Moves.Finished < LeastMoves {
		r.complain("only %d moves have reached their target", re.Moves.Finished)
	}
	if re.Doctor = r.doctor; re.Doctor.Looks == 0 {
		r.complain("the doctor has not looked once while things went wrong")
	}
	re.Anomalies = append([]string{}, r.complaints()...) // never null
	return re, nil
}

// longestHold is the deadline of a hold, and by how much the process that counts it may be stopped, or late.
const longestHold = holdDeadline + sessionTTL*5/2 + 3*time.Second

func (r *run) judgeLedger(re *Receipt, report load.CheckReport) {
	c := r.ledger.Counts()
	re.Requests.Sent += c.Requests
	re.Requests.Refused += c.Failed + c.Retried
	re.Requests.Unknown += c.Unknown
	if !report.OK() {
		r.complain("%s: lost %d, resurrected %d, wrong version %d, extra %d: %v", ledgerTenant,
			report.Lost, report.Resurrected, report.WrongVersion, report.Extra, report.Findings)
	}
	if c.Stale+c.Jumps+c.Rejected > 0 {
		r.complain("%s: %d stale reads, %d jumps of versions, %d requests rejected as wrong: %q", ledgerTenant, c.Stale, c.Jumps, c.Rejected, faults(r.ledger.Trouble()))
	}
}

// faults leaves out what is no more than a refusal or an outcome that nobody was told.
func faults(trouble []string) []string {
	return slices.DeleteFunc(trouble, func(line string) bool {
		return strings.HasPrefix(line, "retried:") || strings.HasPrefix(line, "unknown:") || strings.HasPrefix(line, "failed:")
	})
}

func (r *run) judgeHistory(re *Receipt, tenant string, ops []history.Op) {
	docs := history.ByDoc(ops)
	re.Judged.Documents += len(docs)
	re.Judged.Operations += len(ops)
	for _, doc := range slices.Sorted(maps.Keys(docs)) {
		if err := history.Check(docs[doc], searchLimit); err != nil {
			r.complain("%s: %v\n%s", tenant, err, history.Text(docs[doc]))
		}
	}
}

// Write prints the receipt for people.
func (re *Receipt) Write(w io.Writer) error {
	p := &printer{w: w}
	p.line("== receipt")
	p.line("seed %d: %v of faults, well again after %v", re.Seed, re.Duration.Round(time.Second), re.Recovery.Round(100*time.Millisecond))
	p.line("faults")
	for _, k := range Kinds() {
		p.line("  %-28s %6d", k, re.Faults[k])
	}
	m := re.Moves
	p.line("moves")
	p.line("  at their target %d, aborted as asked %d, gave up %d; %d of all taken up again; %d cutovers", m.Finished, m.Aborted, m.GaveUp, m.Resumed, m.Cutovers)
	for _, reason := range m.Reasons {
		p.line("  gave up: %s", reason)
	}
	p.line("doctor")
	p.line("  %d looks while things went wrong; repaired afterwards %d", re.Doctor.Looks, len(re.Doctor.Repaired))
	for _, f := range re.Doctor.Told {
		p.line("  told: %s", f)
	}
	for _, f := range re.Doctor.Repaired {
		p.line("  repaired: %s", f)
	}
	q := re.Requests
	p.line("clients")
	p.line("  %d requests, %d refused, %d writes of unknown outcome", q.Sent, q.Refused, q.Unknown)
	for _, a := range slices.Sorted(maps.Keys(q.Answers)) {
		p.line("  %-40s %6d", a, q.Answers[a])
	}
	p.line("  longest hold %v as told to a client, %v as the moves' receipts have it (%d writes)", re.Longest.Round(time.Millisecond), m.Longest.Round(time.Millisecond), m.Held)
	j := re.Judged
	p.line("judged: %d operations on %d documents by their histories, %d ids by their last state: lost %d, resurrected %d, wrong version %d, extra %d",
		j.Operations, j.Documents, j.Ledger.IDs, j.Ledger.Lost, j.Ledger.Resurrected, j.Ledger.WrongVersion, j.Ledger.Extra)
	p.line("anomalies: %d", len(re.Anomalies))
	for _, a := range re.Anomalies {
		p.line("  %s", a)
	}
	p.line("== end of receipt")
	return p.err
}

// printer writes lines until one fails.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
