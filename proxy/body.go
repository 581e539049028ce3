package proxy

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
)

// decodeBody checks what the body is and undoes its compression, so that all
// steps see plain JSON.
func (q *request) decodeBody() error {
	if q.r.Body == nil || q.r.Body == http.NoBody {
		q.r.Body = http.NoBody
		return nil
	}
	if ct := q.r.Header.Get("Content-Type"); ct != "" && ct != "application/json" && ct != "application/x-ndjson" {
		kind, _, err := mime.ParseMediaType(ct)
		if err != nil || kind != "application/json" && kind != "application/x-ndjson" {
			return fail(http.StatusNotAcceptable, TypeBadRequest, "Content-Type header [%s] is not supported; use application/json or application/x-ndjson", ct)
		}
	}
	switch enc := strings.ToLower(q.r.Header.Get("Content-Encoding")); enc {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(q.r.Body)
		if err != nil {
			return fail(http.StatusBadRequest, TypeBadRequest, "the body is not gzip: %s", err)
		}
		q.r.Body, q.r.ContentLength = gunzipped{z, q.r.Body}, -1
	default:
		return fail(http.StatusUnsupportedMediaType, TypeBadRequest, "Content-Encoding [%s] is not supported; use gzip or none", enc)
	}
	q.r.Header.Del("Content-Encoding")
	return nil
}

type gunzipped struct {
	*gzip.Reader
	under io.Closer
}

func (g gunzipped) Close() error { return g.under.Close() }

// whole reads a body that has to be understood before it is sent.
func (q *request) whole(limit int64) ([]byte, error) {
	if q.r.Body == http.NoBody {
		return nil, nil
	}
	b, err := readAll(q.keep(http.MaxBytesReader(q.out.ResponseWriter, q.r.Body, limit), 0), min(q.r.ContentLength, roomAhead))
	if err != nil {
		return nil, bodyError(err)
	}
	return b, nil
}

// roomAhead is how much room is made for a body before it comes, in bytes: what a client
// only announces is not worth more.
const roomAhead = 16 << 10

func bodyError(err error) error {
	var big *http.MaxBytesError
	var full *apiError // a limit
	if errors.As(err, &big) || errors.As(err, &full) {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fail(http.StatusRequestTimeout, TypeSlowClient, "the body came too slowly")
	}
	return fail(http.StatusBadRequest, TypeBadRequest, "the body could not be read: %s", err)
}

// payload is a body to send: in memory, or what has been read of it and the rest.
type payload struct {
	head   []byte
	rest   io.Reader // nil: head is all
	length int64     // -1: unknown
	mime   string
	// done is set when all of rest has been read; broken when it failed before.
	done, broken atomic.Bool
}

// payload reads a body up to bufferBody. A larger one keeps streaming from the
// client while it is sent.
func (q *request) payload() (*payload, error) {
	p := &payload{mime: "application/json", length: q.r.ContentLength}
	if p.length > q.p.o.BulkBody {
		return nil, &http.MaxBytesError{Limit: q.p.o.BulkBody}
	}
	if q.r.Body == http.NoBody {
		p.length = 0
		return p, nil
	}
	body := http.MaxBytesReader(q.out.ResponseWriter, q.r.Body, q.p.o.BulkBody)
	head, err := readAll(q.keep(io.LimitReader(body, bufferBody), 0), min(p.length, roomAhead))
	if err != nil {
		return nil, bodyError(err)
	}
	p.head = head
	if len(head) < bufferBody {
		p.length = int64(len(head))
		return p, nil
	}
	p.rest = body
	return p, nil
}

func bytesPayload(b []byte, mime string) *payload {
	return &payload{head: b, length: int64(len(b)), mime: mime}
}

// repeatable reports whether open may be called again.
func (p *payload) repeatable() bool { return p.rest == nil }

// complete reports whether all of the body has been handed to the transport. If
// not, the cluster cannot have begun to act on it.
func (p *payload) complete() bool { return p.rest == nil || p.done.Load() }

// open returns the body for one attempt.
func (p *payload) open() io.ReadCloser {
	if p.rest == nil {
		if len(p.head) == 0 {
			return http.NoBody
		}
		b := &bytesBody{}
		b.Reset(p.head)
		return b
	}
	return &restBody{io.MultiReader(bytes.NewReader(p.head), &restReader{p: p, left: p.length - int64(len(p.head))}), p}
}

// bytesBody is a body in memory.
type bytesBody struct{ bytes.Reader }

// Close implements io.Closer.
func (*bytesBody) Close() error { return nil }

// restBody is a body that streams. The client's connection is not its to close.
type restBody struct {
	io.Reader
	p *payload
}

// Close implements io.Closer.
func (*restBody) Close() error { return nil }

// restReader notes how the client's part ended. The transport reads from its own
// goroutine, so the notes are atomic.
type restReader struct {
	p    *payload
	left int64 // until the declared length; negative if that is unknown
}

func (r *restReader) Read(b []byte) (int, error) {
	n, err := r.p.rest.Read(b)
	r.left -= int64(n)
	switch {
	case err == io.EOF, r.p.length >= 0 && r.left == 0:
		r.p.done.Store(true)
	case err != nil:
		r.p.broken.Store(true)
	}
	return n, err
}
