package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cell is one case: what is loaded, with what, by how many connections.
type cell struct {
	Subject     string `json:"subject"`
	Tenant      string `json:"tenant"`
	Request     string `json:"request"`
	Connections int    `json:"connections"`
	Turns       []turn `json:"turns"`

	script, url string
	pids        []int
}

func (c *cell) name() string {
	return fmt.Sprintf("%s, %s, %s, %d", c.Subject, c.Tenant, c.Request, c.Connections)
}

// middle is the median over the turns of f, with the least and the most.
func (c *cell) middle(f func(turn) float64) (mid, least, most float64) {
	v := make([]float64, len(c.Turns))
	for i, t := range c.Turns {
		v[i] = f(t)
	}
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2, v[0], v[len(v)-1]
}

// results is what a run measured.
type results struct {
	plan   plan
	cells  []*cell
	memory *memory
	real   string  // version of the OpenSearch; empty: there is none
	bulks  float64 // requests to the cluster for each bulk of the shared index
}

func (r *results) cell(subject, tenant, request string, connections int) *cell {
	for _, c := range r.cells {
		if c.Subject == subject && c.Tenant == tenant && c.Request == request && c.Connections == connections {
			return c
		}
	}
	return nil
}

// measure runs all cases.
func measure(ctx context.Context, program string, p plan, progress io.Writer) (_ *results, err error) {
	dir, err := os.MkdirTemp("", "sluice-bench-proxy-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	g := &rig{dir: dir, program: program}
	defer g.stop()
	if err := g.start(ctx, p.Real, progress); err != nil {
		return nil, err
	}
	res := &results{plan: p}
	if g.real != nil {
		res.real = g.real.Version()
	}
	if p.Memory { // before anything has grown
		if res.memory, err = g.measureMemory(); err != nil {
			return nil, err
		}
	}
	if res.cells, err = g.cells(p); err != nil {
		return nil, err
	}
	if res.bulks, err = g.countBulks(); err != nil {
		return nil, err
	}
	_, _ = fmt.Fprintf(progress, "%d cases, %d rounds of %v each: about %v\n", len(res.cells), p.Rounds, p.Slice,
		(time.Duration(len(res.cells)*p.Rounds)*(p.Slice+50*time.Millisecond) + time.Duration(len(res.cells)/len(p.Connections))*p.WarmUp).Round(time.Second))
	if g.real != nil {
		if err := g.warmReal(ctx, res.cells); err != nil {
			return nil, err
		}
	}
	most := slices.Max(p.Connections)
	for _, c := range res.cells {
		if p.WarmUp > 0 && (c.Connections == most || len(p.Connections) == 1 || c.Request == nameBulk || c.Tenant == tenantReal) {
			if _, err := c.take(ctx, p.WarmUp); err != nil {
				return nil, err
			}
		}
	}
	for n := range p.Rounds {
		for i := range res.cells {
			c := res.cells[(i+n*7)%len(res.cells)] // each round begins elsewhere
			t, err := c.take(ctx, p.Slice)
			if err != nil {
				return nil, err
			}
			c.Turns = append(c.Turns, t)
		}
		_, _ = fmt.Fprintf(progress, "round %d of %d\n", n+1, p.Rounds)
	}
	return res, nil
}

// cells are all cases: neighbours are what is compared with each other.
func (g *rig) cells(p plan) ([]*cell, error) {
	var all []*cell
	for _, r := range requests() {
		if !strings.Contains(r.name, p.Only) {
			continue
		}
		for _, n := range p.Connections {
			if r.connections != nil && !slices.Contains(r.connections, n) {
				continue
			}
			for _, s := range g.subjects {
				tenants := []string{tenantWhole}
				if s.name == sluice && (n > 1 || len(p.Connections) == 1) && r.name != "PUT 4 KB" {
					tenants = append(tenants, tenantShared)
				}
				if r.name != "GET" && (s.name == engineOwn || s.name == engineNetHTTP) {
					continue
				}
				if r.name == nameBulk && s.name != sluice && s.name != nginx {
					continue
				}
				for _, tenant := range tenants {
					file, err := script(g.dir, tenant, r)
					if err != nil {
						return nil, err
					}
					all = append(all, &cell{Subject: s.name, Tenant: tenant, Request: r.name, Connections: n, script: file, url: "http://" + s.address + r.path, pids: s.pids})
				}
			}
		}
	}
	for _, r := range requestsReal() {
		if !strings.Contains(r.name, p.Only) || !slices.Contains(p.Connections, r.connections[0]) {
			continue
		}
		file, err := script(g.dir, tenantReal, r)
		if err != nil {
			return nil, err
		}
		for _, s := range g.subjects {
			if s.real != "" {
				all = append(all, &cell{Subject: s.name, Tenant: tenantReal, Request: r.name, Connections: r.connections[0], script: file, url: "http://" + s.real + r.path, pids: s.pids})
			}
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no kind of request has %q in its name", p.Only)
	}
	return all, nil
}

// warmReal lets the OpenSearch compile what it will run, with each kind of request.
func (g *rig) warmReal(ctx context.Context, cells []*cell) error {
	for _, c := range cells {
		if c.Tenant == tenantReal && c.Subject == direct {
			if _, err := c.take(ctx, 4*time.Second); err != nil {
				return err
			}
		}
	}
	return nil
}

// take measures one turn.
func (c *cell) take(ctx context.Context, d time.Duration) (turn, error) {
	before, err := processorTime(c.pids)
	if err != nil {
		return turn{}, err
	}
	t, err := load(ctx, c.script, c.url, c.Connections, d)
	if err != nil {
		return t, fmt.Errorf("%s: %w", c.name(), err)
	}
	after, err := processorTime(c.pids)
	t.CPU = after - before
	return t, err
}

// countBulks sends bulks to the shared index and counts what the cluster gets of them.
func (g *rig) countBulks() (float64, error) {
	count := func() (float64, error) {
		_, text, err := get("http://" + g.stub + "/bulks")
		if err != nil {
			return 0, err
		}
		return strconv.ParseFloat(text, 64)
	}
	before, err := count()
	if err != nil {
		return 0, err
	}
	const sent = 10
	for _, r := range requests() {
		for i := 0; r.name == nameBulk && i < sent; i++ {
			if err := send(r.method, "http://"+g.subject(sluice).address+r.path, tenantShared, strings.NewReader(r.body), int64(len(r.body))); err != nil {
				return 0, err
			}
		}
	}
	after, err := count()
	return (after - before) / sent, err
}
