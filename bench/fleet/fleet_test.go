package main

import (
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/bench/report"
)

func TestReport(t *testing.T) {
	r := results{plan: plan{Sizes: []int{10}, Crowds: []int{1, 8}, Crowded: 10, AtOnce: []int{1}, Flips: 5}}
	r.Cutovers = map[int][]cutover{10: {{2, 9, 11, 12, 22}, {2, 8, 11, 12, 22}, {2, 30, 11, 14, 22}}}
	r.Crowd = []crowd{{1, 9, 11}, {8, 20, 4}}
	r.Turns = []turn{{"memory", 1, 10, 20}, {"etcd", 1, 10, 20}, {acknowledging, 1, 10, 20}}
	met := map[bool]int{}
	for _, row := range r.report().Rows {
		if row.Met != nil {
			met[*row.Met]++
		}
	}
	if !cmp.Equal(met, map[bool]int{true: 3}) { // 9 ms are within 10, 12 writes within 13, 4 are fewer than 11
		t.Errorf("%v: %+v", met, r.report().Rows)
	}
	r.Cutovers[10] = []cutover{{2, 12, 13, 14, 24}}
	if rows := r.report().Rows; *rows[0].Met || rows[0].Missed != "1.20 times the target" || *rows[2].Met {
		t.Errorf("12 ms and 14 writes are too many: %+v", rows[:3])
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-sizes", "0"}, {"-sizes", "10,x"}, {"-rounds", "0"}, {"-crowded", "7"}} {
		if code := report.Run(t.Context(), "fleet", benchmark, args, io.Discard, io.Discard); code != 2 {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}
