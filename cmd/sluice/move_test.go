package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// newMoveCLI has clusters a and b, neither of which answers, and tenant acme on a.
func newMoveCLI(t *testing.T) (cli, *store.Store) {
	t.Helper()
	c, s := newCLI(t)
	c.ok("cluster", "add", "a", "http://127.0.0.1:1", "--no-check")
	c.ok("cluster", "add", "b", "http://127.0.0.1:1", "--no-check")
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	return c, s
}

// change rewrites a move's record, as its driver would.
func change(t *testing.T, s *store.Store, id string, f func(*control.Move)) {
	t.Helper()
	for {
		r, err := control.Moves(s).Get(t.Context(), id)
		if err != nil {
			t.Error(err)
			return
		}
		f(&r.Value)
		r.Value.Updated = time.Now()
		if _, err = control.Moves(s).Put(t.Context(), id, r.Value, r.Version); err == nil {
			return
		}
	}
}

func TestMoveRefusals(t *testing.T) {
	t.Parallel()
	c, s := newMoveCLI(t)
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"move initech --to b", exitRefused, `unknown tenant "initech"`},
		{"move acme --to c", exitRefused, `unknown cluster "c": known are a, b`},
		{"move acme --to a --index acme-docs", exitRefused, `is at cluster a already`},
		{"move acme --to b --index Bad", exitUsage, "must be lower case"},
		{"move acme --to b --pause-budget -1s", exitUsage, "pause_budget: \"-1s\" must not be negative"},
		{"move acme --to b --dry-run", exitRefused, "cannot be moved to b as things are; nothing was changed"},
		{"moves show acme", exitRefused, `unknown move "acme"`},
		{"moves abort m1", exitRefused, `unknown move "m1"`},
		{"moves retire acme", exitRefused, `unknown move "acme"`},
		{"moves rollback acme", exitRefused, `tenant "acme" has no old copy to go back to`},
		{"moves rollback m1", exitRefused, `unknown move "m1"`},
		{"moves rollback", exitUsage, "arg"},
		{"verify initech", exitRefused, `unknown tenant "initech"`},
		{"verify acme", exitRefused, `no two copies to compare: tenant "acme" has no move that copies`},
		{"verify --from c/x --to b/x", exitRefused, `unknown cluster "c"`},
		{"verify --from a/x --to a/x", exitUsage, "must differ"},
		{"verify --from a/x --to b/x-*", exitRefused, "cannot be moved"},
		{"verify --from a/x --to b/x", exitUnavailable, ""},
	} {
		if r := c.run(strings.Fields(tt.args)...); r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, tt.code, tt.says)
		}
	}
	if all, _, err := control.Moves(s).List(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("a refusal left moves behind: %v, %v", all, err)
	}
	r := c.run("move", "acme", "--to", "b")
	if r.code != exitOK || !strings.Contains(r.stdout, "watch it with: sluice moves watch m") || !strings.Contains(r.stderr, "no controller is running") {
		t.Fatalf("move: %+v", r)
	}
	if r := c.run("move", "acme", "--to", "b"); r.code != exitRefused || !strings.Contains(r.stderr, "moving already") {
		t.Errorf("a move of a tenant that moves: %+v", r)
	}
	if r := c.run("cluster", "remove", "b"); r.code != exitRefused || !strings.Contains(r.stderr, "is used by move") {
		t.Errorf("remove of a move's target: %+v", r)
	}
	if r := c.run("tenant", "remove", "acme"); r.code != exitRefused || !strings.Contains(r.stderr, "has move") {
		t.Errorf("remove of a tenant with a move: %+v", r)
	}
	if r := c.run("moves", "retire", newest(t, s)); r.code != exitRefused || !strings.Contains(r.stderr, "has not flipped") {
		t.Errorf("retire before the flip: %+v", r)
	}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"moves set acme", exitUsage, "give --pause-budget"},
		{"moves set acme --pause-budget 0s", exitUsage, "pause_budget: \"0s\" must be above 0"},
		{"moves set acme --pause-budget 3s", exitUsage, "must not be above the cutover deadline, which is 2s"},
		{"moves set m1 --pause-budget 1s", exitRefused, "unknown move"},
	} {
		if r := c.run(strings.Fields(tt.args)...); r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, tt.code, tt.says)
		}
	}
	c.ok("moves", "set", "acme", "--pause-budget", "3s", "--cutover-deadline", "4s")
	change(t, s, newest(t, s), func(m *control.Move) {
		m.Progress.PredictedPause, m.Progress.Note = 5*time.Second, "the predicted pause is above the pause budget"
	})
	if out := c.ok("moves", "show", "acme"); !strings.Contains(out, "predicted pause 5s (budget 3s)") || !strings.Contains(out, "is above the pause budget") {
		t.Errorf("a move that waits for its budget does not say so: %s", out)
	}
	c.ok("moves", "abort", "acme") // by its tenant
	if r := c.run("moves", "set", "acme", "--pause-budget", "1s"); r.code != exitRefused || !strings.Contains(r.stderr, "has ended") {
		t.Errorf("set of a move that is being aborted: %+v", r)
	}
	var m control.Move
	if err := json.Unmarshal([]byte(c.ok("moves", "show", "acme", "-o", "json")), &m); err != nil || !m.AbortRequested {
		t.Errorf("show after abort: %+v, %v", m, err)
	}
	if want := "docs-" + m.ID; m.To.Index != want {
		t.Errorf("target index %q, want %q: it must never be one that was used before", m.To.Index, want)
	}
}

func newest(t *testing.T, s *store.Store) string {
	t.Helper()
	all, _, _, err := control.Moves(s).Newest(t.Context(), "", 1, nil)
	if err != nil || len(all) == 0 {
		t.Fatalf("no move: %v", err)
	}
	return all[0].Name
}

func receipt() *control.Receipt {
	return &control.Receipt{Docs: 50_000, Instances: []string{"p1", "p2"}, Fence: "clean", Cutovers: 1, Attempts: 1,
		Pause: control.Pause{HeldRequests: 7, LongestMS: 12.5}}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		end  control.Stage
		code int
		says string
	}{
		{control.StageFlipped, exitOK, ""},
		{control.StageAborted, exitMove, "the target was full; the tenant is where it was, dedicated_index:a/acme-docs"},
		{control.StageFailed, exitMove, "failed: the target was full"},
	} {
		t.Run(string(tt.end), func(t *testing.T) {
			c, s := newMoveCLI(t)
			c.ok("move", "acme", "--to", "b")
			id := newest(t, s)
			done := make(chan struct{})
			go func() {
				defer close(done)
				change(t, s, id, func(m *control.Move) { m.Stage, m.Progress.Docs, m.Progress.Total = control.StageCopying, 10, 50_000 })
				change(t, s, id, func(m *control.Move) {
					m.Stage = tt.end
					if tt.end == control.StageFlipped {
						m.Receipt = receipt()
					} else {
						m.Error = "the target was full"
					}
				})
			}()
			r := c.run("moves", "watch", id, "-o", "json")
			<-done
			if r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
				t.Errorf("watch: %+v; want code %d and %q", r, tt.code, tt.says)
			}
			var last control.Move
			lines := bufio.NewScanner(strings.NewReader(r.stdout))
			for lines.Scan() {
				last = control.Move{}
				if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
					t.Errorf("line %q: %v", lines.Text(), err)
				}
			}
			if last.Stage != tt.end {
				t.Errorf("the last line is of stage %s", last.Stage)
			}
			r = c.run("moves", "watch", id)
			if r.code != tt.code || tt.code == exitOK && !strings.Contains(r.stdout, "7 writes held: p50 0.0 ms, longest 12.5 ms") {
				t.Errorf("watch of an ended move: %+v", r)
			}
		})
	}
}

func TestLiveViewRedrawsInPlace(t *testing.T) {
	var b bytes.Buffer
	v := &liveView{w: &b, width: func() int { return 60 }}
	m := control.Move{ID: "m1", Partition: "acme", Stage: control.StageCopying,
		From:     placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "x"},
		To:       placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "y"},
		Progress: control.Progress{Docs: 34_500, Total: 50_000, Rate: 8200, ETA: 2 * time.Second, Laggards: []control.Laggard{{Name: "p2", Reason: "pending"}}}}
	if err := v.show(m); err != nil {
		t.Fatal(err)
	}
	first := b.String()
	if strings.Contains(first, "\x1b") {
		t.Errorf("the first frame erases what was there before: %q", first)
	}
	for _, line := range strings.Split(first, "\n") {
		if len(line) > 59 {
			t.Errorf("line of %d columns would wrap: %q", len(line), line)
		}
	}
	if !strings.Contains(first, "waiting for p2") {
		t.Errorf("no laggard: %q", first)
	}
	b.Reset()
	m.Progress.Laggards = nil
	if err := v.show(m); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "\x1b[5A\r\x1b[J") {
		t.Errorf("the second frame does not go back over the first's five lines: %q", b.String())
	}
	b.Reset()
	m.Stage, m.Receipt = control.StageFlipped, receipt()
	if err := v.end(m); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(b.String(), "\x1b[3A\r\x1b[J") || !strings.Contains(b.String(), "50,000 copied") {
		t.Errorf("the end: %q", b.String())
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1234: "-1,234"} {
		if got := count(n); got != want {
			t.Errorf("count(%d) is %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 5 << 20: "5.0 MiB"} {
		if got := size(n); got != want {
			t.Errorf("size(%d) is %q, want %q", n, got, want)
		}
	}
}

// onFirstWrite calls f when something is written.
type onFirstWrite struct{ f func() }

func (w onFirstWrite) Write(p []byte) (int, error) { w.f(); return len(p), nil }

func TestInterruptedWatchLeavesTheMoveAlone(t *testing.T) {
	t.Parallel()
	c, s := newMoveCLI(t)
	c.ok("move", "acme", "--to", "b")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs bytes.Buffer
	code := runContext(ctx, append([]string{"moves", "watch", "acme"}, c.flags...), onFirstWrite{cancel}, &errs)
	if code != exitInterrupted || !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
	r, err := control.Moves(s).Get(t.Context(), newest(t, s))
	if err != nil || r.Value.AbortRequested || r.Value.Settled() {
		t.Errorf("the move did not just go on: %+v, %v", r.Value, err)
	}
}

func TestCompletionOfNames(t *testing.T) {
	t.Parallel()
	c, _ := newMoveCLI(t)
	for _, tt := range []struct{ args, want string }{
		{"move ", "acme"}, {"tenant show ", "acme"}, {"cluster remove ", "b"},
	} {
		// The word to complete comes last, so the flags go before it.
		args := append(append([]string{"__complete"}, strings.Fields(tt.args)...), append(c.flags, "")...)
		if out := (cli{t: t}).ok(args...); !strings.Contains(out, tt.want+"\n") {
			t.Errorf("completion of %q: %q", tt.args, out)
		}
	}
}

// TestRetireWaits: the command ends when the old copy is gone, or when the
// controller says why it stays.
func TestRetireWaits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(*control.Move)
		code int
		says string
	}{
		{"gone", func(m *control.Move) { m.Stage = control.StageDone }, exitOK, ""},
		{"kept", func(m *control.Move) {
			m.Stage, m.RetireRequested, m.Error = control.StageFlipped, false, "the old copy was not retired: the tenant lives there again"
		}, exitMove, "the tenant lives there again"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, s := newMoveCLI(t)
			c.ok("move", "acme", "--to", "b")
			id := newest(t, s)
			change(t, s, id, func(m *control.Move) { m.Stage, m.Receipt = control.StageFlipped, receipt() })
			done := make(chan struct{})
			go func() { // the controller
				defer close(done)
				for asked := false; !asked; {
					r, err := control.Moves(s).Get(t.Context(), id)
					if err != nil {
						t.Error(err)
						return
					}
					asked = r.Value.RetireRequested
					time.Sleep(time.Millisecond) // polls the command under test
				}
				change(t, s, id, func(m *control.Move) {
					m.Stage, m.Progress.Note = control.StageRetiring, "waiting for reads of the old copy: p1"
				})
				change(t, s, id, tt.end)
			}()
			r := c.run("moves", "retire", id, "--wait")
			<-done
			if r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
				t.Errorf("%+v; want code %d and %q", r, tt.code, tt.says)
			}
		})
	}
}

func TestLinesSayWhatIsWaitedFor(t *testing.T) {
	var b bytes.Buffer
	v := &lineView{w: &b, now: time.Now}
	if err := v.show(control.Move{Stage: control.StageRetiring, Progress: control.Progress{Note: "waiting for reads of the old copy: p1"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(b.String(), "retiring    waiting for reads of the old copy: p1\n") {
		t.Errorf("%q", b.String())
	}
}

// The receipt shows what was predicted beside what it came to, the errors by kind, and
// who could not tell.
func TestReceiptText(t *testing.T) {
	r := receipt()
	r.Bytes, r.CopyTime = 3<<20, 4500*time.Millisecond
	r.Predicted = &control.Prediction{Docs: 49_000, Bytes: 2 << 20, CopyTime: 5 * time.Second, Pause: 80 * time.Millisecond, Moves: 2, Basis: "the newest 2 moves between these clusters"}
	r.Pause.Errors = map[string]int{"status_500": 2, "sluice_unavailable": 1200}
	r.Pause.Unanswered, r.Pause.UnansweredProxies, r.Pause.VanishedProxies = 1, []string{"p1"}, []string{"p3"}
	var b bytes.Buffer
	if err := writeMove(&b, control.Move{ID: "m1", Stage: control.StageFlipped, Receipt: r}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"predicted      49,000 documents, 2.0 MiB on disk, copied in 5.0s; pause about 80ms (by the newest 2 moves between these clusters)",
		"in fact        50,000 documents, 3.0 MiB, copied in 4.5s; pause 12.5 ms",
		"client errors  1,200 sluice_unavailable, 2 status_500",
		"1 proxies did not tell what they held: p1", "1 proxies vanished, and cannot tell: p3",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in:\n%s", want, b.String())
		}
	}
	b.Reset()
	r.Pause.Errors = map[string]int{}
	if err := writeMove(&b, control.Move{ID: "m1", Stage: control.StageFlipped, Receipt: r}); err != nil || !strings.Contains(b.String(), "none during the move, say the proxies") {
		t.Errorf("%v: %s", err, b.String())
	}
}
