package etcdstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/sluiceproxy/sluice/placement"
)

// Defaults of EmbeddedConfig.
const (
	DefaultClientURL = "http://127.0.0.1:2379"
	defaultQuota     = 4 << 30 // bytes
)

// EmbeddedConfig of a member inside this process.
type EmbeddedConfig struct {
	DataDir   string // durable; created with mode 0700
	ClientURL string // where other processes reach it (default DefaultClientURL; port 0: a free one)
	Prefix    string // default DefaultPrefix
}

// Embedded is a single etcd member inside this process.
type Embedded struct {
	etcd     *embed.Etcd
	store    *Store
	endpoint string
	lock     *os.File

	mu    sync.Mutex
	grpcs []*grpc.Server
}

// StartEmbedded starts the member and waits until it serves, or for ctx. The
// data directory is locked: a second process on it gets an error at once.
func StartEmbedded(ctx context.Context, c EmbeddedConfig, o *Options) (*Embedded, error) {
	if c.DataDir == "" {
		return nil, &placement.InvalidError{Field: "store.etcd.embedded.data_dir", Value: "", Fix: "must name a directory that survives restarts"}
	}
	if c.ClientURL == "" {
		c.ClientURL = DefaultClientURL
	}
	u, err := url.Parse(c.ClientURL)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return nil, &placement.InvalidError{Field: "store.etcd.embedded.client_url", Value: c.ClientURL, Fix: "must be a URL such as http://127.0.0.1:2379"}
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("store.etcd.embedded.data_dir: %w", err)
	}
	lock, err := lockDir(c.DataDir)
	if err != nil {
		return nil, err
	}
	client, err := freePort(u)
	if err != nil {
		lock.Close()
		return nil, &placement.InvalidError{Field: "store.etcd.embedded.client_url", Value: c.ClientURL, Fix: "must be an address that is free: " + err.Error()}
	}
	peer, err := freePort(&url.URL{Scheme: "http", Host: "127.0.0.1:0"})
	if err != nil {
		lock.Close()
		return nil, err
	}
	e := &Embedded{endpoint: client.String(), lock: lock}
	if e.etcd, err = embed.StartEtcd(e.config(c.DataDir, client, peer)); err != nil {
		lock.Close()
		return nil, fmt.Errorf("start the embedded etcd: %w", err)
	}
	select {
	case <-e.etcd.Server.ReadyNotify():
	case err = <-e.etcd.Err():
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("start the embedded etcd: %w", err)
	}
	e.store = newStore(v3client.New(e.etcd.Server), c.Prefix, o.orDefaults())
	e.store.local = true
	return e, nil
}

func (e *Embedded) config(dir string, client, peer *url.URL) *embed.Config {
	cfg := embed.NewConfig()
	cfg.Name = "sluice"
	cfg.Dir = filepath.Join(dir, "etcd")
	cfg.ListenClientUrls, cfg.AdvertiseClientUrls = []url.URL{*client}, []url.URL{*client}
	cfg.ListenPeerUrls, cfg.AdvertisePeerUrls = []url.URL{*peer}, []url.URL{*peer}
	cfg.InitialCluster = cfg.Name + "=" + peer.String()
	cfg.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
	cfg.AutoCompactionMode, cfg.AutoCompactionRetention = "periodic", "1h"
	cfg.QuotaBackendBytes = defaultQuota
	// Nobody else votes, so an election needs not wait for slow peers.
	cfg.TickMs, cfg.ElectionMs = 50, 500
	cfg.ServiceRegister = func(s *grpc.Server) {
		e.mu.Lock()
		e.grpcs = append(e.grpcs, s)
		e.mu.Unlock()
	}
	return cfg
}

// Store is a driver that talks to the member in process.
func (e *Embedded) Store() *Store { return e.store }

// Endpoint is the URL at which other processes reach the member.
func (e *Embedded) Endpoint() string { return e.endpoint }

// Close stops the member. Clients' connections are cut first: etcd itself would
// wait seconds for their watches to end, which they do not.
func (e *Embedded) Close() error {
	if e.store != nil {
		_ = e.store.Close()
	}
	e.mu.Lock()
	for _, s := range e.grpcs {
		s.Stop()
	}
	e.mu.Unlock()
	e.etcd.Close()
	return e.lock.Close()
}

func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store.etcd.embedded.data_dir: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &placement.InvalidError{Field: "store.etcd.embedded.data_dir", Value: dir, Fix: "is in use by another process; stop that one, or choose another directory"}
		}
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	return f, nil
}

// freePort resolves port 0 and finds out now, with a clear error, whether the
// address can be listened on. Another process could take it before etcd does;
// etcd's own error then says so.
func freePort(u *url.URL) (*url.URL, error) {
	var l net.Listener
	var err error
	// A member that was killed may leave its port for a moment.
	for try := 0; ; try++ {
		if l, err = net.Listen("tcp", u.Host); err == nil || try == 10 || strings.HasSuffix(u.Host, ":0") {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		return nil, err
	}
	host := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	return &url.URL{Scheme: u.Scheme, Host: host}, nil
}

// WithPrefix returns a driver on the member whose keys begin with prefix. It is
// valid until the member is closed and needs no Close of its own.
func (e *Embedded) WithPrefix(prefix string) *Store {
	s := *e.store
	s.prefix = prefix
	return &s
}
