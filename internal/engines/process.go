package engines

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/child"
)

// Process is one engine: a program, its ports and its data. The program can end and be started again; the ports and the
// data stay until Stop. Its methods may be called from several goroutines.
type Process struct {
	engine    string // "opensearch 2.19.6", for errors
	name      string
	url       string
	dir       string
	temporary bool

	command  func() *exec.Cmd
	ready    func(context.Context) error // one probe; nil error when the engine serves
	startLim time.Duration
	stopLim  time.Duration

	starting sync.Mutex // held through a start, which may take minutes; before mu

	mu      sync.Mutex   // held for moments only, so that a start can be interrupted by Kill and Stop
	child   *child.Child // the newest one, ended or not; nil before the first start
	stopped bool
}

// URL returns the engine's address for clients, "http://127.0.0.1:port" without a slash at the end. It never changes.
func (p *Process) URL() string { return p.url }

// Name returns the name the engine was given.
func (p *Process) Name() string { return p.name }

// Dir returns the directory that holds the engine's data and logs.
func (p *Process) Dir() string { return p.dir }

// LogFile returns the path of what the engine wrote to its output, over all starts.
func (p *Process) LogFile() string { return filepath.Join(p.dir, "logs", "engine.log") }

// PID returns the process id, or 0 when the engine is not running.
func (p *Process) PID() int {
	c := p.current()
	if c == nil || !c.Running() {
		return 0
	}
	return c.PID()
}

// Done returns a channel that is closed when the newest process of this engine has ended, for whatever reason. A later
// Restart begins another one, with another channel.
func (p *Process) Done() <-chan struct{} { return p.current().Done() }

func (p *Process) current() *child.Child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.child
}

// Kill ends the process as a power cut would, with SIGKILL, and waits until it is gone. Ports and data stay. It does
// nothing when the engine is not running, and it fails a Restart that is under way.
func (p *Process) Kill() error {
	if c := p.current(); c != nil {
		c.Kill()
	}
	return nil
}

// Restart starts the engine again, on the same ports with the same data, and returns when it serves. A process that still
// runs is killed first. Replaying a log after Kill can take half a minute on a busy machine. When it returns an error, the
// engine is not running and Restart may be tried again. A failed start is a *StartError; after Stop it is ErrStopped.
func (p *Process) Restart(ctx context.Context) error {
	p.starting.Lock()
	defer p.starting.Unlock()
	if c := p.current(); c != nil {
		c.Kill()
	}
	return p.start(ctx)
}

// Pause stops the process in its tracks, with SIGSTOP: connections stay open and nothing is answered. On Linux no thread of
// the engine runs any more once it has returned. The error is ErrNotRunning when there is no process.
func (p *Process) Pause() error { return p.signal("pause", (*child.Child).Suspend) }

// Resume continues a process after Pause. The error is ErrNotRunning when there is no process.
func (p *Process) Resume() error { return p.signal("resume", (*child.Child).Resume) }

func (p *Process) signal(what string, f func(*child.Child) error) error {
	c := p.current()
	if c == nil || !c.Running() {
		return fmt.Errorf("%s %s: %w", what, p.engine, ErrNotRunning)
	}
	if err := f(c); err != nil {
		return fmt.Errorf("%s %s: %w", what, p.engine, err)
	}
	return nil
}

// Stop ends the engine for good: in order when it can be had within a bound of some seconds, by a kill otherwise. A
// temporary directory is removed. Calling it again does nothing. The error is about removing the directory only.
func (p *Process) Stop() error {
	p.mu.Lock()
	c, again := p.child, p.stopped
	p.stopped = true
	p.mu.Unlock()
	if again {
		return nil
	}
	if c != nil {
		c.Terminate(p.stopLim)
	}
	// A start that was under way has lost its process; it must not find its directory gone as well.
	p.starting.Lock()
	defer p.starting.Unlock()
	if p.temporary {
		return os.RemoveAll(p.dir)
	}
	return nil
}

// start begins a process and returns when it serves. The caller holds p.starting.
func (p *Process) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, p.startLim, fmt.Errorf("not ready after %v", p.startLim))
	defer cancel()
	c, offset, err := p.begin()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.engine, err)
	}
	if err := p.await(ctx, c); err != nil {
		c.Kill()
		return &StartError{Engine: p.engine, Log: tail(p.LogFile(), offset), Err: err}
	}
	return nil
}

// begin forks a process and returns it with the size its log had before.
func (p *Process) begin() (*child.Child, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nil, 0, ErrStopped
	}
	log, err := os.OpenFile(p.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	offset, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, err
	}
	cmd := p.command()
	cmd.Stdout, cmd.Stderr = log, log // a file, so that the engine never waits for us to read
	c, err := child.Start(cmd)
	if err != nil {
		return nil, 0, err
	}
	p.child = c
	return c, offset, nil
}

// await polls until the engine serves, its process ends or the context does.
func (p *Process) await(ctx context.Context, c *child.Child) error {
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		select {
		case <-c.Done():
			if c.Err() == nil {
				return errors.New("the process ended")
			}
			return fmt.Errorf("the process ended: %w", c.Err())
		case <-ctx.Done():
			if last != nil {
				return fmt.Errorf("%w (last answer: %v)", context.Cause(ctx), last)
			}
			return context.Cause(ctx)
		case <-tick.C:
		}
		probe, cancel := context.WithTimeout(ctx, 5*time.Second)
		last = p.ready(probe)
		cancel()
		if last == nil && c.Running() {
			return nil
		}
	}
}

// launch is the first start: it assigns ports, by calling setPorts, and takes others when somebody else was quicker.
func (p *Process) launch(ctx context.Context, ports int, setPorts func([]int)) error {
	const attempts = 4
	for attempt := 1; ; attempt++ {
		got, err := pickPorts(ports)
		if err == nil {
			setPorts(got)
			p.starting.Lock()
			err = p.start(ctx)
			p.starting.Unlock()
		}
		if err == nil {
			return nil
		}
		if attempt == attempts || !collided(err) {
			_ = p.Stop() // for the temporary directory; the error that matters is the one at hand
			return err
		}
	}
}

// collided reports whether a start failed because somebody else took one of the ports in between.
func collided(err error) bool {
	var start *StartError
	if !errors.As(err, &start) {
		return false
	}
	text := strings.ToLower(strings.Join(start.Log, "\n"))
	return strings.Contains(text, "address already in use") || strings.Contains(text, "bindexception")
}

// directory makes the engine's directory with its sub-directories, and says whether it is a temporary one.
func directory(dir, prefix string, subs ...string) (string, bool, error) {
	temporary := dir == ""
	var err error
	if temporary {
		dir, err = os.MkdirTemp("", "sluice-"+prefix+"-")
	} else {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return "", false, err
	}
	for _, sub := range append(subs, "logs") {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return "", false, err
		}
	}
	return dir, temporary, nil
}
