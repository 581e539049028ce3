package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control/checkup"
)

// Bounds of what this process does for others at the same time.
const (
	maxExaminations = 4
	maxComparisons  = 4
)

// slots are so many places for what takes long.
type slots chan struct{}

// take takes one, or refuses.
func (s slots) take(what string) (free func(), err error) {
	select {
	case s <- struct{}{}:
		return func() { <-s }, nil
	default:
		return nil, problem(CodeTooMany, fmt.Sprintf("%d %s are under way here already", cap(s), what))
	}
}

type examineInput struct {
	Only []string `query:"only,explode" maxItems:"100" doc:"Only findings of this code, or CODE:SUBJECT; may be repeated."`
}

type examineOutput struct{ Body checkup.Outcome }

type repairInput struct {
	Change
	Body *struct {
		_    struct{} `additionalProperties:"false"`
		Only []string `json:"only,omitempty" maxItems:"100" doc:"Repair only findings of this code, or CODE:SUBJECT. What is marked by_naming is repaired in no other way, because something may be lost by it."`
	}
}

// doctorReaders is the operation that looks for what does not belong together.
func (a *API) doctorReaders() {
	handle(a, huma.Operation{OperationID: "examineFleet", Method: http.MethodGet, Path: "/doctor", Tags: []string{"doctor"},
		Summary: "Say what does not belong together in the table and on the clusters, and what would be repaired; change nothing"},
		Viewer, func(ctx context.Context, in *examineInput) (*examineOutput, error) {
			out, err := a.checkup(ctx, false, in.Only, "query.only")
			return &examineOutput{out}, err
		})
}

// doctorChanges is the operation that repairs what is found. It examines several times, so
// it takes as long as the table and the clusters make it, and ends with its client: each
// repair is one step of its own, and whoever asks again goes on where it ended.
func (a *API) doctorChanges() {
	change(a, huma.Operation{OperationID: "repairFleet", Method: http.MethodPost, Path: "/doctor/repair", Tags: []string{"doctor"},
		Summary: "Repair what does not belong together, look again, and say what is left"},
		Admin, nil, func(_ context.Context, in *repairInput, d *deed) (checkup.Outcome, error) {
			d.target = "doctor"
			var only []string
			if in.Body != nil {
				only = in.Body.Only
			}
			out, err := a.checkup(d.client, true, only, "body.only")
			if len(out.Acted) > 0 {
				d.before, d.after = out.Acted, out.Repaired
			}
			return out, err
		})
}

// checkup examines, and repairs if it is told to. location is where the names came from.
func (a *API) checkup(ctx context.Context, repair bool, only []string, location string) (checkup.Outcome, error) {
	if err := checkup.CheckNames(only); err != nil {
		p := problem(CodeInvalid, err.Error())
		p.Errors = []Detail{{Location: location, Message: "must be codes of findings, or CODE:SUBJECT"}}
		return checkup.Outcome{}, p
	}
	free, err := a.examining.take("examinations")
	if err != nil {
		return checkup.Outcome{}, err
	}
	defer free()
	return checkup.Run(ctx, a.s, repair, only, &checkup.Options{DrainBarrier: a.opt.Defaults.DrainBarrier})
}
