package main

import (
	"fmt"

	"github.com/sluiceproxy/sluice/bench/report"
)

// Targets. The processor time of shared requests is meant for a machine on which a
// request costs Go's ReverseProxy so much, and is scaled by what it costs here.
const (
	ofNginx        = 0.8
	ofReverse      = 2.0
	p99OfNginx     = 1.5
	ofPassThrough  = 0.85
	bulkOfPass     = 0.7
	referenceCosts = 79 // us
)

var sharedCosts = map[string]float64{"GET": 45, "PUT 256 B": 60, "search": 80} // us

func millis(t turn) float64 { return float64(t.P99.Microseconds()) / 1000 }

// report judges what was measured.
func (r *results) report(m report.Machine) *report.Result {
	real := ""
	if r.real != "" {
		real = fmt.Sprintf(" A second upstream is an OpenSearch %s node with an index of %d documents that is read, and one whose %d documents are written in turn; it is warmed up for 4 s with each kind of request.", r.real, documentsReal, documentsReal)
	}
	out := &report.Result{
		Name: "proxy", Title: "The proxy beside nginx, haproxy and Go's ReverseProxy", Order: 20, Command: "make bench-proxy",
		Method: fmt.Sprintf("A stub answers like OpenSearch from memory; before it nginx (`worker_processes auto`), haproxy, `httputil.ReverseProxy` with a pool of 256 connections, and `sluice serve` "+
			"(store in the process, `fresh`), each a process of its own with its default of threads. wrk, with one thread, loads one of them at a time; stub, proxy and wrk share the machine. "+
			"All cases take turns in each of %d rounds, %v each; before, each is warmed up for %v. Figures are medians of the rounds, the spread is the least and the most of them. "+
			"Processor time is that of the proxy's processes, user and kernel, over the turn's requests.%s", r.plan.Rounds, r.plan.Slice, r.plan.WarmUp, real),
		Machine: m, Raw: map[string]any{"plan": r.plan, "cases": r.cells, "memory": r.memory},
		Notes: "\"Pass-through\" is a tenant with a cluster of its own (`dedicated_cluster`): its requests and answers are not changed, but resolved, admitted, limited, counted and checked as all are. " +
			"\"Shared\" is a tenant in a shared index: ids, routing and documents are rewritten, and answers stripped of what is not the tenant's. `leased` is a `sluice proxy` whose store is in another process. " +
			"\"Before OpenSearch\" is pass-through to a real node, which takes most of the machine: so the rates are compared with nginx's under its target, and with ReverseProxy's and the node's own without one. " +
			"\"Engine alone\" is a proxy that only passes on, over the client that sluice has for its clusters, with each of the servers that its own clients could have: the server was chosen by that. " +
			"What else was tried for the choice, once, on the idle machine of this project, with 16 connections (2 turns of 2 s; processor time of a GET): nginx 29 us, ReverseProxy 136 us, bytes passed on " +
			"by a goroutine for each connection 24 us, fasthttp's server and client 31 us, a loop over epoll for each thread 15 to 19 us. A goroutine for each connection costs no more than nginx; fasthttp " +
			"is no faster than that and has types of its own for requests, and no HTTP/2; and a loop over epoll cannot wait for a hold or a lock. " +
			"Memory is the resident set, as the kernel counts it, pages of the program's file included; a proxy lets go of those that it has read before it was up for a second, and reads again what it needs of them.",
	}
	for _, q := range requests() {
		for _, n := range r.plan.Connections {
			out.Rows = append(out.Rows, r.passThrough(q.name, n)...)
			out.Rows = append(out.Rows, r.engineRows(q.name, n)...)
		}
	}
	for _, q := range requests() {
		for _, n := range r.plan.Connections {
			out.Rows = append(out.Rows, r.sharedRows(q.name, n)...)
		}
	}
	for _, q := range requestsReal() {
		out.Rows = append(out.Rows, r.realRows(q.name, q.connections[0])...)
	}
	out.Rows = append(out.Rows, r.memoryRows()...)
	return out
}

// rates compares requests a second.
func rates(what, against string, a, b *cell, target float64) report.Row {
	x, least, most := a.middle(turn.rate)
	y, _, _ := b.middle(turn.rate)
	row := report.Row{What: what, Against: against, Value: fmt.Sprintf("%.0f/s", x), Other: fmt.Sprintf("%.0f/s", y), Ratio: x / y, N: len(a.Turns), Spread: fmt.Sprintf("%.0f to %.0f/s", least, most)}
	if target > 0 {
		row.Target = fmt.Sprintf(">= %.2f times", target)
		row.JudgeAtLeast(row.Ratio, target)
	}
	return row
}

func (r *results) passThrough(name string, n int) []report.Row {
	own := r.cell(sluice, tenantWhole, name, n)
	if own == nil || name == nameBulk {
		return nil
	}
	what := fmt.Sprintf("%s, %d connections, requests a second", name, n)
	var rows []report.Row
	for _, o := range []struct {
		name   string
		target float64
	}{{nginx, ofNginx}, {reverse, ofReverse}, {haproxy, 0}, {direct, 0}} {
		rows = append(rows, rates(what, o.name, own, r.cell(o.name, tenantWhole, name, n), o.target))
	}
	rows = append(rows, rates(what+", leased", sluice+", fresh", r.cell(leased, tenantWhole, name, n), own, 0))
	late := r.late(fmt.Sprintf("%s, %d connections, ", name, n), own, r.cell(nginx, tenantWhole, name, n))
	cost := report.Row{What: fmt.Sprintf("%s, %d connections, processor time of a request", name, n), Against: nginx + ", " + haproxy + ", " + reverse, N: len(own.Turns)}
	a, least, most := own.middle(turn.perRequest)
	cost.Value, cost.Spread = fmt.Sprintf("%.1f us", a), fmt.Sprintf("%.1f to %.1f us", least, most)
	for i, o := range []string{nginx, haproxy, reverse} {
		v, _, _ := r.cell(o, tenantWhole, name, n).middle(turn.perRequest)
		if i > 0 {
			cost.Other += ", "
		}
		cost.Other += fmt.Sprintf("%.1f us", v)
	}
	return append(rows, late, cost)
}

func (r *results) sharedRows(name string, n int) []report.Row {
	own := r.cell(sluice, tenantShared, name, n)
	if own == nil {
		return nil
	}
	pass := r.cell(sluice, tenantWhole, name, n)
	what := fmt.Sprintf("shared, %s, %d connections, ", name, n)
	if name == nameBulk {
		row := rates(what+"bulks a second", "pass-through", own, pass, bulkOfPass)
		targets := report.Row{What: "shared, " + name + ", requests to clusters for each", Value: fmt.Sprintf("%.1f", r.bulks), N: 10, Target: "1, the number of targets"}
		targets.Judge(r.bulks, 1)
		return []report.Row{row, targets}
	}
	rows := []report.Row{rates(what+"requests a second", "pass-through", own, pass, ofPassThrough)}
	base := r.cell(reverse, tenantWhole, "GET", n)
	if base == nil {
		return rows
	}
	cost, least, most := own.middle(turn.perRequest)
	here, _, _ := base.middle(turn.perRequest)
	limit := sharedCosts[name] * here / referenceCosts
	row := report.Row{What: what + "processor time of a request", Against: "ReverseProxy's GET", Value: fmt.Sprintf("%.1f us", cost), Other: fmt.Sprintf("%.1f us", here), Ratio: cost / here, N: len(own.Turns),
		Spread: fmt.Sprintf("%.1f to %.1f us", least, most), Target: fmt.Sprintf("<= %.0f us where ReverseProxy takes %d: here %.1f us", sharedCosts[name], referenceCosts, limit)}
	row.Judge(cost, limit)
	return append(rows, row)
}

// realRows compares what is before an OpenSearch.
func (r *results) realRows(name string, n int) []report.Row {
	own := r.cell(sluice, tenantReal, name, n)
	if own == nil {
		return nil
	}
	what := fmt.Sprintf("before OpenSearch, %s, %d connections, ", name, n)
	var rows []report.Row
	for _, o := range []struct {
		name   string
		target float64
	}{{nginx, ofNginx}, {reverse, 0}, {direct, 0}} {
		rows = append(rows, rates(what+"requests a second", o.name, own, r.cell(o.name, tenantReal, name, n), o.target))
	}
	return append(rows, r.late(what, own, r.cell(nginx, tenantReal, name, n)))
}

// late compares the slowest of a hundred with nginx's.
func (r *results) late(what string, own, of *cell) report.Row {
	x, least, most := own.middle(millis)
	y, _, _ := of.middle(millis)
	row := report.Row{What: what + "p99", Against: nginx, Value: fmt.Sprintf("%.2f ms", x), Other: fmt.Sprintf("%.2f ms", y), Ratio: x / y, N: len(own.Turns),
		Spread: fmt.Sprintf("%.2f to %.2f ms", least, most), Target: fmt.Sprintf("<= %.1f times", p99OfNginx)}
	row.Judge(row.Ratio, p99OfNginx)
	return row
}

func (r *results) memoryRows() []report.Row {
	if r.memory == nil {
		return nil
	}
	mb := func(what string, v, limit float64, target string) report.Row {
		row := report.Row{What: what, Value: fmt.Sprintf("%.1f MB", v), N: 1, Target: target}
		row.Judge(v, limit)
		return row
	}
	m := r.memory
	return []report.Row{
		mb("memory of `sluice proxy`, idle", m.Idle, 30, "<= 30 MB"),
		{What: "of that, what is not in the program's file, and so its own", Value: fmt.Sprintf("%.1f MB", m.Own), N: 1},
		mb("memory with 1,000 idle connections of clients", m.Connections, 60, "<= 60 MB"),
		mb("growth while a document of 64 MB is streamed", m.Up-m.Before, 6.4, "none: <= a tenth of it, 6.4 MB"),
		mb("growth while an answer of 64 MB is streamed", m.Down-m.Before, 6.4, "none: <= a tenth of it, 6.4 MB"),
	}
}
