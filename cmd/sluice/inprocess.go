package main

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// inProcess hands requests to a handler of this process, as a network would: the answer's
// header first, then its body as it is written.
type inProcess struct {
	handler http.Handler
	running sync.WaitGroup
}

// RoundTrip implements http.RoundTripper.
func (t *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	read, write := io.Pipe()
	w := &answering{header: http.Header{}, body: write, begun: make(chan struct{})}
	// The handler alone writes to w, and it closes begun when it changes nothing of status
	// and sent any more; this goroutine reads them only after that.
	t.running.Go(func() {
		t.handler.ServeHTTP(w, in)
		w.WriteHeader(http.StatusOK)
		_ = write.Close()
		_ = in.Body.Close()
	})
	select {
	case <-w.begun:
		return &http.Response{
			Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: w.sent, Body: read, ContentLength: -1, Request: r,
		}, nil
	case <-r.Context().Done():
		_ = read.Close() // whatever the handler still writes goes nowhere
		return nil, context.Cause(r.Context())
	}
}

// wait returns when no handler runs any more: a change that was begun is ended, although
// nobody waits for its answer, so that the audit log says what came of it.
func (t *inProcess) wait() { t.running.Wait() }

// answering is a http.ResponseWriter.
type answering struct {
	header, sent http.Header
	status       int
	body         *io.PipeWriter
	begun        chan struct{}
}

func (w *answering) Header() http.Header { return w.header }

func (w *answering) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.status, w.sent = status, w.header.Clone()
	close(w.begun)
}

func (w *answering) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}

// Flush implements http.Flusher: nothing is held back.
func (w *answering) Flush() { w.WriteHeader(http.StatusOK) }
