package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/store"
)

// Outcome is what came of a change.
type Outcome string

// The outcomes.
const (
	// OutcomeIntended: it was about to be done, and nothing more is known, because the
	// controller ended.
	OutcomeIntended Outcome = "intended"
	OutcomeDone     Outcome = "done"
	OutcomeRefused  Outcome = "refused" // nothing was changed
	OutcomeUnknown  Outcome = "unknown" // it failed, and may have been done all the same
)

// AuditEntry is one change that somebody has asked for.
type AuditEntry struct {
	ID        string          `json:"id" doc:"They sort by time."`
	Time      time.Time       `json:"time"`
	Who       string          `json:"who"`
	Role      string          `json:"role" doc:"That he had."`
	Operation string          `json:"operation" doc:"As the OpenAPI document names it."`
	Target    string          `json:"target,omitempty" doc:"Such as tenant/acme; empty until it is known."`
	Asked     json.RawMessage `json:"asked,omitempty" doc:"The body of the request."`
	Before    json.RawMessage `json:"before,omitempty" doc:"What the target was."`
	After     json.RawMessage `json:"after,omitempty" doc:"What was answered: what the target is, or what was created."`
	Outcome   Outcome         `json:"outcome" enum:"intended,done,refused,unknown" doc:"intended: the controller ended before it could say."`
	Code      Code            `json:"code,omitempty" doc:"Of the problem, if it was not done."`
	Request   string          `json:"request" doc:"The request's id."`
	Ended     time.Time       `json:"ended,omitzero"`
}

// maxAudited is the most bytes of a value that the log keeps; of more it says how many
// there were.
const maxAudited = 16 << 10

// DefaultAuditAge is how long entries of the audit log are kept, unless Options say
// otherwise.
const DefaultAuditAge = 90 * 24 * time.Hour

func audit(s *store.Store) store.Records[AuditEntry] {
	return store.RecordsOf[AuditEntry](s, store.SpaceAudit)
}

type auditInput struct {
	PageQuery
	Who     string  `query:"who" doc:"Only what this caller asked for."`
	Target  string  `query:"target" doc:"Only what was about this, such as tenant/acme."`
	Outcome Outcome `query:"outcome" enum:"intended,done,refused,unknown"`
}

// auditReaders are the operations that read the audit log. Nothing writes to it but the
// changes themselves.
func (a *API) auditReaders() {
	handle(a, huma.Operation{OperationID: "listAudit", Method: http.MethodGet, Path: "/audit", Tags: []string{"audit"}, Summary: "List who has asked for which changes, newest first"},
		Admin, func(ctx context.Context, in *auditInput) (*pageOutput[AuditEntry], error) {
			return newest(ctx, audit(a.s), in.PageQuery, func(r store.Record[AuditEntry]) bool {
				e := r.Value
				return (in.Who == "" || e.Who == in.Who) && (in.Target == "" || e.Target == in.Target) && (in.Outcome == "" || e.Outcome == in.Outcome)
			})
		})
}

// intend writes that a change is about to be made. An error means that it must not be.
func (a *API) intend(ctx context.Context, operation string) (store.Record[AuditEntry], error) {
	who, now := principalOf(ctx), time.Now().UTC()
	e := AuditEntry{
		ID: fmt.Sprintf("%013d-%s", now.UnixMilli(), rand.Text()[:8]), Time: now, Who: who.Name, Role: who.Role.String(), Operation: operation,
		Outcome: OutcomeIntended, Request: requestOf(ctx),
	}
	if body := printOf(ctx).body; len(body) > 0 {
		e.Asked = audited(json.RawMessage(body))
	}
	return settled(ctx, audit(a.s), e.ID, e, store.Record[AuditEntry]{}, func(v AuditEntry) bool { return v.Outcome == OutcomeIntended })
}

// conclude writes what came of it.
func (a *API) conclude(ctx context.Context, r store.Record[AuditEntry], d *deed, after any, p *Problem) {
	e := r.Value
	e.Target, e.Ended, e.Outcome = d.target, time.Now().UTC(), OutcomeDone
	e.Before, e.After = audited(d.before), audited(after)
	if p != nil {
		if e.Outcome, e.Code = OutcomeRefused, p.Code; p.unknown() {
			e.Outcome = OutcomeUnknown
		}
	}
	if _, err := settled(ctx, audit(a.s), e.ID, e, r, func(v AuditEntry) bool { return v.Outcome == e.Outcome }); err != nil {
		a.log.Error("the audit log does not say what came of a change", "request", requestOf(ctx), "operation", e.Operation, "outcome", string(e.Outcome), "error", err)
	}
}

// audited is a value as the log keeps it.
func audited(v any) json.RawMessage {
	if v == nil {
		return nil
	}
	b, err := json.Marshal(v)
	if err != nil || len(b) > maxAudited {
		return json.RawMessage(fmt.Sprintf(`{"bytes":%d}`, len(b)))
	}
	return b
}

// Run follows the table for those who follow events, and looks after what the API keeps
// in the store, until ctx ends. Without it there are no events.
func (a *API) Run(ctx context.Context) error {
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		a.follow(ctx)
	}()
	defer func() { <-followed }()
	for next := time.Minute; ; next = time.Hour {
		if err := pause(ctx, next); err != nil {
			return err
		}
		if err := a.sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("the audit log and the answers that are kept for Idempotency-Keys could not be swept; tried again in an hour", "error", err)
		}
	}
}

// sweep removes what is too old. Records are dated by the wall clocks of controllers, and
// nothing but their removal depends on it.
func (a *API) sweep(ctx context.Context) error {
	age := a.opt.AuditAge
	if age <= 0 {
		age = DefaultAuditAge
	}
	if err := sweepOld(ctx, audit(a.s), func(e AuditEntry) bool { return time.Since(e.Time) > age }); err != nil {
		return err
	}
	return sweepOld(ctx, replays(a.s), func(r replay) bool { return time.Since(r.Time) > replayAge })
}

func sweepOld[T any](ctx context.Context, records store.Records[T], old func(T) bool) error {
	var gone []store.Record[T]
	if err := records.Each(ctx, func(r store.Record[T], err error) bool {
		if err == nil && old(r.Value) {
			gone = append(gone, store.Record[T]{Name: r.Name, Version: r.Version})
		}
		return true
	}); err != nil {
		return err
	}
	for _, r := range gone {
		// A conflict: another controller sweeps, too, or the key is in use again.
		if err := records.Delete(ctx, r.Name, r.Version); err != nil && !conflict(err) {
			return err
		}
	}
	return nil
}
