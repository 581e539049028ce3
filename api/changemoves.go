package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// givenOptions are those of control.MoveOptions that a request may give, by the same
// names; what is left out is as the controller is configured.
type givenOptions struct {
	_                    struct{}          `additionalProperties:"false"`
	PauseBudget          *time.Duration    `json:"pause_budget,omitempty" doc:"Nanoseconds: writes are not held while a longer pause is predicted."`
	CutoverDeadline      *time.Duration    `json:"cutover_deadline,omitempty" doc:"Nanoseconds: a longer cutover is left again."`
	CopyRate             *float64          `json:"copy_rate,omitempty" doc:"Documents a second; 0: no limit."`
	CopyBytes            *float64          `json:"copy_bytes,omitempty" doc:"Bytes of documents a second; 0: no limit."`
	CopyHours            []givenWindow     `json:"copy_hours,omitempty" doc:"When the copy may run; none: always."`
	CopyEager            *bool             `json:"copy_eager,omitempty" doc:"Leave the pressure of the clusters unheeded."`
	RetireAfter          *time.Duration    `json:"retire_after,omitempty" doc:"Nanoseconds after the flip in which the old copy is kept; 0: until somebody asks for its removal."`
	Keep                 *bool             `json:"keep,omitempty" doc:"The old copy is never deleted by Sluice."`
	Trash                *time.Duration    `json:"trash,omitempty" doc:"Nanoseconds in which a retired copy can be restored; 0: it is deleted at once."`
	Verify               string            `json:"verify,omitempty" enum:"versions,content"`
	AcceptDrift          *bool             `json:"accept_drift,omitempty" doc:"Take over what somebody has written around the proxies."`
	Copy                 *givenCopyOptions `json:"copy,omitempty"`
	ShadowReads          *int              `json:"shadow_reads,omitempty" doc:"Searches that are compared before the flip; 0: none."`
	ShadowTime           *time.Duration    `json:"shadow_time,omitempty" doc:"Nanoseconds that they may add to the move."`
	ShadowMaxDifferences *int              `json:"shadow_max_differences,omitempty" doc:"Over it no cutover begins; absent: any number."`
}

type givenCopyOptions struct {
	_             struct{} `additionalProperties:"false"`
	Method        string   `json:"method,omitempty" enum:"scan,snapshot,auto"`
	Repository    string   `json:"repository,omitempty" doc:"Of snapshots; registered under that name on both clusters."`
	SnapshotAbove int64    `json:"snapshot_above,omitempty" doc:"Bytes of primaries above which auto takes a snapshot."`
}

// window is control.Window.
type givenWindow struct {
	_    struct{} `additionalProperties:"false"`
	From int      `json:"from" minimum:"0" maximum:"1439" doc:"Minutes since midnight."`
	To   int      `json:"to" minimum:"0" maximum:"1439" doc:"Minutes since midnight; before from: on the next day."`
	Zone string   `json:"zone,omitempty" doc:"Of the IANA database; UTC unless given."`
}

func (w givenWindow) control() control.Window {
	if w.Zone == "" {
		w.Zone = "UTC"
	}
	return control.Window{From: w.From, To: w.To, Zone: w.Zone}
}

// over returns the options with what is given in place of the defaults. The names are
// the same, so JSON does it.
func (o *givenOptions) over(defaults control.MoveOptions) (control.MoveOptions, error) {
	if o == nil {
		return defaults, nil
	}
	given := *o
	given.CopyHours = nil
	b, err := json.Marshal(given)
	if err == nil {
		err = json.Unmarshal(b, &defaults)
	}
	for _, w := range o.CopyHours {
		defaults.CopyHours = append(defaults.CopyHours, w.control())
	}
	return defaults, err
}

type moveRequest struct {
	_              struct{}              `additionalProperties:"false"`
	Tenant         placement.PartitionID `json:"tenant" minLength:"1" maxLength:"256"`
	To             string                `json:"to" doc:"The cluster to move to."`
	Kind           placement.Kind        `json:"kind,omitempty" enum:"dedicated_index,dedicated_cluster,shared_index" doc:"At the target; the same as now unless given."`
	Index          string                `json:"index,omitempty" doc:"At the target; must not exist, but for a shared_index, which must."`
	PartitionField string                `json:"partition_field,omitempty" doc:"Of a shared_index."`
	Options        *givenOptions         `json:"options,omitempty"`
}

func (a *API) controlRequest(r moveRequest) (control.Request, error) {
	o, err := r.Options.over(a.opt.Defaults)
	return control.Request{Partition: r.Tenant, Cluster: r.To, Kind: r.Kind, Index: r.Index, Field: r.PartitionField, Options: o}, err
}

type requestMoveInput struct {
	Change
	IfMatch
	Body moveRequest
}

type precheckInput struct{ Body moveRequest }

type precheckOutput struct{ Body control.PrecheckView }

type moveInput struct {
	Change
	Move string `path:"move" maxLength:"64"`
}

type setMoveInput struct {
	Change
	Move string `path:"move" maxLength:"64"`
	Body struct {
		_                    struct{}       `additionalProperties:"false"`
		PauseBudget          *time.Duration `json:"pause_budget,omitempty" doc:"Nanoseconds."`
		CutoverDeadline      *time.Duration `json:"cutover_deadline,omitempty" doc:"Nanoseconds."`
		CopyRate             *float64       `json:"copy_rate,omitempty" doc:"Documents a second; 0: no limit."`
		CopyBytes            *float64       `json:"copy_bytes,omitempty" doc:"Bytes a second; 0: no limit."`
		CopyHours            *[]givenWindow `json:"copy_hours,omitempty" doc:"None: always."`
		CopyEager            *bool          `json:"copy_eager,omitempty"`
		AcceptDrift          *bool          `json:"accept_drift,omitempty"`
		ShadowMaxDifferences *int           `json:"shadow_max_differences,omitempty"`
	}
}

type rollbackInput struct {
	Change
	Move string `path:"move" maxLength:"64"`
	Body *struct {
		_               struct{}       `additionalProperties:"false"`
		PauseBudget     *time.Duration `json:"pause_budget,omitempty" doc:"Nanoseconds."`
		CutoverDeadline *time.Duration `json:"cutover_deadline,omitempty" doc:"Nanoseconds."`
	}
}

// retireBody says how to retire.
type retireBody struct {
	_     struct{}       `additionalProperties:"false"`
	Now   bool           `json:"now,omitempty" doc:"Do not wait for the end of the soak time."`
	Keep  *bool          `json:"keep,omitempty" doc:"true: let go of the old copy, and leave it where it is. false: remove one that was to be kept."`
	Trash *time.Duration `json:"trash,omitempty" doc:"Nanoseconds in which it can be restored; 0: it is deleted at once."`
}

func (b *retireBody) request() control.RetireRequest {
	if b == nil {
		return control.RetireRequest{}
	}
	return control.RetireRequest{Now: b.Now, Keep: b.Keep, Trash: b.Trash}
}

type retireInput struct {
	Change
	Move string `path:"move" maxLength:"64"`
	Body *retireBody
}

// moveChanges are the operations that ask for moves, and change them.
func (a *API) moveChanges() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Tags: []string{"moves"}, Summary: summary}
	}
	handle(a, op("precheckMove", http.MethodPost, "/moves/precheck", "Say what a move would do, and what is in its way; change nothing"), Operator, a.precheck)
	created := op("requestMove", http.MethodPost, "/moves", "Ask for a move; a controller does it")
	created.DefaultStatus = http.StatusCreated
	change(a, created, Operator, control.NewMoveID, a.requestMove)
	back := op("rollbackMove", http.MethodPost, "/moves/{move}/rollback", "Take the tenant back to the old copy that a move has left, by a new move")
	back.DefaultStatus = http.StatusCreated
	change(a, back, Operator, control.NewMoveID, a.rollback)
	change(a, op("setMove", http.MethodPatch, "/moves/{move}", "Change the bounds of a move that has not flipped"), Operator, nil, a.setMove)
	change(a, op("retireMove", http.MethodPost, "/moves/{move}/retire", "Remove the old copy that a move has left"), Operator, nil, func(ctx context.Context, in *retireInput, d *deed) (control.Move, error) {
		return a.onMove(ctx, in.Move, d, func() (control.Move, error) { return control.RequestRetireAs(ctx, a.s, in.Move, in.Body.request()) })
	})
	for _, x := range []struct {
		op huma.Operation
		do func(context.Context, string) (control.Move, error)
	}{
		{op("abortMove", http.MethodPost, "/moves/{move}/abort", "Take a tenant that has not flipped back to where it was"), func(ctx context.Context, id string) (control.Move, error) { return control.RequestAbort(ctx, a.s, id) }},
		{op("pauseMove", http.MethodPost, "/moves/{move}/pause", "Stop copying, and begin no cutover"), func(ctx context.Context, id string) (control.Move, error) {
			return control.RequestPause(ctx, a.s, id, true)
		}},
		{op("resumeMove", http.MethodPost, "/moves/{move}/resume", "Let a move that was paused go on"), func(ctx context.Context, id string) (control.Move, error) {
			return control.RequestPause(ctx, a.s, id, false)
		}},
	} {
		change(a, x.op, Operator, nil, func(ctx context.Context, in *moveInput, d *deed) (control.Move, error) {
			return a.onMove(ctx, in.Move, d, func() (control.Move, error) { return x.do(ctx, in.Move) })
		})
	}
}

// onMove notes what a move was before it is changed.
func (a *API) onMove(ctx context.Context, id string, d *deed, do func() (control.Move, error)) (control.Move, error) {
	d.target = "move/" + id
	m, err := a.move(ctx, id)
	if err != nil {
		return m, err
	}
	d.before = m
	return do()
}

func (a *API) precheck(ctx context.Context, in *precheckInput) (*precheckOutput, error) {
	req, err := a.controlRequest(in.Body)
	if err != nil {
		return nil, err
	}
	v, err := control.ViewPrecheck(ctx, a.s, req)
	if err != nil {
		return nil, a.unknown(ctx, req, err)
	}
	return &precheckOutput{v}, nil
}

func (a *API) requestMove(ctx context.Context, in *requestMoveInput, d *deed) (control.Move, error) {
	d.target = "tenant/" + string(in.Body.Tenant)
	req, err := a.controlRequest(in.Body)
	if err != nil {
		return control.Move{}, err
	}
	if !d.again { // repeated, it has moved on by the first time's doing
		if _, err := a.precondition(ctx, in.IfMatch, req.Partition); err != nil {
			return control.Move{}, err
		}
	}
	if e, err := a.s.State(ctx, req.Partition); err == nil {
		d.before = control.ViewTenant(e, nil)
	}
	req.ID = d.id
	m, err := control.RequestMove(ctx, a.s, req)
	return m, a.unknown(ctx, req, err)
}

// unknown says what there is in place of what a move has named, and is not there.
func (a *API) unknown(ctx context.Context, req control.Request, err error) error {
	if errors.Is(err, control.ErrUnknownCluster) {
		if known := control.ClusterKnown(ctx, a.s, req.Cluster); known != nil {
			return known
		}
	}
	return control.UnknownTenant(string(req.Partition), err)
}

func (a *API) rollback(ctx context.Context, in *rollbackInput, d *deed) (control.Move, error) {
	o := control.MoveOptions{PauseBudget: a.opt.Defaults.PauseBudget, CutoverDeadline: a.opt.Defaults.CutoverDeadline, DrainBarrier: a.opt.Defaults.DrainBarrier}
	if b := in.Body; b != nil {
		if b.PauseBudget != nil {
			o.PauseBudget = *b.PauseBudget
		}
		if b.CutoverDeadline != nil {
			o.CutoverDeadline = *b.CutoverDeadline
		}
	}
	return a.onMove(ctx, in.Move, d, func() (control.Move, error) { return control.RequestRollbackAs(ctx, a.s, in.Move, d.id, o) })
}

func (a *API) setMove(ctx context.Context, in *setMoveInput, d *deed) (control.Move, error) {
	g := in.Body
	b := control.Bounds{PauseBudget: g.PauseBudget, CutoverDeadline: g.CutoverDeadline, CopyRate: g.CopyRate, CopyBytes: g.CopyBytes, CopyEager: g.CopyEager,
		AcceptDrift: g.AcceptDrift, ShadowMaxDifferences: g.ShadowMaxDifferences}
	if g.CopyHours != nil {
		hours := []control.Window{}
		for _, w := range *g.CopyHours {
			hours = append(hours, w.control())
		}
		b.CopyHours = &hours
	}
	if b == (control.Bounds{}) {
		return control.Move{}, problem(CodeInvalid, "the body changes nothing: give at least one bound")
	}
	return a.onMove(ctx, in.Move, d, func() (control.Move, error) { return control.RequestBounds(ctx, a.s, in.Move, b) })
}
