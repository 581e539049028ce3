package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/fleetfile"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Exit codes. What they mean is in the catalogue of errors, and in the help of the root
// command.
const (
	exitOK          = catalog.ExitOK
	exitFailure     = catalog.ExitFailure
	exitUsage       = catalog.ExitUsage
	exitRefused     = catalog.ExitRefused
	exitUnavailable = catalog.ExitUnavailable
	exitMove        = catalog.ExitMove
	exitWeak        = catalog.ExitWeak
	exitBroken      = catalog.ExitBroken
	exitLost        = catalog.ExitLost
	exitDifferent   = catalog.ExitDifferent
	exitPending     = catalog.ExitPending
	exitInterrupted = catalog.ExitInterrupted
)

// usageError is a command line that cannot be obeyed.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func (e *usageError) ErrorCode() string { return cmp.Or(catalog.Of(e.err), "usage") }

// refusedError is a request that the present state forbids.
type refusedError struct{ msg string }

func (e *refusedError) Error() string { return e.msg }

func (e *refusedError) ErrorCode() string { return "refused" }

func refused(format string, a ...any) error { return &refusedError{fmt.Sprintf(format, a...)} }

// unreachableError is a cluster, or a store, that could not be asked.
type unreachableError = control.UnreachableError

// moveError is a move that did not end where it was meant to.
type moveError struct{ msg string }

func (e *moveError) Error() string { return e.msg }

func (e *moveError) ErrorCode() string { return "move_ended" }

// isCode reports whether an error is a problem of the API, of this code.
func isCode(err error, code api.Code) bool {
	var p *client.Problem
	return errors.As(err, &p) && p.Code == string(code)
}

// entryOf is the one place where an error that ends a command gets its entry in the
// catalogue: that of the code of the outermost error that has one. Each has one: what
// has no code of its own is "failed".
func entryOf(err error) catalog.Entry {
	for _, of := range []catalog.Surface{catalog.Operator, catalog.Move} {
		if e, ok := catalog.Find(of, codeOf(err)); ok {
			return e
		}
	}
	e, _ := catalog.Find(catalog.Operator, "failed")
	return e
}

func codeOf(err error) string {
	if errors.Is(err, driver.ErrHistoryLost) { // whatever it may be wrapped in
		return "history_lost"
	}
	code := catalog.Of(err)
	var asked *url.Error
	if code == "" && errors.As(err, &asked) && !errors.Is(err, context.Canceled) {
		return "controller_unreachable"
	}
	// Of a command that was interrupted, what it was doing has failed in some way.
	if errors.Is(err, context.Canceled) && (code == "" || code == "store_unavailable" || code == "cluster_unreachable") {
		return "interrupted"
	}
	return code
}

// exitCode is what the program ends with after err.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	return entryOf(err).Exit
}

// failure is an error for programs, which -o json and -o yaml ask for.
type failure struct {
	Code      string `json:"code"` // sluice explain has what it means
	Message   string `json:"message"`
	Exit      int    `json:"exit"`
	Retryable bool   `json:"retryable"`
	Action    string `json:"action"`
}

// reportValue prints an error as one JSON object, in one line, or as YAML.
func reportValue(c *cobra.Command, err error) {
	if err == nil {
		return
	}
	e := entryOf(err)
	v := map[string]failure{"error": {e.Code, err.Error(), e.Exit, e.Retryable, e.Action}}
	// An error that cannot be printed has nobody to be told to.
	if output(c) == "yaml" {
		_ = fleetfile.WriteYAML(c.ErrOrStderr(), v)
		return
	}
	j := json.NewEncoder(c.ErrOrStderr())
	j.SetEscapeHTML(false)
	_ = j.Encode(v)
}

// report prints an error for people: one line per problem.
func report(w io.Writer, err error) {
	if err == nil {
		return
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range many.Unwrap() {
			report(w, e)
		}
		return
	}
	if errors.Is(err, context.Canceled) && exitCode(err) == exitInterrupted {
		fmt.Fprintln(w, "sluice: interrupted")
		return
	}
	fmt.Fprintln(w, "sluice:", err)
}
