package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/child"
)

// Process is one process of the fleet: this program, started once more. It can be killed and started again on the same
// addresses. Its methods may be called from several goroutines.
type Process struct {
	Name string // "controller", "proxy-1", ...

	args  []string
	log   string // file of its output, over all starts
	ready string // URL that answers 2xx when it serves

	mu      sync.Mutex
	program string
	child   *child.Child // the newest start, ended or not; nil before the first
}

// startLimit is how long a process may take to serve. A proxy waits for the controller's store.
const startLimit = 90 * time.Second

// Start starts the process, which must not run, and returns when it serves. The error quotes the end of its log.
func (p *Process) Start(ctx context.Context) error {
	c, from, err := p.fork()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("not ready after %v", startLimit))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := probe(ctx, p.ready)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
			continue
		case <-c.Done():
			err = fmt.Errorf("it ended: %w", errors.Join(c.Err()))
		case <-ctx.Done():
			err = fmt.Errorf("%w (%w)", context.Cause(ctx), err)
			p.Kill()
		}
		return fmt.Errorf("start %s: %w; its last lines were:\n%s", p.Name, err, p.tail(from))
	}
}

// Use makes another binary of sluice the one that the next Start starts.
func (p *Process) Use(program string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.program = program
}

// fork starts the program and returns it with the size that its log had.
func (p *Process) fork() (*child.Child, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.child != nil && p.child.Running() {
		return nil, 0, errors.New("it is running")
	}
	if err := os.MkdirAll(filepath.Dir(p.log), 0o755); err != nil {
		return nil, 0, err
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, err
	}
	cmd := exec.Command(p.program, p.args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = environment()
	c, err := child.Start(cmd)
	if err != nil {
		return nil, 0, err
	}
	p.child = c
	return c, from, nil
}

// environment is this process's without the configuration of another Sluice.
func environment() []string {
	var out []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SLUICE_") {
			out = append(out, kv)
		}
	}
	return out
}

func (p *Process) current() *child.Child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.child
}

// Kill ends the process with SIGKILL and waits until it is gone. It does nothing when the process does not run.
func (p *Process) Kill() {
	if c := p.current(); c != nil {
		c.Kill()
	}
}

// Stop asks the process to end in order, and kills it when it has not after the limit, which is an error.
func (p *Process) Stop(limit time.Duration) error {
	c := p.current()
	if c == nil || !c.Running() {
		return nil
	}
	if !c.Terminate(limit) {
		return fmt.Errorf("stop %s: it did not end within %v", p.Name, limit)
	}
	return nil
}

// Pause stops the process in its tracks, with SIGSTOP: connections stay open and nothing is answered.
func (p *Process) Pause() error { return p.signal("pause", (*child.Child).Suspend) }

// Resume continues a process after Pause.
func (p *Process) Resume() error { return p.signal("resume", (*child.Child).Resume) }

func (p *Process) signal(what string, f func(*child.Child) error) error {
	c := p.current()
	if c == nil {
		return fmt.Errorf("%s %s: %w", what, p.Name, child.ErrNotRunning)
	}
	if err := f(c); err != nil {
		return fmt.Errorf("%s %s: %w", what, p.Name, err)
	}
	return nil
}

// PID returns the process id, or 0 when the process does not run.
func (p *Process) PID() int {
	if c := p.current(); c != nil && c.Running() {
		return c.PID()
	}
	return 0
}

// Ready asks the process whether it serves.
func (p *Process) Ready(ctx context.Context) error { return probe(ctx, p.ready) }

// Running reports whether the process runs.
func (p *Process) Running() bool {
	c := p.current()
	return c != nil && c.Running()
}

// LastWords returns the end of the process's log, for people.
func (p *Process) LastWords() string { return p.tail(0) }

// tail returns the last lines of the log since a position, each with a mark before it.
func (p *Process) tail(from int64) string {
	b, err := os.ReadFile(p.log)
	if err != nil || int64(len(b)) <= from {
		return "  | (nothing)"
	}
	lines := bytes.Split(bytes.TrimSpace(b[from:]), []byte("\n"))
	if len(lines) > 15 {
		lines = lines[len(lines)-15:]
	}
	return "  | " + string(bytes.Join(lines, []byte("\n  | ")))
}

// probe asks a URL once, on a connection of its own.
func probe(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("%s answers %s: %s", url, resp.Status, bytes.TrimSpace(text))
	}
	return nil
}
