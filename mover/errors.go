package mover

import (
	"fmt"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// Errors to branch on.
var (
	// ErrFenced: this attempt's write alias is gone from the target, so another
	// attempt has taken over, or the move has been sealed. Nothing was written.
	ErrFenced = catalog.New("attempt_fenced", "this attempt's write alias is gone from the target")
	// ErrSourceChanged: an index of the source was deleted or created again since
	// the move was prepared. The move has to be aborted.
	ErrSourceChanged = catalog.New("source_changed", "an index of the source was deleted or created again since the move began")
	// ErrSourceAdded: the tenant of a dedicated cluster or a pattern has created an index since
	// the move knew of all of them. Adopt takes it in.
	ErrSourceAdded = catalog.New("source_added", "an index was created at the source, which the move has yet to take in")
	// ErrSourceWritten: the old copy, or the tenant's documents in a shared source, were written to
	// after the flip, by somebody who goes around the proxies. Nothing was deleted.
	ErrSourceWritten = catalog.New("source_written", "the tenant's documents at the source were written to after the flip: somebody writes around the proxies")
	// ErrSourceClosed: somebody has closed an index of the source.
	ErrSourceClosed = catalog.New("source_closed", "an index of the source is closed, so that nobody can tell whether it was written to: open it")
	// ErrTargetChanged: an index of the target is not the one that this move
	// created.
	ErrTargetChanged = catalog.New("target_changed", "an index of the target is not the one that this move created")
	// ErrNotSettled: documents at the target still differ after the bounded
	// number of rounds.
	ErrNotSettled = catalog.New("not_settled", "the target did not settle")
	// ErrOverloaded: a cluster refused for lack of capacity for as long as the
	// mover waits.
	ErrOverloaded = catalog.New("cluster_overloaded", "the cluster refused work for too long")
	// ErrNoMark: Fence has blocked the source, but nobody noted the source's
	// sequence numbers before, so it cannot tell whether writes came in between.
	ErrNoMark = catalog.New("no_fence_mark", "the source was fenced, but its sequence numbers were not noted before")
)

// Codes of a RefusedError. They are stable: programs branch on them.
const (
	CodeSourceMissing   = "source_missing"
	CodeSourceBlocked   = "source_blocked"
	CodeSourceClosed    = "source_closed"
	CodeSourceDisabled  = "source_disabled" // _source off, or filtered
	CodeDataStream      = "data_stream"
	CodeTargetExists    = "target_exists"
	CodeTargetMissing   = "target_missing" // the index to be shared
	CodeTargetRefused   = "target_refused" // the target does not accept a mapping or setting
	CodeAliasConflict   = "alias_conflict"
	CodeVersion         = "incompatible_version"
	CodeUnreachable     = "cluster_unreachable"
	CodeUnsupported     = "unsupported_kind" // of placement, or of index
	CodeManyIndices     = "many_indices"     // none, several, or aliases, where there is a place for one
	CodePipelineMissing = "pipeline_missing"
	CodeSpace           = "not_enough_space"
	CodeOldCopy         = "old_copy" // what a rollback would go back to is not what the move has left
	CodeDocument        = "document_refused"
	CodeRepository      = "snapshot_repository" // missing, unusable, or not the same place on both clusters
	CodeSnapshot        = "snapshot_failed"     // a snapshot or its restore
)

// RefusedError says what cannot be moved, which field is in the way, and what to
// do about it. Nothing was changed, unless Code is CodeDocument.
type RefusedError struct {
	Code   string
	Field  string
	Detail string
	Fix    string
	Err    error // may be nil
}

func (e *RefusedError) Error() string {
	s := fmt.Sprintf("move refused: %s: %s: %s", e.Code, e.Field, e.Detail)
	if e.Fix != "" {
		s += " (" + e.Fix + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// ErrorCode is its code in the catalogue of errors.
func (e *RefusedError) ErrorCode() string { return e.Code }

func (e *RefusedError) Unwrap() error { return e.Err }
