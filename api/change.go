package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/sluiceproxy/sluice/store"
)

// A change goes through these steps, each of which is written before the next begins:
//
//  1. With an Idempotency-Key it is claimed (replay.go), so that it is done once.
//  2. The audit log says what is intended (audit.go), so that nothing is done unseen.
//  3. It is done, by package control.
//  4. The audit log says what came of it, and the claim what was answered.
//
// A write of unknown outcome in 1 or 2 is read back; what cannot be told is an error, and
// nothing was done. One in 4 is logged, and changes nothing of the answer: the audit log
// then says "intended" for ever, and whoever repeats the key has it done again, by the same
// id, which the first time has used. A client that goes away changes nothing.

// changeTime bounds a change, and concludeTime the writing of what came of it. Both are far
// below patience, after which somebody else may take over what it has claimed.
const (
	changeTime   = 30 * time.Second
	concludeTime = 10 * time.Second
)

// Change is what every operation takes that changes something.
type Change struct {
	IdempotencyKey string `header:"Idempotency-Key" minLength:"1" maxLength:"128" doc:"A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422."`
}

func (c Change) key() string { return c.IdempotencyKey }

// Resolve refuses a key that is there and empty, which the library takes for none: whoever
// sends it means to be safe from doing a thing twice, and would not be.
func (c *Change) Resolve(ctx huma.Context) []error {
	r, _ := humago.Unwrap(ctx)
	if values := r.Header.Values("Idempotency-Key"); len(values) > 1 || len(values) == 1 && values[0] == "" {
		return []error{&huma.ErrorDetail{Location: "header.Idempotency-Key", Message: "must be one, of 1 to 128 characters"}}
	}
	return nil
}

type keyed interface{ key() string }

// deed is one execution of a change.
type deed struct {
	id     string // of a record that it creates: the same when it is repeated
	again  bool   // it was begun before, and what came of it is not known
	target string // what it is about, such as tenant/acme
	before any    // what that was; nil: nothing, or of no use
	after  any    // what it is where the change has failed on its way; nil: not known
	// client ends when the client has gone. It is for what may take longer than changeTime, and
	// can end early: somebody else may do it at the same time.
	client context.Context
}

type reply[T any] struct {
	Status   int
	Replayed string `header:"Idempotency-Replayed" doc:"true: the answer to an earlier request with the same key."`
	Body     T
}

// change adds an operation that changes something. newID is for a record that it
// creates; nil: it creates none.
func change[I keyed, T any](a *API, op huma.Operation, role Role, newID func() string, do func(context.Context, *I, *deed) (T, error)) {
	a.prepare(&op, role)
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = 1 << 20
	}
	op.Middlewares = huma.Middlewares{fingerprinted(op.MaxBodyBytes)}
	status := op.DefaultStatus
	if status == 0 {
		status = http.StatusOK
	}
	name := op.OperationID
	huma.Register(a.huma, op, func(client context.Context, in *I) (*reply[T], error) {
		// Whether the client waits for it or not.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(client), changeTime)
		defer cancel()
		out := &reply[T]{Status: status}
		d := &deed{client: client}
		if newID != nil {
			d.id = newID()
		}
		c, done, err := a.claim(ctx, (*in).key(), d.id)
		if err != nil {
			return nil, a.problemOf(ctx, err)
		}
		if done != nil {
			out.Replayed = "true"
			if done.Problem != nil {
				p := *done.Problem
				p.Instance = instance(ctx)
				return nil, huma.ErrorWithHeaders(&p, http.Header{"Idempotency-Replayed": {"true"}})
			}
			return out, json.Unmarshal(done.Body, &out.Body)
		}
		if c != nil {
			d.id, d.again = c.value.ID, c.value.Begun > 1
		}
		e, err := a.intend(ctx, name)
		if err != nil {
			a.release(ctx, c)
			return nil, a.problemOf(ctx, err)
		}
		out.Body, err = do(ctx, in, d)
		if ctx.Err() != nil { // however long it took
			ctx, cancel = context.WithTimeout(context.WithoutCancel(client), concludeTime)
			defer cancel()
		}
		if err != nil {
			p := a.changeProblem(ctx, err)
			a.conclude(ctx, e, d, d.after, p)
			if p.unknown() || p.Retryable || p.Status >= http.StatusInternalServerError { // repeated, it may succeed
				a.release(ctx, c)
			} else {
				a.finish(ctx, c, nil, p)
			}
			return nil, p
		}
		a.conclude(ctx, e, d, out.Body, nil)
		a.finish(ctx, c, out.Body, nil)
		return out, nil
	})
}

// changeProblem is the problem of a change that failed. One that says nothing about the
// outcome is not retryable as it is: see CodeOutcomeUnknown.
func (a *API) changeProblem(ctx context.Context, err error) *Problem {
	p := a.problemOf(ctx, err)
	if p.Code == CodeStoreUnavailable || p.Code == CodeTimeout {
		p = problem(CodeOutcomeUnknown, p.Detail)
		p.Instance = instance(ctx)
	}
	return p
}

// unknown reports whether a change that failed with it may have been done.
func (p *Problem) unknown() bool { return p.Code == CodeOutcomeUnknown || p.Code == CodeInternal }

type printKey struct{}

// print is what makes a request the same as another.
type print struct {
	hash string
	body []byte
}

// fingerprinted reads the body, to know whether a request is the same as an earlier one.
func fingerprinted(most int64) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, _ := humago.Unwrap(ctx)
		body, err := io.ReadAll(io.LimitReader(r.Body, most+1)) // one that is longer is refused by whoever decodes it
		r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), failing{err}))
		h := sha256.New()
		for _, part := range []string{r.Method, r.URL.RequestURI(), r.Header.Get("If-Match"), string(body)} {
			_, _ = io.WriteString(h, hex.EncodeToString([]byte(part))+"\n") // never fails
		}
		next(huma.WithValue(ctx, printKey{}, print{hex.EncodeToString(h.Sum(nil)), body}))
	}
}

// failing ends a body with the error that reading it ended with.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

func printOf(ctx context.Context) print {
	p, _ := ctx.Value(printKey{}).(print)
	return p
}

// settled writes a record that nobody else writes at this moment, and reads it back when
// the outcome is not known. same tells whether what is there is what was to be written.
func settled[T any](ctx context.Context, r store.Records[T], name string, value T, expect store.Record[T], same func(T) bool) (store.Record[T], error) {
	v, err := r.Put(ctx, name, value, expect.Version)
	if err == nil {
		return store.Record[T]{Name: name, Version: v, Value: value}, nil
	}
	if errors.Is(err, store.ErrConflict) {
		return store.Record[T]{}, err
	}
	now, rerr := r.Get(ctx, name)
	if rerr == nil && same(now.Value) {
		return now, nil
	}
	return store.Record[T]{}, err
}
