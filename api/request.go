package api

import (
	"context"
	"crypto/rand"
	"strings"
)

type requestKey struct{}

// newRequest gives the request an id: its client's, if that can be one.
func newRequest(ctx context.Context, id string) context.Context {
	if id == "" || len(id) > 64 || strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_' && r != '.'
	}) {
		id = rand.Text()
	}
	return context.WithValue(ctx, requestKey{}, id)
}

// requestOf is the request's id.
func requestOf(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// instance is the request as a problem names it.
func instance(ctx context.Context) string {
	if id := requestOf(ctx); id != "" {
		return "urn:sluice:request:" + id
	}
	return ""
}
