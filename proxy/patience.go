package proxy

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of Patience.
const (
	DefaultClientStall = 30 * time.Second
	DefaultClientRate  = 1 << 10 // bytes a second
)

// Patience bounds how slowly a client may send a body and read an answer, so that
// clients that trickle do not hold room for ever. A body or an answer may be as long
// as it likes: only the time that is spent waiting for the client counts.
type Patience struct {
	// Stall is the longest wait for the client to send or take anything (default
	// DefaultClientStall).
	Stall time.Duration
	// Rate is what the client must send or take on the average, in bytes a second,
	// once it has been waited for as long as Stall (default DefaultClientRate).
	Rate int64
}

// Handler returns h with its clients' patience bounded. A body that is too slow fails
// with os.ErrDeadlineExceeded; an answer that is not taken is broken off.
func (p Patience) Handler(h http.Handler) http.Handler {
	if p.Stall <= 0 {
		p.Stall = DefaultClientStall
	}
	if p.Rate <= 0 {
		p.Rate = DefaultClientRate
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		out := &slowWriter{ResponseWriter: w, rc: rc, budget: budget{p: p}}
		// What the connection's last answer left must not end this one.
		_ = rc.SetWriteDeadline(time.Time{}) // a writer that cannot be bounded, as in tests
		// When the handler has returned, the server reads the rest of the body, for as
		// long as Stall, and then sends what it has buffered.
		defer func() { _ = rc.SetWriteDeadline(time.Now().Add(2 * p.Stall)) }()
		if r.Body != nil && r.Body != http.NoBody {
			in := &slowBody{ReadCloser: r.Body, rc: rc, budget: budget{p: p}}
			// The server itself reads what the handler leaves of a body, to use the
			// connection again: of one that was refused before it was read, too.
			in.deadline(time.Now().Add(p.Stall))
			defer in.end()
			r = r.WithContext(r.Context()) // a copy
			r.Body = in
		}
		h.ServeHTTP(out, r)
	})
}

// budget is how long a client may still be waited for. Each byte earns some time, a
// wait uses it up, and no wait is longer than Stall.
type budget struct {
	p      Patience
	bytes  int64
	waited time.Duration
}

// left is when the next wait must have ended.
func (b *budget) left(now time.Time) time.Time {
	earned := time.Duration(float64(b.bytes) / float64(b.p.Rate) * float64(time.Second))
	return now.Add(min(b.p.Stall, max(b.p.Stall+earned-b.waited, 0)))
}

// took counts a wait.
func (b *budget) took(n int, since time.Time) {
	b.bytes += int64(n)
	b.waited += time.Since(since)
}

// slowBody is a body with a deadline for each read.
type slowBody struct {
	io.ReadCloser
	rc     *http.ResponseController
	budget budget
	over   atomic.Bool // it was read to its end, or failed: its deadline stays as it is

	mu    sync.Mutex // guards ended, and the deadline of a connection that may be another request's by now
	ended bool
}

// Read implements io.Reader.
func (b *slowBody) Read(p []byte) (int, error) {
	now := time.Now()
	b.deadline(b.budget.left(now))
	n, err := b.ReadCloser.Read(p)
	b.budget.took(n, now)
	if err != nil {
		b.over.Store(true)
	}
	if err == io.EOF {
		// The server goes on reading, to see when the client goes away.
		b.deadline(time.Time{})
	}
	return n, err
}

func (b *slowBody) deadline(t time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.ended {
		_ = b.rc.SetReadDeadline(t) // as above
	}
}

// end says that the handler has returned: what still reads on its behalf touches the
// connection no more.
func (b *slowBody) end() {
	if !b.over.Load() {
		b.deadline(time.Now().Add(b.budget.p.Stall))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
}

// slowWriter is an answer with a deadline for each write.
type slowWriter struct {
	http.ResponseWriter
	rc     *http.ResponseController
	budget budget
}

// piece is what is written under one deadline, in bytes.
const piece = 64 << 10

// Write implements http.ResponseWriter.
func (w *slowWriter) Write(p []byte) (n int, err error) {
	for first := true; first || n < len(p); first = false {
		now := time.Now()
		_ = w.rc.SetWriteDeadline(w.budget.left(now)) // as above
		m, err := w.ResponseWriter.Write(p[n:min(len(p), n+piece)])
		w.budget.took(m, now)
		if n += m; err != nil {
			return n, err
		}
	}
	return n, nil
}

// Unwrap lets an http.ResponseController reach the connection.
func (w *slowWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
