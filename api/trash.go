package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/store"
)

type trashInput struct{ PageQuery }

type trashOutput struct{ Body control.Trash }

type restoreInput struct {
	Change
	Move string `path:"move" maxLength:"64" doc:"That left it."`
	Body *struct {
		_        struct{} `additionalProperties:"false"`
		Writable bool     `json:"writable,omitempty" doc:"Lift the block on writes, too."`
	}
}

// trashReaders are the operations that read what was retired and can be restored.
func (a *API) trashReaders() {
	handle(a, huma.Operation{OperationID: "listTrash", Method: http.MethodGet, Path: "/trash", Tags: []string{"trash"}, Summary: "List old copies that were retired and can be restored, in the order of their moves"},
		Viewer, a.listTrash)
	handle(a, huma.Operation{OperationID: "getTrash", Method: http.MethodGet, Path: "/trash/{move}", Tags: []string{"trash"}, Summary: "Get what a move has left in the trash"},
		Viewer, func(ctx context.Context, in *movePath) (*trashOutput, error) {
			t, err := a.trash(ctx, in.Move)
			return &trashOutput{t}, err
		})
}

// trashChanges are the operations that take something out of the trash. A controller does
// it; its record is gone then.
func (a *API) trashChanges() {
	change(a, huma.Operation{OperationID: "restoreTrash", Method: http.MethodPost, Path: "/trash/{move}/restore", Tags: []string{"trash"}, Summary: "Open an old copy again, beside the tenant, under its old names"},
		Operator, nil, func(ctx context.Context, in *restoreInput, d *deed) (control.Trash, error) {
			return a.onTrash(ctx, in.Move, d, func() (control.Trash, error) {
				return control.RequestRestore(ctx, a.s, in.Move, in.Body != nil && in.Body.Writable)
			})
		})
	change(a, huma.Operation{OperationID: "purgeTrash", Method: http.MethodPost, Path: "/trash/{move}/purge", Tags: []string{"trash"}, Summary: "Delete an old copy now"},
		Operator, nil, func(ctx context.Context, in *moveInput, d *deed) (control.Trash, error) {
			return a.onTrash(ctx, in.Move, d, func() (control.Trash, error) { return control.RequestPurge(ctx, a.s, in.Move) })
		})
}

func (a *API) listTrash(ctx context.Context, in *trashInput) (*pageOutput[control.Trash], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	all, more, err := control.TrashRecords(a.s).Page(ctx, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &pageOutput[control.Trash]{Body: page[control.Trash]{Items: []control.Trash{}}}
	for _, r := range all {
		if r.Err != nil {
			out.Body.unreadable(r.Err)
			continue
		}
		out.Body.Items = append(out.Body.Items, r.Value)
	}
	if more {
		out.Body.Next = cursorOf(all[len(all)-1].Name)
	}
	return out, nil
}

func (a *API) trash(ctx context.Context, move string) (control.Trash, error) {
	r, err := control.TrashRecords(a.s).Get(ctx, move)
	if errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("move %q: %w", move, control.ErrNotInTrash)
	}
	return r.Value, err
}

// onTrash notes what was in the trash before it is changed.
func (a *API) onTrash(ctx context.Context, move string, d *deed, do func() (control.Trash, error)) (control.Trash, error) {
	d.target = "trash/" + move
	t, err := a.trash(ctx, move)
	if err != nil {
		return t, err
	}
	d.before = t
	return do()
}
