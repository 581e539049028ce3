package collector_test

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/collector"
)

func TestAfter(t *testing.T) {
	const mb = 1 << 20
	p := collector.NewPace()
	now := time.Now()
	for i, step := range []struct {
		times   int
		wait    time.Duration
		live    uint64
		percent int // after each of the times; below 0: after the last
	}{
		{1, time.Minute, 8 * mb, 100},
		{5, 2 * time.Second, 8 * mb, 100},        // as Go has it
		{9, 100 * time.Millisecond, 8 * mb, 100}, // it starts
		{1, 2 * time.Second, 8 * mb, 100},
		{9, 100 * time.Millisecond, 8 * mb, 100},
		{1, 100 * time.Millisecond, 8 * mb, 200}, // it is busy
		{5, 100 * time.Millisecond, 8 * mb, 400}, // and has what there is
		{5, 2 * time.Second, 8 * mb, 400},        // which it keeps while it uses it
		{1, 2 * time.Second, 16 * mb, 200},
		{1, 2 * time.Second, 200 * mb, 100}, // where much lives, that is enough
		{1, 20 * time.Second, 8 * mb, 400},
		{1, 31 * time.Second, 8 * mb, 200}, // it is idle
		{1, 31 * time.Second, 8 * mb, 100},
		{1, time.Minute, 0, 400}, // of what is nothing it may still take 4 MB
		{9, time.Minute, 0, -100},
		{9, 0, 0, 100},
		{1, 0, 0, 200},
		{9, 0, 0, -3200},
	} {
		for n := range step.times {
			now = now.Add(step.wait)
			got := p.After(now, step.live)
			if want := max(step.percent, -step.percent); got != want && (step.percent > 0 || n == step.times-1) {
				t.Errorf("step %d, %d: %d percent, want %d", i, n, got, step.percent)
			}
		}
	}
}

// What is allocated takes fewer collections, and Go's own pace is back afterwards.
func TestPace(t *testing.T) {
	t.Setenv("GOGC", "")
	cycles := func() uint32 {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 4 << 10 {
			keep = make([]byte, 32<<10)
		}
		runtime.ReadMemStats(&after)
		return after.NumGC - before.NumGC
	}
	without := cycles()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { collector.Pace(ctx); close(ended) }()
	with := cycles()
	for range 3 { // the first has room only by and by
		with = min(with, cycles())
	}
	stop()
	<-ended
	if with > without/2 {
		t.Errorf("%d collections with, %d without", with, without)
	}
	if percent := debug.SetGCPercent(100); percent != 100 {
		t.Errorf("afterwards Go has %d percent", percent)
	}
}

// Whoever has set GOGC has decided.
func TestGOGC(t *testing.T) {
	t.Setenv("GOGC", "50")
	collector.Pace(t.Context()) // returns
}

var keep []byte
