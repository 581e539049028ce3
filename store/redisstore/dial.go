package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// What matters of the client library's log comes back as errors.
func init() { logging.Disable() }

// dialer finds the master and makes connections to it.
type dialer struct {
	c     Config
	tls   *tls.Config // nil: in clear
	check func(ctx context.Context, cn *redis.Conn) error

	mu    sync.Mutex
	moved string // where a cluster said that the keys are; empty: look for it
}

// move takes note of where a cluster says that the keys are, and reports whether
// that is news.
func (d *dialer) move(addr string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	news := addr != "" && addr != d.moved
	if news {
		d.moved = addr
	}
	return news
}

// client returns a client of whoever is master whenever it connects. It never
// sends anything twice.
func (d *dialer) client(timeout time.Duration) *redis.Client {
	o := d.options(timeout)
	o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) { return d.dial(ctx, timeout) }
	o.OnConnect = d.check
	o.ConnMaxIdleTime = 5 * time.Minute
	return redis.NewClient(o)
}

// options are what all connections to servers have in common.
func (d *dialer) options(timeout time.Duration) *redis.Options {
	return &redis.Options{
		Addr: strings.Join(d.c.Addresses, ","), // for errors; the dialer decides
		DB:   d.c.DB,
		CredentialsProviderContext: func(context.Context) (string, string, error) {
			p, err := password("password_file", d.c.PasswordFile)
			return d.c.Username, p, err
		},
		Protocol: 2, DisableIdentity: true, // no more commands than an ACL needs to allow
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		MaxRetries:               -1, // see Store.write
		DialTimeout:              timeout, DialerRetries: 1,
		// Every call has a deadline, which is the only bound: a WAIT or a blocking
		// read is not cut short by another.
		ContextTimeoutEnabled: true, ReadTimeout: -1, WriteTimeout: -1, PoolTimeout: timeout,
		PipelinePoolSize: -1,
		// As many as there are calls at a time; none is kept without need. After as many
		// dials that failed the library would go on dialling by itself.
		PoolSize: 256,
	}
}

// dial connects to the master.
func (d *dialer) dial(ctx context.Context, timeout time.Duration) (net.Conn, error) {
	d.mu.Lock()
	moved := d.moved
	d.mu.Unlock()
	if moved != "" {
		conn, err := d.open(ctx, moved)
		if err == nil {
			return conn, nil
		}
		d.mu.Lock()
		if d.moved == moved {
			d.moved = "" // it may be gone: ask again
		}
		d.mu.Unlock()
		return nil, err
	}
	addr, err := d.master(ctx, timeout)
	if err != nil {
		return nil, err
	}
	return d.open(ctx, addr)
}

// open makes one connection.
func (d *dialer) open(ctx context.Context, addr string) (net.Conn, error) {
	nd := &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}
	if d.tls == nil {
		return nd.DialContext(ctx, "tcp", addr)
	}
	return (&tls.Dialer{NetDialer: nd, Config: d.tls}).DialContext(ctx, "tcp", addr)
}

// master returns the address of the master.
func (d *dialer) master(ctx context.Context, timeout time.Duration) (string, error) {
	if d.c.Sentinel.Master != "" {
		return d.askSentinels(ctx, timeout)
	}
	if len(d.c.Addresses) == 1 {
		return d.c.Addresses[0], nil
	}
	return d.askAll(ctx, timeout)
}

// said is what one address answered.
type said struct {
	addr string
	role string // "master" or "replica"; empty if err is not nil
	node bool   // of a cluster
	err  error
}

// others is how long the rest has to answer when one has said that it is master.
const others = 300 * time.Millisecond

// askAll asks every address for its role. Two masters, outside a cluster, are one
// too many: one of them is from before a failover, and which cannot be told.
func (d *dialer) askAll(ctx context.Context, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answers := make(chan said, len(d.c.Addresses))
	for _, addr := range d.c.Addresses {
		go func() { answers <- d.askRole(ctx, addr, timeout) }()
	}
	var masters []said
	var errs []error
	var late <-chan time.Time
collect:
	for range d.c.Addresses {
		select {
		case a := <-answers:
			switch {
			case a.err != nil:
				errs = append(errs, fmt.Errorf("%s: %w", a.addr, a.err))
			case a.role == "master":
				masters = append(masters, a)
				late = time.After(others)
			}
		case <-late:
			break collect
		case <-ctx.Done():
			errs = append(errs, ctx.Err())
			break collect
		}
	}
	switch {
	case len(masters) == 0:
		return "", fmt.Errorf("none of %s is a master: %w", strings.Join(d.c.Addresses, ", "), errors.Join(errs...))
	case len(masters) > 1 && !masters[0].node:
		return "", fmt.Errorf("%s and %s both say that they are master; make the one that should not be a replica of the other", masters[0].addr, masters[1].addr)
	}
	return masters[0].addr, nil // of a cluster's it does not matter which: it says where the keys are
}

func (d *dialer) askRole(ctx context.Context, addr string, timeout time.Duration) said {
	o := d.options(timeout)
	o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) { return d.open(ctx, addr) }
	c := redis.NewClient(o)
	defer func() { _ = c.Close() }()
	info, err := c.Info(ctx, "replication", "cluster").Result()
	if err != nil {
		return said{addr: addr, err: err}
	}
	a := said{addr: addr, role: "replica", node: strings.Contains(info, "cluster_enabled:1")}
	if strings.Contains(info, "role:master") {
		a.role = "master"
	}
	return a
}

// askSentinels asks one sentinel after the other, at most a share of the time each.
func (d *dialer) askSentinels(ctx context.Context, timeout time.Duration) (string, error) {
	var errs []error
	for _, addr := range d.c.Addresses {
		found, err := d.askSentinel(ctx, addr, timeout/time.Duration(len(d.c.Addresses)+1))
		if err == nil {
			return found, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", addr, err))
	}
	return "", fmt.Errorf("no sentinel knows the master %q: %w", d.c.Sentinel.Master, errors.Join(errs...))
}

func (d *dialer) askSentinel(ctx context.Context, addr string, timeout time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	o := d.options(timeout)
	o.DB = 0
	o.CredentialsProviderContext = func(context.Context) (string, string, error) {
		p, err := password("sentinel.password_file", d.c.Sentinel.PasswordFile)
		return d.c.Sentinel.Username, p, err
	}
	o.Dialer = func(ctx context.Context, _, _ string) (net.Conn, error) { return d.open(ctx, addr) }
	c := redis.NewSentinelClient(o)
	defer func() { _ = c.Close() }()
	hostPort, err := c.GetMasterAddrByName(ctx, d.c.Sentinel.Master).Result()
	if err != nil {
		return "", err
	}
	if len(hostPort) != 2 {
		return "", errors.New("an answer of unknown form")
	}
	return net.JoinHostPort(hostPort[0], hostPort[1]), nil
}
