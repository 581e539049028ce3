package control

import (
	"fmt"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// Why a change of clusters and tenants is refused, beside ErrUnknownCluster,
// ErrPlaceTaken, ErrAlreadyMoving and placement.ErrUnknownPartition.
var (
	ErrExists = catalog.New("exists", "it is there already")
	ErrInUse  = catalog.New("in_use", "it is in use")
	ErrUnfit  = catalog.New("unfit", "it cannot be used")
)

// Refusal is a request that is well-formed and not possible as things are. It wraps the
// sentinel that programs branch on; its text is for people, and says what to do.
type Refusal struct {
	Err  error
	Text string
}

func (e *Refusal) Error() string { return e.Text }

// Unwrap returns the sentinel.
func (e *Refusal) Unwrap() error { return e.Err }

func refuse(err error, format string, a ...any) error {
	return &Refusal{Err: err, Text: fmt.Sprintf(format, a...)}
}

// UnreachableError is a cluster, or a store, that could not be asked.
type UnreachableError struct {
	What string
	Err  error
}

func (e *UnreachableError) Error() string { return e.What + ": " + e.Err.Error() }

// Unwrap returns why.
func (e *UnreachableError) Unwrap() error { return e.Err }
