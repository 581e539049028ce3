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
	reindex     = "remote _reindex"
	elasticdump = "elasticdump"
	python      = "opensearch-py helpers.reindex"
)

// sample is one copy.
type sample struct {
	By      string  `json:"by"`
	Seconds float64 `json:"seconds"`  // of the copying alone
	Target  float64 `json:"target_s"` // processor time of the target node meanwhile
	Source  float64 `json:"source_s"` // of the source node
	// Of a move: the whole of it, with its comparison of both sides and its flip, and
	// what the controller computed.
	Whole      float64 `json:"whole_s,omitempty"`
	Controller float64 `json:"controller_s,omitempty"`
	PeakMB     float64 `json:"controller_peak_mb,omitempty"`
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
		by string
		do func(context.Context, string) (sample, error)
	}{{plain, x.plain}, {move, x.move}, {reindex, x.reindex}, {elasticdump, x.elasticdump}, {python, x.python}}
	for round := range r.Rounds + 1 {
		index := fmt.Sprintf("docs-%d", round)
		if err := x.create(ctx, 0, index); err != nil {
			return err
		}
		if err := x.load(ctx, 0, index); err != nil {
			return err
		}
		if err := x.whole(ctx, 0, index); err != nil {
			return err
		}
		for i := range turns {
			t := turns[(i+round)%len(turns)]
			s, err := x.take(ctx, index, t.do)
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
		if err := x.ask(ctx, 0, "DELETE", "/"+index, nil, nil); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(progress, "round %d of %d\n", round, r.Rounds)
	}
	return nil
}

// take is one copy, with what both nodes compute meanwhile. It leaves nothing at the target.
func (x *rig) take(ctx context.Context, index string, do func(context.Context, string) (sample, error)) (sample, error) {
	var before [2]float64
	for i, n := range x.nodes {
		before[i], _ = processor(n.PID())
	}
	s, err := do(ctx, index)
	if err != nil {
		return s, err
	}
	source, _ := processor(x.nodes[0].PID())
	target, _ := processor(x.nodes[1].PID())
	s.Source, s.Target = source-before[0], target-before[1]
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
	began := time.Now()
	err = do()
	s.Seconds = time.Since(began).Seconds()
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

// move moves a tenant that has the index, and takes what its receipt says.
func (x *rig) move(ctx context.Context, index string) (s sample, err error) {
	tenant := "tenant-" + index
	if _, err := x.fleet.Run(ctx, nil, "tenant", "add", tenant, "--cluster", "a", "--index", index, "--as", "docs"); err != nil {
		return s, err
	}
	pid := x.fleet.Controllers[0].PID()
	before, _ := processor(pid)
	began := time.Now()
	if _, err := x.fleet.Run(ctx, nil, "move", tenant, "--to", "b", "--index", index, "--copy-throttle", "off", "--wait"); err != nil {
		return s, err
	}
	s.Whole = time.Since(began).Seconds()
	after, peak := processor(pid)
	s.Controller, s.PeakMB = after-before, peak
	moves, err := x.fleet.Moves(ctx)
	if err != nil {
		return s, err
	}
	for _, m := range moves {
		var rec struct {
			Partition string
			Receipt   *struct {
				Docs     int64         `json:"docs"`
				CopyTime time.Duration `json:"copy_time"`
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
