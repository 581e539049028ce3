package child

import (
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

func setAttributes(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// suspend returns when every thread of the process has stopped: until then it could still answer.
func (c *Child) suspend() error {
	if err := c.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	for c.Running() {
		// The kernel reports a stopped child only when the stop of the whole thread group is complete.
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, c.cmd.Process.Pid, &info, unix.WSTOPPED|unix.WNOHANG, nil)
		if err == nil && info.Signo != 0 {
			return nil
		}
		if err != nil && err != unix.EINTR {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	return ErrNotRunning
}
