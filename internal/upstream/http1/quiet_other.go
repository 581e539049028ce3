//go:build !unix

package http1

// nothingToRead cannot tell here: a connection that has ended is noticed when it is used.
func nothingToRead(uintptr) bool { return true }
