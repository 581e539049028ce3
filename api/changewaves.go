package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

type waveItemRequest struct {
	_      struct{}              `additionalProperties:"false"`
	Tenant placement.PartitionID `json:"tenant" minLength:"1" maxLength:"256"`
	To     string                `json:"to" doc:"The cluster to move to."`
	Index  string                `json:"index,omitempty" doc:"There."`
	Kind   placement.Kind        `json:"kind,omitempty" enum:"dedicated_index,dedicated_cluster,shared_index" doc:"There; the same as now unless given."`
	Field  string                `json:"partition_field,omitempty" doc:"Of a shared_index; that of its tenants unless given."`
	Back   string                `json:"back,omitempty" maxLength:"64" doc:"The move of the tenant that this one rolls back."`
}

func (i waveItemRequest) control() control.WaveItem {
	return control.WaveItem{Partition: i.Tenant, To: i.To, Index: i.Index, Kind: i.Kind, Field: i.Field, Back: i.Back}
}

// givenLimits are control.WaveLimits; what is left out is as it was, or the default.
type givenLimits struct {
	_         struct{} `additionalProperties:"false"`
	AtOnce    int      `json:"at_once,omitempty" doc:"Moves in all (4)."`
	PerSource int      `json:"per_source,omitempty" doc:"Moves from one cluster (2)."`
	PerTarget int      `json:"per_target,omitempty" doc:"Moves to one cluster (2)."`
	StopAfter int      `json:"stop_after,omitempty" doc:"Failures that stop the wave (1); -1: none does."`
}

func (l givenLimits) control() control.WaveLimits {
	return control.WaveLimits{AtOnce: l.AtOnce, PerSource: l.PerSource, PerTarget: l.PerTarget, StopAfter: l.StopAfter}
}

type requestWaveInput struct {
	Change
	Body struct {
		_       struct{}          `additionalProperties:"false"`
		Items   []waveItemRequest `json:"items" minItems:"1" maxItems:"100000" doc:"In the order in which they begin."`
		Plan    string            `json:"plan,omitempty" maxLength:"256" doc:"What it was made from, for people."`
		Limits  givenLimits       `json:"limits,omitempty"`
		Windows []givenWindow     `json:"windows,omitempty" doc:"When moves may begin; none: always."`
		Options *givenOptions     `json:"options,omitempty" doc:"Of each move."`
		Paused  bool              `json:"paused,omitempty" doc:"Begin nothing until it is resumed."`
	}
}

type waveInput struct {
	Change
	Wave string `path:"wave" maxLength:"64"`
}

type setWaveInput struct {
	Change
	Wave string `path:"wave" maxLength:"64"`
	Body givenLimits
}

type retireWaveInput struct {
	Change
	Wave string `path:"wave" maxLength:"64"`
	Body *retireBody
}

// waveChanges are the operations that ask for waves, and change them.
func (a *API) waveChanges() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Tags: []string{"waves"}, Summary: summary}
	}
	created := op("requestWave", http.MethodPost, "/waves", "Begin a wave: many moves as one piece of work; controllers do it")
	created.DefaultStatus, created.MaxBodyBytes = http.StatusCreated, 64<<20
	change(a, created, Operator, control.NewWaveID, a.requestWave)
	back := op("rollbackWave", http.MethodPost, "/waves/{wave}/rollback", "Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave")
	back.DefaultStatus = http.StatusCreated
	change(a, back, Operator, control.NewWaveID, a.rollbackWave)
	change(a, op("setWave", http.MethodPatch, "/waves/{wave}", "Change the limits of a wave"), Operator, nil, func(ctx context.Context, in *setWaveInput, d *deed) (control.Wave, error) {
		l := in.Body.control()
		if l == (control.WaveLimits{}) {
			return control.Wave{}, problem(CodeInvalid, "the body changes nothing: give at least one limit")
		}
		return a.onWave(ctx, in.Wave, d, func() (control.Wave, error) { return control.RequestWaveLimits(ctx, a.s, in.Wave, l) })
	})
	for _, x := range []struct {
		op huma.Operation
		to control.WaveState
	}{
		{op("pauseWave", http.MethodPost, "/waves/{wave}/pause", "Begin no more moves; those under way go on"), control.WavePaused},
		{op("resumeWave", http.MethodPost, "/waves/{wave}/resume", "Go on with a wave that was paused, or that has stopped for its failures"), control.WaveRunning},
		{op("abortWave", http.MethodPost, "/waves/{wave}/abort", "Begin no more moves, and abort those that have not flipped"), control.WaveAborting},
	} {
		change(a, x.op, Operator, nil, func(ctx context.Context, in *waveInput, d *deed) (control.Wave, error) {
			return a.onWave(ctx, in.Wave, d, func() (control.Wave, error) { return control.RequestWaveState(ctx, a.s, in.Wave, x.to) })
		})
	}
	change(a, op("retireWave", http.MethodPost, "/waves/{wave}/retire", "Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it"),
		Operator, nil, func(ctx context.Context, in *retireWaveInput, d *deed) ([]control.WaveRetire, error) {
			d.target = "wave/" + in.Wave
			if _, err := control.WaveByID(ctx, a.s, in.Wave); err != nil {
				return nil, err
			}
			return control.RequestWaveRetire(ctx, a.s, in.Wave, in.Body.request())
		})
}

// onWave notes what a wave was before it is changed.
func (a *API) onWave(ctx context.Context, id string, d *deed, do func() (control.Wave, error)) (control.Wave, error) {
	d.target = "wave/" + id
	w, err := control.WaveByID(ctx, a.s, id)
	if err != nil {
		return w, err
	}
	d.before = w
	return do()
}

func (a *API) requestWave(ctx context.Context, in *requestWaveInput, d *deed) (control.Wave, error) {
	d.target = "wave/" + d.id
	o, err := in.Body.Options.over(a.opt.Defaults)
	if err != nil {
		return control.Wave{}, err
	}
	r := control.WaveRequest{ID: d.id, Plan: in.Body.Plan, Limits: in.Body.Limits.control(), Options: o, Paused: in.Body.Paused}
	for _, w := range in.Body.Windows {
		r.Windows = append(r.Windows, w.control())
	}
	for _, i := range in.Body.Items {
		r.Items = append(r.Items, i.control())
	}
	return control.RequestWave(ctx, a.s, r)
}
