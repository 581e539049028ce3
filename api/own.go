package api

import (
	"context"
	"net/http"
)

type ownKey struct{}

// HandlerAs serves the API to the very process that has made it, without a network in
// between: whoever asks is p, and shows no credentials. What comes from anywhere else must
// not reach it. An error that the API does not know is told as it is, because there is no
// log of a controller to look into.
func (a *API) HandlerAs(p Principal) http.Handler {
	h := a.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), ownKey{}, p)))
	})
}

// own is who asks from within the process; false for everybody else. A request that
// came over a network has nothing in its context.
func own(ctx context.Context) (Principal, bool) {
	p, ok := ctx.Value(ownKey{}).(Principal)
	return p, ok
}
