package engines

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluiceproxy/sluice/internal/child"
)

// ErrStopped is returned by a method of an engine that Stop ended for good.
var ErrStopped = errors.New("engine was stopped")

// ErrNotRunning is returned by Pause and Resume when there is no process to act on.
var ErrNotRunning = child.ErrNotRunning

// MissingError says that this machine lacks something an engine needs, and how to get it. It is the only error that
// means "cannot be had here"; everything else is a failure.
type MissingError struct {
	Engine  string // for example "opensearch 3.9.0"
	What    string // what is missing, for example "a JDK of version 21 or newer"
	Install string // what to do about it, a command where there is one
	Err     error  // the cause, may be nil
}

// Error names the engine, what it misses and what to do.
func (e *MissingError) Error() string {
	s := fmt.Sprintf("%s needs %s; %s", e.Engine, e.What, e.Install)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *MissingError) Unwrap() error { return e.Err }

// StartError says that an engine's process ended, or did not become ready, and quotes what it wrote last.
type StartError struct {
	Engine string   // for example "opensearch 2.19.6"
	Log    []string // the last lines of its output since this start, oldest first
	Err    error    // why the start was given up
}

// Error is the cause followed by the quoted lines.
func (e *StartError) Error() string {
	s := fmt.Sprintf("start %s: %v", e.Engine, e.Err)
	if len(e.Log) == 0 {
		return s + " (it wrote nothing)"
	}
	return s + "; its last lines were:\n  | " + strings.Join(e.Log, "\n  | ")
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Err }
