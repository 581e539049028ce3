package proxy

import "net/http"

//go:generate go test -run TestErrorsPage . -update

// Types of the proxy's own errors, as they are in error.type of an answer. They
// are stable: programs branch on them. What each means is in the table codes.
const (
	TypeUnsupported     = "sluice_unsupported"
	TypeForeignIndex    = "sluice_foreign_index"
	TypeSharedIndex     = "sluice_shared_index"
	TypeNotAllowed      = "sluice_not_allowed"
	TypeMoving          = "sluice_moving"
	TypeUnknownTenant   = "sluice_unknown_tenant"
	TypeTenantRequired  = "sluice_tenant_required"
	TypeTenantConflict  = "sluice_tenant_conflict"
	TypeUnauthenticated = "sluice_unauthenticated"
	TypeRole            = "sluice_role"
	TypeCleartext       = "sluice_cleartext"
	TypeBadCursor       = "sluice_bad_cursor"
	TypeOutcomeUnknown  = "sluice_outcome_unknown"
	TypeUnavailable     = "sluice_unavailable"
	TypeCorruptEntry    = "sluice_corrupt_entry"
	TypeUpstream        = "sluice_upstream"
	TypeUpstreamTimeout = "sluice_upstream_timeout"
	TypeTooLarge        = "sluice_too_large"
	TypeSlowClient      = "sluice_slow_client"
	TypeTooMany         = "sluice_too_many_requests"
	TypeBadRequest      = "sluice_bad_request"
	TypePartlyApplied   = "sluice_partly_applied"
	TypeInternal        = "sluice_internal"
)

// ErrorCode is a row of the table of errors.
type ErrorCode struct {
	Type     string // error.type
	Statuses []int
	// Retryable: nothing was changed, and the same request may succeed later.
	Retryable bool
	Meaning   string
	Action    string // what whoever gets it should do
}

// codes is the one table of errors that the proxy makes itself: its own, and
// those of OpenSearch's that it answers with in the cluster's place. A test looks
// for errors that are made in this package and are not in it; docs/errors.md is
// made from it.
var codes = []ErrorCode{
	{TypeUnsupported, []int{http.StatusBadRequest, http.StatusMethodNotAllowed}, false,
		"The endpoint, its method or a parameter is not served, because it could not be kept inside a tenant or carried through a move.",
		"Use what the reason names instead; docs/endpoints.md lists what is served."},
	{TypeForeignIndex, []int{http.StatusBadRequest}, false,
		"A wildcard, a list or a reference leads, or could lead, to indices that are not the tenant's.",
		"Name the tenant's own index, or leave the name out."},
	{TypeSharedIndex, []int{http.StatusBadRequest}, false,
		"The tenant shares its index with others, and the request cannot be confined to its own documents.",
		"Leave out what the reason names, or have the tenant moved to an index of its own."},
	{TypeNotAllowed, []int{http.StatusForbidden}, false,
		"The operation is the operator's of the placement.",
		"Ask the operator, or do what the reason names instead."},
	{TypeMoving, []int{http.StatusConflict}, true,
		"The tenant is moving to another cluster, and its indices are not removed or closed meanwhile. Nothing was changed.",
		"Repeat the request when the move has ended."},
	{TypeUnknownTenant, []int{http.StatusNotFound}, false,
		"No tenant of this name is registered.",
		"Correct the tenant's name, or register it with `sluice tenant add`."},
	{TypeTenantRequired, []int{http.StatusBadRequest}, false,
		"The request names no tenant, or a name that can be none.",
		"Name the tenant in the way that this service is set up for, such as the header X-Sluice-Tenant."},
	{TypeTenantConflict, []int{http.StatusForbidden}, false,
		"The request names more than one tenant, or another one than its credentials prove.",
		"Name the one tenant that the credentials belong to."},
	{TypeUnauthenticated, []int{http.StatusUnauthorized}, false,
		"There are no credentials, or they are wrong or expired.",
		"Send valid credentials, in a way that the header WWW-Authenticate names."},
	{TypeRole, []int{http.StatusForbidden}, false,
		"The credentials give a role that does not allow the request, or the request does not say its role and must. Nothing was sent.",
		"Use credentials with the role that the reason names; docs/endpoints.md says what needs which."},
	{TypeCleartext, []int{http.StatusForbidden}, false,
		"The request would change something and came without TLS. Nothing was sent.",
		"Send it by https; the operator may allow it otherwise (proxy.cleartext)."},
	{TypeBadCursor, []int{http.StatusBadRequest}, false,
		"The scroll, point in time or task id was not given out by this service, or was changed.",
		"Open the scroll or point in time anew, and pass its id on as it is."},
	{TypeOutcomeUnknown, []int{http.StatusGatewayTimeout}, false,
		"The write was sent, and its outcome could not be learned: it may or may not take effect, also later.",
		"Read what it should have changed before you repeat it."},
	{TypeUnavailable, []int{http.StatusServiceUnavailable}, true,
		"The request cannot be decided now: the instance starts or stops, the store is away, or writes are held for longer than they may be. Nothing was sent.",
		"Repeat the request after the time in Retry-After."},
	{TypeCorruptEntry, []int{http.StatusServiceUnavailable}, true,
		"The tenant's record in the store cannot be decoded. Nothing was sent.",
		"Tell the operator; repeat the request once the record is repaired."},
	{TypeUpstream, []int{http.StatusBadGateway, http.StatusServiceUnavailable}, true,
		"The cluster could not be reached, broke off, or gave an answer that is not understood. Nothing was written, except by earlier parts of a bulk, which have their own results.",
		"Repeat the request with growing pauses; if it keeps failing, tell the operator which cluster the reason names."},
	{TypeUpstreamTimeout, []int{http.StatusBadGateway}, true,
		"The cluster did not answer a read in time.",
		"Repeat the request with growing pauses, or ask for less at once."},
	{TypeTooLarge, []int{http.StatusRequestEntityTooLarge}, false,
		"The body, or what must be kept in memory of the request, is larger than allowed.",
		"Send less at once, such as a bulk in several parts."},
	{TypeSlowClient, []int{http.StatusRequestTimeout}, false,
		"The body came too slowly. Nothing was sent.",
		"Send the request again, faster, or in parts."},
	{TypeTooMany, []int{http.StatusTooManyRequests}, true,
		"A limit of this instance is reached: on the requests under way or the bytes of their bodies, in all or of the tenant, or on what is held during a move's cutover. Nothing was sent.",
		"Repeat the request after the time in Retry-After, and have fewer under way at once."},
	{TypeBadRequest, []int{
		http.StatusBadRequest, http.StatusNotAcceptable, http.StatusUnsupportedMediaType, http.StatusRequestHeaderFieldsTooLarge, http.StatusNotImplemented,
		http.StatusHTTPVersionNotSupported, statusClientClosed}, false,
		"The request is not one of HTTP, or its path, parameters, headers or body are not what the endpoint takes. Status 499 is in logs and metrics only: the client went away.",
		"Correct the request as the reason says."},
	{TypePartlyApplied, []int{http.StatusBadRequest}, false,
		"The body of a bulk is malformed behind items that were carried out.",
		"Correct the body, and send the items from the malformed one on."},
	{TypeInternal, []int{http.StatusInternalServerError}, false,
		"A mistake of this service.",
		"Report it with the time and your X-Opaque-Id; the log of the instance has more. If it was a write, read before you repeat it."},

	{"index_not_found_exception", []int{http.StatusNotFound}, false,
		"The tenant has no such index.",
		"Name an index of the tenant's, or create it."},
	{"invalid_index_name_exception", []int{http.StatusBadRequest}, false,
		"A write does not name one index, by a name that an index can have.",
		"Name one index, in lower case and without a wildcard, a list or a date."},
	{"parsing_exception", []int{http.StatusBadRequest}, false,
		"The body cannot be parsed.",
		"Correct the body as the reason says."},
	{"illegal_argument_exception", []int{http.StatusBadRequest}, false,
		"A line, a parameter or a value is not one that the endpoint takes.",
		"Correct the request as the reason says."},
	{"action_request_validation_exception", []int{http.StatusBadRequest}, false,
		"Something that the endpoint needs is missing.",
		"Add what the reason names."},
	{"search_context_missing_exception", []int{http.StatusNotFound}, false,
		"The scroll or point in time has ended, or is not the tenant's.",
		"Open the scroll or point in time anew."},
	{"resource_not_found_exception", []int{http.StatusNotFound}, false,
		"There is no such task, or it is not the tenant's; in a shared index also a document whose source is asked for.",
		"Use the id of a document, or the one that the task was started with."},
	{"version_conflict_engine_exception", []int{http.StatusConflict}, false,
		"The condition of the write does not hold: the document was changed, or the index was moved since the token was given out.",
		"Read the document again, and repeat the change with the new _seq_no and _primary_term."},
}

// statusClientClosed is never sent: nobody is there to read it.
const statusClientClosed = 499

var codeOf = func() map[string]*ErrorCode {
	m := make(map[string]*ErrorCode, len(codes))
	for i := range codes {
		m[codes[i].Type] = &codes[i]
	}
	return m
}()

// hints adds to c what the table says of its type. An error that a cluster made
// may have a type that the table does not have; it gets none.
func (e *apiError) hints(c *errorCause) {
	row := codeOf[e.kind]
	if row == nil {
		return
	}
	retryable := row.Retryable && !e.final
	c.Retryable, c.Action = &retryable, row.Action
	if e.final {
		c.Action = "Correct the request as the reason says."
	}
}
