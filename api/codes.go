package api

import "github.com/sluiceproxy/sluice/internal/catalog"

// Code tells problems apart. Codes are stable: programs branch on them.
type Code string

// The codes. What each means is in the catalogue of errors.
const (
	CodeMalformed          Code = "malformed"
	CodeInvalid            Code = "invalid"
	CodeTooLarge           Code = "too_large"
	CodeMediaType          Code = "media_type"
	CodeNotFound           Code = "not_found"
	CodeMethodNotAllowed   Code = "method_not_allowed"
	CodeUnauthenticated    Code = "unauthenticated"
	CodeForbidden          Code = "forbidden"
	CodeUnknownTenant      Code = "unknown_tenant"
	CodeUnknownCluster     Code = "unknown_cluster"
	CodeUnknownMove        Code = "unknown_move"
	CodeUnknownWave        Code = "unknown_wave"
	CodeNoReceipt          Code = "no_receipt"
	CodeExists             Code = "exists"
	CodeInUse              Code = "in_use"
	CodeUnfit              Code = "unfit"
	CodePrecondition       Code = "precondition_failed"
	CodeKeyReused          Code = "key_reused"
	CodeInProgress         Code = "in_progress"
	CodeOutcomeUnknown     Code = "outcome_unknown"
	CodeMoving             Code = "moving"
	CodeSamePlace          Code = "same_place"
	CodePlaceTaken         Code = "place_taken"
	CodeFlipped            Code = "flipped"
	CodeNotFlipped         Code = "not_flipped"
	CodeSettled            Code = "settled"
	CodeNoWayBack          Code = "no_way_back"
	CodeSoaking            Code = "soaking"
	CodeKept               Code = "kept"
	CodeWaveBusy           Code = "wave_busy"
	CodeNotInTrash         Code = "not_in_trash"
	CodeTrashBusy          Code = "trash_busy"
	CodeOneCopy            Code = "one_copy"
	CodeRefused            Code = "refused"
	CodeChanged            Code = "changed"
	CodeKeysUnavailable    Code = "keys_unavailable"
	CodeTooMany            Code = "too_many"
	CodeSessionOver        Code = "session_over"
	CodeElsewhere          Code = "elsewhere"
	CodeStaleReport        Code = "stale_report"
	CodeClusterUnreachable Code = "cluster_unreachable"
	CodeStoreUnavailable   Code = "store_unavailable"
	CodeTableClosed        Code = "table_closed"
	CodeCorruptRecord      Code = "corrupt_record"
	CodeTimeout            Code = "timeout"
	CodeInternal           Code = "internal"
)

// Row is a row of the table of problems.
type Row struct {
	Code   Code
	Status int
	// Retryable: nothing was changed, and the same request may succeed later.
	Retryable bool
	Meaning   string
	Action    string // what whoever gets it should do
}

// Problems is the table of everything that the API refuses or fails with: the part of the
// catalogue of errors that has a status. The slice is the caller's.
func Problems() []Row {
	var out []Row
	for _, e := range catalog.Entries(catalog.Operator) {
		if len(e.Statuses) > 0 {
			out = append(out, Row{Code(e.Code), e.Statuses[0], e.Retryable, e.Meaning, e.Action})
		}
	}
	return out
}

var rows = func() map[Code]Row {
	m := map[Code]Row{}
	for _, r := range Problems() {
		m[r.Code] = r
	}
	return m
}()
