package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
)

// The contenders.
const (
	plain       = "a plain _bulk load"
	move        = "sluice move"
	snapshot    = "sluice move --copy snapshot"
	reindex     = "remote _reindex"
	elasticdump = "elasticdump"
	python      = "opensearch-py helpers.reindex"
)

// sample is one copy.
type sample struct {
	By      string  `json:"by"`
	Seconds float64 `json:"seconds"` // of the copying alone
	// Processor time meanwhile: of the target node, of the source node, and of the
	// controller that copies.
	Target     float64 `json:"target_s"`
	Source     float64 `json:"source_s"`
	Controller float64 `json:"controller_s,omitempty"`
	// Of a move: the whole of it, with its comparison of both sides and its flip, and the
	// processor time of all of them.
	Whole     float64 `json:"whole_s,omitempty"`
	WholeUsed float64 `json:"whole_processor_s,omitempty"`
	PeakMB    float64 `json:"controller_peak_mb,omitempty"`
}

// measure runs all rounds.
func (r *results) measure(ctx context.Context, program string, o others, progress io.Writer) (err error) {
	x, stop, err := start(ctx, program, r.plan, o, progress)
	defer func() {
		if e := stop(); err == nil {
			err = e
		}
	}()
	if err != nil {
		return err
	}
	r.opensearch = x.nodes[0].Version()
	took := time.Now()
	if err := exec.CommandContext(ctx, o.node, o.elasticdump, "--version").Run(); err != nil {
		return fmt.Errorf("elasticdump --version: %w", err)
	}
	r.Startup = time.Since(took).Seconds()
	turns := []struct {
		by   string
		from string // prefix of the index's name: it is moved once
		do   func(context.Context, string) (sample, error)
	}{{plain, "docs", x.plain}, {move, "docs", x.byScan}, {snapshot, "twin", x.bySnapshot}, {reindex, "docs", x.reindex}, {elasticdump, "docs", x.elasticdump}, {python, "docs", x.python}}
	for round := range r.Rounds + 1 {
		name := func(from string) string { return fmt.Sprintf("%s-%d", from, round) }
		for _, from := range []string{"docs", "twin"} { // which hold the same
			if err := x.create(ctx, 0, name(from)); err != nil {
				return err
			}
			if err := x.load(ctx, 0, name(from)); err != nil {
				return err
			}
			if err := x.whole(ctx, 0, name(from)); err != nil {
				return err
			}
		}
		for i := range turns {
			t := turns[(i+round)%len(turns)]
			s, err := x.take(ctx, name(t.from), t.do)
			if err != nil {
				return fmt.Errorf("%s: %w", t.by, err)
			}
			s.By = t.by
			if t.by == elasticdump {
				s.Seconds -= r.Startup
			}
			if round > 0 { // the nodes' compilers have seen nothing in the first
				r.Samples = append(r.Samples, s)
			}
		}
		if err := x.ask(ctx, 0, "DELETE", "/"+name("docs")+","+name("twin"), nil, nil); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(progress, "round %d of %d\n", round, r.Rounds)
	}
	return nil
}

// take is one copy. It leaves nothing at the target.
func (x *rig) take(ctx context.Context, index string, do func(context.Context, string) (sample, error)) (sample, error) {
	s, err := do(ctx, index)
	if err != nil {
		return s, err
	}
	if err := x.whole(ctx, 1, index); err != nil {
		return s, err
	}
	return s, x.ask(ctx, 1, "DELETE", "/"+index, nil, nil)
}

// timed is a copy into an index that exists.
func (x *rig) timed(ctx context.Context, index string, do func() error) (s sample, err error) {
	if err := x.create(ctx, 1, index); err != nil {
		return s, err
	}
	before, began := x.now(), time.Now()
	err = do()
	s.Seconds = time.Since(began).Seconds()
	u := x.now().less(before)
	s.Source, s.Target = u.source, u.target
	return s, err
}

func (x *rig) plain(ctx context.Context, index string) (sample, error) {
	return x.timed(ctx, index, func() error { return x.load(ctx, 1, index) })
}

func (x *rig) reindex(ctx context.Context, index string) (sample, error) {
	body := fmt.Sprintf(`{"source":{"remote":{"host":%q},"index":%q,"size":1000},"dest":{"index":%q}}`, x.nodes[0].URL(), index, index)
	return x.timed(ctx, index, func() error { return x.ask(ctx, 1, "POST", "/_reindex", []byte(body), nil) })
}

func (x *rig) elasticdump(ctx context.Context, index string) (sample, error) {
	return x.timed(ctx, index, func() error {
		return command(ctx, nil, x.node, x.others.elasticdump, "--input="+x.nodes[0].URL()+"/"+index, "--output="+x.nodes[1].URL()+"/"+index, "--type=data", "--limit=1000", "--noRefresh", "--quiet")
	})
}

func (x *rig) python(ctx context.Context, index string) (sample, error) {
	var out strings.Builder
	s, err := x.timed(ctx, index, func() error {
		return command(ctx, &out, x.others.python, x.others.reindex, x.nodes[0].URL(), x.nodes[1].URL(), index)
	})
	if err == nil {
		s.Seconds, err = strconv.ParseFloat(strings.TrimSpace(out.String()), 64)
	}
	return s, err
}

// command runs a program to its end.
func command(ctx context.Context, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	var errs strings.Builder
	cmd.Stdout, cmd.Stderr = out, &errs
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%w: %.500s", err, errs.String())
	}
	return nil
}

func (x *rig) byScan(ctx context.Context, index string) (sample, error) {
	return x.move(ctx, index, "--copy-throttle", "off")
}

func (x *rig) bySnapshot(ctx context.Context, index string) (sample, error) {
	return x.move(ctx, index, "--copy", "snapshot", "--repository", repository)
}

// move moves a tenant that has the index, and takes what its receipt says.
func (x *rig) move(ctx context.Context, index string, flags ...string) (s sample, err error) {
	tenant := "tenant-" + index
	if _, err := x.fleet.Run(ctx, nil, "tenant", "add", tenant, "--cluster", "a", "--index", index, "--as", "docs"); err != nil {
		return s, err
	}
	used := x.watch()
	began := time.Now()
	_, err = x.fleet.Run(ctx, nil, append([]string{"move", tenant, "--to", "b", "--index", index, "--wait"}, flags...)...)
	s.Whole = time.Since(began).Seconds()
	used.end()
	if err != nil {
		return s, err
	}
	whole := used.between(began, time.Now())
	s.WholeUsed, s.PeakMB = whole.source+whole.target+whole.controller, peak(x.fleet.Controllers[0].PID())
	moves, err := x.fleet.Moves(ctx)
	if err != nil {
		return s, err
	}
	for _, m := range moves {
		var rec struct {
			Partition string
			Receipt   *struct {
				Docs     int64
				CopyTime time.Duration `json:"copy_time"`
				Timeline []struct {
					Stage    string
					Started  time.Time
					Duration time.Duration
				}
			}
		}
		if err := x.show(ctx, m, &rec); err != nil {
			return s, err
		}
		if rec.Partition != tenant {
			continue
		}
		if rec.Receipt == nil || rec.Receipt.Docs != int64(x.Docs) {
			return s, fmt.Errorf("the receipt of move %s does not say that it copied %d documents: %.400s", m.ID, x.Docs, m.Raw)
		}
		s.Seconds = rec.Receipt.CopyTime.Seconds()
		for _, t := range rec.Receipt.Timeline {
			if t.Stage == "copying" {
				u := used.between(t.Started, t.Started.Add(t.Duration))
				s.Source, s.Target, s.Controller = s.Source+u.source, s.Target+u.target, s.Controller+u.controller
			}
		}
		return s, nil
	}
	return s, fmt.Errorf("the move of %s is not in the list", tenant)
}

// show reads a move's record, whose receipt comes soon after the flip.
func (x *rig) show(ctx context.Context, m demo.Move, into any) error {
	for try := 0; ; try++ {
		m, err := x.fleet.Show(ctx, m.ID)
		if err != nil {
			return err
		}
		var done struct{ Receipt json.RawMessage }
		if err := json.Unmarshal(m.Raw, &done); err != nil {
			return err
		}
		if len(done.Receipt) > 0 || try == 50 {
			return json.Unmarshal(m.Raw, into)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
