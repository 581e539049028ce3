// Package arch holds no code, only the test that keeps the rooms of
// ARCHITECTURE.md apart: who may import whom, how long a file may be, which
// names a package may not have, and that each package says what it is for. It
// reads the source text, so that it sees files of every operating system.
package arch
