package upstream_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// answering is a cluster that is not there: it gives one answer to everything.
type answering struct {
	status int
	body   []byte
	asked  *http.Request
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	a.asked = r
	return &http.Response{StatusCode: a.status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(a.body)), Request: r}, nil
}

// Whatever a cluster answers is what it says or an error, and a refusal keeps the
// status, the body, and what they say is the reason. What is asked for arrives as it
// was meant, at that cluster.
func FuzzJSON(f *testing.F) {
	f.Add(200, []byte(`{"a":[1,{"b":"x"}]}`), "/docs/_search", "pretty=true")
	f.Add(404, []byte(`{"error":{"type":"index_not_found_exception","reason":"no such index"},"status":404}`), "/a%2Fb/_doc/%20", "")
	f.Add(503, []byte(`{"error":"busy"}`), "//evil/x", "a=b&a=c")
	f.Add(500, []byte(`<html>`), "no/slash", "")
	f.Add(200, []byte(`null`), "/?q#f", "")
	f.Add(400, []byte(`{"error":{"type":1}}`), "/%zz", "")
	f.Fuzz(func(t *testing.T, status int, body []byte, path, query string) {
		q, err := url.ParseQuery(query)
		if err != nil || status < 200 || status > 599 {
			return
		}
		a := &answering{status: status, body: body}
		c, err := upstream.New(placement.Cluster{Name: "a", Endpoints: []string{"http://search-a:9200"}}, &upstream.Options{Transport: a})
		if err != nil {
			t.Fatal(err)
		}
		var got any
		err = c.JSON(t.Context(), "GET", path, q, nil, &got)
		if a.asked == nil {
			if err == nil {
				t.Fatalf("%q was not asked for, and answered", path)
			}
			return
		}
		if u := a.asked.URL; u.Host != "search-a:9200" || u.Scheme != "http" || u.User != nil || u.RawQuery != q.Encode() {
			t.Fatalf("%q was asked for as %s", path, u)
		}
		if want, err := url.Parse(path); err != nil || !strings.HasPrefix(path, "/") || want.User != nil || want.Host != "" || a.asked.URL.EscapedPath() != path && want.EscapedPath() != a.asked.URL.EscapedPath() {
			t.Fatalf("%q was asked for as %s: %v", path, a.asked.URL, err)
		}
		var refused *upstream.StatusError
		if errors.As(err, &refused) != (status >= 300) {
			t.Fatalf("status %d: %v", status, err)
		}
		if refused == nil {
			var want any
			if werr := json.Unmarshal(body, &want); (werr == nil) != (err == nil) || err == nil && !cmp.Equal(got, want) {
				t.Fatalf("%q became %v, %v", body, got, err)
			}
			return
		}
		if refused.Status != status || !bytes.Equal(refused.Body, body) || upstream.NotSent(err) {
			t.Fatalf("%d %q became %+v", status, body, refused)
		}
		var shape struct {
			Error struct{ Type, Reason string }
		}
		if json.Unmarshal(body, &shape) == nil && (refused.Type != shape.Error.Type || refused.Reason != shape.Error.Reason) {
			t.Fatalf("%q became %+v", body, refused)
		}
	})
}
