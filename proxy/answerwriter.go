package proxy

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// answerWriter is where a request is answered. It counts what is sent, and asks the
// client to connect anew when the instance leaves.
type answerWriter struct {
	http.ResponseWriter
	leaving *atomic.Bool // nil: it does not leave
	bytes   int64        // of the body
	begun   bool
}

func (w *answerWriter) WriteHeader(status int) {
	if !w.begun && status >= 200 {
		w.begun = true
		if w.leaving != nil && w.leaving.Load() {
			w.Header().Set("Connection", "close") // a server of HTTP/2 makes a GOAWAY of it
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *answerWriter) Write(b []byte) (int, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// copies are buffers to copy answers with: one that is made for each costs more than
// everything else that a small answer takes.
//
// What has been written to a client goes back only if all its writes succeeded: that of
// HTTP/2 returns when the client resets its stream, and what it was given may still be on
// its way to that client's connection. In a buffer that is used again, that would be
// another request's answer.
var copies = sync.Pool{New: func() any { b := make([]byte, 32<<10); return &b }}

// ReadFrom copies a body.
func (w *answerWriter) ReadFrom(r io.Reader) (int64, error) {
	if !w.begun {
		w.WriteHeader(http.StatusOK)
	}
	buf := copies.Get().(*[]byte)
	n, err := io.CopyBuffer(w.ResponseWriter, r, *buf)
	if err == nil {
		copies.Put(buf)
	}
	w.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (w *answerWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
