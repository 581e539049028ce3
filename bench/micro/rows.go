package main

import "github.com/sluiceproxy/sluice/bench/report"

const notes = "The gate is measured in `leased` mode, where a request that is decided asks no store; in `fresh` mode a read of the store comes on top, which requests that " +
	"arrive together share (docs/stores/measured.md). Resolve, admit and done is a write that is admitted and ends; the row below it has the check in it that comes " +
	"immediately before a write is sent. A ticket is on its caller's stack, if the caller keeps it there. The million partitions are asked for in an order of chance, so that each is read from memory, not from a processor's cache: " +
	"four places of memory a request, with pages of 4 KiB. " +
	"Readers have two processors and the transitions, a thousand a second, share them: each is a write to the store in memory, which is watched, decoded and applied. " +
	"The cycle over etcd is compared with three conditional writes of the same size by etcd's own client, which take turns with it: each transition of a cycle is decided on the entry that the one before has left, and is one write, which is refused if that is not the newest. " +
	"Instructions are counted by valgrind's callgrind as the difference of two runs, in which reading a clock is a system call."

// figure is a row that is a benchmark's own figure.
type figure struct {
	what, bench, unit string
	show              func(float64) string
	target            string
	limit             float64 // 0: none; negative: none at all is allowed
}

var figures = []figure{
	{"gate: resolve, admit, done; 1,000 partitions", "gate/Write/partitions=1000", "ns/op", ns, "at most 150 ns", 150},
	{"gate: resolve, admit, done; 1,000,000 partitions by chance", "gate/Write/partitions=1000000", "ns/op", ns, "at most 400 ns", 400},
	{"gate: allocations of resolve, admit, done", "gate/Write/partitions=1000000", "allocs/op", count, "none", -1},
	{"gate: resolve, admit, send, done; 1,000 partitions", "gate/WriteSent/partitions=1000", "ns/op", ns, "", 0},
	{"gate: resolve, admit, send, done; 1,000,000 partitions by chance", "gate/WriteSent/partitions=1000000", "ns/op", ns, "", 0},
	{"gate: a read, resolve and done; 1,000 partitions", "gate/Read/partitions=1000", "ns/op", ns, "at most 150 ns", 150},
	{"gate: a read, resolve and done; 1,000,000 partitions by chance", "gate/Read/partitions=1000000", "ns/op", ns, "at most 400 ns", 400},
	{"replica: memory of a partition of 1,000,000, names of 14 and 19 bytes included", "gate/Replica/names=short", "B/partition", bytes, "at most 200 B", 200},
	{"replica: memory of a partition of 1,000,000, names of 36 and 41 bytes included", "gate/Replica/names=uuid", "B/partition", bytes, "at most 200 B", 200},
	{"CursorAffinity: pin; 100,000 live", "affinity/Pin/live=100000", "ns/op", ns, "at most 300 ns", 300},
	{"CursorAffinity: pin; 1,000 live", "affinity/Pin/live=1000", "ns/op", ns, "", 0},
	{"CursorAffinity: pin; 1,000,000 live", "affinity/Pin/live=1000000", "ns/op", ns, "", 0},
	{"CursorAffinity: resolve; 100,000 live", "affinity/Resolve/live=100000", "ns/op", ns, "at most 300 ns", 300},
	{"CursorAffinity: resolve; 1,000 live", "affinity/Resolve/live=1000", "ns/op", ns, "", 0},
	{"CursorAffinity: resolve; 1,000,000 live", "affinity/Resolve/live=1000000", "ns/op", ns, "", 0},
	{"envelope: wrap", "affinity/Wrap", "ns/op", ns, "at most 1 us", 1000},
	{"envelope: unwrap", "affinity/Unwrap", "ns/op", ns, "at most 1 us", 1000},
	{"begin, cutover, complete; the store in memory", "store/Cycle", "ns/op", ns, "at most 2 us", 2000},
	{"begin, cutover, complete; placement.PlacementTable", "placement/Cycle", "ns/op", ns, "", 0},
	{"codec: an entry in Cutover encoded", "store/EncodeEntry", "ns/op", ns, "", 0},
	{"codec: an entry in Cutover decoded", "store/DecodeEntry", "ns/op", ns, "", 0},
}

// comparison is a row that compares two benchmarks, or two figures of one, round by round.
type comparison struct {
	what, against string
	over, under   string
	unit          string
	target        string
	atMost        float64
	atLeast       float64
	scale         float64 // what the ratio is taken times
}

var comparisons = []comparison{
	{"gate: writes of two cores; 1,000 partitions", "one core", "gate/WriteParallel/partitions=1000", "gate/WriteParallel/partitions=1000-2", "ns/op", "at least 1.8 times", 0, 1.8, 1},
	{"gate: writes of two cores; 1,000,000 partitions by chance", "one core", "gate/WriteParallel/partitions=1000000", "gate/WriteParallel/partitions=1000000-2", "ns/op", "at least 1.8 times", 0, 1.8, 1},
	{"a read on two cores while 1,000 transitions a second are applied", "none are applied", "gate/ReadWhile/applying-2", "gate/ReadWhile/quiet-2", "ns/op", "less than 1.1 times", 1.1, 0, 1},
	{"CursorAffinity: pin; 100,000 live", "a map swept on each pin", "affinity/Pin/live=100000", "affinity/SweptMap/live=100000", "ns/op", "", 0, 0, 1},
}

// rows judges the samples.
func rows(all samples) []report.Row {
	var out []report.Row
	for _, f := range figures {
		v := all.of(f.bench, f.unit)
		if len(v) == 0 {
			continue
		}
		m := median(v)
		r := report.Row{What: f.what, Value: f.show(m), N: len(v), Spread: spread(v, f.show), Target: f.target}
		switch {
		case f.limit > 0:
			r.Judge(m, f.limit)
		case f.limit < 0:
			r.Judge(m, 0)
		}
		out = append(out, r)
	}
	for _, c := range comparisons {
		v := all.ratios(c.over, c.under, c.unit)
		if len(v) == 0 {
			continue
		}
		m := median(v)
		r := report.Row{
			What: c.what, Against: c.against, Value: ns(median(all.of(c.over, c.unit))), Other: ns(median(all.of(c.under, c.unit))),
			Ratio: m, N: len(v), Spread: spread(v, times), Target: c.target,
		}
		if c.atLeast > 0 { // of one core by two: how much more the two do
			r.Value, r.Other = r.Other, r.Value
			r.JudgeAtLeast(m, c.atLeast)
		} else if c.atMost > 0 {
			r.Judge(m, c.atMost)
		}
		out = append(out, r)
	}
	for name, units := range all {
		if v := units["ratio"]; name == "store/etcdstore/Cycle" || name == "store/etcdstore/Cycle-2" {
			r := report.Row{
				What: "begin, cutover, complete; etcd", Against: "three conditional writes by etcd's own client",
				Value: ns(median(units["ns/cycle"])), Other: ns(median(units["ns/writes"])), Ratio: median(v), N: len(v),
				Spread: spread(v, times), Target: "less than 1.1 times",
			}
			r.Judge(median(v), 1.1)
			out = append(out, r)
		}
	}
	return out
}
