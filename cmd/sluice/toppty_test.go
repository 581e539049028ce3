package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/creack/pty"
	"golang.org/x/term"
)

// topArguments are the command line of TestTopChild's program; empty: it is a test like any.
const topArguments = "TOP_TEST_ARGUMENTS"

// TestTopChild is the program in a process of its own, for TestTopInATerminal.
func TestTopChild(t *testing.T) {
	var args []string
	if json.Unmarshal([]byte(os.Getenv(topArguments)), &args) != nil {
		return // of its own it has nothing to test
	}
	os.Exit(run(args, os.Stdout, os.Stderr))
}

// terminal is a pseudo terminal with the program in it.
type terminal struct {
	t        *testing.T
	cmd      *exec.Cmd
	in       *os.File // of whoever types
	tty      *os.File // of the program
	before   *term.State
	out      syncBuffer
	closed   chan struct{}
	wide     uint16
	seenFrom int
}

func startTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	x := &terminal{t: t, closed: make(chan struct{}), wide: 100}
	var err error
	if x.in, x.tty, err = pty.Open(); err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(x.in, &pty.Winsize{Rows: 24, Cols: x.wide}); err != nil {
		t.Fatal(err)
	}
	if x.before, err = term.GetState(int(x.tty.Fd())); err != nil {
		t.Fatal(err)
	}
	given, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	x.cmd = exec.Command(os.Args[0], "-test.run", "^TestTopChild$")
	x.cmd.Env = append(os.Environ(), topArguments+"="+string(given), "TERM=xterm-256color")
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = x.tty, x.tty, x.tty
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(x.closed)
		_, _ = io.Copy(&x.out, x.in) // ends when the terminal is closed
	}()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill()
		_ = x.tty.Close()
		_ = x.in.Close()
		<-x.closed
	})
	return x
}

// sees waits until the screen shows some words. What is drawn are differences; another
// width has the whole screen drawn, in which the words are found. Whoever draws late, on
// a machine that is busy, is only found later.
func (x *terminal) sees(words ...string) {
	x.t.Helper()
	var shown string
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		x.wide = 201 - x.wide // 100 or 101
		if err := pty.Setsize(x.in, &pty.Winsize{Rows: 24, Cols: x.wide}); err != nil {
			x.t.Fatal(err)
		}
		shown = ansi.Strip(x.out.String()[x.seenFrom:])
		all := true
		for _, w := range words {
			all = all && strings.Contains(shown, w)
		}
		if all {
			x.seenFrom = len(x.out.String())
			return
		}
	}
	x.t.Fatalf("%q was not shown in\n%s", words, shown)
}

func (x *terminal) press(keys string) {
	x.t.Helper()
	if _, err := x.in.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// ends waits for the program's end, and looks at what it leaves of the terminal.
func (x *terminal) ends(want int) {
	x.t.Helper()
	done := make(chan error, 1)
	go func() { done <- x.cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			x.t.Fatal(err)
		}
	case <-time.After(2 * time.Minute):
		x.t.Fatalf("it does not end:\n%s", x.out.String())
	}
	if got := x.cmd.ProcessState.ExitCode(); got != want {
		x.t.Errorf("exit code %d, want %d", got, want)
	}
	now, err := term.GetState(int(x.tty.Fd()))
	if err != nil || *now != *x.before {
		x.t.Errorf("the terminal is left otherwise: %+v, before %+v, %v", now, x.before, err)
	}
	var text string
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) { // what was written last is read soon
		text = x.out.String()
		if left, entered := strings.LastIndex(text, ansi.ResetModeAltScreenSaveCursor), strings.LastIndex(text, ansi.SetModeAltScreenSaveCursor); entered >= 0 && left > entered && strings.LastIndex(text, ansi.ShowCursor) > entered {
			return
		}
	}
	x.t.Errorf("the other screen is not left, or the cursor not shown: %q", text[max(0, len(text)-300):])
}

// TestTopInATerminal is the live view in a terminal, of a fleet that runs: a controller, a
// proxy and an etcd, and a move that fails, since its clusters do not answer.
func TestTopInATerminal(t *testing.T) {
	t.Parallel()
	p, _, c := startServe(t)
	c.ok("cluster", "add", "a", "http://127.0.0.1:1", "--no-check")
	c.ok("cluster", "add", "b", "http://127.0.0.1:1", "--no-check")
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")
	if r := c.run("move", "acme", "--to", "b", "--wait"); r.code != exitMove {
		t.Fatalf("%+v", r)
	}
	if r := c.run("top"); r.code != exitUsage || !strings.Contains(r.stderr, "standard output is no terminal; `sluice moves list`") || !strings.Contains(r.stderr, "-o json") {
		t.Errorf("without a terminal: %+v", r)
	}
	x := startTerminal(t, append([]string{"top"}, c.flags...)...)
	x.sees("CLUSTER", "acme", "failed", "controller", "live")
	x.press("2\r")
	x.sees("timeline", "error", "esc")
	x.press("a")
	x.sees("Abort", "acme?", "moves", "abort", "nothing")
	x.press("y")
	x.sees("ended")
	x.press("q")
	x.ends(exitOK)

	x = startTerminal(t, append([]string{"top"}, c.flags...)...)
	x.sees("acme")
	x.press("\x03")
	x.ends(exitOK)

	x = startTerminal(t, append([]string{"top"}, c.flags...)...)
	x.sees("acme")
	if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.ends(exitInterrupted)
	if code := p.stop(t); code != exitOK {
		t.Errorf("stopped with %d:\n%s", code, p.log)
	}
}
