// Package soak is a test of what a proxy keeps when it runs for long: a real process, over real clusters, under clients of
// all kinds, sensible and not, while its tenant moves back and forth and its connections are cut. Memory, goroutines and
// file descriptors must not grow. `make soak-proxy` runs it for ten minutes and leaves a receipt; `make test` has a short one.
package soak
