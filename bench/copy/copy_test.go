package main

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"testing"

	"github.com/sluiceproxy/sluice/bench/report"
)

func TestBulks(t *testing.T) {
	docs, size := 0, 0
	for _, b := range bulks(9000, 1000) {
		if len(b) > perBulk+2000 {
			t.Errorf("a bulk of %d bytes", len(b))
		}
		lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
		for i := 0; i < len(lines); i += 2 {
			if !json.Valid(lines[i]) || !json.Valid(lines[i+1]) {
				t.Fatalf("not JSON: %s %s", lines[i], lines[i+1])
			}
			docs, size = docs+1, size+len(lines[i+1])
		}
	}
	if docs != 9000 || size/docs < 950 || size/docs > 1050 {
		t.Errorf("%d documents of %d bytes", docs, size/docs)
	}
}

func TestReport(t *testing.T) {
	r := results{plan: plan{Docs: 100}}
	for by, s := range map[string]float64{move: 1, snapshot: 0.5, reindex: 3, elasticdump: 4, python: 2.5, plain: 0.8} {
		r.Samples = append(r.Samples, sample{By: by, Seconds: s, Target: 1, Source: 1})
	}
	met := map[string]bool{}
	for _, row := range r.report().Rows {
		if row.Met != nil {
			met[row.What+"/"+row.Against] = *row.Met
		}
	}
	want := map[string]bool{
		"copied by a move/" + python + ", the best":              true,  // 2.5 times
		"copied by a move/" + plain:                              false, // 0.8 times
		"copied by a move, by snapshot/" + python + ", the best": true,
		"copied by a move, by snapshot/" + plain:                 true,
	}
	if !maps.Equal(met, want) {
		t.Errorf("%v", met)
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-size", "10"}, {"-rounds", "0"}, {"-writers", "0"}} {
		if code := report.Run(t.Context(), "copy", benchmark, args, io.Discard, io.Discard); code != 2 {
			t.Errorf("%v: exit code %d", args, code)
		}
	}
}
