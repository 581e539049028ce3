package engines

import (
	"os/exec"
	"runtime"
	"time"
)

// child is one operating system process that dies with this one.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process is gone and reaped
	err  error         // what Wait said; read only after done
}

// spawn starts cmd with a pipe as its standard input.
//
// The kernel sends a parent death signal when the thread that forked ends, which in Go is not the same as the process: the
// runtime retires threads (golang.org/issue/27505). So each child has a goroutine that is locked to its thread from before
// the fork until the child is reaped. There is nothing left over afterwards.
func spawn(cmd *exec.Cmd) (*child, error) {
	// The write end stays open in this process until Wait closes it; its end is how a child learns of our death on systems
	// without a death signal. Go marks it close-on-exec, so no sibling keeps it open.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	setAttributes(cmd)
	c := &child{cmd: cmd, done: make(chan struct{})}
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

// running reports whether the process has not been reaped.
func (c *child) running() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// kill ends the process at once and waits for that.
func (c *child) kill() {
	// The only errors are "already finished", and ones that cannot happen to a child of ours.
	_ = c.cmd.Process.Kill()
	<-c.done
}

// terminate asks the process to end and kills it when it has not done so within the bound. It reports whether the process
// ended by itself.
func (c *child) terminate(bound time.Duration) bool {
	_ = askToEnd(c.cmd.Process)
	t := time.NewTimer(bound)
	defer t.Stop()
	select {
	case <-c.done:
		return true
	case <-t.C:
		c.kill()
		return false
	}
}
