package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/load"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

const tenant = placement.PartitionID("acme")

// moved is one move.
type moved struct {
	Longest float64 `json:"longest_ms"` // hold, as the proxies measured it
	Median  float64 `json:"median_ms"`
	Held    int     `json:"held"`
	// The parts, as the controller measured them: the whole, the barrier, the last round
	// with the look at both sides, and checking and sealing the target.
	Whole     float64 `json:"whole_ms"`
	Barrier   float64 `json:"barrier_ms"`
	LastRound float64 `json:"last_round_ms"`
	Seal      float64 `json:"seal_ms"`
	Cutovers  int     `json:"cutovers"`
	Errors    int     `json:"errors"` // that clients were answered with because of it
	// Writes are what clients saw from the request for the move until its flip, and Calm
	// what they saw before that, while nothing moved.
	Writes load.Latency `json:"writes"`
	Calm   load.Latency `json:"calm"`
	Took   float64      `json:"took_s"`
}

// measure brings everything up, moves, and checks.
func (r *results) measure(ctx context.Context, program string, progress io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "sluice-pause-")
	if err != nil {
		return err
	}
	var ends []func() error
	defer func() {
		for i := len(ends) - 1; i >= 0; i-- {
			err = errors.Join(err, ends[i]())
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	var nodes [2]*engines.OpenSearch
	for i := range nodes {
		if nodes[i], err = engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{Name: string(rune('a' + i)), Progress: progress}); err != nil {
			return err
		}
		ends = append(ends, nodes[i].Stop)
	}
	etcd, err := engines.StartEtcd(ctx, &engines.EtcdOptions{Progress: progress})
	if err != nil {
		return err
	}
	ends = append(ends, etcd.Stop)
	r.opensearch, r.etcd = nodes[0].Version(), etcd.Version()
	fleet, err := demo.NewFleet(program, dir, &demo.FleetOptions{Proxies: r.Proxies, Store: []string{"etcd:", "  endpoints: [" + strconv.Quote(etcd.URL()) + "]"}})
	if err != nil {
		return err
	}
	if err := fleet.Start(ctx); err != nil {
		return err
	}
	ends = append(ends, fleet.Stop)
	d, err := etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{etcd.URL()}}, nil)
	if err != nil {
		return err
	}
	ends = append(ends, d.Close)
	if err := introduce(ctx, fleet, nodes); err != nil {
		return err
	}
	docs, err := load.Corpus(ctx, r.Docs+r.Docs/50)
	if err != nil {
		return err
	}
	l, err := load.New(load.Target{URLs: fleet.URLs(), Header: demo.TenantHeader, Tenant: string(tenant), Index: "docs"}, docs, min(r.Docs, len(docs)), &load.Options{Workers: r.Clients, Rate: r.Rate})
	if err != nil {
		return err
	}
	defer l.Close()
	if err := l.Seed(ctx, nil); err != nil {
		return err
	}
	return r.under(ctx, l, store.New(d, nil), progress)
}

func introduce(ctx context.Context, fleet *demo.Fleet, nodes [2]*engines.OpenSearch) error {
	for i, n := range nodes {
		if _, err := fleet.Run(ctx, nil, "cluster", "add", string(rune('a'+i)), n.URL()); err != nil {
			return err
		}
	}
	body := strings.NewReader(`{"settings":{"number_of_shards":1,"number_of_replicas":0},` + load.Mapping[1:])
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, nodes[0].URL()+"/acme-docs", body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("create the index: %s", resp.Status)
	}
	_, err = fleet.Run(ctx, nil, "tenant", "add", string(tenant), "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	return err
}

// under moves the tenant while the clients work, and then reads everything back.
func (r *results) under(ctx context.Context, l *load.Load, s *store.Store, progress io.Writer) error {
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- l.Run(ctx, stop) }()
	began := time.Now()
	var failed error
	const warm = 4
	for n := range r.Moves + warm { // the first do not count: the nodes' compilers have seen nothing
		if time.Since(began) > r.Limit {
			break
		}
		m, err := r.move(ctx, l, s, []string{"b", "a"}[n%2])
		if err != nil {
			failed = fmt.Errorf("move %d: %w", n+1, err)
			break
		}
		if n >= warm {
			r.Done = append(r.Done, m)
		}
		if n%20 == 19 {
			_, _ = fmt.Fprintf(progress, "%d moves, %.0f s\n", n+1, time.Since(began).Seconds())
		}
	}
	close(stop)
	if err := errors.Join(failed, <-ended); err != nil {
		return errors.Join(err, errors.New(strings.Join(l.Trouble(), "; ")))
	}
	c, err := l.Check(ctx)
	r.Counts = l.Counts()
	switch {
	case err != nil:
		return err
	case c.Lost+c.Resurrected+c.WrongVersion+c.Extra > 0 || r.Counts.Failed > 0:
		return fmt.Errorf("this fleet has lost something: %+v, %+v: %v", c, r.Counts, l.Trouble())
	case len(r.Done) == 0:
		return errors.New("no move was measured")
	}
	return nil
}

// move is one move, with what was before and after it. Its copy begins at full speed: it
// is not what is measured, and would take most of the time.
func (r *results) move(ctx context.Context, l *load.Load, s *store.Store, to string) (x moved, err error) {
	calm := time.Now()
	if err := sleep(ctx, r.Calm); err != nil {
		return x, err
	}
	began := time.Now()
	x.Calm = l.Writes(calm, began)
	m, err := control.RequestMove(ctx, s, control.Request{Partition: tenant, Cluster: to, Options: control.MoveOptions{CopyEager: true, PauseBudget: r.Budget, CutoverDeadline: max(control.DefaultCutoverDeadline, 2*r.Budget)}})
	if err != nil {
		return x, err
	}
	if m, err = await(ctx, s, m.ID, func(m control.Move) bool { return m.Receipt != nil || m.Terminal() }); err != nil {
		return x, err
	}
	if m.Receipt == nil || m.Receipt.Pause.Unanswered > 0 {
		return x, fmt.Errorf("it is %s, with a receipt: %v: %s", m.Stage, m.Receipt != nil, m.Error)
	}
	p := m.Receipt.Pause
	flipped := began
	for _, t := range m.Timeline {
		if t.Stage == control.StageFlipped {
			flipped = t.Started
		}
	}
	x.Longest, x.Median, x.Held, x.Cutovers = max(p.LongestMS, p.MaxMS), p.P50MS, p.HeldRequests, m.Receipt.Cutovers
	x.Whole, x.Barrier, x.LastRound, x.Seal = p.ControllerMS, p.BarrierMS, p.LastRoundMS, p.SealMS
	for _, n := range p.Errors {
		x.Errors += n
	}
	x.Took = flipped.Sub(began).Seconds()
	x.Writes = l.Writes(began, flipped)
	if _, err := control.RequestRetire(ctx, s, m.ID); err != nil {
		return x, err
	}
	_, err = await(ctx, s, m.ID, control.Move.Terminal)
	return x, err
}

// await reads a move until it is as wanted.
func await(ctx context.Context, s *store.Store, id string, wanted func(control.Move) bool) (control.Move, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*time.Minute, errors.New("not done after two minutes"))
	defer cancel()
	for {
		rec, err := control.Moves(s).Get(ctx, id)
		if err != nil || wanted(rec.Value) {
			return rec.Value, err
		}
		if err := sleep(ctx, 20*time.Millisecond); err != nil {
			return rec.Value, fmt.Errorf("move %s is %s: %w", id, rec.Value.Stage, err)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
