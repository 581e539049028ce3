package main

import (
	"math"
	"testing"
)

func TestRatios(t *testing.T) {
	mean, twice := ratios([]float64{90, 110, 100}, []float64{100, 100, 100})
	if math.Abs(mean-1) > 1e-9 || math.Abs(twice-2*math.Sqrt(0.01/3)) > 1e-9 {
		t.Errorf("%v, %v", mean, twice)
	}
	r := results{Rates: map[string][]float64{active: {100, 100}, another: {100, 101}, draining: {96, 95}}}
	if rows := r.report().Rows; *rows[0].Met || rows[0].Missed == "" || rows[1].Met != nil {
		t.Errorf("4.5 %% is too much, and chance is not judged: %+v", rows)
	}
	r.Rates[draining] = []float64{98, 99}
	if rows := r.report().Rows; !*rows[0].Met {
		t.Errorf("1.5 %% is within 3 %%: %+v", rows)
	}
}
