package http1server

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// verdict is what bytes at the beginning of a request are.
type verdict int

const (
	whole   verdict = iota // a head that this package serves
	partial                // the beginning of one that it may serve
	foreign                // for net/http: to be served there, or refused
)

// maxFields is the most fields of a head that is served here.
const maxFields = 48

// field is where a field of a head is.
type field struct{ name, colon, value, end int }

// head is a request without its body's bytes.
type head struct {
	method string
	uri    string
	url    *url.URL
	host   string
	header http.Header
	length int64
	close  bool
}

// isToken and isText say of each byte whether it may be in a name, and in a value or a
// target, of what is served here.
var isToken, isText = func() (token, text [256]bool) {
	for c := range 256 {
		token[c] = httpguts.IsTokenRune(rune(c)) && c < 0x80
		text[c] = c > ' ' && c < 0x7f
	}
	return token, text
}()

// methodOf returns a method without an allocation; empty: it is for net/http.
func methodOf(b []byte) string {
	switch string(b) {
	case http.MethodGet:
		return http.MethodGet
	case http.MethodPost:
		return http.MethodPost
	case http.MethodPut:
		return http.MethodPut
	case http.MethodHead:
		return http.MethodHead
	case http.MethodDelete:
		return http.MethodDelete
	}
	return ""
}

// readHead reads the head that b begins with, and returns its length. It takes the plain
// only, which has one reading: lines that end in CRLF, names that are tokens, values of
// printable ASCII, one Host, at most one Content-Length of digits, no other framing, no
// expectation, no upgrade. Of everything else it says that it is net/http's, as soon as
// it sees it. What it takes it reads as [http.ReadRequest] and the server around that do;
// FuzzHead holds it to that.
func readHead(b []byte) (h head, n int, v verdict) {
	line, next, v := nextLine(b, 0)
	if v != whole {
		return h, 0, v
	}
	if h.method = requestLine(b[:line]); h.method == "" {
		return h, 0, foreign
	}
	target := field{value: len(h.method) + 1, end: line - len(version)}
	var fields [maxFields]field
	count := 0
	for {
		at := next
		if line, next, v = nextLine(b, at); v != whole {
			return h, 0, v
		}
		if line == at {
			break
		}
		if count == maxFields {
			return h, 0, foreign
		}
		f := &fields[count]
		count++
		f.name, f.colon, f.end = at, at, line
		for f.colon < line && isToken[b[f.colon]] {
			f.colon++
		}
		if f.colon == at || f.colon == line || b[f.colon] != ':' {
			return h, 0, foreign // a line that continues another, too
		}
		f.value = f.colon + 1
		for f.value < f.end && b[f.value] == ' ' {
			f.value++
		}
		for f.end > f.value && b[f.end-1] == ' ' {
			f.end--
		}
		for _, c := range b[f.value:f.end] {
			if !isText[c] && c != ' ' {
				return h, 0, foreign
			}
		}
	}
	if !h.take(string(b[:next]), target, fields[:count]) {
		return h, 0, foreign
	}
	return h, next, whole
}

// nextLine returns where the line that begins at from ends, without its CRLF, and where
// the next one begins.
func nextLine(b []byte, from int) (end, next int, v verdict) {
	n := bytes.IndexByte(b[from:], '\n')
	switch {
	case n < 0:
		return 0, 0, partial
	case n == 0 || b[from+n-1] != '\r':
		return 0, 0, foreign
	}
	return from + n - 1, from + n + 1, whole
}

const version = " HTTP/1.1"

// requestLine returns the method of a line; empty: it is for net/http.
func requestLine(line []byte) string {
	end := len(line) - len(version)
	if end < 0 || string(line[end:]) != version {
		return ""
	}
	method := methodOf(line[:max(bytes.IndexByte(line, ' '), 0)])
	from := len(method) + 1
	if method == "" || from >= end || line[from] != '/' {
		return ""
	}
	for _, c := range line[from:end] {
		if !isText[c] {
			return ""
		}
	}
	return method
}

// take makes a head of its parts, all of which are pieces of s.
func (h *head) take(s string, target field, fields []field) bool {
	h.uri = s[target.value:target.end]
	var err error
	if h.url, err = url.ParseRequestURI(h.uri); err != nil {
		return false
	}
	h.header = make(http.Header, len(fields))
	values := make([]string, len(fields))
	hosts, lengths := 0, 0
	for i, f := range fields {
		name, value := http.CanonicalHeaderKey(s[f.name:f.colon]), s[f.value:f.end]
		switch name {
		case "Host":
			hosts++
			h.host = value
			continue
		case "Content-Length":
			lengths++
			var ok bool
			if h.length, ok = digits(value); !ok {
				return false
			}
		case "Connection":
			if !h.connection(value) {
				return false
			}
		case "Transfer-Encoding", "Trailer", "Expect", "Upgrade":
			return false
		}
		if had := h.header[name]; had != nil {
			h.header[name] = append(had, value)
			continue
		}
		values[i] = value
		h.header[name] = values[i : i+1 : i+1]
	}
	if hosts != 1 || lengths > 1 || !httpguts.ValidHostHeader(h.host) || h.url.Host != "" {
		return false
	}
	// As net/http reads what HTTP/1.0 had instead.
	if p := h.header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && h.header["Cache-Control"] == nil {
		h.header["Cache-Control"] = []string{"no-cache"}
	}
	return true
}

// connection reads the one of two words that are served here.
func (h *head) connection(value string) bool {
	switch {
	case strings.EqualFold(value, "keep-alive"):
		return true
	case strings.EqualFold(value, "close"):
		h.close = true
		return true
	}
	return false
}

// digits reads a length that surely fits.
func digits(s string) (n int64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}
