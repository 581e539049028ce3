//go:build !amd64 && !arm64

package gate

import "unsafe"

func prefetch(unsafe.Pointer) {}
