package soak_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// bound is how much of something may be more at the end of a run than after its beginning: a share of what there was, and
// an amount for what comes and goes.
type bound struct {
	Share float64 `json:"share"`
	Least float64 `json:"amount"`
}

func (b bound) of(level float64) float64 { return b.Share*level + b.Least }

// growth is what the samples of a run say.
type growth struct {
	Level   float64 `json:"level"`        // the median
	Growth  float64 `json:"growth"`       // from the first sample to the last, along the slope
	PerHour float64 `json:"per_hour"`     // the slope
	Allowed float64 `json:"growth_bound"` // beyond it the run has failed
}

func (g growth) tooMuch() bool { return g.Growth > g.Allowed }

// grown measures the slope by the median of those between all pairs of samples (Theil and Sen), which outliers do not
// move: collections of garbage, a move that is under way.
func grown(at []time.Duration, values []float64, b bound) growth {
	var slopes []float64
	for i := range values {
		for j := range i {
			slopes = append(slopes, (values[i]-values[j])/(at[i]-at[j]).Seconds())
		}
	}
	g := growth{Level: median(values)}
	slope := median(slopes)
	g.Growth, g.PerHour, g.Allowed = slope*(at[len(at)-1]-at[0]).Seconds(), slope*3600, b.of(g.Level)
	return g
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Clone(v)
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// A leak is seen through noise that is larger than it, and noise is no leak.
func TestGrowth(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, leak := range map[string]float64{"none": 0, "a tenth an interval": 10} {
		var at []time.Duration
		var values []float64
		for i := range 45 {
			v := 1000 + leak*float64(i) + rnd.NormFloat64()*50
			if i%9 == 0 {
				v += 800 // something passing
			}
			at, values = append(at, time.Duration(i)*10*time.Second), append(values, v)
		}
		g := grown(at, values, bound{Share: 0.1, Least: 20})
		if g.tooMuch() != (leak > 0) {
			t.Errorf("%s: %+v", name, g)
		}
		if want := leak * 44; math.Abs(g.Growth-want) > 80 {
			t.Errorf("%s: grown by %v, want %v", name, g.Growth, want)
		}
	}
}
