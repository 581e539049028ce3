//go:build !unix

package http1server

import "io"

// served is whether connections are served here at all: net/http serves them where a
// socket cannot be read without waiting.
const served = false

func readSocket(uintptr, []byte) (n int, again bool, err error) { return 0, false, io.EOF }

func left(uintptr) bool { return false }
