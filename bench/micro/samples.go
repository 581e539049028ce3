package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// samples are what benchmarks said, in the order of the rounds: by package/name, as Go
// prints it without "Benchmark" and with the number of processors if that is not 1, and by
// unit.
type samples map[string]map[string][]float64

// add reads the output of one call.
func (s samples) add(pkg string, out []byte) {
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		if _, err := strconv.Atoi(f[1]); err != nil {
			continue // a name without its figures
		}
		name := pkg + "/" + strings.TrimPrefix(f[0], "Benchmark")
		if s[name] == nil {
			s[name] = map[string][]float64{}
		}
		for i := 2; i+1 < len(f); i += 2 {
			if v, err := strconv.ParseFloat(f[i], 64); err == nil {
				s[name][f[i+1]] = append(s[name][f[i+1]], v)
			}
		}
	}
}

// of are the samples of a benchmark in a unit.
func (s samples) of(name, unit string) []float64 { return s[name][unit] }

// ratios divides the samples of one benchmark by those of another of the same rounds.
func (s samples) ratios(over, under, unit string) []float64 {
	a, b := s.of(over, unit), s.of(under, unit)
	var out []float64
	for i := range min(len(a), len(b)) {
		out = append(out, a[i]/b[i])
	}
	return out
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	switch n := len(v); {
	case n == 0:
		return math.NaN()
	case n%2 == 0:
		return (v[n/2-1] + v[n/2]) / 2
	default:
		return v[n/2]
	}
}

func spread(v []float64, show func(float64) string) string {
	if len(v) == 0 {
		return ""
	}
	return show(slices.Min(v)) + " to " + show(slices.Max(v))
}

// ns shows nanoseconds as people read them.
func ns(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.2f ms", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.1f us", v/1e3)
	case v >= 1e3:
		return fmt.Sprintf("%.2f us", v/1e3)
	}
	return fmt.Sprintf("%.0f ns", v)
}

func times(v float64) string { return fmt.Sprintf("%.2f times", v) }

func bytes(v float64) string { return fmt.Sprintf("%.0f B", v) }

func count(v float64) string { return fmt.Sprintf("%.0f", v) }
