package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
)

// shownFleet is a fleet with something in every list.
func shownFleet(now time.Time) topFleet {
	at := func(cluster, index string) placement.Placement {
		return placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: index, Logical: "docs"}
	}
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	options := control.MoveOptions{PauseBudget: 250 * time.Millisecond}
	copying := control.Move{ID: "m1kqp2h4g5abcdef", Partition: "acme", From: at("a", "acme-docs"), To: at("b", "docs-m1kqp2h4g5abcdef"), Stage: control.StageCopying, Options: options, Created: ago(72 * time.Second),
		Progress: control.Progress{Docs: 43_210, Total: 100_000, Bytes: 43 << 20, Rate: 1234, ETA: 46 * time.Second, SlowedBy: "the search queue of cluster b"},
		Timeline: []control.StageTime{{Stage: control.StagePreparing, Started: ago(72 * time.Second), Duration: 2 * time.Second}, {Stage: control.StageCopying, Started: ago(70 * time.Second)}}}
	cutover := control.Move{ID: "m1kqp2h4g5abcdee", Partition: "umbrella", From: at("a", "umbrella"), To: at("c", "docs-x"), Stage: control.StageCutover, Options: options, Wave: "w1kqp2h4g5abcdef",
		Progress: control.Progress{Docs: 10, Total: 10, Dirty: 7, Rounds: 3, CaughtUp: 512, PredictedPause: 12 * time.Millisecond, Cutovers: 1, Laggards: []control.Laggard{{Name: "p2", Reason: "pending", Silent: 120 * time.Millisecond}}},
		Timeline: []control.StageTime{{Stage: control.StageCopying, Started: ago(30 * time.Second), Duration: 20 * time.Second}, {Stage: control.StageCatchingUp, Started: ago(10 * time.Second), Duration: 9 * time.Second}, {Stage: control.StageCutover, Started: ago(time.Second)}}}
	paused := copying
	paused.ID, paused.Partition, paused.Paused, paused.Progress.SlowedBy = "m1kqp2h4g5abcded", "a tenant with a long name", true, ""
	flipped := control.Move{ID: "m1kqp2h4g5abcdea", Partition: "hooli", From: at("a", "hooli"), To: at("b", "hooli"), Stage: control.StageFlipped, Options: options,
		Timeline: []control.StageTime{{Stage: control.StageCopying, Started: ago(500 * time.Second), Duration: 100 * time.Second}, {Stage: control.StageCutover, Started: ago(400 * time.Second), Duration: 20 * time.Millisecond}, {Stage: control.StageFlipped, Started: ago(399 * time.Second)}},
		Receipt: &control.Receipt{Docs: 100, Bytes: 1 << 20, Rounds: 2, CaughtUp: 9, Cutovers: 1, Instances: []string{"p1", "p2"}, Fence: "clean", CopyTime: 100 * time.Second,
			Pause: control.Pause{HeldRequests: 4, P50MS: 9.5, LongestMS: 17.25, ControllerMS: 20}}}
	failed := control.Move{ID: "m1kqp2h4g5abcde9", Partition: "\x1b[2Jevil", From: at("a", "x"), To: at("down", "x"), Stage: control.StageFailed, Error: "to.cluster: cluster down does not answer",
		Timeline: []control.StageTime{{Stage: control.StageFailed, Started: ago(600 * time.Second)}}}
	return topFleet{At: now, Store: "etcd at http://127.0.0.1:2379", Tenants: 12_004,
		Clusters: []topCluster{{Name: "a", Tenants: 12_000, Requests: 1234.56, Failed: 0.5, Latency: 3456 * time.Microsecond}, {Name: "b", Tenants: 4, Requests: 0}, {Name: "c", Requests: -1}},
		Moves:    []control.Move{copying, cutover, paused, flipped, failed},
		Waves: []topWave{{control.Wave{ID: "w1kqp2h4g5abcdef", State: control.WaveRunning, Items: 40, Plan: "all from a to b, c"}, map[control.ItemState]int{control.ItemDone: 12, control.ItemMoving: 1}, 95 * time.Second},
			{control.Wave{ID: "w1kqp2h4g5abcdee", State: control.WaveStopped, Items: 2, Plan: "file x", Reason: "1 moves have failed"}, map[control.ItemState]int{control.ItemFailed: 1}, 0}},
		Fleet: []topInstance{{ID: "1", Name: "p1", Kind: "proxy", State: "live", Requests: 900.1}, {ID: "2", Name: "p2", Kind: "proxy", State: "live", Requests: 334.5, Held: 3, Pending: 1, Unresolved: 2},
			{ID: "3", Name: "p3", Kind: "proxy", State: "vanished", Requests: -1}, {ID: "4", Name: "c1", Kind: "controller", State: "live", Requests: -1}},
	}
}

// fakeSource answers with one fleet, and notes what it is asked to do.
type fakeSource struct {
	fleet topFleet
	err   error
	acts  []string
}

func (s *fakeSource) look(context.Context) (topFleet, error) { return s.fleet, s.err }

func (s *fakeSource) move(_ context.Context, id string) (control.MoveView, error) {
	i := slices.IndexFunc(s.fleet.Moves, func(m control.Move) bool { return m.ID == id })
	if i < 0 {
		return control.MoveView{}, errors.New("unknown move " + id)
	}
	v := control.MoveView{Move: s.fleet.Moves[i]}
	if v.Stage == control.StageFlipped {
		v.Rollback = &control.RollbackView{Possible: true}
	}
	return v, nil
}

func (s *fakeSource) act(_ context.Context, verb, id string) error {
	s.acts = append(s.acts, verb+" "+id)
	return s.err
}

// screen is a live view in a test: keys are pressed, and what they ask for is done at once.
type screen struct {
	t *testing.T
	m topModel
	s *fakeSource
}

func newScreen(t *testing.T, width, height int) *screen {
	s := &fakeSource{fleet: shownFleet(time.Now())}
	x := &screen{t, newTop(t.Context(), s, false), s}
	x.send(tea.WindowSizeMsg{Width: width, Height: height})
	x.look()
	return x
}

func (x *screen) send(msg tea.Msg) tea.Cmd {
	m, cmd := x.m.Update(msg)
	x.m = m.(topModel)
	return cmd
}

// look does one look. The tick that follows it is left out.
func (x *screen) look() {
	f, err := x.s.look(x.t.Context())
	x.send(topLooked{fleet: f, err: err})
	if x.m.page == pageMove {
		x.send(x.m.lookMove()())
	}
}

var topKeys = map[string]rune{"enter": tea.KeyEnter, "esc": tea.KeyEscape, "up": tea.KeyUp, "down": tea.KeyDown, "tab": tea.KeyTab, "backspace": tea.KeyBackspace, "end": tea.KeyEnd, "home": tea.KeyHome, "pgdown": tea.KeyPgDown}

// press presses keys, and reports whether the last one quits.
func (x *screen) press(keys ...string) (quits bool) {
	for _, k := range keys {
		msg := tea.KeyPressMsg{Text: k}
		if code, ok := topKeys[k]; ok {
			msg = tea.KeyPressMsg{Code: code}
		} else if k == "ctrl+c" {
			msg = tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
		} else {
			msg.Code = []rune(k)[0]
		}
		cmd := x.send(msg)
		if cmd == nil {
			continue
		}
		answer := cmd()
		if _, quit := answer.(tea.QuitMsg); quit {
			return true
		}
		x.send(answer)
	}
	return false
}

// text is the screen without its looks. No line may be longer than the screen is wide, and
// there are no more than it is high.
func (x *screen) text() string {
	x.t.Helper()
	lines := x.m.lines()
	if len(lines) > x.m.height {
		x.t.Errorf("%d lines on a screen of %d", len(lines), x.m.height)
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > x.m.width {
			x.t.Errorf("line %d is %d wide, the screen %d: %q", i, w, x.m.width, l)
		}
		lines[i] = strings.TrimRight(ansi.Strip(l), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// golden compares the screen with a file; -update writes it.
func (x *screen) golden(name string) {
	x.t.Helper()
	file := filepath.Join("testdata", "top", name+".txt")
	have := x.text()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			x.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(have), 0o644); err != nil {
			x.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		x.t.Fatal(err)
	}
	if d := cmp.Diff(string(want), have); d != "" {
		x.t.Errorf("%s (-want +have); go test ./cmd/sluice -run TestTopFrames -update writes it:\n%s", file, d)
	}
}

// What is drawn, on a usual screen and on a small one.
func TestTopFrames(t *testing.T) {
	local := time.Local
	time.Local = time.UTC
	t.Cleanup(func() { time.Local = local })
	for _, size := range []struct{ width, height int }{{80, 24}, {40, 12}, {200, 50}} {
		for _, f := range []struct {
			name string
			keys []string
		}{
			{"overview", nil}, {"moves", []string{"2", "down"}}, {"clusters", []string{"3"}}, {"waves", []string{"4"}}, {"fleet", []string{"5"}}, {"events", []string{"6"}}, {"help", []string{"?"}},
			{"copying", []string{"enter"}}, {"cutover", []string{"2", "down", "enter"}}, {"flipped", []string{"down", "down", "down", "enter"}}, {"failed", []string{"end", "enter", "down"}},
			{"question", []string{"a"}}, {"filter", []string{"/", "u", "m"}}, {"none", []string{"2", "/", "x", "y", "z", "enter"}},
		} {
			if size.width == 200 && f.name != "overview" && f.name != "moves" {
				continue // there is room for all columns
			}
			name := fmt.Sprintf("%s-%dx%d", f.name, size.width, size.height)
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { // of a clock that stands still
					x := newScreen(t, size.width, size.height)
					x.press(f.keys...)
					x.golden(name)
				})
			})
		}
	}
	synctest.Test(t, func(t *testing.T) {
		x := newScreen(t, 80, 24)
		for height := range 30 { // whatever the size is, it fits
			for _, width := range []int{1, 2, 5, 13, 39, 80, 300} {
				x.send(tea.WindowSizeMsg{Width: width, Height: height})
				for _, key := range []string{"1", "2", "3", "4", "5", "6", "?", "esc", "1", "enter", "end", "a", "n", "esc"} {
					x.press(key)
					_ = x.text()
				}
			}
		}
	})
}

// NO_COLOR leaves only bold and reversed text.
func TestTopColors(t *testing.T) {
	for color, want := range map[bool]bool{true: true, false: false} {
		x := newScreen(t, 80, 24)
		x.m.color = color
		x.press("2")
		if got := strings.Contains(strings.Join(x.m.lines(), ""), "\x1b[3"); got != want {
			t.Errorf("color %t: coloured %t", color, got)
		}
	}
	if strings.Contains(newScreen(t, 80, 24).m.View().Content, "\x1b[2J") {
		t.Error("a tenant's name reaches the terminal")
	}
}

func TestTopKeys(t *testing.T) {
	x := newScreen(t, 80, 24)
	is := func(what string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	// In and out.
	x.press("down", "enter")
	is("page", x.m.page, pageMove)
	is("move", x.m.id, x.s.fleet.Moves[1].ID)
	x.press("esc")
	is("back at", x.m.page, pageOverview)
	x.press("3", "down", "enter")
	is("the moves of a cluster", x.m.filter, "b")
	x.press("4", "esc")
	x.press("enter")
	is("the moves of a wave", x.m.filter, "w1kqp2h4g5abcdef")
	is("they are", len(x.m.rows(pageMoves)), 1)
	x.press("esc", "esc")
	is("out again", x.m.page, pageOverview)
	x.press("tab", "tab")
	is("tab", x.m.page, pageClusters)

	// The selection stays at its move when others come and go.
	x.press("2", "home", "down", "down")
	key := x.m.rows(pageMoves)[2].key
	fresh := x.s.fleet.Moves[0]
	fresh.ID, fresh.Partition = "m1zzz", "fresh"
	x.s.fleet.Moves = append([]control.Move{fresh}, x.s.fleet.Moves...)
	x.look()
	is("selected", x.m.rows(pageMoves)[x.m.at(pageMoves, x.m.rows(pageMoves))].key, key)

	// Changes: asked for first, and only y is yes.
	x.press("p")
	is("a paused move is resumed by", x.m.ask.command(), "sluice moves resume "+key)
	x.press("n")
	is("asked for nothing", len(x.s.acts), 0)
	for k, verb := range map[string]string{"p": "resume", "a": "abort", "b": "rollback"} {
		x.press(k, "y")
		is("asked for", x.s.acts[len(x.s.acts)-1], verb+" "+key)
		is("said", x.m.say, verb+" of move "+key+" requested")
	}
	x.s.err = errors.New("the move has ended")
	x.press("a", "y")
	is("refused", x.m.say, "the move has ended")
	is("as bad news", x.m.bad, true)
	x.press("3", "a")
	is("without a move", x.m.ask, (*topAction)(nil))

	// A look that fails leaves what was seen, and says for how long.
	x.look()
	if text := x.text(); !strings.Contains(text, "no answer for 0s: the move has ended") || !strings.Contains(text, "CLUSTER 3") {
		t.Error(text)
	}
	x.s.err = nil
	x.look()
	if text := x.text(); strings.Contains(text, "no answer") {
		t.Error(text)
	}
	// What changes between two looks is an event.
	x.s.fleet.Fleet = slices.Clone(x.s.fleet.Fleet)
	x.s.fleet.Fleet[0].State = "vanished"
	x.s.fleet.Fleet[3].ID = "5"
	x.s.fleet.Waves = slices.Clone(x.s.fleet.Waves)
	x.s.fleet.Waves[0].State = control.WavePaused
	x.s.fleet.Tenants++
	x.look()
	x.press("6")
	says(t, x.text(), "proxy p1: live, then vanished", "controller c1 is live", "controller c1 has gone", "wave w1kqp2h4g5abcdef: paused", "12005 tenants, before 12004")

	// A filter is typed, corrected, kept and left.
	x.press("2", "/", "q", "u", "backspace", "backspace", "e", "v", "i", "l", "enter")
	is("rows", len(x.m.rows(pageMoves)), 1)
	is("quits while it is kept", x.press("q"), true)
	x.press("esc")
	is("ctrl+c quits", x.press("ctrl+c"), true)
	x.press("/", "x", "esc")
	is("filter", x.m.filter, "")

	// A move that is gone is said to be.
	x.s.fleet.Moves = nil
	x.press("home", "enter")
	is("said", x.m.say, "unknown move m1zzz")
	is("bad", x.m.bad, true)
}

// What the source asks the API for, on a real table.
func TestTopReadsAFleet(t *testing.T) {
	t.Parallel()
	c, s := newMoveCLI(t)
	c.ok("move", "acme", "--to", "b")
	c.ok("tenant", "add", "hooli", "--cluster", "a", "--index", "hooli")
	file := filepath.Join(t.TempDir(), "tenants.txt")
	if err := os.WriteFile(file, []byte("hooli b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.ok("wave", "run", "--file", file)
	command := newRoot()
	command.SetContext(t.Context())
	f, err := serveFleet(command, &openedStore{Store: s, cfg: &config.Config{}, close: func() {}})
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	source, id := &fleetSource{f: f}, ""
	for range 2 { // the second look has rates
		got, err := source.look(t.Context())
		if err != nil || len(got.Clusters) != 2 || got.Clusters[0].Tenants != 2 || got.Tenants != 2 || len(got.Moves) != 1 || len(got.Waves) != 1 || got.Waves[0].Counts[control.ItemWaiting] != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		id = got.Moves[0].ID
	}
	for _, verb := range []string{"pause", "resume", "abort"} {
		if err := source.act(t.Context(), verb, id); err != nil {
			t.Errorf("%s: %v", verb, err)
		}
		if v, err := source.move(t.Context(), id); err != nil || v.Paused != (verb == "pause") || v.AbortRequested != (verb == "abort") {
			t.Errorf("%s: %+v, %v", verb, v, err)
		}
	}
	if err := source.act(t.Context(), "rollback", id); err == nil {
		t.Error("a move that has not flipped is rolled back")
	}
}
