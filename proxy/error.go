package proxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// apiError is an answer in OpenSearch's error shape.
type apiError struct {
	status     int
	kind       string
	reason     string
	root       string // type of the root cause; empty: kind
	index      string // logical name, if the error is about one
	retryAfter time.Duration
	challenges []string // of WWW-Authenticate
	final      bool     // not to be repeated, although others of its type may be
}

func (e *apiError) Error() string { return e.kind + ": " + e.reason }

func (e *apiError) ErrorCode() string { return e.kind }

func fail(status int, kind, format string, args ...any) *apiError {
	return &apiError{status: status, kind: kind, reason: fmt.Sprintf(format, args...)}
}

func noSuchIndex(name string) *apiError {
	return &apiError{status: 404, kind: "index_not_found_exception", reason: "no such index [" + name + "]", index: name}
}

type errorCause struct {
	Type         string `json:"type"`
	Reason       string `json:"reason"`
	Index        string `json:"index,omitempty"`
	ResourceID   string `json:"resource.id,omitempty"`
	ResourceType string `json:"resource.type,omitempty"`
	IndexUUID    string `json:"index_uuid,omitempty"`
	// Hints of this proxy's, which OpenSearch does not have; clients pass over them.
	Retryable *bool  `json:"retryable,omitempty"`
	Action    string `json:"action,omitempty"`
}

func (e *apiError) cause() errorCause {
	c := errorCause{Type: e.kind, Reason: e.reason, Index: e.index}
	if e.kind == "index_not_found_exception" {
		c.ResourceID, c.ResourceType, c.IndexUUID = e.index, "index_or_alias", "_na_" // as the cluster's own
	}
	e.hints(&c)
	return c
}

func (e *apiError) body() []byte {
	type detail struct {
		RootCause []errorCause `json:"root_cause"`
		errorCause
	}
	c := e.cause()
	root := c
	root.Retryable, root.Action = nil, ""
	if e.root != "" {
		root.Type = e.root
	}
	b, err := json.Marshal(struct {
		Error  detail `json:"error"`
		Status int    `json:"status"`
	}{detail{[]errorCause{root}, c}, e.status})
	if err != nil {
		panic("encode an error: " + err.Error()) // strings and integers only
	}
	return b
}

// write answers with e. The status is for the metrics.
func (e *apiError) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	if e.retryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(e.retryAfter.Seconds()))))
	}
	for _, c := range e.challenges {
		h.Add("WWW-Authenticate", c)
	}
	b := e.body()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(e.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b) // a client that went away
	}
}

// toAPI turns what the layers below say into an answer. Everything that it does
// not know is a 500: an unknown error must not look like a refusal.
func toAPI(err error) *apiError {
	var a *apiError
	var un *gate.UnavailableError
	var inv *placement.InvalidError
	var big *http.MaxBytesError
	var confined *shared.RefusedError
	var who *tenancy.UnauthenticatedError
	switch {
	case errors.As(err, &a):
		return a
	case errors.As(err, &confined):
		return fail(http.StatusBadRequest, TypeSharedIndex, "%s", confined.Reason)
	case errors.Is(err, shared.ErrSyntax):
		return fail(http.StatusBadRequest, "parsing_exception", "the body is refused: %s", err)
	case errors.Is(err, gate.ErrOutcomeUnknown):
		return fail(http.StatusGatewayTimeout, TypeOutcomeUnknown,
			"the write was sent and its outcome could not be learned: it may or may not take effect; read before you repeat it")
	case errors.As(err, &un) && un.Reason == gate.ReasonHoldFull:
		e := fail(http.StatusTooManyRequests, TypeTooMany, "%s; nothing was sent, repeat the request", un.Error())
		e.retryAfter = max(un.RetryAfter, time.Second)
		return e
	case errors.As(err, &un):
		e := fail(http.StatusServiceUnavailable, TypeUnavailable, "%s; nothing was sent, repeat the request", un.Error())
		if un.Reason == gate.ReasonCorrupt {
			e.kind, e.reason = TypeCorruptEntry, un.Error()
		}
		e.retryAfter = max(un.RetryAfter, time.Second)
		return e
	case errors.Is(err, gate.ErrFenced):
		e := fail(http.StatusServiceUnavailable, TypeUnavailable, "this instance has lost its session; nothing was sent, repeat the request")
		e.retryAfter = time.Second
		return e
	case errors.Is(err, placement.ErrUnknownPartition):
		return fail(http.StatusNotFound, TypeUnknownTenant, "there is no such tenant")
	case errors.As(err, &who):
		e := fail(http.StatusUnauthorized, TypeUnauthenticated, "%s", err)
		e.challenges = who.Challenges
		return e
	case errors.Is(err, tenancy.ErrNoRole):
		return fail(http.StatusForbidden, TypeRole, "%s", err)
	case errors.Is(err, tenancy.ErrContradiction):
		return fail(http.StatusForbidden, TypeTenantConflict, "%s", err)
	case errors.Is(err, tenancy.ErrNoTenant), errors.As(err, &inv):
		return fail(http.StatusBadRequest, TypeTenantRequired, "%s", err)
	case errors.Is(err, affinity.ErrTampered):
		return fail(http.StatusBadRequest, TypeBadCursor, "the cursor or task id was not given out by this service, or was changed")
	case errors.Is(err, affinity.ErrExpired), errors.Is(err, affinity.ErrOtherTenant):
		// One answer for both: whether another tenant holds a cursor is not told.
		return fail(http.StatusNotFound, "search_context_missing_exception", "No search context found for the given id")
	case errors.Is(err, affinity.ErrUnknown):
		return fail(http.StatusNotFound, "search_context_missing_exception",
			"No search context found for the given id: it was not opened through this instance, or was not used for too long; open it anew")
	case errors.As(err, &big):
		return fail(http.StatusRequestEntityTooLarge, TypeTooLarge, "the body is larger than %d bytes", big.Limit)
	case errors.Is(err, context.Canceled):
		return fail(statusClientClosed, TypeBadRequest, "the client went away")
	}
	return fail(http.StatusInternalServerError, TypeInternal, "%s", err)
}
