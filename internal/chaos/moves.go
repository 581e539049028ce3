package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
)

// Moves is what became of the moves.
type Moves struct {
	Finished int           `json:"finished"` // at their target
	Aborted  int           `json:"aborted"`  // because the test asked for it
	GaveUp   int           `json:"gave_up"`  // aborted or failed by themselves
	Reasons  []string      `json:"reasons,omitempty"`
	Resumed  int           `json:"resumed"` // moves that were taken up again, by the other controller or by the same
	Cutovers int           `json:"cutovers"`
	Held     int           `json:"held_writes"`
	Longest  time.Duration `json:"longest_hold_ns"`
}

// mover moves one tenant back and forth.
type mover struct {
	fleet  *demo.Fleet
	tenant string
	random *rand.Rand
	say    func(string, ...any)

	moves Moves // the run's, and whoever waits for its end
}

// commandLimit bounds one command of an operator, who tries again: while etcd looks for a leader it may hang.
const commandLimit = 30 * time.Second

func (m *mover) command(ctx context.Context, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	return m.fleet.Run(ctx, nil, args...)
}

// run begins moves until stop is closed, and returns when the last of them has ended or the context has.
func (m *mover) run(ctx context.Context, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(m.random.IntN(2000)) * time.Millisecond):
		}
		if id := m.begin(ctx); id != "" {
			m.follow(ctx, id)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// begin asks for a move to the other cluster and returns its id, or "" when that is not to be had right now.
func (m *mover) begin(ctx context.Context) string {
	out, err := m.command(ctx, "tenant", "show", m.tenant, "-o", "json")
	if err != nil {
		return ""
	}
	var at struct {
		Phase     string
		Placement struct{ Cluster string }
	}
	if json.Unmarshal(out, &at) != nil || at.Placement.Cluster == "" {
		return ""
	}
	to := clusterNames[0]
	if at.Placement.Cluster == to {
		to = clusterNames[1]
	}
	// When this fails the move may have been asked for all the same.
	_, _ = m.command(ctx, "move", m.tenant, "--to", to)
	newest, err := m.show(ctx, m.tenant)
	if err != nil || newest.Finished() {
		return ""
	}
	return newest.ID
}

func (m *mover) show(ctx context.Context, id string) (demo.Move, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	return m.fleet.Show(ctx, id)
}

// follow waits for the end of a move. One in eight it asks to abort.
func (m *mover) follow(ctx context.Context, id string) {
	m.say("move %s: %s", id, m.tenant)
	began, aborts := time.Now(), m.random.IntN(8) == 0
	abortAfter := time.Duration(m.random.IntN(5000)) * time.Millisecond
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(700 * time.Millisecond):
		}
		if aborts && time.Since(began) > abortAfter {
			if _, err := m.command(ctx, "moves", "abort", id); err == nil {
				aborts = false
			}
		}
		if now, err := m.show(ctx, id); err == nil && now.Finished() {
			m.ended(now, time.Since(began))
			if now.Stage == "flipped" {
				_, _ = m.command(ctx, "moves", "retire", id) // again at the end
			}
			return
		}
	}
}

// record is the part of a move's record that is judged.
type record struct {
	Attempt        int
	AbortRequested bool `json:"abort_requested"`
	Error          string
	Progress       struct{ Cutovers int }
	Receipt        *struct {
		Pause struct {
			HeldRequests int     `json:"held_requests"`
			MaxMS        float64 `json:"max_ms"`
			LongestMS    float64 `json:"longest_ms"`
		}
	}
}

func (m *mover) ended(now demo.Move, took time.Duration) {
	var r record
	if err := json.Unmarshal(now.Raw, &r); err != nil {
		m.say("move %s: %v", now.ID, err)
	}
	m.moves.Cutovers += r.Progress.Cutovers
	if r.Attempt > 1 {
		m.moves.Resumed++
	}
	switch {
	case now.Stage != "aborted" && now.Stage != "failed":
		m.moves.Finished++
		if r.Receipt != nil {
			p := r.Receipt.Pause
			m.moves.Held += p.HeldRequests
			m.moves.Longest = max(m.moves.Longest, time.Duration(max(p.MaxMS, p.LongestMS)*float64(time.Millisecond)))
		}
	case r.AbortRequested:
		m.moves.Aborted++
	default:
		m.moves.GaveUp++
		m.moves.Reasons = append(m.moves.Reasons, fmt.Sprintf("%s %s: %s", now.ID, now.Stage, r.Error))
	}
	m.say("move %s of %s is %s after %.1fs, %d attempts, %d cutovers %s", now.ID, m.tenant, now.Stage, took.Seconds(), r.Attempt, r.Progress.Cutovers, r.Error)
}

func (m *Moves) add(o Moves) {
	m.Finished, m.Aborted, m.GaveUp = m.Finished+o.Finished, m.Aborted+o.Aborted, m.GaveUp+o.GaveUp
	m.Resumed, m.Cutovers, m.Held = m.Resumed+o.Resumed, m.Cutovers+o.Cutovers, m.Held+o.Held
	m.Reasons, m.Longest = append(m.Reasons, o.Reasons...), max(m.Longest, o.Longest)
}
