package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// build makes the upstream request. path is escaped.
func (q *request) build(ctx context.Context, method, path string, query url.Values, p *payload) (*http.Request, error) {
	u := &url.URL{}
	if strings.IndexByte(path, '%') < 0 { // then it is what it is unescaped
		u.Path = path
	} else {
		var err error
		if u, err = url.Parse(path); err != nil {
			return nil, fail(http.StatusBadRequest, TypeBadRequest, "the path is not valid")
		}
	}
	u.RawQuery = encode(query)
	req := (&http.Request{Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: make(http.Header, 4)}).WithContext(ctx)
	q.p.headers.forward(req.Header, q.r.Header, len(q.p.o.TrustedProxies) > 0 && q.p.trusts(peerOf(q.r)))
	req.Header["Accept"] = acceptJSON
	if p != nil && p.length != 0 {
		req.Body, req.ContentLength = p.open(), p.length
		if p.mime == acceptJSON[0] {
			req.Header["Content-Type"] = acceptJSON
		} else {
			req.Header.Set("Content-Type", p.mime)
		}
	}
	return req, nil
}

// acceptJSON is a header's value, which nobody changes: all requests have the same one.
var acceptJSON = []string{"application/json"}

// encode is query.Encode, which sorts what there may be one of.
func encode(query url.Values) string {
	if len(query) == 1 {
		for name, values := range query {
			if len(values) == 1 {
				return url.QueryEscape(name) + "=" + url.QueryEscape(values[0])
			}
		}
	}
	return query.Encode()
}

// call sends one request to a cluster and measures it.
func (q *request) call(c *upstream.Client, req *http.Request) (*http.Response, error) {
	q.asked.Store(c)
	start := time.Now()
	send := c.RoundTrip
	if q.p.o.Tracer != nil {
		send = func(req *http.Request) (*http.Response, error) { return q.tracedCall(c, req) }
	}
	resp, err := q.p.breakers.through(c.Name(), func() (*http.Response, error) { return send(req) }, func() bool {
		rest, streams := req.Body.(*restBody)
		return errors.Is(req.Context().Err(), context.Canceled) || streams && !rest.p.complete()
	})
	q.p.m.call(c.Name(), time.Since(start), err)
	return resp, err
}

// hopHeaders belong to one connection; Content-Length is set anew, since an answer
// changes its length.
var hopHeaders = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Connection": true, "Te": true, "Trailer": true,
	"Transfer-Encoding": true, "Upgrade": true, "Content-Length": true, "Set-Cookie": true, "Www-Authenticate": true,
}

// head writes the status and headers of an answer from cluster.
func (q *request) head(resp *http.Response, pl placement.Placement, length int64) {
	h := q.w.Header()
	for k, v := range resp.Header {
		if hopHeaders[k] || strings.HasPrefix(k, "X-Sluice-") || pl.Kind == placement.SharedIndex && !sharedHeaders[k] {
			continue
		}
		h[k] = v
	}
	for _, list := range resp.Header["Connection"] { // what it names belongs to the connection as well
		for name := range strings.SplitSeq(list, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	if loc := h.Get("Location"); loc != "" && pl.Index != "" {
		if pl.Kind == placement.SharedIndex {
			h.Del("Location") // it holds the physical _id; the answer has the client's
		} else if p := patternOf(pl); p != nil {
			if own, ok := p.path(loc); ok {
				h.Set("Location", own)
			}
		} else if rest, ok := strings.CutPrefix(loc, "/"+url.PathEscape(pl.Index)+"/"); ok {
			h.Set("Location", "/"+url.PathEscape(pl.Logical)+"/"+rest)
		}
	}
	if length >= 0 {
		h.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	q.debugHeaders(pl.Cluster)
	q.status, q.wrote = resp.StatusCode, true
	q.w.WriteHeader(resp.StatusCode)
}

func isJSON(resp *http.Response) bool {
	ct := resp.Header.Get("Content-Type")
	switch ct { // what OpenSearch says
	case "application/json; charset=UTF-8", "application/json":
		return true
	}
	kind, _, err := mime.ParseMediaType(ct)
	return err == nil && kind == "application/json"
}

// upstreamStatus turns a cluster's refusal of the proxy's own credentials into
// the proxy's failure: they are not the client's.
func upstreamStatus(resp *http.Response, cluster string) error {
	if resp.StatusCode == http.StatusUnauthorized {
		return fail(http.StatusBadGateway, TypeUpstream, "cluster %s refuses the credentials that this proxy has for it", cluster)
	}
	return nil
}

// notJSON is the answer when a cluster's own is not JSON. What became of a write is
// not known then: not everything that answers in a cluster's place has passed it on.
func (q *request) notJSON(cluster string) error {
	switch q.class {
	case classWrite, classBulk, classByQuery, classAdmin:
		q.p.m.unknown.Inc()
		return gate.ErrOutcomeUnknown
	}
	return fail(http.StatusBadGateway, TypeUpstream, "cluster %s gave an answer that is not JSON", cluster)
}

// stream answers with resp as it comes in, translated unless that would change
// nothing.
func (q *request) stream(resp *http.Response, at origin) error {
	if err := upstreamStatus(resp, at.place.Cluster); err != nil {
		return err
	}
	isShared := at.place.Kind == placement.SharedIndex
	if isShared && q.r.Method == http.MethodHead {
		q.head(resp, at.place, -1)
		return nil
	}
	if isShared && resp.StatusCode >= 400 {
		raw, err := io.ReadAll(io.LimitReader(resp.Body, errorLimit))
		if err != nil {
			return fail(http.StatusBadGateway, TypeUpstream, "cluster %s broke off its answer", at.place.Cluster)
		}
		return q.answer(resp, raw, at)
	}
	if isShared && !isJSON(resp) {
		return q.notJSON(at.place.Cluster)
	}
	r, err := q.translation(at, resp)
	if err != nil {
		return err
	}
	if !isShared && (q.r.Method == http.MethodHead || r.idle() || q.op == opSource && resp.StatusCode < 300 || !isJSON(resp)) {
		length := resp.ContentLength
		if q.r.Method == http.MethodHead && !r.idle() {
			length = -1 // that of an answer which would have been translated
		}
		q.head(resp, at.place, length)
		_, err := io.Copy(q.w, resp.Body)
		return err
	}
	if resp.ContentLength >= 0 && resp.ContentLength <= bufferBody {
		// Small enough to be translated before the head is sent, so that trouble
		// is an error and not a broken answer.
		room := copies.Get().(*[]byte)
		raw, err := readInto((*room)[:0], resp.Body, resp.ContentLength)
		if err != nil {
			return fail(http.StatusBadGateway, TypeUpstream, "cluster %s broke off its answer", at.place.Cluster)
		}
		if err := q.answer(resp, raw, at); err != nil {
			return err
		}
		copies.Put(room)
		return nil
	}
	q.head(resp, at.place, -1)
	return rewrite(q.w, resp.Body, r)
}

// readAll is io.ReadAll of what is likely to have so many bytes; -1: who knows.
func readAll(r io.Reader, length int64) ([]byte, error) { return readInto(nil, r, length) }

// readInto is readAll with room for what it returns, which may be too little.
func readInto(b []byte, r io.Reader, length int64) ([]byte, error) {
	if need := length + 1; need > int64(cap(b)) && length <= bufferBody { // one more read must find the end without growing
		b = make([]byte, 0, need)
	} else if cap(b) == 0 {
		b = make([]byte, 0, bytes.MinRead)
	}
	for {
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		case len(b) == cap(b):
			b = append(make([]byte, 0, 2*cap(b)), b...)
		}
	}
}

// answer is stream for an answer that has been read.
func (q *request) answer(resp *http.Response, raw []byte, at origin) error {
	if at.place.Kind == placement.SharedIndex && resp.StatusCode >= 400 {
		if e, ok := sharedError(resp.StatusCode, raw); ok {
			return e
		}
	}
	r, err := q.translation(at, resp)
	if err != nil {
		return err
	}
	out, room := raw, (*[]byte)(nil)
	if isJSON(resp) && !r.idle() && len(raw) > 0 {
		room = copies.Get().(*[]byte)
		if out, err = rewriteInto((*room)[:0], raw, r); errors.Is(err, errJSON) {
			return q.notJSON(at.place.Cluster)
		}
		if err != nil {
			return err
		}
	} else if at.place.Kind == placement.SharedIndex {
		return q.notJSON(at.place.Cluster)
	}
	q.head(resp, at.place, int64(len(out)))
	if _, err := q.w.Write(out); err != nil {
		return err
	}
	if room != nil {
		copies.Put(room)
	}
	return nil
}
