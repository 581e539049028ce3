package etcdstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"

	"github.com/sluiceproxy/sluice/placement"
)

// DefaultPrefix begins every key unless Config says otherwise.
const DefaultPrefix = "/sluice/"

// TLS names the files of a TLS client. All empty: no TLS, unless an endpoint is
// https, which then uses the system's roots.
type TLS struct {
	CAFile     string
	CertFile   string
	KeyFile    string
	ServerName string
}

// Config says how an etcd is reached.
type Config struct {
	Endpoints    []string // http or https URLs
	Prefix       string   // default DefaultPrefix
	Username     string
	PasswordFile string // holds Username's password; its last newline is dropped
	TLS          TLS
}

// Validate returns a *placement.InvalidError that names the field and the fix.
func (c Config) Validate() error {
	bad := func(field, value, fix string) error {
		return &placement.InvalidError{Field: "store.etcd." + field, Value: value, Fix: fix}
	}
	if len(c.Endpoints) == 0 {
		return bad("endpoints", "", "must name at least one URL such as http://127.0.0.1:2379")
	}
	for i, e := range c.Endpoints {
		u, err := url.Parse(e)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return bad("endpoints["+strconv.Itoa(i)+"]", e, "must be a URL such as https://etcd-1:2379")
		}
	}
	if c.Prefix != "" && (!strings.HasPrefix(c.Prefix, "/") || !strings.HasSuffix(c.Prefix, "/")) {
		return bad("prefix", c.Prefix, "must begin and end with /")
	}
	if (c.Username == "") != (c.PasswordFile == "") {
		return bad("password_file", c.PasswordFile, "must be set if and only if username is")
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		return bad("tls.key_file", c.TLS.KeyFile, "must be set if and only if tls.cert_file is")
	}
	return nil
}

// tlsConfig reads the files; nil when TLS is not used.
func (c Config) tlsConfig() (*tls.Config, error) {
	use := c.TLS != TLS{}
	for _, e := range c.Endpoints {
		use = use || strings.HasPrefix(e, "https://")
	}
	if !use {
		return nil, nil
	}
	t := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: c.TLS.ServerName}
	if c.TLS.CAFile != "" {
		pem, err := os.ReadFile(c.TLS.CAFile)
		if err != nil {
			return nil, fmt.Errorf("store.etcd.tls.ca_file: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, &placement.InvalidError{Field: "store.etcd.tls.ca_file", Value: c.TLS.CAFile, Fix: "must hold certificates in PEM form"}
		}
	}
	if c.TLS.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(c.TLS.CertFile, c.TLS.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("store.etcd.tls.cert_file: %w", err)
		}
		t.Certificates = []tls.Certificate{cert}
	}
	return t, nil
}

// Options of a Store. The zero value is useful.
type Options struct {
	// Timeout bounds one call whose context has no earlier deadline (default 5 s).
	Timeout time.Duration
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
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d
}

// Open connects to the etcd of c. It makes one linearizable read before it
// returns, so that a wrong address, certificate or password is an error here and
// not at the first request.
func Open(ctx context.Context, c Config, o *Options) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	opt := o.orDefaults()
	tc, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	password := ""
	if c.PasswordFile != "" {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return nil, fmt.Errorf("store.etcd.password_file: %w", err)
		}
		password = strings.TrimRight(string(b), "\r\n")
	}
	cl, err := clientv3.New(clientv3.Config{
		Endpoints: c.Endpoints, Username: c.Username, Password: password, TLS: tc,
		DialTimeout: opt.Timeout, Logger: zap.NewNop(), MaxCallSendMsgSize: 8 << 20,
		DialKeepAliveTime: 2 * time.Second, DialKeepAliveTimeout: 3 * time.Second,
		DialOptions: []grpc.DialOption{
			// An etcd that restarts is found again within a second, not after the
			// library's two minutes.
			grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: time.Second,
				Backoff: backoff.Config{BaseDelay: 50 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}}),
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 3 * time.Second, PermitWithoutStream: true}),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("connect to etcd at %s: %w", strings.Join(c.Endpoints, ", "), err)
	}
	s := newStore(cl, c.Prefix, opt)
	if _, err := s.Head(ctx, "probe"); err != nil {
		cl.Close()
		return nil, fmt.Errorf("connect to etcd at %s: %w", strings.Join(c.Endpoints, ", "), err)
	}
	return s, nil
}
