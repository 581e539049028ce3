package proxy

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/sluiceproxy/sluice/gate"
)

// recovered is deferred around a request. A panic is a mistake of this program's:
// it is counted and logged with its stack, the request's ticket is ended as what
// it may have become, so that no move waits for it for ever, and the client is told.
func (q *request) recovered() {
	v := recover()
	if v == nil {
		return
	}
	sent := q.ticket != nil && q.ticket.Abandon()
	if v == http.ErrAbortHandler {
		panic(v) // refuse breaks a connection off by it
	}
	q.p.panicked(v)
	err := errPanic
	if sent {
		q.p.m.unknown.Inc()
		err = gate.ErrOutcomeUnknown
	}
	q.refuse(err)
}

var errPanic error = fail(http.StatusInternalServerError, TypeInternal, "this service failed on the request")

// panicked counts and logs. The value may quote the request, so its type is all
// that is logged of one that is no error of the runtime's.
func (p *Proxy) panicked(v any) {
	p.m.panics.Inc()
	what := fmt.Sprintf("%T", v)
	if e, ok := v.(interface {
		error
		RuntimeError()
	}); ok {
		what = e.Error()
	}
	p.log.Error("a request ended in a panic", "panic", what, "stack", string(debug.Stack()))
}

// abandoned is recovered for what goes on without its request.
func (p *Proxy) abandoned(t *gate.Ticket) {
	if v := recover(); v != nil {
		p.panicked(v)
		if t.Abandon() {
			p.m.unknown.Inc()
		}
	}
}

// caught is recovered for a part of a request in a goroutine of its own.
func (p *Proxy) caught(err *error) {
	if v := recover(); v != nil {
		p.panicked(v)
		*err = errPanic
	}
}
