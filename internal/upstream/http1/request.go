package http1

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/net/http/httpguts"
)

// small is the largest body that is sent together with its head, in bytes. It fits into
// the buffers of a connection, so that writing it waits for nobody. A larger one is
// written beside reading: a server may answer before it has read all of it.
const small = 64 << 10

// outgoing is a request on its way.
type outgoing struct {
	req   *http.Request
	wire  *[]byte // head, and a small body once it was read
	ready bool    // wire has all that it should

	rest   io.Reader // of a body that is not in wire; nil: none
	length int64     // of rest; -1: chunked
	closed bool      // the body
	bad    error     // what the body's Read said
}

var wires = sync.Pool{New: func() any { b := make([]byte, 0, 8<<10); return &b }}

// free gives the buffer back.
func (o *outgoing) free() {
	if o.wire == nil {
		return
	}
	if cap(*o.wire) <= 2*small {
		*o.wire = (*o.wire)[:0]
		wires.Put(o.wire)
	}
	o.wire = nil
}

func (o *outgoing) closeBody() {
	if o.req.Body != nil && !o.closed {
		o.closed = true
		_ = o.req.Body.Close() // the caller's; nothing depends on it
	}
}

// notWritten are headers that this package writes itself.
func notWritten(name string) bool {
	switch name {
	case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer":
		return true
	}
	return false
}

// writeHead puts the line and the headers into wire, but for those that the body decides.
// What could be read as something else than what it is, is refused.
func (o *outgoing) writeHead() error {
	r := o.req
	if err := checkURL(r.URL); err != nil {
		return err
	}
	method, uri, host := r.Method, r.URL.RequestURI(), r.Host
	if method == "" {
		method = http.MethodGet
	}
	if host == "" {
		host = r.URL.Host
	}
	host = withoutZone(host)
	switch {
	case !httpguts.ValidHeaderFieldName(method): // both are tokens
		return fmt.Errorf("http1: invalid method %q", method)
	case strings.ContainsFunc(uri, func(c rune) bool { return c <= ' ' || c == 0x7f }):
		return errors.New("http1: the URL holds a blank or a control character")
	case !httpguts.ValidHostHeader(host):
		return errors.New("http1: invalid host")
	}
	o.wire = wires.Get().(*[]byte)
	b := append((*o.wire)[:0], method...)
	b = append(append(append(b, ' '), uri...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, host...), "\r\n"...)
	agent := "Go-http-client/1.1" // as net/http
	if v, ok := r.Header["User-Agent"]; ok {
		agent = ""
		if len(v) > 0 {
			agent = v[0]
		}
	}
	if agent != "" {
		if !httpguts.ValidHeaderFieldValue(agent) {
			return errors.New("http1: invalid value of the header User-Agent")
		}
		b = header(b, "User-Agent", agent)
	}
	for name, values := range r.Header {
		if notWritten(name) {
			continue
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("http1: invalid name of a header %q", name)
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) { // the value may be a secret
				return fmt.Errorf("http1: invalid value of the header %s", name)
			}
			b = header(b, name, v)
		}
	}
	if r.Close && !httpguts.HeaderValuesContainsToken(r.Header["Connection"], "close") {
		b = header(b, "Connection", "close")
	}
	*o.wire = b
	return nil
}

func header(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, strings.Trim(value, " \t")...), "\r\n"...)
}

// wantsClose reports whether the connection ends after the answer.
func (o *outgoing) wantsClose() bool {
	return o.req.Close || httpguts.HeaderValuesContainsToken(o.req.Header["Connection"], "close")
}

// prepare ends the head and adds a body that is small. A body is read here and later,
// never before there is a connection: until then it can go elsewhere.
func (o *outgoing) prepare() error {
	if o.ready {
		return nil
	}
	o.ready = true
	body, length := o.req.Body, o.req.ContentLength
	switch {
	case body == nil || body == http.NoBody:
		o.end(0)
		return nil
	case length > small:
		o.end(length)
		o.rest, o.length = body, length
		return nil
	case length > 0:
		o.end(length)
		return o.readSmall(body, int(length))
	}
	// Of no known length: it may be small all the same.
	first := make([]byte, small)
	n, err := io.ReadFull(body, first)
	switch err {
	case io.EOF, io.ErrUnexpectedEOF:
		o.end(int64(n))
		*o.wire = append(*o.wire, first[:n]...)
		o.closeBody()
		return nil
	case nil:
		*o.wire = append(*o.wire, "Transfer-Encoding: chunked\r\n\r\n"...)
		o.rest, o.length = io.MultiReader(bytes.NewReader(first), body), -1
		return nil
	}
	o.bad = err
	return err
}

// end writes the length and ends the head. A request without a body has no length
// unless its method is one that usually has a body.
func (o *outgoing) end(length int64) {
	b := *o.wire
	switch o.req.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		b = header(b, "Content-Length", strconv.FormatInt(length, 10))
	default:
		if length > 0 {
			b = header(b, "Content-Length", strconv.FormatInt(length, 10))
		}
	}
	*o.wire = append(b, "\r\n"...)
}

// readSmall reads all of a body of known length.
func (o *outgoing) readSmall(body io.Reader, length int) error {
	b := *o.wire
	at := len(b)
	if cap(b)-at < length {
		b = append(make([]byte, 0, at+length), b...)
	}
	b = b[:at+length]
	if _, err := io.ReadFull(body, b[at:]); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errShort
		}
		o.bad = err
		return err
	}
	if err := atEnd(body); err != nil {
		o.bad = err
		return err
	}
	*o.wire = b
	o.closeBody()
	return nil
}

// atEnd reports what is behind the declared length of a body.
func atEnd(body io.Reader) error {
	var one [1]byte
	switch n, err := io.ReadFull(body, one[:]); {
	case n > 0:
		return errLong
	case err != io.EOF:
		return err
	}
	return nil
}

var (
	errShort = errors.New("http1: the body is shorter than its declared length")
	errLong  = errors.New("http1: the body is longer than its declared length")
)

// writeRest writes a body that is not small.
func (o *outgoing) writeRest(w io.Writer) error {
	buf := copies.Get().(*[]byte)
	defer copies.Put(buf)
	left := o.length
	for left != 0 {
		b := (*buf)[chunkRoom : len(*buf)-2]
		if left > 0 && int64(len(b)) > left {
			b = b[:left]
		}
		n, err := o.rest.Read(b)
		if n > 0 {
			if o.length < 0 {
				b = chunk(*buf, n)
			} else {
				b, left = b[:n], left-int64(n)
			}
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF && o.length < 0:
			_, err := io.WriteString(w, "0\r\n\r\n")
			return err
		case err == io.EOF && left == 0:
			return nil
		case err == io.EOF:
			err = errShort
			fallthrough
		case err != nil:
			o.bad = err
			return err
		}
	}
	o.bad = atEnd(o.rest)
	return o.bad
}

// chunkRoom is room for the size of a chunk, in front of it.
const chunkRoom = 10

var copies = sync.Pool{New: func() any { b := make([]byte, chunkRoom+32<<10+2); return &b }}

// chunk makes a chunk of the n bytes behind the room.
func chunk(buf []byte, n int) []byte {
	size := strconv.FormatInt(int64(n), 16) + "\r\n"
	from := chunkRoom - len(size)
	copy(buf[from:], size)
	end := chunkRoom + n
	buf[end], buf[end+1] = '\r', '\n'
	return buf[from : end+2]
}
