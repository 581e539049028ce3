// Package doctor examines a store: it says of each guarantee of package driver
// whether it holds with the engine as it is set up now.
//
// What can be seen in a moment is probed live, in a space of its own that nothing
// else uses, under names of this run, which are removed afterwards; the table is
// never written. What takes an outage to see is not tried on somebody's store: it
// holds because the driver's tests show it against real servers, or for a reason that
// the driver gives where no test can, unless the driver declares a weakness of this
// engine or of its settings.
//
// What it refuses: to guess. A probe that gets no answer is "unknown", and neither
// "holds" nor "broken".
package doctor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Space is where the probes work.
const Space = "doctor"

// Verdict on a guarantee.
type Verdict string

// The verdicts, from good to bad.
const (
	Holds   Verdict = "holds"
	Weak    Verdict = "weak"    // it can fail in some circumstance
	Unknown Verdict = "unknown" // it could not be examined
	Broken  Verdict = "broken"  // it was seen to fail
)

var badness = map[Verdict]int{Holds: 0, Weak: 1, Unknown: 2, Broken: 3}

// Finding is what is known of one guarantee.
type Finding struct {
	Guarantee string  `json:"guarantee"`
	Statement string  `json:"statement"`
	Verdict   Verdict `json:"verdict"`
	// Probed: seen live, just now. Otherwise the driver's tests stand for it, or
	// Reason does where they cannot.
	Probed bool   `json:"probed"`
	Reason string `json:"reason,omitempty"`
	Why    string `json:"why,omitempty"`    // of a verdict that is not Holds
	Risk   string `json:"risk,omitempty"`   // what could happen
	Remedy string `json:"remedy,omitempty"` // what to set
}

// Latency is how long calls took, the median of a few.
type Latency struct {
	Write time.Duration `json:"write_ns"`
	Get   time.Duration `json:"get_ns"`
	Head  time.Duration `json:"head_ns,omitempty"` // 0: the driver has none
	Watch time.Duration `json:"watch_ns"`          // from a write's begin to its event
}

// Report is the examination.
type Report struct {
	Worst    Verdict    `json:"worst"`
	Findings []Finding  `json:"findings"`
	Latency  Latency    `json:"latency"`
	Left     []string   `json:"left,omitempty"` // scratch records that could not be removed
	Server   ServerInfo `json:"server"`
}

// ServerInfo is what the engine says about itself.
type ServerInfo struct {
	Engine   string            `json:"engine,omitempty"`
	Version  string            `json:"version,omitempty"`
	Settings map[string]string `json:"settings,omitempty"` // those that durability depends on
}

// Describer is implemented by drivers that can tell of their engine.
type Describer interface {
	Describe(ctx context.Context) (engine, version string, settings map[string]string, err error)
}

// Options of Examine. The zero value is useful.
type Options struct {
	// Other is a second connection to the same engine, for what one client wrote
	// and another must see; default: the first.
	Other driver.Driver
	// SessionTTL of the probes' sessions (default 10 s).
	SessionTTL time.Duration
	// Slow also waits for a session to end by itself, up to three times its TTL.
	Slow bool
	// Timeout bounds each probe (default 20 s), beside what Slow waits.
	Timeout time.Duration
}

// Examine probes d and asks it for its weaknesses. The error is about the whole:
// the context ended, or the driver cannot tell its weaknesses; the report is what
// was found until then, or nil.
func Examine(ctx context.Context, d driver.Driver, o *Options) (*Report, error) {
	x := &examiner{d: d, other: d}
	if o != nil {
		x.opt = *o
	}
	x.opt.SessionTTL = cmp.Or(x.opt.SessionTTL, 10*time.Second)
	x.opt.Timeout = cmp.Or(x.opt.Timeout, 20*time.Second)
	if x.opt.Other != nil {
		x.other = x.opt.Other
	}
	x.run = fmt.Sprintf("%d-%s/", time.Now().Unix(), rand.Text()[:8])
	found := map[string]Finding{}
	for _, p := range probes {
		if p.slow && !x.opt.Slow || !(driver.Guarantee{Name: p.guarantee}).Binds(d) {
			continue
		}
		f := Finding{Guarantee: p.guarantee, Verdict: Holds, Probed: true}
		if err := x.probe(ctx, p); err != nil {
			f.Verdict, f.Why = Unknown, err.Error()
			var b *brokenError
			if errors.As(err, &b) {
				f.Verdict = Broken
			}
		}
		if ctx.Err() != nil {
			break
		}
		found[p.guarantee] = f
	}
	rep := &Report{Worst: Holds, Latency: x.latency()}
	rep.Left = x.cleanUp(context.WithoutCancel(ctx))
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if t, ok := d.(Describer); ok {
		// What it does not tell is missing from the report, no more.
		rep.Server.Engine, rep.Server.Version, rep.Server.Settings, _ = t.Describe(ctx)
	}
	var reasons map[string]string
	if r, ok := d.(driver.Reasoner); ok {
		reasons = r.Reasons()
	}
	weak, err := weaknesses(ctx, d)
	for _, g := range driver.Guarantees() {
		if !g.Binds(d) {
			continue // what it does not have cannot fail
		}
		f, ok := found[g.Name]
		if !ok {
			f = Finding{Guarantee: g.Name, Verdict: Holds, Reason: reasons[g.Name]}
		}
		f.Statement = g.Statement
		if w, ok := weak[g.Name]; ok && badness[f.Verdict] < badness[Weak] {
			f.Verdict, f.Why, f.Risk, f.Remedy, f.Reason = Weak, w.Why, w.Risk, w.Remedy, ""
		}
		if badness[f.Verdict] > badness[rep.Worst] {
			rep.Worst = f.Verdict
		}
		rep.Findings = append(rep.Findings, f)
	}
	return rep, err
}

func weaknesses(ctx context.Context, d driver.Driver) (map[string]driver.Weakness, error) {
	t, ok := d.(driver.Weak)
	if !ok {
		return nil, nil
	}
	all, err := t.Weaknesses(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for the store's weaknesses: %w", err)
	}
	out := map[string]driver.Weakness{}
	for _, w := range all {
		out[w.Guarantee] = w
	}
	return out, nil
}

// brokenError is a guarantee that was seen to fail. Any other error of a probe
// means that it got no answer.
type brokenError struct{ msg string }

func (e *brokenError) Error() string { return e.msg }

func (e *brokenError) ErrorCode() string { return "guarantee_broken" }

func broken(format string, a ...any) error { return &brokenError{fmt.Sprintf(format, a...)} }

// examiner is one run.
type examiner struct {
	d, other driver.Driver
	opt      Options
	run      string // begins every name of the run
	times    struct{ write, get, head, watch []time.Duration }
}

func (x *examiner) key(name string) driver.Key { return driver.Key{Space: Space, Name: x.run + name} }

func (x *examiner) probe(ctx context.Context, p probe) error {
	limit := x.opt.Timeout
	if p.slow {
		limit += 4 * x.opt.SessionTTL
	}
	bound, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return p.run(bound, x)
}

// write and get time what they do.
func (x *examiner) write(ctx context.Context, w driver.Write) (driver.Version, error) {
	begun := time.Now()
	v, err := x.d.Write(ctx, w)
	if err == nil {
		x.times.write = append(x.times.write, time.Since(begun))
	}
	return v, err
}

func (x *examiner) get(ctx context.Context, k driver.Key) (driver.KV, error) {
	begun := time.Now()
	kv, err := x.other.Get(ctx, k)
	if err == nil {
		x.times.get = append(x.times.get, time.Since(begun))
	}
	return kv, err
}

func (x *examiner) latency() Latency {
	return Latency{Write: median(x.times.write), Get: median(x.times.get), Head: median(x.times.head), Watch: median(x.times.watch)}
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)/2]
}

// abandonedAfter is the age at which the records of another run, which was
// killed, are removed. It is a matter of tidiness: no decision depends on it.
const abandonedAfter = 24 * time.Hour

// cleanUp removes the run's records, and those of runs that were killed long
// ago. It returns the names that are left.
func (x *examiner) cleanUp(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var mine []driver.KV
	if _, err := x.d.List(ctx, Space, func(kv driver.KV) bool {
		begun, _, _ := strings.Cut(kv.Name, "-")
		at, err := strconv.ParseInt(begun, 10, 64)
		if strings.HasPrefix(kv.Name, x.run) || err == nil && time.Since(time.Unix(at, 0)) > abandonedAfter {
			mine = append(mine, driver.KV{Name: kv.Name, Version: kv.Version})
		}
		return true
	}); err != nil {
		return []string{x.run + "*"}
	}
	var left []string
	for _, kv := range mine {
		_, err := x.d.Write(ctx, driver.Write{Key: driver.Key{Space: Space, Name: kv.Name}, Expect: kv.Version, Delete: true})
		if err != nil && !errors.Is(err, driver.ErrConflict) && strings.HasPrefix(kv.Name, x.run) {
			left = append(left, kv.Name)
		}
	}
	return left
}
