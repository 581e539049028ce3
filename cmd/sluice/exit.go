package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/fleetfile"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/redisstore"
	"github.com/sluiceproxy/sluice/store/transfer"
)

// Exit codes. The help of the root command prints exitCodes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitRefused     = 3
	exitUnavailable = 4
	exitMove        = 5
	exitWeak        = 6
	exitBroken      = 7
	exitLost        = 8
	exitDifferent   = 9
	exitPending     = 10
	exitInterrupted = 130
)

var exitCodes = []struct {
	code    int
	meaning string
}{
	{exitOK, "done"},
	{exitFailure, "failed, see the message"},
	{exitUsage, "the command line, a value or the configuration is wrong; nothing was changed"},
	{exitRefused, "well-formed, but refused in the present state (unknown, exists, in use, moving); nothing was changed"},
	{exitUnavailable, "the store or a cluster could not be reached"},
	{exitMove, "the move that was waited for failed or was aborted; the tenant is where it was"},
	{exitWeak, "sluice doctor: something is weak, left over or in the way"},
	{exitBroken, "sluice doctor: something is broken, or a tenant suffers"},
	{exitLost, "the store has lost changes that this process had seen; see to the store, then start every process anew"},
	{exitDifferent, "sluice verify: the copies differ"},
	{exitPending, "sluice apply --dry-run: there is something to change"},
	{exitInterrupted, "interrupted; a move that was being watched goes on"},
}

// usageError is a command line that cannot be obeyed.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// refusedError is a request that the present state forbids.
type refusedError struct{ msg string }

func (e *refusedError) Error() string { return e.msg }

func refused(format string, a ...any) error { return &refusedError{fmt.Sprintf(format, a...)} }

// unreachableError is a cluster, or a store, that could not be asked.
type unreachableError = control.UnreachableError

// moveError is a move that did not end where it was meant to.
type moveError struct{ msg string }

func (e *moveError) Error() string { return e.msg }

// problemExits are the codes of problems of the API, where they are not exitRefused.
var problemExits = map[api.Code]int{
	api.CodeMalformed: exitUsage, api.CodeInvalid: exitUsage, api.CodeTooLarge: exitUsage, api.CodeMediaType: exitUsage,
	api.CodeUnauthenticated: exitUsage,
	api.CodeNotFound:        exitFailure, api.CodeMethodNotAllowed: exitFailure, api.CodeInternal: exitFailure, api.CodeCorruptRecord: exitFailure,
	api.CodeKeyReused:      exitFailure,
	api.CodeOutcomeUnknown: exitUnavailable, api.CodeInProgress: exitUnavailable, api.CodeKeysUnavailable: exitUnavailable, api.CodeTooMany: exitUnavailable,
	api.CodeClusterUnreachable: exitUnavailable, api.CodeStoreUnavailable: exitUnavailable, api.CodeTimeout: exitUnavailable,
}

// isCode reports whether an error is a problem of the API, of this code.
func isCode(err error, code api.Code) bool {
	var p *client.Problem
	return errors.As(err, &p) && p.Code == string(code)
}

// exitCode is the one place where an error becomes a code.
func exitCode(err error) int {
	var (
		usage       *usageError
		invalid     *placement.InvalidError
		refusal     *placement.Refusal
		refusedHere *refusedError
		refusedDown *control.Refusal
		unreachable *unreachableError
		move        *moveError
		notOpen     *store.NotOpenError
		badFile     *transfer.FileError
		verdict     *verdictError
		setting     *redisstore.SettingError
		different   *differentError
		problem     *client.Problem
		asked       *url.Error // of a controller's API, that was not reached
		badFleet    *fleetfile.Error
		pending     *pendingError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, driver.ErrHistoryLost): // before all that it may be wrapped in
		return exitLost
	case errors.As(err, &usage), errors.As(err, &invalid), errors.As(err, &badFile), errors.As(err, &badFleet):
		return exitUsage
	case errors.As(err, &refusal), errors.As(err, &refusedHere), errors.As(err, &refusedDown), errors.As(err, &notOpen), errors.As(err, &setting), isTransferRefusal(err), isControlRefusal(err):
		return exitRefused
	case errors.As(err, &problem):
		if code, ok := problemExits[api.Code(problem.Code)]; ok {
			return code
		}
		return exitRefused
	case errors.As(err, &verdict):
		return verdict.code
	case errors.As(err, &move):
		return exitMove
	case errors.As(err, &different):
		return exitDifferent
	case errors.As(err, &pending):
		return exitPending
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, store.ErrUnavailable), errors.As(err, &unreachable), errors.As(err, &asked), isUnreachable(err):
		return exitUnavailable
	}
	return exitFailure
}

func isTransferRefusal(err error) bool {
	var serving *transfer.ServingError
	if errors.As(err, &serving) {
		return true
	}
	for _, refusal := range []error{transfer.ErrNotEmpty, transfer.ErrSource, transfer.ErrMigrating, transfer.ErrOther, transfer.ErrClosed} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
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
