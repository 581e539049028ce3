//go:build unix

package http1

import "syscall"

// nothingToRead takes a byte if there is one: the connection is not used again then.
func nothingToRead(fd uintptr) bool {
	var b [1]byte
	_, err := syscall.Read(int(fd), b[:])
	return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
}
