package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// TypePrefix begins the type of every problem; its code follows.
const TypePrefix = "urn:sluice:problem:"

// Problem is an error as it is answered (RFC 9457), with members of our own: the code
// that programs branch on, whether repeating the request may help, and what to do.
type Problem struct {
	Type      string   `json:"type" doc:"urn:sluice:problem: and the code."`
	Title     string   `json:"title" doc:"What the code means."`
	Status    int      `json:"status"`
	Detail    string   `json:"detail" doc:"What is wrong with this request, for people."`
	Instance  string   `json:"instance,omitempty" doc:"urn:sluice:request: and the id of the request, which the audit log has too."`
	Code      Code     `json:"code" doc:"Stable; docs/errors.md lists all."`
	Retryable bool     `json:"retryable" doc:"Nothing was changed, and the same request may succeed later."`
	Action    string   `json:"action" doc:"What to do."`
	Errors    []Detail `json:"errors,omitempty" doc:"What is wrong where, of a request that is not as the document says."`
	At        string   `json:"at,omitempty" doc:"Of elsewhere: the base URL of the controller to ask."`
}

// Detail is one mistake in a request.
type Detail struct {
	Location string `json:"location,omitempty" doc:"Such as body.to or query.limit."`
	Message  string `json:"message"`
}

// Error implements error.
func (p *Problem) Error() string { return p.Detail }

// ErrorCode is its code in the catalogue of errors.
func (p *Problem) ErrorCode() string { return string(p.Code) }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// problem makes one of the table's. The table has every code, which a test looks for.
func problem(code Code, detail string) *Problem {
	row := rows[code]
	return &Problem{Type: TypePrefix + string(code), Title: row.Meaning, Status: row.Status, Detail: detail, Code: code, Retryable: row.Retryable, Action: row.Action}
}

func init() {
	// What huma itself refuses goes through the same table. The library has one place for
	// that, a variable of the package.
	huma.NewError = func(status int, text string, errs ...error) huma.StatusError { return ofStatus(status, text, errs) }
	huma.NewErrorWithContext = func(ctx huma.Context, status int, text string, errs ...error) huma.StatusError {
		p := ofStatus(status, text, errs)
		if ctx != nil {
			p.Instance = instance(ctx.Context())
		}
		return p
	}
}

// ofStatus is the problem of a refusal of huma's, or of net/http's.
func ofStatus(status int, text string, errs []error) *Problem {
	var p *Problem
	switch status {
	case http.StatusUnprocessableEntity:
		p = problem(CodeInvalid, text)
	case http.StatusNotFound:
		p = problem(CodeNotFound, text)
	case http.StatusMethodNotAllowed:
		p = problem(CodeMethodNotAllowed, text)
	case http.StatusRequestEntityTooLarge:
		p = problem(CodeTooLarge, text)
	case http.StatusUnsupportedMediaType:
		p = problem(CodeMediaType, text)
	default:
		p = problem(CodeMalformed, text)
		if status >= http.StatusInternalServerError {
			return problem(CodeInternal, text)
		}
	}
	for _, err := range errs {
		var d *huma.ErrorDetail
		switch {
		case errors.As(err, &d): // its value may be anything, and is the client's own
			p.Errors = append(p.Errors, Detail{Location: d.Location, Message: d.Message})
		case err != nil:
			p.Errors = append(p.Errors, Detail{Message: err.Error()})
		}
	}
	if len(p.Errors) > 0 {
		p.Detail = fmt.Sprintf("%s: %s", p.Errors[0].Location, p.Errors[0].Message)
	}
	return p
}

// sentinels are the errors that a program can branch on, and their codes. The first
// that fits counts.
var sentinels = []struct {
	err  error
	code Code
}{
	{driver.ErrHistoryLost, CodeStoreUnavailable},
	{placement.ErrUnknownPartition, CodeUnknownTenant},
	{control.ErrUnknownCluster, CodeUnknownCluster},
	{control.ErrUnknownMove, CodeUnknownMove},
	{control.ErrUnknownWave, CodeUnknownWave},
	{control.ErrAlreadyMoving, CodeMoving},
	{placement.ErrAlreadyMigrating, CodeMoving},
	{placement.ErrAlreadyExists, CodeExists},
	{placement.ErrSamePlacement, CodeSamePlace},
	{control.ErrPlaceTaken, CodePlaceTaken},
	{control.ErrFlipped, CodeFlipped},
	{control.ErrNotFlipped, CodeNotFlipped},
	{control.ErrSettled, CodeSettled},
	{control.ErrExists, CodeExists},
	{control.ErrInUse, CodeInUse},
	{control.ErrUnfit, CodeUnfit},
	{control.ErrNoWayBack, CodeNoWayBack},
	{control.ErrSoaking, CodeSoaking},
	{control.ErrKept, CodeKept},
	{control.ErrWaveBusy, CodeWaveBusy},
	{control.ErrNotInTrash, CodeNotInTrash},
	{control.ErrTrashBusy, CodeTrashBusy},
	{control.ErrOneCopy, CodeOneCopy},
	{mover.ErrSourceChanged, CodeChanged},
	{mover.ErrTargetChanged, CodeChanged},
	{store.ErrConflict, CodeChanged},
}

// problemOf is the one place where an error becomes a problem. What it does not know
// is CodeInternal, and the log has the error.
func (a *API) problemOf(ctx context.Context, err error) *Problem {
	p := a.mapped(ctx, err)
	p.Instance = instance(ctx)
	return p
}

func (a *API) mapped(ctx context.Context, err error) *Problem {
	var (
		ready   *Problem
		invalid *placement.InvalidError
		refusal *placement.Refusal
		barred  *mover.RefusedError
		corrupt *store.CorruptError
		notOpen *store.NotOpenError
		status  *upstream.StatusError
		away    *control.UnreachableError
	)
	if errors.As(err, &ready) {
		own := *ready
		return &own
	}
	if errors.As(err, &invalid) {
		p := problem(CodeInvalid, invalid.Error())
		p.Errors = []Detail{{Location: "body." + invalid.Field, Message: invalid.Fix}}
		return p
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return problem(s.code, err.Error())
		}
	}
	switch {
	case errors.As(err, &refusal), errors.As(err, &barred):
		return problem(CodeRefused, err.Error())
	case errors.As(err, &corrupt):
		return problem(CodeCorruptRecord, err.Error())
	case errors.As(err, &notOpen):
		return problem(CodeTableClosed, err.Error())
	case errors.Is(err, store.ErrUnavailable):
		return problem(CodeStoreUnavailable, err.Error())
	case upstream.NotSent(err), errors.As(err, &status), errors.As(err, &away):
		return problem(CodeClusterUnreachable, err.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return problem(CodeTimeout, "the request took longer than it may, or its client went away")
	}
	if _, ok := own(ctx); ok {
		return problem(CodeInternal, err.Error())
	}
	a.log.Error("a request failed in a way that is not known", "request", requestOf(ctx), "error", err)
	return problem(CodeInternal, "see the log of the controller, request "+requestOf(ctx))
}
