package api

import (
	"net/http"
	"slices"
)

// Code tells problems apart. Codes are stable: programs branch on them.
type Code string

// The codes. What each means is in the table.
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

// Problems is the table of everything that the API refuses or fails with. The slice is
// the caller's. docs/errors.md is made from it.
func Problems() []Row { return slices.Clone(table) }

var table = []Row{
	{CodeMalformed, http.StatusBadRequest, false,
		"The request is not one of HTTP or its body not JSON, or a cursor or a header is none that this service gave out or takes.",
		"Correct the request as the detail says."},
	{CodeInvalid, http.StatusUnprocessableEntity, false,
		"A parameter or a member of the body is missing, unknown, or not what it must be. Nothing was changed.",
		"Correct what `errors` names."},
	{CodeTooLarge, http.StatusRequestEntityTooLarge, false,
		"The body is larger than the operation takes.",
		"Send less at once."},
	{CodeMediaType, http.StatusUnsupportedMediaType, false,
		"The body is not JSON.",
		"Send JSON, with the header Content-Type: application/json."},
	{CodeNotFound, http.StatusNotFound, false,
		"The API has no such path.",
		"Correct the path; /api/v1/openapi.json has all of them."},
	{CodeMethodNotAllowed, http.StatusMethodNotAllowed, false,
		"The path does not have this method.",
		"Use one of those in the header Allow."},
	{CodeUnauthenticated, http.StatusUnauthorized, false,
		"There are no credentials, or they are wrong or expired.",
		"Send a token in Authorization: Bearer, or show a certificate; docs/api.md says which."},
	{CodeForbidden, http.StatusForbidden, false,
		"Whoever asks may not do this. Nothing was changed.",
		"Ask with the role that the detail names; docs/api.md says how."},
	{CodeUnknownTenant, http.StatusNotFound, false,
		"No tenant of this name is registered.",
		"Correct the name; GET /api/v1/tenants lists all."},
	{CodeUnknownCluster, http.StatusNotFound, false,
		"No cluster of this name is registered.",
		"Correct the name; GET /api/v1/clusters lists all."},
	{CodeUnknownMove, http.StatusNotFound, false,
		"There is no move of this id.",
		"Correct the id; GET /api/v1/moves lists all."},
	{CodeUnknownWave, http.StatusNotFound, false,
		"There is no wave of this id.",
		"Correct the id; GET /api/v1/waves lists all."},
	{CodeNoReceipt, http.StatusNotFound, true,
		"The move has no receipt, because it has not flipped.",
		"Ask again when its stage is flipped; a move that has failed or was aborted never has one."},
	{CodeExists, http.StatusConflict, false,
		"What was to be created is there already. Nothing was changed.",
		"Look at what is there, and change that, or choose another name."},
	{CodeInUse, http.StatusConflict, false,
		"What was to be removed is in use. Nothing was changed.",
		"Remove first what the detail names."},
	{CodeUnfit, http.StatusConflict, false,
		"The cluster, or its index, cannot be used. Nothing was changed.",
		"See to what the detail names."},
	{CodePrecondition, http.StatusPreconditionFailed, false,
		"The tenant is not as If-Match says. Nothing was changed.",
		"Read it again, and decide anew."},
	{CodeKeyReused, http.StatusUnprocessableEntity, false,
		"The Idempotency-Key was used for another request. Nothing was changed.",
		"Use a new key for each request, and the same one only to repeat it."},
	{CodeInProgress, http.StatusConflict, true,
		"A request with the same Idempotency-Key is under way, or the controller that had it has ended.",
		"Repeat the request with the same key; a minute after its controller has ended it is taken over."},
	{CodeOutcomeUnknown, http.StatusGatewayTimeout, false,
		"Whether the change was made is not known, because the store did not say so in time.",
		"Repeat the request with the same Idempotency-Key, which is safe; without one, look first."},
	{CodeMoving, http.StatusConflict, true,
		"The tenant is moving already. Nothing was changed.",
		"Wait for that move, or abort it."},
	{CodeSamePlace, http.StatusConflict, false,
		"The tenant is, or could be, at that place already. Nothing was changed.",
		"Name another cluster, or another index there."},
	{CodePlaceTaken, http.StatusConflict, false,
		"Another tenant has the place, will have it by a move, or has its old copy there. Nothing was changed.",
		"Choose another place, or move that tenant and retire its move first."},
	{CodeFlipped, http.StatusConflict, false,
		"The move has flipped, so that it cannot be changed or aborted any more.",
		"Roll it back, if the tenant is to go back."},
	{CodeNotFlipped, http.StatusConflict, true,
		"The move has not flipped, so that there is no old copy yet.",
		"Ask again when it has."},
	{CodeSettled, http.StatusConflict, false,
		"The move or the wave has ended, or is being aborted. Nothing was changed.",
		"Begin another one, if it is still wanted."},
	{CodeNoWayBack, http.StatusConflict, false,
		"The move cannot be rolled back, for the reason in the detail.",
		"Move the tenant by a new move."},
	{CodeSoaking, http.StatusConflict, true,
		"The soak time of the old copy has not passed.",
		"Wait for it, or retire with now."},
	{CodeKept, http.StatusConflict, false,
		"The move keeps its old copy.",
		"Retire with keep, true to let go of it or false to remove it."},
	{CodeWaveBusy, http.StatusConflict, true,
		"The wave is at work, so that it cannot be rolled back.",
		"Pause or abort it, wait for its moves under way, and ask again."},
	{CodeNotInTrash, http.StatusNotFound, false,
		"The move has left nothing in the trash.",
		"List the trash; what was restored or deleted is there no more."},
	{CodeTrashBusy, http.StatusConflict, true,
		"What is to be taken out of the trash leaves it already, or has not come there yet.",
		"Look at it in the trash, and ask again if it is still there."},
	{CodeRefused, http.StatusConflict, false,
		"The request is well-formed, and not possible as things are. Nothing was changed.",
		"See to what the detail names."},
	{CodeChanged, http.StatusConflict, true,
		"Somebody else changed the same thing at this moment. Nothing was changed.",
		"Read it again, and repeat the request if it is still wanted."},
	{CodeKeysUnavailable, http.StatusServiceUnavailable, true,
		"The keys that signed tokens are checked with could not be fetched. Nothing was changed.",
		"Repeat the request with growing pauses; if it keeps failing, see to the issuer."},
	{CodeTooMany, http.StatusTooManyRequests, true,
		"As many clients follow events or the table, or hold sessions, as one controller serves.",
		"Ask another controller, or later."},
	{CodeSessionOver, http.StatusGone, false,
		"The session has ended, or may have: for ever.",
		"Answer no write with success that was admitted under it; open another session, list the table anew, and go on."},
	{CodeElsewhere, http.StatusMisdirectedRequest, false,
		"Another controller holds the session. Nothing was changed.",
		"Ask the controller that `at` names, which the session was opened with."},
	{CodeStaleReport, http.StatusConflict, false,
		"The report is older than what is known of the session: its sequence or what it has applied is below. Nothing was changed.",
		"Give each report a greater sequence; report nothing before the table was listed, after the session was opened."},
	{CodeClusterUnreachable, http.StatusBadGateway, true,
		"A cluster could not be asked, or has refused.",
		"See to the cluster that the detail names, and to its credentials, and repeat the request."},
	{CodeStoreUnavailable, http.StatusServiceUnavailable, true,
		"The store could not be read or written. Nothing was changed.",
		"Repeat the request with growing pauses."},
	{CodeTableClosed, http.StatusServiceUnavailable, false,
		"The table is closed, half imported, or was replaced while this process ran.",
		"See `sluice store`; the process is to be started anew."},
	{CodeCorruptRecord, http.StatusInternalServerError, false,
		"A record in the store cannot be decoded. It was left as it is.",
		"Run `sluice doctor`, which says what it harms and repairs it."},
	{CodeTimeout, http.StatusGatewayTimeout, true,
		"The request took longer than it may, or its client went away. Nothing was changed.",
		"Repeat the request, or ask for less at once."},
	{CodeInternal, http.StatusInternalServerError, false,
		"A mistake of this service.",
		"Report it with `instance`; the log of the controller has more."},
}

var rows = func() map[Code]Row {
	m := make(map[Code]Row, len(table))
	for _, r := range table {
		m[r.Code] = r
	}
	return m
}()
