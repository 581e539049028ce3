package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// IfMatch is a precondition on a tenant.
type IfMatch struct {
	IfMatch string `header:"If-Match" doc:"An ETag of the tenant, or its epoch in quotes: anything else there is 412."`
}

type addTenantInput struct {
	Change
	Body struct {
		_              struct{}              `additionalProperties:"false"`
		Tenant         placement.PartitionID `json:"tenant" minLength:"1" maxLength:"256"`
		Cluster        string                `json:"cluster" doc:"That holds its data."`
		Kind           placement.Kind        `json:"kind,omitempty" enum:"dedicated_index,dedicated_cluster,shared_index" doc:"dedicated_index unless given."`
		Index          string                `json:"index,omitempty" doc:"Its index at the cluster, or a pattern of them with one star."`
		Logical        string                `json:"logical,omitempty" doc:"The name that clients use for the index; the same unless given."`
		PartitionField string                `json:"partition_field,omitempty" doc:"Of a shared index: the keyword field that holds the tenant of each document."`
	}
}

type removeTenantInput struct {
	Change
	TenantPath
	IfMatch
}

type labelTenantInput struct {
	Change
	TenantPath
	IfMatch
	Body struct {
		_      struct{}       `additionalProperties:"false"`
		Set    control.Labels `json:"set,omitempty" nullable:"true"`
		Remove []string       `json:"remove,omitempty" doc:"Keys."`
	}
}

// removed is the answer to a removal.
type removed struct {
	Removed string `json:"removed"`
}

// tenantChanges are the operations that change which tenants there are.
func (a *API) tenantChanges() {
	change(a, huma.Operation{OperationID: "addTenant", Method: http.MethodPost, Path: "/tenants", Tags: []string{"tenants"}, DefaultStatus: http.StatusCreated,
		Summary: "Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed"}, Admin, nil, a.addTenant)
	change(a, huma.Operation{OperationID: "removeTenant", Method: http.MethodDelete, Path: "/tenants/{tenant}", Tags: []string{"tenants"},
		Summary: "Forget a tenant that is not moving; its data is not touched"}, Admin, nil, a.removeTenant)
	change(a, huma.Operation{OperationID: "labelTenant", Method: http.MethodPatch, Path: "/tenants/{tenant}/labels", Tags: []string{"tenants"},
		Summary: "Set and remove labels of a tenant"}, Operator, nil, a.labelTenant)
}

// precondition refuses a tenant that is not as If-Match says, and returns the epoch that
// was looked at; 0: any will do.
func (a *API) precondition(ctx context.Context, m IfMatch, id placement.PartitionID) (placement.Epoch, error) {
	if m.IfMatch == "" {
		return 0, nil
	}
	t, err := a.readTenant(ctx, id)
	if err != nil {
		return 0, err
	}
	if !matches(m.IfMatch, t.ETag, fmt.Sprintf(`"%d"`, t.Body.Epoch)) {
		return 0, problem(CodePrecondition, fmt.Sprintf("tenant %q is at %s", string(id), t.ETag))
	}
	return t.Body.Epoch, nil
}

func (a *API) addTenant(ctx context.Context, in *addTenantInput, d *deed) (control.TenantView, error) {
	b := in.Body
	d.target = "tenant/" + string(b.Tenant)
	p, err := control.CompletePlacement(b.Tenant, placement.Placement{Kind: b.Kind, Cluster: b.Cluster, Index: b.Index, Logical: b.Logical, PartitionField: b.PartitionField})
	if err != nil {
		return control.TenantView{}, err
	}
	e, err := control.AddTenant(ctx, a.s, b.Tenant, p)
	if d.again && errors.Is(err, control.ErrExists) && e.State == (placement.State{From: p}) {
		err = nil // the first time has done it
	}
	return control.ViewTenant(e, nil), err
}

func (a *API) removeTenant(ctx context.Context, in *removeTenantInput, d *deed) (removed, error) {
	d.target = "tenant/" + in.Tenant
	out := removed{in.Tenant}
	t, err := a.readTenant(ctx, in.id())
	if d.again && errors.Is(err, placement.ErrUnknownPartition) {
		return out, nil
	}
	if err != nil {
		return out, control.UnknownTenant(in.Tenant, err)
	}
	d.before = t.Body
	at, err := a.precondition(ctx, in.IfMatch, in.id())
	if err != nil {
		return out, err
	}
	err = control.RemoveTenant(ctx, a.s, in.id(), at)
	if at != 0 && errors.Is(err, store.ErrConflict) {
		err = problem(CodePrecondition, err.Error())
	}
	return out, err
}

func (a *API) labelTenant(ctx context.Context, in *labelTenantInput, d *deed) (control.Labels, error) {
	d.target = "tenant/" + in.Tenant
	if _, err := a.precondition(ctx, in.IfMatch, in.id()); err != nil {
		return nil, err
	}
	before, err := control.ReadLabels(ctx, a.s, in.id())
	if err != nil {
		return nil, err
	}
	d.before = before
	now, err := control.ChangeLabels(ctx, a.s, in.id(), in.Body.Set, in.Body.Remove)
	return now, control.UnknownTenant(in.Tenant, err)
}
