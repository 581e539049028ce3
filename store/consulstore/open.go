package consulstore

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/internal/credentials"
)

// Options of a Store. The zero value is useful.
type Options struct {
	// Timeout bounds a call whose context has no deadline (default 5 s).
	Timeout time.Duration
	// ListTimeout is how long a list may take to begin, and how long it may then
	// pause (default 60 s): Consul gathers all of it before it sends the first byte.
	ListTimeout time.Duration
	// Wait is how long Consul keeps a watch's question open when nothing changes
	// (default 10 s). A connection that went silent is noticed a little after that.
	Wait time.Duration
	// History is about how many changes of a space are kept for watches that start in
	// the past (default 4096, at most 16,384).
	History int
	Logger  *slog.Logger // default: discard
}

func (o *Options) orDefaults() Options {
	d := Options{}
	if o != nil {
		d = *o
	}
	if d.Timeout <= 0 {
		d.Timeout = 5 * time.Second
	}
	if d.ListTimeout <= 0 {
		d.ListTimeout = time.Minute
	}
	if d.Wait <= 0 {
		d.Wait = 10 * time.Second
	}
	if d.History <= 0 {
		d.History = 4096
	}
	d.History = min(d.History, 16_384)
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d
}

// Open connects to the Consul of c. It makes one linearizable read before it
// returns, so that a wrong address, certificate or token is an error here and not
// at the first request. The error is a *placement.InvalidError when the
// configuration is at fault. Close the Store when done.
func Open(ctx context.Context, c Config, o *Options) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	opt := o.orDefaults()
	if c.TokenFile != "" && credentials.InClear(c.Addresses) {
		opt.Logger.Warn("the token for Consul is sent over http in clear; use https addresses")
	}
	conn, err := c.connect(opt)
	if err != nil {
		return nil, err
	}
	s := &Store{
		conn: conn, prefix: cmp.Or(c.Prefix, DefaultPrefix), node: cmp.Or(c.Node, DefaultNode),
		each: bucketSize(opt.History), keep: max(opt.History/int(bucketSize(opt.History)), 2) + 1,
	}
	if _, err := s.Head(ctx, "probe"); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("connect to Consul at %s: %w", strings.Join(c.Addresses, ", "), err)
	}
	return s, nil
}

// connect makes the clients; nothing is sent yet.
func (c Config) connect(opt Options) (*conn, error) {
	tc, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 3 * time.Second, KeepAlive: 10 * time.Second}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSClientConfig: tc, TLSHandshakeTimeout: 3 * time.Second,
		// Not HTTP/2, where a connection that went silent takes all requests with it.
		MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second,
	}
	n := &conn{
		http: &http.Client{
			Transport:     exact{transport, token},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // which would get the token
		},
		idle: transport.CloseIdleConnections, datacenter: c.Datacenter,
		timeout: opt.Timeout, listTimeout: opt.ListTimeout, wait: opt.Wait, log: opt.Logger,
	}
	n.life, n.end = context.WithCancel(context.Background())
	for _, a := range c.Addresses {
		client, err := api.NewClient(&api.Config{Address: strings.TrimSuffix(a, "/"), HttpClient: n.http, Datacenter: c.Datacenter})
		if err != nil {
			return nil, fmt.Errorf("connect to Consul at %s: %w", a, err)
		}
		n.agents = append(n.agents, &agent{Client: client, base: strings.TrimSuffix(a, "/")})
	}
	return n, nil
}
