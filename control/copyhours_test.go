package control_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// hoursFrom is a window that opens so long after now, and closes an hour later.
func hoursFrom(t *testing.T, d time.Duration) control.Window {
	t.Helper()
	at := time.Now().UTC().Add(d)
	w, err := control.ParseWindow(at.Format("15:04")+"-"+at.Add(time.Hour).Format("15:04"), "")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestInHours(t *testing.T) {
	window := func(text, zone string) control.Window {
		w, err := control.ParseWindow(text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	night, noon := window("22:00-06:00", "Europe/Berlin"), window("12:00-13:00", "")
	for _, test := range []struct {
		hours []control.Window
		at    string
		want  bool
	}{
		{nil, "2026-11-26T12:00:00Z", true},
		{[]control.Window{night}, "2026-11-26T20:59:59Z", false}, // 21:59:59 in Berlin
		{[]control.Window{night}, "2026-11-26T21:00:00Z", true},
		{[]control.Window{night}, "2026-11-27T04:59:59Z", true},
		{[]control.Window{night}, "2026-11-27T05:00:00Z", false},
		{[]control.Window{night}, "2026-07-01T20:00:00Z", true}, // summer time
		{[]control.Window{night, noon}, "2026-11-26T12:30:00Z", true},
		{[]control.Window{night, noon}, "2026-11-26T13:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := control.InHours(test.hours, at); err != nil || got != test.want {
			t.Errorf("%v at %s: %t, %v", test.hours, test.at, got, err)
		}
	}
}

// What means nothing is refused when a move is asked for and when one is changed, with
// the field's name and what to do.
func TestLimitsThatMeanNothing(t *testing.T) {
	for name, test := range map[string]struct {
		o     control.MoveOptions
		field string
	}{
		"no bytes":       {control.MoveOptions{CopyBytes: 9999}, "copy_bytes"},
		"negative bytes": {control.MoveOptions{CopyBytes: -1}, "copy_bytes"},
		"bytes":          {control.MoveOptions{CopyBytes: math.NaN()}, "copy_bytes"},
		"endless bytes":  {control.MoveOptions{CopyBytes: math.Inf(1)}, "copy_bytes"},
		"zone":           {control.MoveOptions{CopyHours: []control.Window{{From: 1, To: 2, Zone: "Berlin"}}}, "zone"},
		"hours":          {control.MoveOptions{CopyHours: []control.Window{{From: 1500, To: 2, Zone: "UTC"}}}, "window"},
		"no hours":       {control.MoveOptions{CopyHours: []control.Window{{From: 60, To: 60, Zone: "UTC"}}}, "window"},
	} {
		s, _ := newStore(t)
		_, err := control.RequestMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b", Options: test.o})
		var invalid *placement.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != test.field || invalid.Fix == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Outside of its hours the copy rests, says so, and catches up; when it may, it goes on
// and loses nothing. Limits that are changed meanwhile take effect.
func TestHoursOfARunningMove(t *testing.T) {
	t.Parallel()
	b := newBench(t, "hours", 2000)
	b.start(t, b.s, "c1")
	ctx := t.Context()
	change := func(id string, x control.Bounds) {
		t.Helper()
		if _, err := control.RequestBounds(ctx, b.s, id, x); err != nil {
			t.Fatal(err)
		}
	}
	always, later := []control.Window{}, []control.Window{hoursFrom(t, 2*time.Hour)}
	m, err := control.RequestMove(ctx, b.s, control.Request{Partition: b.tenant, Cluster: "b",
		Options: control.MoveOptions{PauseBudget: 3 * time.Second, CutoverDeadline: 4 * time.Second, CopyRate: 20, CopyHours: later}})
	if err != nil {
		t.Fatal(err)
	}
	resting := func(m control.Move) bool {
		return strings.HasPrefix(m.Progress.Note, "the copy rests: it may run between")
	}
	m = b.await(t, m.ID, resting)
	if m.Stage != control.StageCopying || m.Progress.Docs != 0 {
		t.Fatalf("it rests in %s with %d documents", m.Stage, m.Progress.Docs)
	}
	// Written while it rests: it is at the target before the copy has begun.
	loaded, stop := context.WithCancel(ctx)
	wg := b.load(loaded, t, 1)
	b.await(t, m.ID, func(control.Move) bool {
		var n struct{ Count int }
		b.call(t, "b", "POST", "/"+m.To.Index+"/_refresh", "", nil)
		b.call(t, "b", "GET", "/"+m.To.Index+"/_count", "", &n)
		return n.Count > 0
	})
	change(m.ID, control.Bounds{CopyHours: &always})
	b.await(t, m.ID, func(m control.Move) bool { return m.Progress.Docs > 0 && m.Progress.Note == "" })
	// Its hours end while it copies.
	change(m.ID, control.Bounds{CopyHours: &later})
	m = b.await(t, m.ID, resting)
	if m.Stage != control.StageCopying || m.Progress.Docs >= 1500 || m.Attempt != 1 {
		t.Errorf("it rests in %s with %d documents by driver %d", m.Stage, m.Progress.Docs, m.Attempt)
	}
	// Rounds carry deletions over meanwhile, of documents that the scan has still shown.
	b.await(t, m.ID, func(now control.Move) bool { return now.Progress.CaughtUp > m.Progress.CaughtUp+60 })
	none, bytes, eager := 0.0, 50e6, true
	change(m.ID, control.Bounds{CopyHours: &always, CopyRate: &none, CopyBytes: &bytes, CopyEager: &eager})
	m = b.await(t, m.ID, settled)
	stop()
	wg.Wait()
	want := fmt.Sprint([]any{0.0, 50e6, true, 0})
	if got := fmt.Sprint([]any{m.Options.CopyRate, m.Options.CopyBytes, m.Options.CopyEager, len(m.Options.CopyHours)}); m.Stage != control.StageFlipped || m.Attempt != 1 || got != want {
		t.Errorf("it ended as %s by driver %d: %s; limits %s, want %s", m.Stage, m.Attempt, m.Error, got, want)
	}
	b.check(t)
}

// Hours bound the copy alone: a move that has copied everything flips at any time.
func TestHoursDoNotHoldACutover(t *testing.T) {
	t.Parallel()
	b := newBench(t, "afterhours", 50)
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: control.MoveOptions{PauseBudget: time.Microsecond, CutoverDeadline: 4 * time.Second}})
	if err != nil {
		t.Fatal(err)
	}
	b.start(t, b.s, "c1")
	b.await(t, m.ID, func(m control.Move) bool { return strings.Contains(m.Progress.Note, "above the pause budget") })
	later, budget := []control.Window{hoursFrom(t, 2*time.Hour)}, 3*time.Second
	if _, err := control.RequestBounds(t.Context(), b.s, m.ID, control.Bounds{CopyHours: &later, PauseBudget: &budget}); err != nil {
		t.Fatal(err)
	}
	if m = b.await(t, m.ID, settled); m.Stage != control.StageFlipped {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
}

// The hours are shorter than a shard takes: they end several times within one, in whose
// rests controllers are killed, while clients write. Each time the copy goes on where it
// was, and nothing is lost, nor comes back.
func TestHoursShorterThanAShard(t *testing.T) {
	t.Parallel()
	b := newBench(t, "shorthours", 4000)
	stop := b.start(t, b.s, "c0")
	ctx := t.Context()
	always, later := []control.Window{hoursFrom(t, -time.Minute)}, []control.Window{hoursFrom(t, 2*time.Hour)}
	m, err := control.RequestMove(ctx, b.s, control.Request{Partition: b.tenant, Cluster: "b",
		Options: control.MoveOptions{PauseBudget: 3 * time.Second, CutoverDeadline: 4 * time.Second, CopyRate: 200, CopyHours: always}})
	if err != nil {
		t.Fatal(err)
	}
	set := func(x control.Bounds) {
		t.Helper()
		if _, err := control.RequestBounds(ctx, b.s, m.ID, x); err != nil {
			t.Fatal(err)
		}
	}
	loaded, quiet := context.WithCancel(ctx)
	wg := b.load(loaded, t, 2)
	for rest, at := 0, int64(0); rest < 3; rest++ {
		b.await(t, m.ID, func(m control.Move) bool {
			return m.Settled() || m.Stage == control.StageCopying && m.Progress.Docs > at+50
		})
		set(control.Bounds{CopyHours: &later})
		m = b.await(t, m.ID, func(m control.Move) bool {
			return m.Settled() || m.Checkpoint.Scan == "" && strings.HasPrefix(m.Progress.Note, "the copy rests: it may run between")
		})
		cp := m.Checkpoint
		if m.Stage != control.StageCopying || cp.At == nil || cp.At.Known == nil || len(cp.Done) > 0 || cp.At.Docs <= at {
			t.Fatalf("rest %d in %s: %+v, at %+v; it had %d before", rest, m.Stage, cp, cp.At, at)
		}
		at = cp.At.Docs
		b.await(t, m.ID, func(now control.Move) bool { return now.Progress.CaughtUp > m.Progress.CaughtUp+20 })
		if rest != 1 { // killed while it rests
			stop()
			stop = b.start(t, b.s, fmt.Sprintf("c%d", rest+1))
			b.await(t, m.ID, func(now control.Move) bool {
				return now.Attempt > m.Attempt && strings.HasPrefix(now.Progress.Note, "the copy rests")
			})
		}
		set(control.Bounds{CopyHours: &always})
	}
	none := 0.0
	set(control.Bounds{CopyRate: &none, CopyHours: &[]control.Window{}})
	m = b.await(t, m.ID, settled)
	quiet()
	wg.Wait()
	if m.Stage != control.StageFlipped || m.Attempt != 3 {
		t.Errorf("it ended as %s by driver %d: %s", m.Stage, m.Attempt, m.Error)
	}
	t.Logf("%d documents copied of 4000", m.Checkpoint.Docs)
	b.check(t)
}
