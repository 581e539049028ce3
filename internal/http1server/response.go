package http1server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

// response is the answer to one request. What a handler keeps of it beyond its return
// does nothing any more.
//
// Head and body are put together in one buffer and sent with one call, if they fit. What
// frames the body is known only when something is sent. It goes between the two, for
// which there is room: the head is moved to it.
type response struct {
	c      *conn
	life   life
	req    http.Request
	header http.Header
	body   *body // of the request; nil: it has none
	head   bool  // the request's method is HEAD
	close  bool  // the connection ends after it
	linger bool  // the client still sends

	status  int   // 0: not begun
	length  int64 // of the body, as the handler has declared it; -1: not
	written int64 // of the body
	fields  fields
	sent    bool // the head
	chunked bool
	done    atomic.Bool // the handler has returned
	err     error       // of sending
	first   []byte      // of a body that is not sent

	out   *buffer
	top   int // length of the head, at the beginning of out
	parts [3][]byte
	all   net.Buffers
}

// fields are the fields of an answer that the server looks at.
type fields struct{ date, kind, encoding bool }

// sniffed is by how many bytes a body's type is told.
const sniffed = 512

// buffer is the head, room, and a part of the body.
type buffer struct{ b []byte }

const (
	bufferSize = 16 << 10
	room       = 256 // for what frames a body: it is never longer
)

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, bufferSize)} }}

var errOver = errors.New("http1server: the request is over")

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) {
	switch {
	case w.done.Load():
		return
	case w.status != 0:
		w.c.s.logf("http1server: WriteHeader was called twice for an answer to %s", w.c.peer)
		return
	case status < 100 || status > 999:
		panic(fmt.Sprintf("invalid WriteHeader code %v", status))
	case status < 200 && status != http.StatusSwitchingProtocols:
		w.inform(status)
		return
	}
	w.status = status
	w.hold()
	w.out.b = w.appendHead(w.out.b)
	w.top = len(w.out.b)
	w.out.b = append(w.out.b, make([]byte, room)...)
}

func (w *response) hold() {
	if w.out == nil {
		w.out = buffers.Get().(*buffer)
		w.out.b = w.out.b[:0]
	}
}

// inform sends a head that is not the answer's.
func (w *response) inform(status int) {
	b := appendStatus(nil, status)
	for name, values := range w.header {
		if name != "Content-Length" && name != "Transfer-Encoding" {
			b = appendField(b, name, values)
		}
	}
	w.send(append(b, "\r\n"...), nil, nil)
}

func appendStatus(b []byte, status int) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	if text := http.StatusText(status); text != "" {
		b = append(append(b, ' '), text...)
	} else {
		b = fmt.Appendf(b, " status code %d", status)
	}
	return append(b, "\r\n"...)
}

var newlines = strings.NewReplacer("\n", " ", "\r", " ")

// appendField writes a field for each value. A name that is none is left out, and no
// value ends its line, as in net/http.
func appendField(b []byte, name string, values []string) []byte {
	if !httpguts.ValidHeaderFieldName(name) {
		return b
	}
	for _, v := range values {
		if strings.ContainsAny(v, "\r\n") {
			v = newlines.Replace(v)
		}
		b = append(append(append(b, name...), ": "...), textproto.TrimString(v)...)
		b = append(b, "\r\n"...)
	}
	return b
}

// appendHead writes the status and the fields, but for what frames the body. There are
// no trailers.
func (w *response) appendHead(b []byte) []byte {
	b = appendStatus(b, w.status)
	for name, values := range w.header {
		switch name {
		case "Content-Length":
			if len(values) > 0 && values[0] != "" {
				if n, err := strconv.ParseInt(values[0], 10, 64); err == nil && n >= 0 {
					w.length = n
				} else {
					w.c.s.logf("http1server: invalid Content-Length %q of an answer", values[0])
				}
			}
			continue
		case "Transfer-Encoding", "Trailer":
			continue
		case "Connection":
			if httpguts.HeaderValuesContainsToken(values, "close") {
				w.close = true
				continue
			}
		case "Content-Type":
			if w.fields.kind = true; w.status == http.StatusNotModified {
				continue
			}
		case "Content-Encoding":
			w.fields.encoding = len(values) > 0 && values[0] != ""
		case "Date":
			w.fields.date = true
		default:
			if strings.HasPrefix(name, http.TrailerPrefix) {
				continue
			}
		}
		b = appendField(b, name, values)
	}
	return b
}

// bodyAllowed reports whether an answer of this status has a body.
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) {
	if err := w.write(len(p)); err != nil || len(p) == 0 {
		return 0, err
	}
	if w.head {
		if w.first == nil && !w.sent && !w.fields.kind {
			w.first = append(w.first, p[:min(len(p), sniffed)]...)
		}
		return len(p), nil
	}
	if len(p) <= w.space() {
		w.out.b = append(w.out.b, p...)
		return len(p), nil
	}
	w.flush(p, false)
	if w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// WriteString implements io.StringWriter.
func (w *response) WriteString(s string) (int, error) {
	if w.head || len(s) > w.space() {
		return w.Write([]byte(s))
	}
	if err := w.write(len(s)); err != nil || len(s) == 0 {
		return 0, err
	}
	w.out.b = append(w.out.b, s...)
	return len(s), nil
}

// ReadFrom implements io.ReaderFrom: what is read goes into the buffer, and nowhere else.
func (w *response) ReadFrom(r io.Reader) (n int64, err error) {
	if err := w.write(0); err != nil {
		return 0, err
	}
	if w.head || !bodyAllowed(w.status) {
		return io.Copy(struct{ io.Writer }{w}, r)
	}
	for {
		if w.out == nil {
			w.holdBody()
		}
		if w.space() < least {
			if w.flush(nil, false); w.err != nil {
				return n, w.err
			}
			continue
		}
		at := len(w.out.b)
		m, err := r.Read(w.out.b[at : at+w.space()])
		if m > 0 {
			if err := w.write(m); err != nil {
				return n, err
			}
			w.out.b = w.out.b[:at+m]
			n += int64(m)
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// least is room that is worth a read.
const least = 1 << 10

// space is how much fits into the buffer, with the end of a chunk.
func (w *response) space() int {
	if w.out == nil {
		return 0
	}
	return cap(w.out.b) - len(w.out.b) - len(lastChunk)
}

// write is what comes before n bytes are written.
func (w *response) write(n int) error {
	if w.done.Load() {
		return errOver
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if n == 0 {
		return nil
	}
	if !bodyAllowed(w.status) {
		return http.ErrBodyNotAllowed
	}
	if w.written += int64(n); w.length >= 0 && w.written > w.length {
		return http.ErrContentLength
	}
	if w.err != nil {
		return w.err
	}
	if w.out == nil {
		w.holdBody()
	}
	return nil
}

// holdBody takes a buffer for a part of a body whose head was sent.
func (w *response) holdBody() {
	w.hold()
	w.top = 0
	w.out.b = w.out.b[:room]
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() } // it is for those who do not ask

// FlushError is for http.ResponseController.
func (w *response) FlushError() error {
	if err := w.write(0); err != nil {
		return err
	}
	w.flush(nil, false)
	return w.err
}

// SetReadDeadline is for http.ResponseController. Of a body that has come already
// nothing is waited for.
func (w *response) SetReadDeadline(t time.Time) error {
	switch {
	case w.done.Load():
		return errOver
	case w.body == nil || w.body.here:
		return nil
	}
	w.c.timed.Store(!t.IsZero())
	return w.c.SetReadDeadline(t)
}

// SetWriteDeadline is for http.ResponseController.
func (w *response) SetWriteDeadline(t time.Time) error {
	if w.done.Load() {
		return errOver
	}
	return w.c.writes.set(w.c.Conn, t)
}

// flush sends what is in the buffer, and p behind it; last says that nothing follows.
func (w *response) flush(p []byte, last bool) {
	if w.err != nil {
		return
	}
	if w.out == nil {
		if len(p) == 0 && (!last || !w.chunked || w.head) {
			return
		}
		w.holdBody()
	}
	out := w.out.b
	body := w.top + room // where it begins
	n := len(out) - body + len(p)
	var frame [room]byte
	f := frame[:0]
	if !w.sent {
		w.sent = true
		first := out[body:]
		switch {
		case w.head:
			first = w.first
		case len(first) == 0:
			first = p
		}
		f = w.appendFrame(f, first, n, last)
	} else if n == 0 && !last {
		return
	}
	var tail []byte
	if w.chunked {
		if n > 0 {
			f = append(strconv.AppendInt(f, int64(n), 16), "\r\n"...)
			tail = crlf
		}
		if last {
			if tail = lastChunk; n == 0 {
				tail = lastChunk[len(crlf):]
			}
		}
	}
	from := body - len(f) - w.top
	copy(out[from:], out[:w.top])
	copy(out[from+w.top:], f)
	if len(p) == 0 {
		out = append(out, tail...)
		tail = nil
	}
	w.send(out[from:], p, tail)
	w.free(out)
}

var (
	crlf      = []byte("\r\n")
	lastChunk = []byte("\r\n0\r\n\r\n")
)

// appendFrame writes the end of a head: what the server itself says, with n bytes of a
// body there, of which first are the first.
func (w *response) appendFrame(b, first []byte, n int, last bool) []byte {
	if w.body != nil && !w.close {
		again, more := w.body.settle()
		w.close, w.linger = !again, more
	}
	if w.c.s.stopping.Load() {
		w.close = true
	}
	allowed := bodyAllowed(w.status)
	switch {
	case !allowed:
	case w.length >= 0:
		b = appendLength(b, w.length)
	case w.head:
		if last && w.written > 0 && w.written <= bufferSize/2 { // else the answer to GET has none either
			b = appendLength(b, w.written)
		}
	case last:
		w.length = int64(n)
		b = appendLength(b, w.length)
	default:
		w.chunked = true
		b = append(b, "Transfer-Encoding: chunked\r\n"...)
	}
	if allowed && !w.fields.kind && !w.fields.encoding && len(first) > 0 {
		b = append(append(append(b, "Content-Type: "...), http.DetectContentType(first)...), "\r\n"...)
	}
	if !w.fields.date {
		b = append(b, *date()...)
	}
	if w.close {
		b = append(b, "Connection: close\r\n"...)
	}
	return append(b, "\r\n"...)
}

func appendLength(b []byte, n int64) []byte {
	return append(strconv.AppendInt(append(b, "Content-Length: "...), n, 10), "\r\n"...)
}

// send writes to the connection.
func (w *response) send(head, body, tail []byte) {
	var err error
	if len(body) == 0 && len(tail) == 0 {
		err = w.c.writes.write(w.c.Conn, head)
	} else {
		w.parts = [3][]byte{head, body, tail}
		w.all = w.parts[:]
		err = w.c.writes.writeAll(w.c.Conn, &w.all)
		w.parts = [3][]byte{} // the handler's bytes are its own again
	}
	if err != nil {
		w.err = err
		w.life.end() // the client is gone, or as good as gone
	}
}

// free gives the buffer back, unless it has grown.
func (w *response) free(b []byte) {
	if cap(b) == bufferSize {
		w.out.b = b
		buffers.Put(w.out)
	}
	w.out = nil
}

// finish ends the answer when the handler has returned. It reports whether another
// request may follow on the connection.
func (w *response) finish() bool {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.flush(nil, true)
	again := !w.close && w.err == nil
	if !w.head && bodyAllowed(w.status) && w.length >= 0 && w.written != w.length {
		again = false // what follows would be taken for the rest
	}
	if w.body != nil {
		// The bytes behind a body are another request's only if the body was read to its end.
		if w.body.Close() != nil || !w.body.ended.Load() {
			again = false
		}
		w.linger = w.linger || w.body.early
	}
	if w.linger && w.err == nil {
		w.lastWords()
	}
	return again
}

// lastWords ends a connection whose client still sends. If it were closed, the client's
// system would throw the answer away at what comes then.
func (w *response) lastWords() {
	c, ok := w.c.Conn.(interface{ CloseWrite() error })
	if ok && c.CloseWrite() == nil {
		time.Sleep(lingering)
	}
}

// lingering is how long a client may take to read such an answer; as long as with net/http.
const lingering = 500 * time.Millisecond

// over ends the request for whoever goes on with it.
func (w *response) over() {
	w.done.Store(true)
	w.life.end()
	if w.out != nil {
		w.free(w.out.b)
	}
	if w.body != nil {
		w.body.mu.Lock()
		w.body.closed = true
		w.body.mu.Unlock()
	}
}

// bodyOver reports whether nothing of the request is left to be read.
func (w *response) bodyOver() bool { return w.body == nil || w.body.ended.Load() }

// dated is a Date field and its second.
type dated struct {
	second int64
	field  []byte
}

var lastDate atomic.Pointer[dated]

// date is the field of this second.
func date() *[]byte {
	now := time.Now()
	d := lastDate.Load()
	if second := now.Unix(); d == nil || d.second != second {
		d = &dated{second, now.UTC().AppendFormat([]byte("Date: "), http.TimeFormat+"\r\n")}
		lastDate.Store(d)
	}
	return &d.field
}

var (
	_ http.Flusher    = (*response)(nil)
	_ io.StringWriter = (*response)(nil)
	_ io.ReaderFrom   = (*response)(nil)
)
