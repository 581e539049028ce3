// Package catalog is the catalogue of errors: for every error that leaves the program,
// whether from a proxy, the HTTP API, the command line, a move or the doctor, a stable
// code, what it means, and what to do. docs/errors.md and `sluice explain` are made from it.
//
// It holds facts and no policy, and imports nothing of the project, so that every package
// can give its errors a code: by New and Errorf, or by a method ErrorCode of its type. It
// refuses to guess: an error that has no code has none, and whoever answers it says so by
// the code that stands for that. A test walks the module's source and fails for an error
// that has no code, a code that has no entry, and an entry that nothing uses.
package catalog

import (
	"errors"
	"fmt"
	"slices"
)

//go:generate go test -run TestErrorsPage . -update

// Surface is where an error leaves the program.
type Surface string

// The surfaces. A code is unique within one.
const (
	Proxy    Surface = "proxy"    // error.type of an answer to a client of OpenSearch
	Operator Surface = "operator" // of the HTTP API, and of the command line
	Move     Surface = "move"     // why a move is refused, waits, or ends where it began
	Doctor   Surface = "doctor"   // a finding
)

// Surfaces are all of them, in the order of the manual.
var Surfaces = []Surface{Proxy, Operator, Move, Doctor}

// Entry is what the catalogue has of one code.
type Entry struct {
	Code string
	Of   Surface
	// Statuses of HTTP, if it leaves by one: of Proxy any of them, of Operator one.
	Statuses []int
	// Exit is the exit code of a command that ends by it; of Operator and Move.
	Exit int
	// Retryable: nothing was changed, and the same request may succeed later.
	Retryable bool
	Meaning   string
	Harm      string // of Doctor: what it harms
	Action    string // what whoever gets it should do
}

// Exit codes of the command line.
const (
	ExitOK          = 0
	ExitFailure     = 1
	ExitUsage       = 2
	ExitRefused     = 3
	ExitUnavailable = 4
	ExitMove        = 5
	ExitWeak        = 6
	ExitBroken      = 7
	ExitLost        = 8
	ExitDifferent   = 9
	ExitPending     = 10
	ExitInterrupted = 130
)

// Exit is an exit code and what it means.
type Exit struct {
	Code    int
	Meaning string
}

// Exits are the exit codes, in ascending order. The slice is the caller's.
func Exits() []Exit {
	return []Exit{
		{ExitOK, "done"},
		{ExitFailure, "failed, see the message"},
		{ExitUsage, "the command line, a value or the configuration is wrong; nothing was changed"},
		{ExitRefused, "well-formed, but refused in the present state (unknown, exists, in use, moving); nothing was changed"},
		{ExitUnavailable, "the store or a cluster could not be reached"},
		{ExitMove, "the move that was waited for failed or was aborted; the tenant is where it was"},
		{ExitWeak, "sluice doctor: something is weak, left over or in the way"},
		{ExitBroken, "sluice doctor: something is broken, or a tenant suffers"},
		{ExitLost, "the store has lost changes that this process had seen; see to the store, then start every process anew"},
		{ExitDifferent, "sluice verify: the copies differ"},
		{ExitPending, "sluice apply --dry-run: there is something to change"},
		{ExitInterrupted, "interrupted; a move that was being watched goes on"},
	}
}

var bySurface = map[Surface][]Entry{Proxy: proxy, Operator: operator, Move: move, Doctor: doctor}

type key struct {
	of   Surface
	code string
}

var index = func() map[key]Entry {
	m := map[key]Entry{}
	for _, all := range bySurface {
		for _, e := range all {
			m[key{e.Of, e.Code}] = e
		}
	}
	return m
}()

// Entries are all of one surface, in the order of the manual. The slice is the caller's.
func Entries(of Surface) []Entry { return slices.Clone(bySurface[of]) }

// Find returns the entry of a code, or false.
func Find(of Surface, code string) (Entry, bool) {
	e, ok := index[key{of, code}]
	return e, ok
}

// Named returns every surface's entry of that code.
func Named(code string) (out []Entry) {
	for _, of := range Surfaces {
		if e, ok := Find(of, code); ok {
			out = append(out, e)
		}
	}
	return out
}

// coded is an error with a code.
type coded struct {
	code string
	err  error
}

func (e *coded) Error() string     { return e.err.Error() }
func (e *coded) ErrorCode() string { return e.code }
func (e *coded) Unwrap() error     { return e.err }

// New returns an error with a code. Like one of errors.New it equals only itself.
func New(code, text string) error { return &coded{code, errors.New(text)} }

// Errorf is fmt.Errorf with a code.
func Errorf(code, format string, a ...any) error { return &coded{code, fmt.Errorf(format, a...)} }

// Of returns the code of err: of the outermost error in its chain that has one. Empty: none
// has, or err is nil.
func Of(err error) string {
	var c interface{ ErrorCode() string }
	if errors.As(err, &c) {
		return c.ErrorCode()
	}
	return ""
}
