package clock_test

import (
	"testing"

	"github.com/sluiceproxy/sluice/internal/clock"
)

func BenchmarkSinceBoot(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		clock.SinceBoot()
	}
}
