package proxy

import "github.com/sluiceproxy/sluice/internal/catalog"

// Types of the proxy's own errors, as they are in error.type of an answer. They
// are stable: programs branch on them. What each means
// is in the catalogue of errors.
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

// statusClientClosed is never sent: nobody is there to read it.
const statusClientClosed = 499

// hints adds to c what the catalogue says of its type. An error that a cluster made
// may have a type that the catalogue does not have; it gets none.
func (e *apiError) hints(c *errorCause) {
	row, ok := catalog.Find(catalog.Proxy, e.kind)
	if !ok {
		return
	}
	retryable := row.Retryable && !e.final
	c.Retryable, c.Action = &retryable, row.Action
	if e.final {
		c.Action = "Correct the request as the reason says."
	}
}
