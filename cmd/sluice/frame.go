package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/control"
)

// frame is the live view of a move: what it is, how far, and what it waits for.
func frame(m control.Move, width int) []string {
	p := m.Progress
	out := []string{
		fmt.Sprintf("move %s  %s  %s -> %s", m.ID, printable(string(m.Partition)), m.From, m.To),
		fmt.Sprintf("  %-11s %s", m.Stage, clock(stageAge(m))),
	}
	if d := copied(m); len(d) > 0 {
		out = append(out, "  "+bar(p.Docs, p.Total, min(30, width/3))+"  "+strings.Join(d, "  "))
	}
	if d := compared(m); len(d) > 0 {
		out = append(out, "  "+bar(p.Comparing.Scanned, p.Comparing.Total, min(30, width/3))+"  "+strings.Join(d, "  "))
	}
	// A line of its own: with the numbers of the copy it would not fit 80 columns.
	if d := behind(m); len(d) > 0 {
		out = append(out, "  "+strings.Join(d, "  "))
	}
	for _, l := range p.Laggards {
		out = append(out, "  waiting for "+l.String())
	}
	if p.Note != "" {
		out = append(out, "  "+printable(p.Note))
	}
	if p.SlowedBy != "" {
		out = append(out, "  slowed by: "+printable(p.SlowedBy))
	}
	return out
}

// details are the numbers that say something in the move's stage.
func details(m control.Move) []string {
	return append(append(copied(m), compared(m)...), behind(m)...)
}

// copied is how far the copy is.
func copied(m control.Move) []string {
	p := m.Progress
	if p.Step != "" {
		return seeded(p)
	}
	if p.Total == 0 {
		return nil
	}
	out := []string{fmt.Sprintf("%s / %s documents (%s)", count(p.Docs), count(p.Total), size(p.Bytes))}
	if m.Stage == control.StageCopying && p.Rate > 0 {
		out = append(out, count(int64(p.Rate))+"/s")
		if p.ETA > 0 {
			out = append(out, "ETA "+clock(p.ETA))
		}
	}
	return out
}

// behind is how far the copy lags, and what that would make of a pause now.
func behind(m control.Move) []string {
	p := m.Progress
	var out []string
	add := func(format string, a ...any) { out = append(out, fmt.Sprintf(format, a...)) }
	if p.Dirty > 0 || p.Rounds > 0 {
		add("lag %s ids", count(int64(p.Dirty)))
		add("caught up %s in %d rounds", count(p.CaughtUp), p.Rounds)
	}
	if p.PredictedPause > 0 {
		add("predicted pause %s (budget %s)", p.PredictedPause.Round(time.Millisecond), m.Options.PauseBudget)
	}
	if p.Cutovers > 1 {
		add("cutover %d", p.Cutovers)
	}
	if len(p.Laggards) > 0 {
		add("%d to acknowledge", len(p.Laggards))
	}
	return out
}

func stageAge(m control.Move) time.Duration {
	if n := len(m.Timeline); n > 0 && m.Timeline[n-1].Duration == 0 {
		return max(0, time.Since(m.Timeline[n-1].Started))
	}
	return 0
}

func bar(done, total int64, width int) string {
	full := 0
	if total > 0 {
		full = int(min(done, total) * int64(width) / total)
	}
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", width-full) + "]"
}

// clip cuts a line to width columns; every rune is taken for one.
func clip(s string, width int) string {
	r := []rune(s)
	if len(r) > width {
		return string(r[:max(width, 0)])
	}
	return s
}

func clock(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// count writes a number with separators.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/unit, 0
	for ; f >= unit && i < 4; i++ {
		f /= unit
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGTP"[i])
}

// writeMove is a move for people: what, how far, the timeline, the receipt, and rows
// of whoever knows more.
func writeMove(w io.Writer, m control.Move, more ...[]string) error {
	rows := [][]string{
		{"tenant", string(m.Partition)}, {"from", m.From.String()}, {"to", m.To.String()}, {"stage", string(m.Stage)},
	}
	add := func(k, format string, a ...any) { rows = append(rows, []string{k, fmt.Sprintf(format, a...)}) }
	if m.RollbackOf != "" {
		add("rolls back", "%s", m.RollbackOf)
	}
	if m.RolledBackBy != "" {
		add("rolled back by", "%s", m.RolledBackBy)
	}
	if m.Error != "" {
		add("error", "%s", m.Error)
	}
	for _, r := range more {
		if len(r) > 0 {
			rows = append(rows, r)
		}
	}
	if c := m.CopiedBy; c != nil {
		add("copied by", "%s: %s", c.Method, c.Reason)
	}
	shadow := m.Progress.Shadow
	if m.Receipt != nil {
		shadow = m.Receipt.Shadow
	}
	if m.Receipt == nil {
		if m.Predicted != nil {
			add("predicted", "%s", predictionText(*m.Predicted))
		}
		if d := details(m); len(d) > 0 {
			add("progress", "%s", strings.Join(d, ", "))
		}
		if m.Progress.Note != "" {
			add("note", "%s", m.Progress.Note)
		}
		if m.Progress.SlowedBy != "" {
			add("slowed by", "%s", m.Progress.SlowedBy)
		}
		if m.Stage == control.StagePreparing || m.Stage == control.StageCopying {
			add("copy", "%s", copyBounds(m.Options))
		}
		for _, l := range m.Progress.Laggards {
			add("waiting for", "%s", l)
		}
	}
	if m.Settled() && m.Stage != control.StageAborted && m.Stage != control.StageFailed {
		add("old copy", "%s", oldCopy(m))
	}
	if r := m.Receipt; r != nil {
		how := fmt.Sprintf("copied (%s)", size(r.Bytes))
		if r.RollbackOf != "" {
			how = "brought back"
		}
		add("documents", "%s %s, %s caught up in %d rounds", count(r.Docs), how, count(r.CaughtUp), r.Rounds)
		if p := r.Predicted; p != nil {
			add("predicted", "%s", predictionText(*p))
			add("in fact", "%s documents, %s, copied in %s; pause %.1f ms", count(r.Docs), size(r.Bytes), clock(r.CopyTime), r.Pause.LongestMS)
		}
		add("verified", "%s", verifiedText(r.Verification))
		add("pause", "%d writes held: p50 %.1f ms, longest %.1f ms; %d refused; cutover %.1f ms, tried %d time(s)",
			r.Pause.HeldRequests, r.Pause.P50MS, r.Pause.LongestMS, r.Pause.Refused, r.Pause.ControllerMS, r.Cutovers)
		if r.Pause.Unanswered > 0 {
			add("", "%d proxies did not tell what they held: %s", r.Pause.Unanswered, strings.Join(r.Pause.UnansweredProxies, ", "))
		}
		if n := len(r.Pause.VanishedProxies); n > 0 {
			add("", "%d proxies vanished, and cannot tell: %s", n, strings.Join(r.Pause.VanishedProxies, ", "))
		}
		add("client errors", "%s", errorsText(r.Pause.Errors))
		add("instances", "%s", strings.Join(r.Instances, ", "))
		add("fence", "%s", r.Fence)
		if r.Attempts > 1 {
			add("drivers", "%d", r.Attempts)
		}
	}
	rows = append(rows, driftRows(m)...)
	for i, line := range shadowLines(shadow) {
		add([]string{"shadow reads", ""}[min(i, 1)], "%s", line)
	}
	timeline := m.Timeline
	if m.Receipt != nil && len(m.Receipt.Timeline) > len(timeline) {
		timeline = m.Receipt.Timeline
	}
	for i, t := range timeline {
		k := "timeline"
		if i > 0 {
			k = ""
		}
		took := "now"
		if t.Duration > 0 {
			took = t.Duration.Round(time.Millisecond).String()
		}
		rows = append(rows, []string{k, fmt.Sprintf("%s %-11s %s", t.Started.Local().Format(time.TimeOnly), t.Stage, took)})
	}
	for i := range rows {
		if rows[i][0] == "" {
			rows[i][0] = " "
		}
	}
	return table(w, []string{"MOVE", m.ID}, rows)
}

// errorsText are the errors that clients got, by kind.
func errorsText(by map[string]int) string {
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(by)) {
		out = append(out, fmt.Sprintf("%s %s", count(int64(by[kind])), kind))
	}
	if len(out) == 0 {
		return "none during the move, say the proxies"
	}
	return strings.Join(out, ", ")
}

// predictionText is a prediction, and what it rests on.
func predictionText(p control.Prediction) string {
	return fmt.Sprintf("%s documents, %s on disk, copied in %s; pause about %s (by %s)", count(p.Docs), size(p.Bytes), clock(p.CopyTime), p.Pause.Round(time.Millisecond), p.Basis)
}
