package client

import (
	"context"
	"encoding/json"
	"iter"
	"mime"
	"net/http"
	"strings"
)

// maxProblem is the most bytes of a problem that are read.
const maxProblem = 1 << 20

// Error implements error: what is wrong, for people.
func (p *Problem) Error() string { return p.Detail }

// ErrorCode is its code in the catalogue of errors.
func (p *Problem) ErrorCode() string { return p.Code }

// problemOf is the error of an answer that is no success. It closes it.
func problemOf(r *http.Request, resp *http.Response) error {
	defer drain(resp.Body)
	var p Problem
	if kindOf(resp) != "application/problem+json" || json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxProblem)).Decode(&p) != nil || !strings.HasPrefix(p.Type, "urn:sluice:problem:") {
		return &NotSluiceError{URL: where(r), Status: resp.StatusCode, Reason: "its error is none of the API's"}
	}
	return &p
}

func kindOf(resp *http.Response) string {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return kind
}

// where is a request's URL without what may be long.
func where(r *http.Request) string {
	u := *r.URL
	u.RawQuery = ""
	return u.String()
}

// Read decodes the answer of an operation into a type of the caller's, and closes it. It
// takes what the operation returns: Read[T](api.GetStore(ctx)).
func Read[T any](resp *http.Response, err error) (T, error) {
	var v T
	if err != nil {
		return v, err
	}
	defer drain(resp.Body)
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		if ctx := resp.Request.Context(); ctx.Err() != nil {
			return v, context.Cause(ctx)
		}
		return v, &NotSluiceError{URL: where(resp.Request), Status: resp.StatusCode, Reason: "its answer is not what was asked for: " + err.Error()}
	}
	return v, nil
}

// Page is a stretch of a list, of items of any type.
type Page[T any] struct {
	Items []T `json:"items"`
	// Next is the cursor of the next page; empty: there is none.
	Next string `json:"next,omitempty"`
	// Unreadable counts records of this page that cannot be decoded; UnreadableBecause says
	// what is wrong with each.
	Unreadable        int      `json:"unreadable,omitempty"`
	UnreadableBecause []string `json:"unreadable_because,omitempty"`
}

// Pages are the pages of a list, which get fetches from a cursor on; the first has none.
// It ends after the first error.
func Pages[T any](get func(cursor *string) (*http.Response, error)) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		var cursor *string
		for {
			p, err := Read[Page[T]](get(cursor))
			if !yield(p, err) || err != nil || p.Next == "" {
				return
			}
			cursor = &p.Next
		}
	}
}
