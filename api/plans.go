package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// planRequest says which tenants are to move. Nothing of it is written.
type planRequest struct {
	_         struct{}          `additionalProperties:"false"`
	AllFrom   string            `json:"all_from,omitempty" doc:"Every tenant of this cluster."`
	Labels    control.Labels    `json:"labels,omitempty" doc:"Every tenant with all of these labels."`
	Rebalance bool              `json:"rebalance,omitempty" doc:"Even the clusters out with few moves."`
	Items     []waveItemRequest `json:"items,omitempty" maxItems:"100000" doc:"These tenants."`
	To        []string          `json:"to,omitempty" doc:"With all_from, labels and unpack: the clusters to move to; the one with the least gets the next."`
	Among     []string          `json:"among,omitempty" doc:"With rebalance: these clusters only; none: all."`
	Tolerance *float64          `json:"tolerance,omitempty" minimum:"0" doc:"With rebalance: how far from the mean is even enough (0.05)."`
	By        control.LoadUnit  `json:"by,omitempty" enum:"docs,bytes,requests" doc:"What clusters are compared by (docs); with items and without it, no cluster is asked."`
	Sample    *time.Duration    `json:"sample,omitempty" minimum:"0" maximum:"300000000000" doc:"Nanoseconds in which requests are counted (10 s)."`
	Pack      *packRequest      `json:"pack,omitempty" doc:"Move the small tenants among all_from or labels into a shared index."`
	Unpack    *unpackRequest    `json:"unpack,omitempty" doc:"Move tenants that have outgrown a shared index into indices of their own."`
}

type packRequest struct {
	_              struct{} `additionalProperties:"false"`
	Index          string   `json:"index" doc:"Of the one cluster in to, or of all_from."`
	PartitionField string   `json:"partition_field,omitempty" doc:"That tells the tenants of the index apart; that of those which are there unless given."`
	TenantLimit    float64  `json:"tenant_limit" minimum:"0" doc:"A tenant with more, of what by says, is left alone."`
	PoolLimit      float64  `json:"pool_limit,omitempty" minimum:"0" doc:"What the index may hold in all; 0: no limit."`
}

type unpackRequest struct {
	_           struct{} `additionalProperties:"false"`
	Index       string   `json:"index"`
	TenantLimit *float64 `json:"tenant_limit,omitempty" minimum:"0" doc:"A tenant with no more is left alone; absent: all leave."`
}

type planInput struct{ Body planRequest }

type planOutput struct{ Body control.WavePlan }

// planReaders are the operations that say what a wave would do.
func (a *API) planReaders() {
	handle(a, huma.Operation{OperationID: "planWave", Method: http.MethodPost, Path: "/waves/plan", Tags: []string{"waves"}, MaxBodyBytes: 64 << 20,
		Summary: "Say which tenants would move where, and what that makes of each cluster; change nothing"}, Operator, a.planWave)
	handle(a, huma.Operation{OperationID: "planWaveRollback", Method: http.MethodGet, Path: "/waves/{wave}/rollback", Tags: []string{"waves"},
		Summary: "Say which tenants of a wave would go back to their old copies, and which would not and why"},
		Viewer, func(ctx context.Context, in *WavePath) (*planOutput, error) {
			_, p, err := control.PlanWaveRollback(ctx, a.s, in.Wave)
			return &planOutput{p}, err
		})
}

// check refuses what does not belong together: a plan is made from one thing.
func (r planRequest) check() error {
	bad := func(field, fix string) error { return &placement.InvalidError{Field: field, Value: "", Fix: fix} }
	given := 0
	for _, is := range []bool{r.AllFrom != "", len(r.Labels) > 0, r.Rebalance, len(r.Items) > 0} {
		if is {
			given++
		}
	}
	among := r.AllFrom != "" || len(r.Labels) > 0
	switch {
	case given > 1 || given == 0 && r.Unpack == nil:
		return bad("all_from", "must be given, or one of labels, rebalance and items, and no two of them")
	case r.Pack != nil && (r.Unpack != nil || !among), r.Unpack != nil && given == 1 && !among:
		return bad("pack", "must come with all_from or labels, and without unpack; unpack may come with them, or alone")
	case len(r.To) > 0 && !among && r.Unpack == nil:
		return bad("to", "must be left out but with all_from, labels and unpack")
	case len(r.Among) > 0 && !r.Rebalance:
		return bad("among", "must be left out but with rebalance")
	}
	return r.Labels.Validate()
}

func (a *API) planWave(ctx context.Context, in *planInput) (*planOutput, error) {
	r := in.Body
	if err := r.check(); err != nil {
		return nil, err
	}
	if r.By == "" && len(r.Items) == 0 {
		r.By = control.LoadDocs
	}
	sample := 10 * time.Second
	if r.Sample != nil {
		sample = *r.Sample
	}
	l, err := control.ReadLoads(ctx, a.s, r.By, sample)
	if err != nil {
		return nil, err
	}
	chosen := func(t control.TenantLoad) bool { return r.AllFrom == "" || t.Cluster == r.AllFrom }
	if len(r.Labels) > 0 {
		of, err := control.AllLabels(ctx, a.s)
		if err != nil {
			return nil, err
		}
		chosen = func(t control.TenantLoad) bool { return of[t.Partition].Matches(r.Labels) }
	}
	p, err := r.plan(l, chosen)
	return &planOutput{p}, err
}

func (r planRequest) plan(l control.Loads, chosen func(control.TenantLoad) bool) (control.WavePlan, error) {
	switch {
	case r.Unpack != nil:
		above := -1.0
		if r.Unpack.TenantLimit != nil {
			above = *r.Unpack.TenantLimit
		}
		return control.PlanUnpack(l, chosen, control.UnpackRequest{Pool: r.Unpack.Index, Above: above, To: r.To})
	case r.Pack != nil:
		to := r.To
		if len(to) == 0 && r.AllFrom != "" {
			to = []string{r.AllFrom}
		}
		if len(to) != 1 {
			return control.WavePlan{}, &placement.InvalidError{Field: "to", Value: "", Fix: "must name the one cluster that has the shared index"}
		}
		return control.PlanPack(l, chosen, control.PackRequest{Cluster: to[0], Pool: r.Pack.Index, Field: r.Pack.PartitionField, Tenant: r.Pack.TenantLimit, Total: r.Pack.PoolLimit})
	case r.AllFrom != "":
		return control.PlanAllFrom(l, r.AllFrom, r.To)
	case len(r.Labels) > 0:
		return control.PlanChosen(l, chosen, r.To)
	case r.Rebalance:
		tolerance := 0.05
		if r.Tolerance != nil {
			tolerance = *r.Tolerance
		}
		return control.PlanRebalance(l, r.Among, tolerance)
	}
	to := map[placement.PartitionID]control.WaveItem{}
	for n, i := range r.Items {
		if _, twice := to[i.Tenant]; twice {
			return control.WavePlan{}, &placement.InvalidError{Field: "items", Value: string(i.Tenant), Fix: "must name each tenant once"}
		}
		item := i.control()
		item.N = n
		to[i.Tenant] = item
	}
	return control.PlanMoves(l, to)
}

type rollbackWaveInput struct {
	Change
	Wave string `path:"wave" maxLength:"64"`
	Body *struct {
		_               struct{}       `additionalProperties:"false"`
		Limits          givenLimits    `json:"limits,omitempty" doc:"Those of the wave unless given."`
		PauseBudget     *time.Duration `json:"pause_budget,omitempty" doc:"Nanoseconds; that of the wave unless given."`
		CutoverDeadline *time.Duration `json:"cutover_deadline,omitempty" doc:"Nanoseconds; that of the wave unless given."`
		Paused          bool           `json:"paused,omitempty" doc:"Begin nothing until it is resumed."`
	}
}

// rollbackWave begins a wave that takes the tenants of another back, the last first.
func (a *API) rollbackWave(ctx context.Context, in *rollbackWaveInput, d *deed) (control.Wave, error) {
	d.target = "wave/" + in.Wave
	w, p, err := control.PlanWaveRollback(ctx, a.s, in.Wave)
	if err != nil {
		return w, err
	}
	d.before = w
	if len(p.Items) == 0 {
		return w, problem(CodeNoWayBack, "no tenant of wave "+in.Wave+" can go back")
	}
	r := control.WaveRequest{ID: d.id, Plan: "rollback of " + in.Wave, Items: p.Items, Limits: w.Limits,
		Options: control.MoveOptions{PauseBudget: w.Options.PauseBudget, CutoverDeadline: w.Options.CutoverDeadline, DrainBarrier: a.opt.Defaults.DrainBarrier}}
	if b := in.Body; b != nil {
		g := b.Limits.control()
		for _, f := range []struct{ to, from *int }{{&r.Limits.AtOnce, &g.AtOnce}, {&r.Limits.PerSource, &g.PerSource}, {&r.Limits.PerTarget, &g.PerTarget}, {&r.Limits.StopAfter, &g.StopAfter}} {
			if *f.from != 0 {
				*f.to = *f.from
			}
		}
		if b.PauseBudget != nil {
			r.Options.PauseBudget = *b.PauseBudget
		}
		if b.CutoverDeadline != nil {
			r.Options.CutoverDeadline = *b.CutoverDeadline
		}
		r.Paused = b.Paused
	}
	return control.RequestWave(ctx, a.s, r)
}
