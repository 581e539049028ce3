package http1

import (
	"bufio"
	"bytes"
	"net/http"
	"net/textproto"
	"strconv"
)

// plainHead reads the head of an answer that is in the reader's buffer whole and of the
// form that nearly all have: HTTP/1.1, a status that has a body, one Content-Length, and
// nothing that bears on where the body ends but that. It makes of it what
// http.ReadResponse would, without a body. Of any other it returns nil and has read
// nothing; what such a head means is not decided here.
func plainHead(in *bufio.Reader, req *http.Request) *http.Response {
	buffered, _ := in.Peek(in.Buffered()) // never fails for what is there
	end := bytes.Index(buffered, []byte("\r\n\r\n"))
	if end < 0 || req.Method == http.MethodHead {
		return nil
	}
	b := buffered[:end+2] // each line with its end
	status, n := plainStatus(b)
	if n == 0 {
		return nil
	}
	b = b[n:]
	lines := bytes.Count(b, []byte("\n"))
	resp := &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, ContentLength: -1, Request: req,
		Header: make(http.Header, lines),
	}
	all := make([]string, lines) // of the values, so that each name needs no slice of its own
	for len(b) > 0 {
		line, rest, ok := bytes.Cut(b, []byte("\r\n"))
		colon := bytes.IndexByte(line, ':')
		if !ok || colon <= 0 || !plainName(line[:colon]) {
			return nil
		}
		value := bytes.Trim(line[colon+1:], " \t")
		for _, c := range value {
			if c < ' ' || c > '~' {
				return nil
			}
		}
		name := canonical(line[:colon])
		switch name {
		case "Content-Length":
			if resp.ContentLength >= 0 || !plainLength(value) {
				return nil
			}
			resp.ContentLength, _ = strconv.ParseInt(string(value), 10, 64) // digits, and not too many
		case "Connection":
			if string(value) != "keep-alive" {
				return nil
			}
		case "Transfer-Encoding", "Trailer", "Pragma":
			return nil
		}
		text := jsonType
		if string(value) != jsonType {
			text = string(value)
		}
		if old, ok := resp.Header[name]; ok {
			resp.Header[name] = append(old, text)
		} else {
			all[0] = text
			resp.Header[name], all = all[:1:1], all[1:]
		}
		b = rest
	}
	if resp.ContentLength < 0 {
		return nil
	}
	resp.Status = okStatus
	if line := buffered[len("HTTP/1.1 ") : n-2]; string(line) != okStatus {
		resp.Status = string(line)
	}
	_, _ = in.Discard(end + 4) // as above
	return resp
}

// Values that need not be made anew each time.
const (
	okStatus = "200 OK"
	jsonType = "application/json; charset=UTF-8"
)

// plainStatus reads a status line; n is how long it is, 0 if it is not plain.
func plainStatus(b []byte) (status, n int) {
	const version = "HTTP/1.1 "
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	if len(line) <= len(version)+len("200 ") || string(line[:len(version)]) != version {
		return 0, 0
	}
	code, reason := line[len(version):len(version)+3], line[len(version)+3:]
	for _, c := range code {
		if c < '0' || c > '9' {
			return 0, 0
		}
		status = 10*status + int(c-'0')
	}
	if reason[0] != ' ' || status < 200 || status == http.StatusNoContent || status == http.StatusNotModified {
		return 0, 0
	}
	for _, c := range reason {
		if c < ' ' || c > '~' {
			return 0, 0
		}
	}
	if last := line[len(line)-1]; last == ' ' { // the reason would be trimmed
		return 0, 0
	}
	return status, len(line) + 2
}

func plainLength(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0 && len(b) <= 18
}

// plainName reports whether a name has letters, digits and hyphens only.
func plainName(b []byte) bool {
	for _, c := range b {
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-') {
			return false
		}
	}
	return true
}

// canonical is a plain name as http.Header has it. Those that OpenSearch sends are not
// made anew.
func canonical(b []byte) string {
	for _, name := range [...]string{"Content-Type", "Content-Length", "X-Opaque-Id"} {
		if len(b) == len(name) && bytes.EqualFold(b, []byte(name)) {
			return name
		}
	}
	return textproto.CanonicalMIMEHeaderKey(string(b))
}
