//go:build !linux

package demo

import "os/exec"

// setAttributes does nothing: only Linux has a parent death signal. Elsewhere Ctrl-C reaches the children through the
// terminal, and a parent that is killed leaves them behind.
func setAttributes(*exec.Cmd) {}
