// Package child starts operating system processes that never outlive this one, however it ends: on Linux the kernel sees to
// it, with the parent death signal; elsewhere the end of the pipe on standard input tells a child that looks. Each has a
// process group of its own, so that Ctrl-C in a terminal reaches the parent alone, which then stops its children in the
// order it wants.
package child

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// ErrNotRunning: there is no process any more.
var ErrNotRunning = errors.New("the process is not running")

// Child is one operating system process that dies with this one. Its methods may be called from several goroutines.
type Child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process is gone and reaped
	err  error         // what Wait said; read only after done
}

// Start starts cmd with a pipe as its standard input.
//
// The kernel sends a parent death signal when the thread that forked ends, which in Go is not the same as the process: the
// runtime retires threads (golang.org/issue/27505). So each child has a goroutine that is locked to its thread from before
// the fork until the child is reaped. There is nothing left over afterwards.
func Start(cmd *exec.Cmd) (*Child, error) {
	// The write end stays open in this process until Wait closes it; its end is how a child learns of our death on systems
	// without a death signal. Go marks it close-on-exec, so no sibling keeps it open.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	setAttributes(cmd)
	c := &Child{cmd: cmd, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			c.err = cmd.Wait()
			close(c.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return c, nil
}

// Done returns a channel that is closed when the process is gone and reaped.
func (c *Child) Done() <-chan struct{} { return c.done }

// Err is how the process ended, as exec.Cmd.Wait says it; nil before Done is closed.
func (c *Child) Err() error {
	if c.Running() {
		return nil
	}
	return c.err
}

// PID returns the process id.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Running reports whether the process has not been reaped.
func (c *Child) Running() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// Kill ends the process at once and waits for that.
func (c *Child) Kill() {
	// The only errors are "already finished", and ones that cannot happen to a child of ours.
	_ = c.cmd.Process.Kill()
	<-c.done
}

// Terminate asks the process to end and kills it when it has not done so within the bound. It reports whether the process
// ended by itself.
func (c *Child) Terminate(bound time.Duration) bool {
	_ = askToEnd(c.cmd.Process) // "already finished", as above
	t := time.NewTimer(bound)
	defer t.Stop()
	select {
	case <-c.done:
		return true
	case <-t.C:
		c.Kill()
		return false
	}
}

// Suspend stops the process in its tracks, with SIGSTOP: connections stay open and nothing is answered. On Linux no thread of
// it runs any more once Suspend has returned. The error is ErrNotRunning when there is no process.
func (c *Child) Suspend() error { return gone(c.suspend()) }

// Resume continues a process after Suspend. The error is ErrNotRunning when there is no process.
func (c *Child) Resume() error { return gone(c.resume()) }

func gone(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return ErrNotRunning
	}
	return err
}
