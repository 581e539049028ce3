package main

import (
	"slices"
	"strings"
	"testing"
)

const output = `goos: linux
pkg: github.com/sluiceproxy/sluice/gate
BenchmarkWrite/partitions=1000         	 2724766	       100.5 ns/op	       0 B/op	       0 allocs/op
BenchmarkWrite/partitions=1000000      	  259731	      500 ns/op	       0 B/op	       1 allocs/op
BenchmarkWriteParallel/partitions=1000           	  459334	      200 ns/op
BenchmarkWriteParallel/partitions=1000-2         	  698894	      100 ns/op
BenchmarkAlone
PASS
`

func TestSamples(t *testing.T) {
	all := samples{}
	all.add("gate", []byte(output))
	all.add("gate", []byte(strings.ReplaceAll(output, "100.5", "120.5")))
	if got := all.of("gate/Write/partitions=1000", "ns/op"); !slices.Equal(got, []float64{100.5, 120.5}) {
		t.Errorf("the samples are %v", got)
	}
	if got := all.ratios("gate/WriteParallel/partitions=1000", "gate/WriteParallel/partitions=1000-2", "ns/op"); !slices.Equal(got, []float64{2, 2}) {
		t.Errorf("two cores do %v of one", got)
	}
	if len(all) != 4 {
		t.Errorf("%d benchmarks", len(all))
	}
}

// A figure at its limit is met, one above it says by how much, and one without samples
// has no row.
func TestRowsAreJudged(t *testing.T) {
	all := samples{}
	all.add("gate", []byte(output))
	got := rows(all)
	byWhat := map[string]int{}
	for i, r := range got {
		byWhat[r.What] = i
	}
	for what, want := range map[string]struct {
		met    bool
		missed string
	}{
		"gate: resolve, admit, done; 1,000 partitions":               {true, ""},
		"gate: resolve, admit, done; 1,000,000 partitions by chance": {false, "1.25 times the target"},
		"gate: allocations of resolve, admit, done":                  {false, ""},
		"gate: writes of two cores; 1,000 partitions":                {true, ""},
	} {
		i, ok := byWhat[what]
		if !ok || got[i].Met == nil || *got[i].Met != want.met || got[i].Missed != want.missed || got[i].N != 1 {
			t.Errorf("%s: %+v", what, got[min(i, len(got)-1)])
		}
	}
	if len(got) != 4 {
		t.Errorf("%d rows", len(got))
	}
}

func TestMedian(t *testing.T) {
	if m := median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("the median of three is %v", m)
	}
	if m := median([]float64{4, 1, 3, 2}); m != 2.5 {
		t.Errorf("the median of four is %v", m)
	}
	if perfCount.FindStringSubmatch("1234,,instructions:u,100,100.00,,\n") == nil || perfCount.FindStringSubmatch("<not supported>,,instructions:u,0,100.00,,\n") != nil {
		t.Error("perf's count is not read")
	}
}
