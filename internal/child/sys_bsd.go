//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package child

import (
	"os/exec"
	"syscall"
)

// setAttributes has no death signal to set here; the pipe on standard input does that work for a child that looks.
func setAttributes(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

func (c *Child) suspend() error { return c.cmd.Process.Signal(syscall.SIGSTOP) }
