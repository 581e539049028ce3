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

type movePath struct {
	Move string `path:"move" maxLength:"64"`
}

type movesInput struct {
	PageQuery
	Active bool   `query:"active" doc:"Only moves that have not flipped, aborted or failed."`
	Tenant string `query:"tenant" doc:"Only moves of this tenant."`
	Wave   string `query:"wave" doc:"Only moves of this wave."`
}

type moveOutput struct{ Body control.MoveView }

type receiptOutput struct{ Body control.Receipt }

// moveReaders are the operations that read moves.
func (a *API) moveReaders() {
	handle(a, huma.Operation{OperationID: "listMoves", Method: http.MethodGet, Path: "/moves", Tags: []string{"moves"}, Summary: "List moves, newest first"},
		Viewer, a.listMoves)
	handle(a, huma.Operation{OperationID: "getMove", Method: http.MethodGet, Path: "/moves/{move}", Tags: []string{"moves"}, Summary: "Get a move: its record, how far it is, what it waits for, and whether it can be rolled back"},
		Viewer, a.getMove)
	handle(a, huma.Operation{OperationID: "getReceipt", Method: http.MethodGet, Path: "/moves/{move}/receipt", Tags: []string{"moves"}, Summary: "Get the receipt of a move that has flipped"},
		Viewer, a.getReceipt)
}

func (a *API) listMoves(ctx context.Context, in *movesInput) (*pageOutput[control.Move], error) {
	return newest(ctx, control.Moves(a.s), in.PageQuery, func(r store.Record[control.Move]) bool {
		m := r.Value
		return (!in.Active || !m.Settled()) && (in.Tenant == "" || string(m.Partition) == in.Tenant) && (in.Wave == "" || m.Wave == in.Wave)
	})
}

// newest is a page of records whose names sort by age, the newest first.
func newest[T any](ctx context.Context, records store.Records[T], q PageQuery, keep func(store.Record[T]) bool) (*pageOutput[T], error) {
	before, err := q.after()
	if err != nil {
		return nil, err
	}
	all, more, unreadable, err := records.Newest(ctx, before, q.Limit, keep)
	if err != nil {
		return nil, err
	}
	out := &pageOutput[T]{Body: page[T]{Items: make([]T, 0, len(all)), Unreadable: unreadable}}
	for _, r := range all {
		out.Body.Items = append(out.Body.Items, r.Value)
	}
	if more {
		out.Body.Next = cursorOf(all[len(all)-1].Name)
	}
	return out, nil
}

func (a *API) move(ctx context.Context, id string) (control.Move, error) {
	r, err := control.Moves(a.s).Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return control.Move{}, fmt.Errorf("%w %q", control.ErrUnknownMove, id)
	}
	return r.Value, err
}

func (a *API) getMove(ctx context.Context, in *movePath) (*moveOutput, error) {
	m, err := a.move(ctx, in.Move)
	if err != nil {
		return nil, err
	}
	v, err := control.ViewMove(ctx, a.s, m)
	return &moveOutput{v}, err
}

func (a *API) getReceipt(ctx context.Context, in *movePath) (*receiptOutput, error) {
	m, err := a.move(ctx, in.Move)
	if err != nil {
		return nil, err
	}
	if m.Receipt == nil {
		return nil, problem(CodeNoReceipt, "move "+m.ID+" has no receipt; it is "+string(m.Stage))
	}
	return &receiptOutput{*m.Receipt}, nil
}
