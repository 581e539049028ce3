//go:build !linux

package main

import "errors"

// apart is for Linux.
func apart() (target string, err error) {
	return "", errors.New("processors can be parted on Linux only: -apart=false")
}
