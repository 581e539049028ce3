package upstream_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/internal/upstream/awstest"
	"github.com/sluiceproxy/sluice/placement"
)

func TestSignsForAWS(t *testing.T) {
	service := awstest.Service{Region: "eu-west-1", Name: "aoss", Secrets: map[string]string{"AKIDONE": "one", "AKIDTWO": "two"}}
	var arrived []byte
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if why := service.Check(r, body); err != nil || why != "" {
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
	service.Token = "session"
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
	service, requests := awstest.Service{Region: "us-east-1", Name: "es", Secrets: map[string]string{"AKIDENV": "env"}}, 0
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		if why := service.Check(r, nil); why != "" {
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
