package demo

import (
	"os/exec"
	"syscall"
)

// setAttributes puts the child into a process group of its own, so that Ctrl-C reaches this process alone, and lets the
// kernel kill it when the thread that forks it ends.
func setAttributes(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
