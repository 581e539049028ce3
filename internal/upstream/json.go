package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// StatusError is an answer of OpenSearch with a status of 300 or more: the
// cluster understood and refused.
type StatusError struct {
	Method string
	Path   string
	Status int
	Type   string // OpenSearch's error.type, if the answer had one
	Reason string // error.reason
	Body   []byte // the answer as it came
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%s %s: status %d", e.Method, e.Path, e.Status)
	if e.Type != "" {
		s += " " + e.Type
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// ErrorCode is its code in the catalogue of errors.
func (e *StatusError) ErrorCode() string { return "cluster_refused" }

// newStatusError reads OpenSearch's two shapes of an error, an object and a string.
func newStatusError(method, path string, status int, body []byte) *StatusError {
	e := &StatusError{Method: method, Path: path, Status: status, Body: body}
	var shape struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &shape) != nil {
		return e
	}
	var detail struct{ Type, Reason string }
	if json.Unmarshal(shape.Error, &detail) == nil {
		e.Type, e.Reason = detail.Type, detail.Reason
		return e
	}
	var s string
	if json.Unmarshal(shape.Error, &s) == nil {
		e.Reason = s
	}
	return e
}

// JSON performs one call. path is escaped, begins with one slash and has no query.
// body is nil, a []byte that is sent as it is (JSON, or newline-delimited JSON
// for _bulk and _msearch), or a value that is marshalled. into is nil, a *[]byte
// for the raw answer, a func([]byte) error that decodes it and may keep it, or what the
// answer is unmarshalled into. An answer of status 300 or more is a *StatusError; for any
// other error ask NotSent whether the call can have had an effect.
func (c *Client) JSON(ctx context.Context, method, path string, query url.Values, body, into any) error {
	u, err := url.Parse(path)
	if err != nil || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "?#") {
		return fmt.Errorf("%s %s: the path must be escaped, begin with one slash and have no query", method, path)
	}
	u.RawQuery = query.Encode()
	var payload []byte
	switch b := body.(type) {
	case nil:
	case []byte:
		payload = b
	default:
		if payload, err = json.Marshal(b); err != nil {
			return fmt.Errorf("%s %s: encode the body: %w", method, path, err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if payload != nil {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(payload)), int64(len(payload))
		req.Header.Set("Content-Type", contentType(path))
	}
	resp, err := c.RoundTrip(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	var read bytes.Buffer
	if n := resp.ContentLength; n > 0 && n <= 64<<20 { // all at once; what claims to be larger grows as it comes
		read.Grow(int(n) + bytes.MinRead)
	}
	if _, err := read.ReadFrom(resp.Body); err != nil {
		return fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	answer := read.Bytes()
	if resp.StatusCode >= 300 {
		return newStatusError(method, path, resp.StatusCode, answer)
	}
	switch into := into.(type) {
	case nil:
		return nil
	case *[]byte:
		*into = answer
		return nil
	}
	decode, ok := into.(func([]byte) error)
	if !ok {
		decode = func(answer []byte) error { return json.Unmarshal(answer, into) }
	}
	if err := decode(answer); err != nil {
		return fmt.Errorf("%s %s: decode the answer: %w", method, path, err)
	}
	return nil
}

func contentType(path string) string {
	if strings.HasSuffix(path, "/_bulk") || strings.HasSuffix(path, "/_msearch") {
		return "application/x-ndjson"
	}
	return "application/json"
}
