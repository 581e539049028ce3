//go:build amd64 || arm64

package gate

import "unsafe"

// prefetch has the processor fetch a line of memory into its cache, and does not wait for
// it. It changes nothing else, whatever p is. Unlike a load it is not waited for by the
// instruction that reads the clock.
//
//go:noescape
func prefetch(p unsafe.Pointer)
