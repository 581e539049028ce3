package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/lease"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/grpc"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/placement"
)

const (
	// DefaultClientURL is where other processes reach the member unless
	// EmbeddedConfig says otherwise.
	DefaultClientURL = "http://127.0.0.1:2379"
	// embeddedQuota is the largest database, in bytes. A million entries of half a
	// kilobyte, with an hour of history, stay well below.
	embeddedQuota = 8 << 30
	// embeddedHistory is how far back a watch can go. It is the time that a
	// process may be away, not the size of anything.
	embeddedHistory = "1h"
)

// EmbeddedConfig is of a member inside this process.
type EmbeddedConfig struct {
	DataDir   string `json:"data_dir" yaml:"data_dir"`                         // durable; created with mode 0700
	ClientURL string `json:"client_url,omitempty" yaml:"client_url,omitempty"` // where other processes of this machine reach it: http, loopback (default DefaultClientURL; port 0: a free one)
	Prefix    string `json:"prefix,omitempty" yaml:"prefix,omitempty"`         // default DefaultPrefix
}

// Validate returns a *placement.InvalidError that names the field and the fix,
// or nil.
func (c EmbeddedConfig) Validate() error {
	if c.DataDir == "" {
		return invalid("embedded.data_dir", "", "must name a directory that survives restarts")
	}
	u, err := url.Parse(c.ClientURL)
	if c.ClientURL != "" {
		switch {
		case err != nil || u.Scheme != "http" || u.Port() == "" || u.Path != "" && u.Path != "/":
			return invalid("embedded.client_url", placement.HideUser(c.ClientURL), "must be a URL such as http://127.0.0.1:2379")
		case !credentials.Loopback(u.Hostname()):
			return invalid("embedded.client_url", placement.HideUser(c.ClientURL), "must be on loopback, because the embedded member asks nobody for a password; for several machines run an etcd of its own and set endpoints")
		}
	}
	return validatePrefix(c.Prefix)
}

// Embedded is a single etcd member inside this process.
type Embedded struct {
	etcd     *embed.Etcd
	store    *Store
	endpoint string
	lock     *os.File
	level    zap.AtomicLevel
	closing  sync.Once

	// One of these gets a value when the member is about to serve.
	servers   chan *grpc.Server // the one that serves clients
	stillborn chan error        // why it must not
}

// StartEmbedded starts the member and returns when it serves, or when ctx ends.
// What it acknowledges is on disk (fsync), so that a crash loses nothing. The
// data directory is locked: a second process on it gets an error at once, as it
// does for a client URL in use; both are a *placement.InvalidError.
func StartEmbedded(ctx context.Context, c EmbeddedConfig, o *Options) (*Embedded, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.ClientURL == "" {
		c.ClientURL = DefaultClientURL
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("store.etcd.embedded.data_dir: %w", err)
	}
	lock, err := lockDataDir(c.DataDir)
	if err != nil {
		return nil, err
	}
	opt := o.orDefaults()
	err = beginFirst(c.DataDir, opt.Logger)
	var e *Embedded
	if err == nil {
		e, err = listenAndStart(c, opt.Logger)
	}
	if err != nil {
		_ = lock.Close()
		return nil, err
	}
	e.lock = lock
	if err := e.ready(ctx, opt.Logger); err != nil {
		return nil, err
	}
	e.store = newStore(v3client.New(e.etcd.Server), c.Prefix, opt)
	e.store.newRenewal = func() renewal { return localRenewal{e.etcd.Server} }
	e.store.member = e.etcd.Server
	return e, nil
}

// listenAndStart starts the member on the client URL. A port that was found free
// can be taken by someone else before etcd has it; then another is tried.
func listenAndStart(c EmbeddedConfig, log *slog.Logger) (*Embedded, error) {
	u, err := url.Parse(c.ClientURL)
	if err != nil {
		return nil, invalid("embedded.client_url", placement.HideUser(c.ClientURL), "must be a URL")
	}
	for attempt := 1; ; attempt++ {
		host, err := freeAddress(u.Host)
		var e *Embedded
		if err == nil {
			e, err = start(c, host, log)
		}
		switch {
		case err == nil:
			return e, nil
		case errors.Is(err, syscall.EADDRINUSE) && u.Port() == "0" && attempt < 10:
			continue
		case errors.Is(err, syscall.EADDRINUSE):
			return nil, invalid("embedded.client_url", placement.HideUser(c.ClientURL), "is in use by another process; stop that one, or choose another port (0 is any free one)")
		case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EACCES):
			return nil, invalid("embedded.client_url", placement.HideUser(c.ClientURL), "cannot be listened on: "+err.Error())
		}
		return nil, fmt.Errorf("start the embedded etcd on %s: %w", c.DataDir, err)
	}
}

// start begins to start a member. What etcd panics with, because the data cannot
// be read for example, is an error.
func start(c EmbeddedConfig, host string, log *slog.Logger) (e *Embedded, err error) {
	defer func() {
		if r := recover(); r != nil {
			e, err = nil, fmt.Errorf("etcd cannot use what is there: %v", r)
		}
	}()
	e = &Embedded{
		endpoint:  "http://" + host,
		level:     zap.NewAtomicLevelAt(zapcore.WarnLevel),
		servers:   make(chan *grpc.Server, 1),
		stillborn: make(chan error, 1),
	}
	e.etcd, err = embed.StartEtcd(e.config(c.DataDir, log))
	return e, err
}

func (e *Embedded) config(dir string, log *slog.Logger) *embed.Config {
	here, err := url.Parse(e.endpoint)
	if err != nil {
		panic(err) // it was made from a net.Addr
	}
	cfg := embed.NewConfig()
	cfg.Name = "sluice"
	cfg.Dir = memberDir(dir)
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*here}, []url.URL{*here}
	// There are no peers, so nothing listens for them: whoever could connect there
	// could speak raft to the member. The address that it must have nevertheless
	// is where nobody listens.
	cfg.ListenPeerUrls = nil
	cfg.AdvertisePeerUrls = []url.URL{{Scheme: "http", Host: "127.0.0.1:1"}}
	cfg.InitialCluster = cfg.InitialClusterFromName(cfg.Name)
	cfg.InitialClusterToken = "sluice"
	// Nobody else votes, so the election that every start begins with needs not
	// wait for slow peers; and the shortest lease is one and a half times as long,
	// rounded up: one second.
	cfg.TickMs, cfg.ElectionMs = 50, 250
	cfg.AutoCompactionMode, cfg.AutoCompactionRetention = embed.CompactorModePeriodic, embeddedHistory
	cfg.QuotaBackendBytes = embeddedQuota
	cfg.UnsafeNoFsync = false
	// The REST gateway is a client of the member, over loopback, that nobody uses,
	// and that makes etcd's Close take seconds.
	cfg.EnableGRPCGateway = false
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(newZap(log, e.level))
	// It is called when the member is ready and just before it serves.
	cfg.ServiceRegister = func(s *grpc.Server) {
		if err := born(dir); err != nil {
			s.Stop() // a server that was stopped does not begin to serve
			e.stillborn <- err
			return
		}
		e.servers <- s
	}
	return cfg
}

// ready waits until the member has applied what was acknowledged before it was
// stopped (it publishes itself through the log, after everything that is in it)
// and serves. It closes the member if that does not happen.
func (e *Embedded) ready(ctx context.Context, log *slog.Logger) error {
	late := time.NewTimer(10 * time.Second)
	defer late.Stop()
	var err error
	for err == nil {
		select {
		case s := <-e.servers:
			e.servers <- s // for Close
			return nil
		case err = <-e.stillborn:
		case <-e.etcd.Server.StopNotify():
			err = errors.New("the member stopped; its log says why")
		case err = <-e.etcd.Err():
		case <-ctx.Done():
			err = ctx.Err()
		case <-late.C:
			log.Warn("the embedded etcd is still starting; it reads its log, which takes long after a crash with much in it")
		}
	}
	return errors.Join(fmt.Errorf("start the embedded etcd: %w", err), e.Close())
}

// Store returns the driver that talks to the member in process. Close of the
// Embedded closes it.
func (e *Embedded) Store() *Store { return e.store }

// WithPrefix returns another driver on the member, whose keys begin with prefix,
// which begins and ends with "/". Close of the Embedded closes it.
func (e *Embedded) WithPrefix(prefix string) *Store {
	return &Store{client: e.store.client, prefix: prefix}
}

// Endpoint returns the URL at which other processes reach the member.
func (e *Embedded) Endpoint() string { return e.endpoint }

// Done returns a channel that is closed when the member has stopped, whether by
// Close or because it could not go on.
func (e *Embedded) Done() <-chan struct{} { return e.etcd.Server.StopNotify() }

// Close stops the member. What was acknowledged is on disk already; a call under
// way may fail although it took effect.
//
// Clients' connections are cut first: etcd means to wait up to six seconds for
// their watches to end, which they do not. It may be called more than once.
func (e *Embedded) Close() (err error) {
	e.closing.Do(func() { err = e.close() })
	return err
}

func (e *Embedded) close() error {
	e.level.SetLevel(zapcore.DPanicLevel) // what it says about connections that are cut is expected
	if e.store != nil {
		_ = e.store.Close()
	}
	select {
	case s := <-e.servers:
		s.Stop()
	default:
		// It is not ready, and etcd's own Close would wait until it is.
		e.etcd.Server.Stop()
	}
	e.etcd.Close()
	return e.lock.Close()
}

// localRenewal renews leases of the member in this process.
type localRenewal struct{ server *etcdserver.EtcdServer }

func (r localRenewal) renew(ctx context.Context, id clientv3.LeaseID) (int64, error) {
	ttl, err := r.server.LeaseRenew(ctx, lease.LeaseID(id))
	if errors.Is(err, lease.ErrLeaseNotFound) {
		return 0, nil
	}
	return ttl, err
}

func (localRenewal) close() {}

// freeAddress resolves port 0, and finds out now whether the address can be
// listened on. A process that was killed may leave its port for a moment.
func freeAddress(host string) (string, error) {
	_, port, err := net.SplitHostPort(host)
	if err != nil {
		return "", err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return "", err
	}
	for try := 0; ; try++ {
		l, err := net.Listen("tcp", host)
		if err == nil {
			return l.Addr().String(), l.Close()
		}
		if try == 10 || !errors.Is(err, syscall.EADDRINUSE) {
			return "", err
		}
		time.Sleep(50 * time.Millisecond)
	}
}
