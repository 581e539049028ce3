package http1server

import (
	"net/http"
	"time"
)

// NewWith returns a server that looks at its connections in each period.
func NewWith(rest *http.Server, period time.Duration) *Server { return newServer(rest, period) }

// Own reports whether a request is served here, and not by net/http.
func Own(w http.ResponseWriter) bool {
	_, own := w.(*response)
	return own
}

// ReadHead is readHead as a request, and the length of the head; nil: it is not whole, or
// foreign.
func ReadHead(b []byte) (r *http.Request, n int, isForeign bool) {
	h, n, v := readHead(b)
	if v != whole {
		return nil, 0, v == foreign
	}
	return &http.Request{Method: h.method, RequestURI: h.uri, URL: h.url, Host: h.host, Header: h.header, ContentLength: h.length, Close: h.close}, n, false
}
