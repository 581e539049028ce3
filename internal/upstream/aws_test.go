package upstream_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// awsService checks signatures as Amazon documents them (Signature Version 4, create
// a signed request), and shares no code with what makes them.
type awsService struct {
	region, name string
	secrets      map[string]string // by access key
	token        string            // that a session must show; empty: none
}

// check returns why a request would be refused, or "".
func (s awsService) check(r *http.Request, body []byte) string {
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return "no signature"
	}
	part := map[string]string{}
	for p := range strings.SplitSeq(auth, ", ") {
		k, v, _ := strings.Cut(p, "=")
		part[k] = v
	}
	scope := strings.SplitN(part["Credential"], "/", 2)
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil || time.Since(at).Abs() > 5*time.Minute {
		return "the date is " + date
	}
	if want := date[:8] + "/" + s.region + "/" + s.name + "/aws4_request"; len(scope) != 2 || scope[1] != want {
		return "the scope is " + part["Credential"]
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if got := r.Header.Get("X-Amz-Content-Sha256"); got != hash {
		return "the body's hash is " + got
	}
	if r.Header.Get("X-Amz-Security-Token") != s.token {
		return "the session's token is " + r.Header.Get("X-Amz-Security-Token")
	}
	signed := strings.Split(part["SignedHeaders"], ";")
	for _, must := range []string{"host", "x-amz-date", "x-amz-content-sha256"} {
		if !slices.Contains(signed, must) {
			return must + " is not signed"
		}
	}
	var headers strings.Builder
	for _, h := range signed {
		v := strings.Join(r.Header.Values(h), ",")
		if h == "host" {
			v = r.Host
		}
		fmt.Fprintf(&headers, "%s:%s\n", h, v)
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	canonical := strings.Join([]string{r.Method, encodeAWS(path, "/"), canonicalQuery(r.URL), headers.String(), part["SignedHeaders"], hash}, "\n")
	key := []byte("AWS4" + s.secrets[scope[0]])
	for _, x := range strings.Split(scope[1], "/") {
		key = hmacOf(key, x)
	}
	ofCanonical := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", date, scope[1], hex.EncodeToString(ofCanonical[:])}, "\n")
	if want := hex.EncodeToString(hmacOf(key, text)); part["Signature"] != want || s.secrets[scope[0]] == "" {
		return "the signature does not fit\n" + canonical
	}
	return ""
}

func hmacOf(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// encodeAWS is the encoding of the specification: all but the unreserved characters.
func encodeAWS(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~"+keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for p := range strings.SplitSeq(u.RawQuery, "&") {
		if p == "" {
			continue
		}
		k, v, _ := strings.Cut(p, "=")
		dk, _ := url.PathUnescape(k) // not QueryUnescape: a plus sign is itself to the service
		dv, _ := url.PathUnescape(v)
		pairs = append(pairs, encodeAWS(dk, "")+"="+encodeAWS(dv, ""))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func TestSignsForAWS(t *testing.T) {
	service := awsService{region: "eu-west-1", name: "aoss", secrets: map[string]string{"AKIDONE": "one", "AKIDTWO": "two"}}
	var arrived []byte
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if why := service.check(r, body); err != nil || why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		arrived = body
		_, _ = io.WriteString(w, `{}`)
	}))
	defer up.Close()
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write("[default]\naws_access_key_id = AKIDONE\naws_secret_access_key = one\n")
	c, err := upstream.New(placement.Cluster{Name: "a", Endpoints: []string{closedPort(t), up.URL}, AWSRegion: "eu-west-1", AWSService: "aoss", AWSCredentialsFile: file},
		&upstream.Options{ReloadEvery: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.WholeBodies() {
		t.Error("a client that signs says that it streams")
	}
	large := bytes.Repeat([]byte("0123456789abcdef"), 300_000)
	for _, test := range []struct {
		method, path string
		query        url.Values
		body         []byte
	}{
		{"GET", "/", nil, nil},
		{"HEAD", "/docs", nil, nil},
		{"PUT", "/docs/_doc/a%20b%2Fc%2B~%C3%A9,*", url.Values{"routing": {"x y+z/ü"}, "refresh": {""}}, []byte(`{"a":1}`)},
		{"POST", "/_bulk", url.Values{"a": {"2"}, "A": {"1"}}, large},
	} {
		req, err := http.NewRequestWithContext(t.Context(), test.method, test.path+"?"+test.query.Encode(), io.NopCloser(bytes.NewReader(test.body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Opaque-Id", "changed by a balancer") // must not be signed
		resp, err := c.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || !bytes.Equal(arrived, test.body) {
			t.Errorf("%s %s: status %d: %s; %d bytes arrived, want %d", test.method, test.path, resp.StatusCode, text, len(arrived), len(test.body))
		}
		if auth := resp.Request.Header.Get("Authorization"); strings.Contains(auth, "opaque") {
			t.Errorf("signed: %s", auth)
		}
	}
	// New keys, with a session's token, without a new client.
	service.token = "session"
	if err := c.Ping(t.Context()); err == nil {
		t.Error("the service took a request without the session's token")
	}
	write("[default]\naws_access_key_id = AKIDTWO\naws_secret_access_key = two\naws_session_token = session\n")
	if err := c.Ping(t.Context()); err != nil {
		t.Errorf("after the keys were replaced: %v", err)
	}
	// Half a file changes nothing.
	write("[default]\naws_access_key_id = AKIDTWO\n")
	if err := c.Ping(t.Context()); err != nil {
		t.Errorf("after the file became wrong: %v", err)
	}
}

// Without a file the keys are what the SDK finds, here in the environment; a body
// that breaks off is not sent.
func TestSignsWithTheEnvironmentsKeys(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIDENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "env")
	service, requests := awsService{region: "us-east-1", name: "es", secrets: map[string]string{"AKIDENV": "env"}}, 0
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if why := service.check(r, nil); why != "" {
			http.Error(w, why, http.StatusForbidden)
		}
	}))
	defer up.Close()
	c := client(t, placement.Cluster{Endpoints: []string{up.URL}, AWSRegion: "us-east-1"})
	if err := c.JSON(t.Context(), "GET", "/", nil, nil, nil); err != nil {
		t.Error(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "PUT", "/x", io.MultiReader(strings.NewReader("{"), brokenReader{}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.RoundTrip(req); !upstream.NotSent(err) || requests != 1 {
		t.Errorf("a body that breaks off: %v after %d requests, want one and an error that says that nothing was sent", err, requests)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
