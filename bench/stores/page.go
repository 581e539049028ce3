package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
)

// writePage makes the page of the results in the files.
func writePage(name string, files []string) error {
	text, err := pageOf(files)
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(text), 0o644)
}

func pageOf(files []string) (string, error) {
	var all []result
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		var r result
		if err := json.Unmarshal(b, &r); err != nil {
			return "", fmt.Errorf("%s is no result of this program: %w", f, err)
		}
		if r.Table == nil {
			return "", fmt.Errorf("%s is no result of this program: it has no table", f)
		}
		all = append(all, r)
	}
	place := func(name string) int {
		return slices.IndexFunc(backends, func(b backend) bool { return b.name == name })
	}
	slices.SortFunc(all, func(a, b result) int { return cmp.Compare(place(a.Store), place(b.Store)) })
	var p strings.Builder
	p.WriteString(intro)
	for _, write := range []func(*strings.Builder, []result){setups, large, steadies, fans, modesOf, failures} {
		write(&p, all)
	}
	return p.String(), nil
}

const intro = `# What was measured

<!-- Written by make bench-stores from bench/results/stores-*.json; do not edit. -->

Real servers on the machine that also runs what uses them, over loopback: a network adds its round trips. One server each, so none waits for
replicas. Compare stores with each other rather than with your machine, and only where the other load was alike.
The raw figures are in ` + "`bench/results`" + `; ` + "`make bench-stores`" + ` measures again.
`

func heading(p *strings.Builder, title, text string, columns ...string) {
	fmt.Fprintf(p, "\n## %s\n\n%s\n\n| %s |\n|%s\n", title, strings.TrimSpace(text), strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
}

func row(p *strings.Builder, cells ...string) {
	fmt.Fprintf(p, "| %s |\n", strings.Join(cells, " | "))
}

func setups(p *strings.Builder, all []result) {
	heading(p, "The runs", "Load is the system's average over 1, 5 and 15 minutes before the start: with more than the benchmark's own, times are too long.",
		"store", "version", "settings", "when (UTC)", "machine", "load")
	for _, r := range all {
		m := r.Machine
		row(p, r.Store, r.Version, r.Setup, r.When, fmt.Sprintf("%d CPUs, %s, %s", m.CPUs, m.System, m.Go), m.Load)
	}
}

func large(p *strings.Builder, all []result) {
	heading(p, "A large table", `
*List* is one list of all entries, decoded. *Serves* is how long after its start an instance serves: session, list, replica. *First watch* is a watch that begins where a list ended, with one change to report, from its start until that is applied
(etcd begins watches of the past ten times a second).
*Peak* is an instance's highest heap while it started, garbage included; what its replica holds after that is measured by `+"`make bench-micro`"+`, [Performance](../performance.md).
*Wire* is all bytes of one list, both ways, counted by a proxy; Consul compresses its answers, and these entries are alike.`,
		"store", "entries", "filled in", "server's memory", "list", "wire", "serves", "first watch, p50 / max", "peak")
	for _, r := range all {
		t := r.Table
		if t.Entries == 0 {
			continue
		}
		row(p, r.Store, number(t.Entries), seconds(t.FillSeconds), orDash(t.ServerMB > 0, fmt.Sprintf("%d MB", t.ServerMB)),
			took(t.ListMs), orDash(t.ListBytes > 0, fmt.Sprintf("%s, %d B an entry", size(float64(t.ListBytes)), t.ListBytes/int64(t.Entries))),
			took(t.ReplicaMs), quantiles(t.FirstWatch, t.FirstWatch.Max),
			orDash(t.HeapPeak != 0, fmt.Sprintf("%.0f MB", t.HeapPeak)))
	}
	p.WriteString("\n")
	for _, r := range all {
		t := r.Table
		fmt.Fprintf(p, "- %s: %d bytes an entry, name and value. Filled by %s.", r.Store, t.EntrySize, t.Filled)
		if t.Entries < t.Wanted {
			fmt.Fprintf(p, " Of %s wanted there was time for %s.", number(t.Wanted), number(t.Entries))
		}
		if t.Why != "" {
			fmt.Fprintf(p, " Why no million: %s.", t.Why)
		}
		p.WriteString("\n")
	}
}

func steadies(p *strings.Builder, all []result) {
	heading(p, "A change", `
Changes of one entry, one at a time with random pauses of up to 150 ms, over a connection of their own. *Seen* is from the writer's
acknowledgement to the watch's callback; below zero, the watch was told before the writer. *Bytes* are both ways, for one watch: per
change without what flows anyway, and what flows while nothing changes (over 3 s).`,
		"store", "n", "write, p50 / p99", "seen, p50 / p99 / max", "bytes per change", "bytes per second of quiet")
	for _, r := range all {
		t := r.Table
		wire := r.Setup != "none"
		if t.AckToSeen.N == 0 {
			continue
		}
		row(p, r.Store, number(t.AckToSeen.N), quantiles(t.Write, t.Write.P99), quantiles(t.AckToSeen, t.AckToSeen.P99, t.AckToSeen.Max),
			orDash(wire, size(t.EventBytes)), orDash(wire, size(t.QuietBytesS)))
	}
}

func fans(p *strings.Builder, all []result) {
	heading(p, "A change seen by many", `
One change, and as many watches as in the table, each of a driver with connections of its own, all in the benchmark's process: from the
acknowledgement until the last one, and the middle one, has seen it. *Bytes* are from the server to all watches per change, without what flows
anyway, and both ways while nothing changes, counted by a proxy in a second run.`,
		"store", "watches", "n", "last, p50 / max", "middle, p50", "bytes per change", "bytes per second of quiet")
	for _, r := range all {
		f := r.Table.FanOut
		if f == nil || f.Last.N == 0 {
			continue
		}
		wire := f.ProxiedLast.N > 0
		row(p, r.Store, number(f.Watches), number(f.Last.N), quantiles(f.Last, f.Last.Max), took(f.Median.P50), orDash(wire, size(f.WriteBytes)), orDash(wire, size(f.QuietBytesS)))
	}
}

func modesOf(p *strings.Builder, all []result) {
	heading(p, "Reading placements: fresh and leased", `
What a request waits for its placement (`+"`gate.Read` and `Done`"+`), and what that costs the store. Clients make one request after the other, as many
at a time as *clients* says, for partitions chosen at random; the two modes take turns on one machine and one server. *Calls* are those of the
instance's driver, its session's included. With one client each request has a call of its own. With more, requests share them: calls stay
at what one after the other takes, however many requests there are. OpenSearch has no head of the table to ask for; there a call asks for all
partitions that are waited for, up to 500 at a time.`,
		"store", "mode", "clients", "partitions", "n", "p50", "p99", "requests/s", "store calls/s")
	for _, r := range all {
		for _, c := range r.Fresh {
			row(p, r.Store, c.Mode, number(c.Concurrent), number(c.Partitions), number(c.Latency.N), took(c.Latency.P50), took(c.Latency.P99),
				number(int(c.RequestsS)), number(int(c.CallsS)))
		}
	}
}

func failures(p *strings.Builder, all []result) {
	var lines []string
	for _, r := range all {
		for _, ph := range r.Phases {
			if ph.Error != "" {
				lines = append(lines, fmt.Sprintf("- %s, %s: %s\n", r.Store, ph.Name, strings.ReplaceAll(ph.Error, "\n", "; ")))
			}
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(p, "\n## What failed\n\n%s", strings.Join(lines, ""))
	}
}

func orDash(have bool, text string) string {
	if !have {
		return "-"
	}
	return text
}

// quantiles is the median and others of a distribution.
func quantiles(d dist, others ...float64) string {
	if d.N == 0 {
		return "-"
	}
	text := took(d.P50)
	for _, o := range others {
		text += " / " + took(o)
	}
	return text
}

// took is milliseconds for people: three digits.
func took(ms float64) string {
	switch abs := max(ms, -ms); {
	case ms == 0:
		return "-"
	case abs >= 10_000:
		return fmt.Sprintf("%.1f s", ms/1000)
	case abs >= 1000:
		return fmt.Sprintf("%.2f s", ms/1000)
	case abs >= 100:
		return fmt.Sprintf("%.0f ms", ms)
	case abs >= 10:
		return fmt.Sprintf("%.1f ms", ms)
	case abs >= 0.1:
		return fmt.Sprintf("%.2f ms", ms)
	}
	return fmt.Sprintf("%.1f µs", ms*1000)
}

func seconds(s float64) string { return fmt.Sprintf("%.1f s", s) }

func size(b float64) string {
	switch {
	case b >= 1<<20:
		return fmt.Sprintf("%.1f MB", b/(1<<20))
	case b >= 10<<10:
		return fmt.Sprintf("%.0f kB", b/(1<<10))
	}
	return fmt.Sprintf("%.0f B", b)
}

// number groups digits by thousands.
func number(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return number(n/1000) + fmt.Sprintf(",%03d", n%1000)
}
