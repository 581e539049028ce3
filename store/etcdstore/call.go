package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// ErrClosed is what every call returns, wrapped, after Close. A write that
// returns it may have taken effect if it was under way.
var ErrClosed = catalog.New("store_client_closed", "the etcd client is closed")

// Pauses between attempts: doubled from the first to the last, with jitter, so
// that many clients do not come back at the same moment.
const (
	firstPause = 10 * time.Millisecond
	lastPause  = time.Second
)

// bound gives a call without a deadline the default one, so that nothing hangs
// when etcd is down.
func (s *Store) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.timeout)
}

// call runs one step against etcd, and again after an error of which again says
// so, until the context ends. The error that it returns says what was being
// done, and holds the context's error if that is the reason.
func (s *Store) call(ctx context.Context, doing string, again func(error) bool, step func(context.Context) error) error {
	caller := ctx
	ctx, cancel := s.bound(ctx)
	defer cancel()
	var why note
	ctx = context.WithValue(ctx, noteKey{}, &why)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := s.alive(ctx)
		if err == nil {
			err = step(ctx)
		}
		switch {
		case err == nil:
			return nil
		case errors.Is(s.alive(context.Background()), ErrClosed):
			return fmt.Errorf("etcd: %s: %w", doing, ErrClosed)
		case caller.Err() != nil:
			return fmt.Errorf("etcd: %s: %w", doing, why.explain(caller.Err()))
		case ctx.Err() != nil:
			return fmt.Errorf("etcd: %s: no answer within %v: %w", doing, s.timeout, why.explain(err))
		case !again(err):
			return fmt.Errorf("etcd: %s: %w", doing, why.explain(err))
		}
		s.sleep(ctx, pause)
	}
}

// patience is how long a member has at least to answer what can be asked again.
const patience = 500 * time.Millisecond

// ask is a call of what may be asked any number of times. A member that does not
// answer, frozen or cut off, must not be given all the time that there is: the
// client takes the members in turn, so after a third of what is left the next is
// asked.
func (s *Store) ask(ctx context.Context, doing string, step func(context.Context) error) error {
	return s.call(ctx, doing, transient, func(ctx context.Context) error {
		limit := patience
		if end, ok := ctx.Deadline(); ok {
			limit = max(limit, time.Until(end)/3)
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		return step(ctx)
	})
}

// alive is nil unless the context has ended or the store is closed.
func (s *Store) alive(ctx context.Context) error {
	select {
	case <-s.done:
		return ErrClosed
	default:
		return ctx.Err()
	}
}

// sleep waits about that long, or for the context's or the store's end.
func (s *Store) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d/2 + rand.N(d))
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-s.done:
	}
}

// refused reports whether the member rejected a request before anything of it
// took effect, for a reason that passes: the client's token had expired, or the
// users and roles changed between its check and its turn (etcd checks again
// there, before it executes). Only such a write may be sent again.
func refused(err error) bool {
	return errors.Is(err, rpctypes.ErrInvalidAuthToken) || errors.Is(err, rpctypes.ErrUserEmpty) || errors.Is(err, rpctypes.ErrAuthOldRevision)
}

// transient reports whether it makes sense to ask again what may be asked twice.
func transient(err error) bool {
	if refused(err) {
		return true
	}
	switch code(err) {
	case codes.Unavailable, codes.Internal, codes.Unknown, codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.ResourceExhausted:
		return true // the context's own end is looked at before
	}
	return false
}

func code(err error) codes.Code {
	var e rpctypes.EtcdError
	if errors.As(err, &e) {
		return e.Code()
	}
	return status.Code(err)
}

// note keeps the last error of a call as gRPC gave it: when a deadline passes,
// the client library reports the deadline alone and not, for example, that the
// connection was refused.
type note struct{ last atomic.Pointer[error] }

type noteKey struct{}

func takeNote(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := invoke(ctx, method, req, reply, cc, opts...)
	if n, ok := ctx.Value(noteKey{}).(*note); ok && err != nil {
		n.last.Store(&err)
	}
	return err
}

// explain adds what was noted to an error that does not say it.
func (n *note) explain(err error) error {
	last := n.last.Load()
	if last == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w (%s)", err, status.Convert(*last).Message())
}
