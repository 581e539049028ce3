package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
	"github.com/sluiceproxy/sluice/gate"
	tables "github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// added is what one kind of reading costs at one number of clients, all rounds together.
type added struct {
	Kind     string    `json:"kind"` // fresh, leased, or etcd
	Clients  int       `json:"clients"`
	P50      []float64 `json:"p50_ms"` // of each round
	P99      []float64 `json:"p99_ms"`
	Calls    []float64 `json:"store_calls_s"`
	Requests []float64 `json:"requests_s"`
	N        int       `json:"n"`
}

// roundTrip is the kind of reading that asks etcd itself, once for each request.
const roundTrip = "etcd"

// freshPlan is how much is measured.
type freshPlan struct {
	Rounds  int           `json:"rounds"`
	Slice   time.Duration `json:"slice_ns"`
	Entries int           `json:"entries"`
}

// measureFresh measures what `fresh` adds to a request with etcd, beside `leased` and
// beside one round trip to that etcd.
func measureFresh(ctx context.Context, p freshPlan, progress io.Writer) (_ *report.Result, err error) {
	machine := report.Here()
	server, err := startEtcd(ctx)
	if err != nil {
		return nil, err
	}
	defer ending(&err, server.stop)
	b := &bench{server: server, backend: backend{name: "etcd", writers: 64}, plan: full(), res: &result{}, progress: progress}
	if have, err := b.register(ctx, modesTable, p.Entries); err != nil || have < p.Entries {
		return nil, fmt.Errorf("fill the table: %d of %d: %w", have, p.Entries, err)
	}
	type kind struct {
		name  string
		read  func(context.Context, int) error
		calls *atomic.Int64
	}
	var kinds []kind
	for _, mode := range []gate.Mode{gate.Fresh, gate.Leased} {
		d, err := b.direct(ctx, modesTable)
		if err != nil {
			return nil, err
		}
		defer func() { _ = d.Close() }()
		counting, calls := count(d)
		g, stop, err := runGate(ctx, counting, mode)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", mode, err)
		}
		defer ending(&err, stop)
		kinds = append(kinds, kind{string(mode), func(ctx context.Context, i int) error {
			r, err := g.Read(ctx, partition(i))
			if err == nil {
				r.Done()
			}
			return err
		}, calls})
	}
	d, err := b.direct(ctx, modesTable)
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	counting, calls := count(d)
	head := counting.(driver.Header)
	kinds = append(kinds, kind{roundTrip, func(ctx context.Context, _ int) error { _, err := head.Head(ctx, tables.SpaceEntries); return err }, calls})

	var all []*added
	for _, n := range []int{1, 16, 64} {
		for _, k := range kinds {
			all = append(all, &added{Kind: k.name, Clients: n})
		}
	}
	for round := range p.Rounds + 1 {
		for i := range all {
			a := all[(i+round)%len(all)]
			k := kinds[slices.IndexFunc(kinds, func(k kind) bool { return k.name == a.Kind })]
			before, began := k.calls.Load(), time.Now()
			times, err := askAll(ctx, a.Clients, p, k.read)
			took := time.Since(began).Seconds()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", k.name, err)
			}
			if round == 0 {
				continue // it warms everything up
			}
			x := distOf(times)
			a.N += x.N
			a.P50, a.P99 = append(a.P50, x.P50), append(a.P99, x.P99)
			a.Calls, a.Requests = append(a.Calls, float64(k.calls.Load()-before)/took), append(a.Requests, float64(x.N)/took)
		}
	}
	return freshResult(machine, server.version, p, all), nil
}

// askAll lets n clients make one request after the other for a while.
func askAll(ctx context.Context, n int, p freshPlan, read func(context.Context, int) error) ([]time.Duration, error) {
	times, errs := make([][]time.Duration, n), make([]error, n)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range n { // each has a place of its own in times and errs
		wg.Go(func() {
			for len(times[i]) < most {
				sent := time.Now()
				if errs[i] = read(ctx, rand.N(p.Entries)); errs[i] != nil {
					return
				}
				answered := time.Now()
				times[i] = append(times[i], answered.Sub(sent))
				if answered.Sub(began) >= p.Slice {
					return
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(times...), nil
}

func freshResult(machine report.Machine, version string, p freshPlan, all []*added) *report.Result {
	of := func(kind string, n int) *added {
		return all[slices.IndexFunc(all, func(a *added) bool { return a.Kind == kind && a.Clients == n })]
	}
	out := &report.Result{
		Name: "fresh", Title: "What fresh reads add to a request", Order: 130, Command: "make bench-fresh", Machine: machine, Raw: all,
		Method: fmt.Sprintf("One etcd %s as a process of its own; two gates, one fresh and one leased, over a table of %d tenants, with connections of their own, in the process that asks. Clients make one request "+
			"after the other, for tenants chosen at random. All kinds and numbers of clients take turns of %v in each of %d rounds, in an order that turns; a round before does not count. A round trip is one read of the table's head, "+
			"by each client for itself. Values are medians over the rounds of each round's median; the spread is the least to the most.", version, p.Entries, p.Slice, p.Rounds),
		Notes: "A request that arrives while a read of the table is under way waits for the next one, which began after it: so with many clients it waits for what is left of one and the whole of another. Clients that were served by one read and ask again at once share the next one.",
	}
	alone := middle(of(roundTrip, 1).P50)
	for _, n := range []int{1, 16, 64} {
		fresh, leased, trip := of("fresh", n), of("leased", n), of(roundTrip, n)
		adds := make([]float64, len(fresh.P50))
		for i := range adds {
			adds[i] = fresh.P50[i] - leased.P50[i]
		}
		x := report.Row{What: fmt.Sprintf("added by fresh to a request, %d at once", n), Against: "one etcd round trip, alone", Value: fmt.Sprintf("%.3f ms", middle(adds)), Other: fmt.Sprintf("%.3f ms", alone),
			Ratio: round(middle(adds)/alone, 2), N: fresh.N, Spread: fmt.Sprintf("%.3f to %.3f ms", slices.Min(adds), slices.Max(adds)), Target: "<= one etcd round trip"}
		x.Judge(middle(adds), alone)
		out.Rows = append(out.Rows, x)
		if n > 1 {
			out.Rows = append(out.Rows, report.Row{What: x.What, Against: fmt.Sprintf("one etcd round trip each, %d at once", n), Value: x.Value, Other: fmt.Sprintf("%.3f ms", middle(trip.P50)),
				Ratio: round(middle(adds)/middle(trip.P50), 2), N: trip.N, Spread: x.Spread})
		}
		out.Rows = append(out.Rows, report.Row{What: fmt.Sprintf("a leased read, %d at once, p50", n), Value: fmt.Sprintf("%.4f ms", middle(leased.P50)), N: leased.N, Spread: fmt.Sprintf("%.4f to %.4f ms", slices.Min(leased.P50), slices.Max(leased.P50))})
	}
	few := of("fresh", 16)
	for _, n := range []int{16, 64} {
		a := of("fresh", n)
		x := report.Row{What: fmt.Sprintf("store requests a second of fresh, %d at once, %.0f requests a second", n, middle(a.Requests)), Value: fmt.Sprintf("%.0f/s", middle(a.Calls)), N: a.N,
			Spread: fmt.Sprintf("%.0f to %.0f/s", slices.Min(a.Calls), slices.Max(a.Calls))}
		if n > 16 {
			x.Against, x.Other, x.Ratio = fmt.Sprintf("16 at once, %.0f requests a second", middle(few.Requests)), fmt.Sprintf("%.0f/s", middle(few.Calls)), round(middle(a.Calls)/middle(few.Calls), 2)
			x.Target = "no more with more requests (10 % allowed)"
			x.Judge(middle(a.Calls)/middle(few.Calls), 1.1)
		}
		out.Rows = append(out.Rows, x)
	}
	return out
}

// middle is the median.
func middle(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[max(0, int(math.Ceil(float64(len(s))/2))-1)]
}
