package upstream

import (
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/internal/upstream/http1"
	"github.com/sluiceproxy/sluice/placement"
)

// newTransport returns what gives the pool of connections. It is another one after
// the files of TLS have changed: what a connection was verified with cannot be
// changed on it. Requests under way end on the old one.
func newTransport(c placement.Cluster, o *Options) (func() http.RoundTripper, error) {
	if o.Transport != nil {
		return func() http.RoundTripper { return o.Transport }, nil
	}
	var last connections // read is never called twice at once
	read := func() (connections, error) {
		t, err := dialer(c, o)
		if err != nil {
			return nil, err
		}
		if last != nil {
			last.CloseIdleConnections()
		}
		last = t
		return t, nil
	}
	v, err := reload.New(read, []string{c.CAFile, c.CertFile, c.KeyFile}, o.reload())
	if err != nil {
		return nil, err
	}
	return func() http.RoundTripper { return v.Get() }, nil
}

func (o *Options) reload() *reload.Options {
	return &reload.Options{Every: o.ReloadEvery, Logger: o.Logger}
}

// connections is a pool of them.
type connections interface {
	http.RoundTripper
	CloseIdleConnections()
}

// dialer returns the pool for what may be spoken with a cluster: our own client where
// that is HTTP/1.1 for certain, and else net/http's, which speaks both.
func dialer(c placement.Cluster, o *Options) (connections, error) {
	tc, err := credentials.TLS{CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, ServerName: c.ServerName}.Config("")
	if err != nil {
		return nil, err
	}
	d := &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 15 * time.Second}
	if c.Protocol == placement.ProtocolHTTP1 || c.Protocol == "" && !slices.ContainsFunc(c.Endpoints, secure) {
		return &http1.Client{
			Dial: d.DialContext, TLS: tc, HandshakeTimeout: o.DialTimeout, HeaderTimeout: o.ResponseHeaderTimeout,
			IdleTimeout: o.IdleTimeout, Idle: o.IdleConnections,
		}, nil
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(c.Protocol != placement.ProtocolHTTP2)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(c.Protocol == placement.ProtocolHTTP2)
	return &http.Transport{
		DialContext:           d.DialContext,
		TLSClientConfig:       tc,
		TLSHandshakeTimeout:   o.DialTimeout,
		Protocols:             protocols,
		ResponseHeaderTimeout: o.ResponseHeaderTimeout,
		IdleConnTimeout:       o.IdleTimeout,
		MaxIdleConnsPerHost:   o.IdleConnections,
		DisableCompression:    true,
		WriteBufferSize:       32 << 10,
		ReadBufferSize:        32 << 10,
	}, nil
}

// secure reports whether an endpoint is one of TLS, in whose handshake the server may
// choose HTTP/2.
func secure(endpoint string) bool { return strings.HasPrefix(strings.ToLower(endpoint), "https:") }
