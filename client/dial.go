package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/placement"
)

// API is every operation of a fleet's API. It is safe for concurrent use.
type API = ClientWithResponses

// Prefix begins every path of the API; an address may end with it or not.
const Prefix = "/api/v1"

// Options of Dial. The zero value asks without credentials.
type Options struct {
	// TokenFile holds the token that is sent. It is read for each request, so that it can
	// be renewed.
	TokenFile string
	// CAFile verifies the controller (default: the system's authorities). CertFile and
	// KeyFile are shown to it. ServerName is the name that its certificate must have
	// (default: that of the address). All are in PEM form.
	CAFile, CertFile, KeyFile, ServerName string
	// Transport sends requests, in place of the network; then no file of TLS may be given.
	Transport http.RoundTripper
	// Agent is sent as User-Agent.
	Agent string
}

// Dial returns the API at an address such as https://sluice.example.com:9282. Nothing is
// sent yet. Bad input is a *placement.InvalidError that names the field: address, or one
// of token_file, ca_file, cert_file, key_file and server_name.
func Dial(address string, o *Options) (*API, error) {
	if o == nil {
		o = &Options{}
	}
	base, err := parse(address, o)
	if err != nil {
		return nil, err
	}
	d := &doer{http: &http.Client{Transport: o.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		tokenFile: o.TokenFile, agent: o.Agent, pause: pause}
	if o.Transport == nil {
		t, err := (credentials.TLS{CAFile: o.CAFile, CertFile: o.CertFile, KeyFile: o.KeyFile, ServerName: o.ServerName}).Config("")
		if err != nil {
			return nil, err
		}
		d.http.Transport = transport(t)
	}
	if _, err := d.token(); err != nil {
		return nil, err
	}
	return NewClientWithResponses(base, WithHTTPClient(d))
}

// CloseIdleConnections closes what is kept open for the next request.
func (c *ClientWithResponses) CloseIdleConnections() {
	if low, ok := c.ClientInterface.(*Client); ok {
		if d, ok := low.Client.(*doer); ok {
			d.http.CloseIdleConnections()
		}
	}
}

func transport(t *tls.Config) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: t, ForceAttemptHTTP2: true,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, IdleConnTimeout: 30 * time.Second,
	}
}

// parse checks an address, and the files that go with it, without reading any.
func parse(address string, o *Options) (string, error) {
	u, err := url.Parse(address)
	shown := placement.HideUser(address)
	bad := func(fix string) (string, error) {
		return "", &placement.InvalidError{Field: "address", Value: shown, Fix: fix}
	}
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "":
		return bad("must be the URL of a controller's API, such as https://sluice.example.com:9282")
	case u.User != nil:
		return bad("must not hold credentials; give a token file or a certificate")
	case u.Scheme == "http" && o.TokenFile != "" && o.Transport == nil && !credentials.Loopback(u.Hostname()):
		return bad("must begin with https: a token would cross the network in clear")
	case u.Scheme == "http" && o.CAFile+o.CertFile+o.KeyFile+o.ServerName != "":
		return bad("must begin with https, or ca_file, cert_file, key_file and server_name be left out")
	}
	if err := (credentials.TLS{CertFile: o.CertFile, KeyFile: o.KeyFile}).Validate(""); err != nil {
		return "", err
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), Prefix) + Prefix
	return u.String(), nil
}

// doer sends what the generated code has made of an operation. It is where credentials
// and keys are added, a change is repeated, and a problem becomes an error, so that
// nobody who asks has to.
type doer struct {
	http             *http.Client
	tokenFile, agent string
	pause            func(context.Context, time.Duration) error
}

func (d *doer) token() (string, error) {
	return credentials.Secret("token_file", d.tokenFile, "token")
}

// A change whose outcome is not known is asked for again, by the same key, so that it is
// done once: after each of these pauses, while it has not taken longer than patience.
var repeats = []time.Duration{200 * time.Millisecond, time.Second, 3 * time.Second}

const patience = 15 * time.Second

// Do implements HttpRequestDoer. An answer that it returns is no problem.
func (d *doer) Do(r *http.Request) (*http.Response, error) {
	token, err := d.token()
	if err != nil {
		return nil, err
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if d.agent != "" {
		r.Header.Set("User-Agent", d.agent)
	}
	if r.Method != http.MethodGet && r.Header.Get("Idempotency-Key") == "" {
		r.Header.Set("Idempotency-Key", rand.Text())
	}
	began := time.Now()
	for n := 0; ; n++ {
		resp, err := d.once(r)
		if err == nil || n == len(repeats) || time.Since(began) > patience || !unsettled(r, err) {
			return resp, err
		}
		if d.pause(r.Context(), repeats[n]) != nil || !again(r) {
			return nil, err
		}
	}
}

func (d *doer) once(r *http.Request) (*http.Response, error) {
	resp, err := d.http.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusNotModified {
		return resp, nil
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, problemOf(r, resp)
	}
	if kind := kindOf(resp); kind != "application/json" && kind != "text/event-stream" {
		drain(resp.Body)
		return nil, &NotSluiceError{URL: where(r), Status: resp.StatusCode, Reason: "it sends " + kind}
	}
	return resp, nil
}

// unsettled reports whether a request that failed may have been obeyed all the same, and
// repeating it can tell. One that no connection was had for was not.
func unsettled(r *http.Request, err error) bool {
	if r.Method == http.MethodGet || r.Context().Err() != nil {
		return false
	}
	var p *Problem
	if errors.As(err, &p) {
		return p.Code == "outcome_unknown" || p.Code == "in_progress"
	}
	var dial *net.OpError
	return !errors.As(err, &dial) || dial.Op != "dial"
}

// again makes a request ready to be sent once more.
func again(r *http.Request) bool {
	if r.Body == nil || r.Body == http.NoBody {
		return true
	}
	if r.GetBody == nil {
		return false
	}
	body, err := r.GetBody()
	r.Body = body
	return err == nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// drain reads what is left of an answer, within bounds, so that its connection can be
// used again.
func drain(body io.ReadCloser) {
	_, _ = io.Copy(io.Discard, io.LimitReader(body, 64<<10)) // nobody waits for it
	_ = body.Close()
}

// NotSluiceError is an answer that Sluice's API does not give: something else answers at
// the address.
type NotSluiceError struct {
	URL    string
	Status int
	Reason string
}

func (e *NotSluiceError) Error() string {
	return fmt.Sprintf("what answers at %s is no API of Sluice: %s (HTTP %d); is it the address of a controller's api.listen?", e.URL, e.Reason, e.Status)
}

// ErrorCode is its code in the catalogue of errors.
func (e *NotSluiceError) ErrorCode() string { return "not_sluice" }
