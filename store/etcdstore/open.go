package etcdstore

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	grpccredentials "google.golang.org/grpc/credentials"

	"github.com/sluiceproxy/sluice/internal/credentials"
)

// Options of a Store. The zero value is useful.
type Options struct {
	// Timeout bounds a call whose context has no deadline (default 5 s). List
	// reads page by page, and each page has this long.
	Timeout time.Duration
	// DialTimeout is how long Open waits for an etcd that answers (default 5 s).
	DialTimeout time.Duration
	Logger      *slog.Logger // default: discard
}

func (o *Options) orDefaults() Options {
	d := Options{}
	if o != nil {
		d = *o
	}
	if d.Timeout <= 0 {
		d.Timeout = 5 * time.Second
	}
	if d.DialTimeout <= 0 {
		d.DialTimeout = 5 * time.Second
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d
}

// Open connects to the etcd of c. It makes one linearizable read before it
// returns, so that a wrong address, certificate or password is an error here and
// not at the first request. The error is a *placement.InvalidError when the
// configuration is at fault. Close the Store when done.
func Open(ctx context.Context, c Config, o *Options) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	opt := o.orDefaults()
	if c.Username != "" && credentials.InClear(c.Endpoints) {
		opt.Logger.Warn("the password for etcd is sent over http in clear; use https endpoints")
	}
	cfg, err := c.client(opt)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, opt.DialTimeout)
	defer cancel()

	// The client outlives ctx, but its first step, trading the password for a
	// token, must not: so its own context ends with ctx until New has returned.
	var why note
	base, abandon := context.WithCancel(context.WithValue(context.Background(), noteKey{}, &why))
	stop := context.AfterFunc(ctx, abandon)
	cfg.Context = base
	client, err := clientv3.New(cfg)
	if !stop() && err == nil {
		_ = client.Close()
		err = context.Cause(ctx)
	}
	where := "connect to etcd at " + strings.Join(c.Endpoints, ", ")
	if err != nil {
		abandon()
		return nil, fmt.Errorf("%s: %w", where, why.explain(err))
	}
	s := newStore(client, c.Prefix, opt)
	s.newRenewal = func() renewal { return newRenewalStream(pb.NewLeaseClient(client.ActiveConnection())) }
	s.release = abandon
	if _, err := s.Head(ctx, "probe"); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return s, nil
}

// client is the configuration of the client library.
func (c Config) client(opt Options) (clientv3.Config, error) {
	tc, err := c.tlsConfig()
	if err != nil {
		return clientv3.Config{}, err
	}
	password, err := credentials.Secret("store.etcd.password_file", c.PasswordFile, "password")
	if err != nil {
		return clientv3.Config{}, err
	}
	cfg := clientv3.Config{
		Endpoints: c.Endpoints, Username: c.Username, Password: password, TLS: tc,
		DialTimeout: opt.DialTimeout,
		// What matters of its log comes back as errors.
		Logger: zap.NewNop(),
		// One attempt per call, no more: see Write.
		MaxUnaryRetries: 1,
		// A connection that went silent is noticed, watches on it too. The members
		// put up with a ping every 5 s while there is a stream.
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
		DialOptions: []grpc.DialOption{
			// An etcd that is back is found again within a second or two, not after
			// the library's two minutes.
			grpc.WithConnectParams(grpc.ConnectParams{
				MinConnectTimeout: 3 * time.Second,
				Backoff:           backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			}),
			grpc.WithChainUnaryInterceptor(takeNote),
		},
	}
	if tc != nil && tc.ServerName != "" {
		cfg.DialOptions = append(cfg.DialOptions, grpc.WithTransportCredentials(named{grpccredentials.NewTLS(tc), tc.ServerName}))
	}
	return cfg, nil
}

// named verifies servers by one name, whatever their addresses. A ServerName in
// the client library's TLS configuration does nothing: its resolver gives each
// address a name, that of the endpoint, and gRPC prefers those.
type named struct {
	grpccredentials.TransportCredentials
	name string
}

// ClientHandshake implements grpccredentials.TransportCredentials.
func (n named) ClientHandshake(ctx context.Context, _ string, conn net.Conn) (net.Conn, grpccredentials.AuthInfo, error) {
	return n.TransportCredentials.ClientHandshake(ctx, n.name, conn)
}

// Clone implements grpccredentials.TransportCredentials.
func (n named) Clone() grpccredentials.TransportCredentials {
	return named{n.TransportCredentials.Clone(), n.name}
}
