package upstream

import (
	"net"
	"net/http"
	"time"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/placement"
)

// newTransport returns what gives the pool of connections. It is another one after
// the files of TLS have changed: what a connection was verified with cannot be
// changed on it. Requests under way end on the old one.
func newTransport(c placement.Cluster, o *Options) (func() http.RoundTripper, error) {
	if o.Transport != nil {
		return func() http.RoundTripper { return o.Transport }, nil
	}
	var last *http.Transport // read is never called twice at once
	read := func() (*http.Transport, error) {
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

func dialer(c placement.Cluster, o *Options) (*http.Transport, error) {
	tc, err := credentials.TLS{CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, ServerName: c.ServerName}.Config("")
	if err != nil {
		return nil, err
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(c.Protocol != placement.ProtocolHTTP2)
	protocols.SetHTTP2(c.Protocol != placement.ProtocolHTTP1)
	protocols.SetUnencryptedHTTP2(c.Protocol == placement.ProtocolHTTP2)
	d := &net.Dialer{Timeout: o.DialTimeout, KeepAlive: 15 * time.Second}
	return &http.Transport{
		DialContext:           d.DialContext,
		TLSClientConfig:       tc,
		TLSHandshakeTimeout:   o.DialTimeout,
		Protocols:             protocols,
		ResponseHeaderTimeout: o.ResponseHeaderTimeout,
		IdleConnTimeout:       o.IdleTimeout,
		MaxIdleConnsPerHost:   o.IdleConnections,
		MaxConnsPerHost:       o.MaxConnections,
		DisableCompression:    true,
		WriteBufferSize:       32 << 10,
		ReadBufferSize:        32 << 10,
	}, nil
}
