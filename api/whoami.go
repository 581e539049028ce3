package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// callerView is who asks, as the API knows him.
type callerView struct {
	Name string `json:"name" doc:"With how he has proved it in front, such as token:ci; local is whoever is on the same machine and has proved nothing."`
	Role string `json:"role" enum:"viewer,operator,admin" doc:"What he may do."`
}

type callerOutput struct{ Body callerView }

// callerReaders is the operation by which a client learns what it may ask for.
func (a *API) callerReaders() {
	handle(a, huma.Operation{OperationID: "whoami", Method: http.MethodGet, Path: "/whoami", Tags: []string{"fleet"}, Summary: "Say who asks, and in which role"},
		Viewer, func(ctx context.Context, _ *struct{}) (*callerOutput, error) {
			p := principalOf(ctx)
			return &callerOutput{callerView{Name: p.Name, Role: p.Role.String()}}, nil
		})
}
