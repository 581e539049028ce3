package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/collector"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/internal/programfile"
	"github.com/sluiceproxy/sluice/internal/telemetry"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
	"github.com/sluiceproxy/sluice/tenancy"
)

// lingerTime is how long clients may take to end connections that they do not use.
const lingerTime = time.Second

// roles says what a process does.
type roles struct{ proxy, controller bool }

// node is one running process of the fleet.
type node struct {
	cfg      *config.Config
	roles    roles
	log      *slog.Logger
	metrics  *metrics
	out      io.Writer  // of the log of requests
	failed   chan error // a part that ended by itself
	stopping atomic.Bool
	broken   bool // a part has failed: there is nothing to wait for

	data, admin  net.Listener
	api          net.Listener // nil: off
	tls          *tls.Config  // of data, nil: HTTP
	embedded     *etcdstore.Embedded
	driver       dialed
	history      *service
	store        *store.Store
	telemetry    *telemetry.Provider // nil: off
	gate         *gate.Gate
	clusters     *proxy.Directory
	proxy        *proxy.Proxy
	adminService *service
	gateService  *service
	follow       *service
	dataService  *service
	control      *service
	apiService   *service
}

// runNode starts the parts in order, serves until ctx ends or a part fails, and
// stops them in order. The log of requests goes to out. It returns nil after an
// orderly stop.
func runNode(ctx context.Context, cfg *config.Config, r roles, log *slog.Logger, out io.Writer) error {
	// Room for every part: none must block on telling that it ended.
	n := &node{cfg: cfg, roles: r, log: log, out: out, metrics: newMetrics(prometheus.NewRegistry()), failed: make(chan error, 8)}
	go collector.Pace(ctx)
	err := n.start(ctx)
	if err == nil {
		go n.forgetStart(ctx)
		select {
		case <-ctx.Done():
			log.Info("stopping")
		case failure := <-n.failed:
			log.Error("stopping, because a part failed", "error", failure) // stop returns it
		}
	} else if ctx.Err() != nil {
		err = nil // told to stop while it started
	}
	begun := time.Now()
	if stopErr := n.stop(); stopErr != nil {
		return errors.Join(err, stopErr)
	}
	log.Info("stopped", "after", time.Since(begun).Round(time.Millisecond).String())
	return err
}

// forgetStart gives back what only the start has read of the program's file: half of an
// idle proxy's memory.
func (n *node) forgetStart(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Second): // for what goes on in the background
		if size, err := programfile.Release(); err != nil {
			n.log.Debug("the pages of the program's file stay in memory", "released", size, "error", err)
		}
	}
}

// start brings the parts up, each before the ones that need it.
func (n *node) start(ctx context.Context) error {
	cfg := n.cfg
	var err error
	// 1. All addresses, so that one in use is an error before anything else
	// happens, and so that the admin address is known before it is published.
	if n.admin, err = listen("admin.listen", cfg.Admin.Listen); err != nil {
		return err
	}
	if n.roles.proxy {
		if n.data, err = inherited(); err != nil {
			return err
		}
		if n.data == nil {
			if n.data, err = listen("proxy.listen", cfg.Proxy.Listen); err != nil {
				return err
			}
		}
	}
	if n.roles.controller && cfg.API.Listen != "" {
		if n.api, err = listen("api.listen", cfg.API.Listen); err != nil {
			return err
		}
	}
	if t := cfg.Telemetry; t.Endpoint != "" {
		n.telemetry, err = telemetry.New(telemetry.Options{
			Endpoint: t.Endpoint, HeadersFile: t.HeadersFile, CAFile: t.CAFile, Ratio: t.SampleRatio, Name: n.name(), Version: build(), Logger: n.log,
		})
		if err != nil {
			return err
		}
	}
	// 2. The table. The embedded member locks the data directory, which the
	// generated secret is in, so it comes before the secret. A table that goes back
	// behind what was read from it ends the process.
	if err := n.openTable(ctx); err != nil {
		return err
	}
	if d, ok := n.driver.(driver.LossNoticer); ok {
		n.history = startService("store", n.failed, func(ctx context.Context) error { return lost(d.AwaitLoss(ctx)) })
	}
	secret, err := fleetSecret(cfg, n.roles.controller)
	if err != nil {
		return err
	}
	// 3. The data plane is built, nothing of it runs.
	ready := n.tableReady
	var fleet, explain http.Handler
	if n.roles.proxy {
		if err := n.buildProxy(secret); err != nil {
			return err
		}
		ready, fleet, explain = n.ready, n.gate.FleetHandler(), n.proxy.ExplainHandler()
	}
	// 4. The admin listener with the fleet's endpoint, before the gate publishes
	// its address in a session. Then the gate, the clusters, the clients' listener:
	// requests that come before the gate has joined wait in it, bounded.
	adminServer := proxy.NewServer(adminHandler(ready, fleet, explain, n.metrics.registry))
	n.adminService = startService("admin listener", n.failed, func(ctx context.Context) error {
		return serveHTTP(ctx, adminServer, n.admin, 0, 2*time.Second)
	})
	if n.roles.proxy {
		n.gateService = startService("gate", n.failed, n.gate.Run)
		n.follow = startService("clusters", n.failed, n.clusters.Run)
		p, l := cfg.Proxy, cfg.Proxy.Limits
		server := proxy.NewServer(proxy.Patience{Stall: l.ClientStall, Rate: l.ClientRate}.Handler(n.proxy))
		server.MaxHeaderBytes = int(l.HeaderBytes)
		server.TLSConfig, server.ErrorLog = n.tls, slog.NewLogLogger(n.log.Handler(), slog.LevelWarn)
		n.dataService = startService("proxy listener", n.failed, func(ctx context.Context) error {
			return serveHTTP(ctx, server, proxy.Listen(n.data), min(lingerTime, p.ShutdownTimeout/2), p.ShutdownTimeout/2)
		})
	}
	// 5. The controller: it begins by resuming moves.
	if n.roles.controller {
		k := cfg.Controller
		var timed *control.TimeBarrierOptions
		if k.Barrier == config.BarrierTime {
			timed = &control.TimeBarrierOptions{Wait: k.DrainBarrier}
		}
		c := control.NewController(n.store, gate.NewPeers(secret, nil), &control.ControllerOptions{
			Name: n.name(), Build: build(), TTL: k.SessionTTL, Workers: k.MovesAtOnce, CopyWorkers: k.CopyWorkers,
			DrainBarrier: k.DrainBarrier, Timed: timed, Waves: true, Trash: true, TrashTime: k.Trash, Tracer: n.telemetry.Tracer("control"), TraceTenants: cfg.Telemetry.Tenants, Metrics: n.metrics.controller(cfg.Telemetry.MetricsTenants), Logger: n.log,
		})
		n.control = startService("controller", n.failed, c.Run)
	}
	// 6. The API last: it asks the others for nothing, but what it accepts is theirs to do.
	if n.api != nil {
		if err := n.startAPI(secret); err != nil {
			return err
		}
	}
	n.log.Info("sluice is up", "build", build(), "proxy", address(n.data), "admin", address(n.admin), "api", address(n.api), "store", n.storeName())
	return nil
}

// stop brings the parts down. Every write that was admitted gets its answer, and
// everything that was journaled reaches a mover, before what they need is gone.
func (n *node) stop() error {
	// 0. Load balancers that ask send elsewhere from now on, and clients are told to
	// connect anew. Those that have not asked yet are served.
	n.stopping.Store(true)
	if n.dataService != nil {
		n.proxy.Leave()
		if !n.broken {
			time.Sleep(n.cfg.Proxy.ShutdownDelay) // a second signal ends the process at once
		}
	}
	// The API takes nothing more that somebody here would have to do.
	errs := []error{n.apiService.stop()}
	// 1. No new requests; those under way end. Nothing is admitted after this.
	// By-query tasks that a client does not wait for end here too, or are handed
	// over by the gate as unresolved.
	errs = append(errs, n.dataService.stop())
	if n.proxy != nil {
		bound, cancel := context.WithTimeout(context.Background(), n.cfg.Proxy.ShutdownTimeout/2)
		if err := n.proxy.Drain(bound); err != nil {
			n.log.Warn("stopping with tasks that have not ended; a move under way reconciles", "error", err)
		}
		cancel()
	}
	// 2. The gate closes cleanly: it waits until the movers have confirmed its
	// journals, for which they need the admin listener, and then strikes its
	// session. In `serve` the mover is in this process: it is still running.
	errs = append(errs, n.gateService.stop(), n.follow.stop())
	// 3. The controller hands over: what it was doing is in its records.
	errs = append(errs, n.control.stop())
	// 4. Nobody needs the fleet endpoint any more.
	errs = append(errs, n.adminService.stop())
	// 5. The table, under everything else; its client before its member. When it has
	// lost history the other parts failed of that, if they did, and it is said once.
	if err := n.history.stop(); err != nil {
		errs = append(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, driver.ErrHistoryLost) }), err)
	}
	if n.driver != nil && n.embedded == nil {
		errs = append(errs, n.driver.Close())
	}
	if n.embedded != nil {
		errs = append(errs, n.embedded.Close())
	}
	// 6. The spans of all of that.
	if err := n.telemetry.Close(2 * time.Second); err != nil {
		n.log.Warn("stopping with spans that were not sent", "error", err)
	}
	// Listeners that no server took over, when the start failed half-way.
	for _, l := range []net.Listener{n.data, n.admin, n.api} {
		if l != nil {
			_ = l.Close() // closed already by its server, usually
		}
	}
	return errors.Join(errs...)
}

// openTable connects to the store, or runs the etcd member when it is embedded
// and this process is the one to run it. The table's own record is read first of
// all: a table that is half imported, or was moved to another store, is not served.
func (n *node) openTable(ctx context.Context) error {
	if n.cfg.Store.Embedded() && n.roles.controller {
		m, err := startEmbedded(ctx, n.cfg, n.log)
		if err != nil {
			return err
		}
		n.embedded, n.driver = m, m.Store()
	} else {
		d, err := dialPatiently(ctx, n.cfg, n.log)
		if err != nil {
			return err
		}
		n.driver = d
	}
	var err error
	n.store, err = store.Open(ctx, n.driver, &store.Options{Observe: n.metrics.store(), Logger: n.log})
	return err
}

// lost says what to do about a table that has lost history.
func lost(err error) error {
	if !errors.Is(err, driver.ErrHistoryLost) {
		return err
	}
	return fmt.Errorf("%w. This process knows more than the table holds now, so it stops. Make sure that no other old copy of the store takes over, "+
		"compare the table (`sluice tenant list`) with the newest moves that you know of, then start every process anew "+
		"(docs/stores/README.md, When the store has lost history)", err)
}

func startEmbedded(ctx context.Context, cfg *config.Config, log *slog.Logger) (*etcdstore.Embedded, error) {
	e := cfg.Store.Etcd
	return etcdstore.StartEmbedded(ctx, etcdstore.EmbeddedConfig{DataDir: e.Embedded.DataDir, ClientURL: e.Embedded.ClientURL, Prefix: e.Prefix}, &etcdstore.Options{Logger: log})
}

func (n *node) storeName() string {
	if n.embedded != nil {
		return "embedded etcd at " + n.embedded.Endpoint()
	}
	return storeWhere(n.cfg.Store)
}

// tableReady is the readiness of a process without a gate.
func (n *node) tableReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, err := store.ReadTable(ctx, n.driver)
	return err
}

// buildProxy makes the gate and the handler over it.
func (n *node) buildProxy(secret []byte) error {
	p := n.cfg.Proxy
	resolver, err := tenancy.New(p.Tenant, &tenancy.Options{Logger: n.log})
	if err != nil {
		return config.TenantError(err)
	}
	if n.tls, err = serverTLS("proxy.tls", p.TLS, n.log); err != nil {
		return err
	}
	n.gate, err = gate.New(n.store, &gate.Options{
		Name: n.name(), Address: advertise(n.cfg.Admin, n.admin.Addr()), Build: build(), Mode: gate.Mode(p.Mode), TTL: p.SessionTTL,
		HoldDeadline: p.HoldDeadline, HoldRequests: p.HoldRequests, HoldBytes: p.HoldBytes, DrainBarrier: p.DrainBarrier,
		JournalLimit: p.JournalLimit, CloseDeadline: p.ShutdownTimeout / 2, FleetSecret: secret, Settled: n.metrics.settled(), Logger: n.log,
	})
	if err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	n.metrics.gate(n.gate)
	n.clusters = proxy.NewDirectory(n.store, &proxy.DirectoryOptions{Logger: n.log})
	keys, err := cursorKeys(p.Cursors.KeyFiles, secret)
	if err != nil {
		return err
	}
	var pins *affinity.CursorAffinity
	if affinity.Affinity(p.Cursors.Affinity) == affinity.Pin {
		pins = affinity.NewCursorAffinity(&affinity.CursorAffinityOptions{Limit: p.Cursors.Limit, TTL: p.Cursors.TTL})
	}
	n.proxy, err = proxy.New(n.gate, n.clusters, resolver, &proxy.Options{
		CursorKeys: keys, Pins: pins, MixedBulk: p.Tenant.MixedBulk, WriteTimeout: p.UpstreamWriteTimeout,
		Requests: p.Requests, TenantRequests: p.TenantRequests,
		QueryBody: p.Limits.QueryBody, BulkBody: p.Limits.BulkBody, BodyBytes: p.Limits.BodyBytes, TenantBodyBytes: p.Limits.TenantBodyBytes,
		BreakerFailures: breakerFailures(p.Limits), BreakerPause: p.Limits.BreakerPause,
		Cleartext: proxy.Cleartext(p.Cleartext), TrustedProxies: p.Trusted(), ForwardHeaders: p.ForwardHeaders, DropHeaders: p.DropHeaders,
		Registerer: n.metrics.registry, MetricsTenants: n.cfg.Telemetry.MetricsTenants, Logger: n.log,
		Tracer: n.telemetry.Tracer("proxy"), TraceTenants: n.cfg.Telemetry.Tenants, AccessLog: accessLog(n.cfg.Log.Access, n.out),
	})
	if err != nil {
		return fmt.Errorf("proxy: %w", err)
	}
	return nil
}

// breakerFailures is the option of that name, in which 0 is the default and not off.
func breakerFailures(l config.Limits) int {
	if l.BreakerFailures == 0 {
		return -1
	}
	return l.BreakerFailures
}

// ready is nil when a request can be answered: the table, and the clusters.
func (n *node) ready() error {
	if n.stopping.Load() {
		return errors.New("this process is stopping")
	}
	if err := n.gate.Ready(); err != nil {
		return err
	}
	select {
	case <-n.clusters.Ready():
		return nil
	default:
		return errors.New("the clusters have not been read from the store yet")
	}
}

// name is for people.
func (n *node) name() string {
	if n.cfg.Name != "" {
		return n.cfg.Name
	}
	host, err := os.Hostname()
	if err != nil {
		host = "sluice"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}

func listen(field, addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, &placement.InvalidError{Field: field, Value: addr, Fix: "cannot be listened on: " + err.Error()}
	}
	return l, nil
}

func address(l net.Listener) string {
	if l == nil {
		return "none"
	}
	return l.Addr().String()
}

// advertise is the base URL of the admin listener for other machines.
func advertise(a config.Admin, bound net.Addr) string {
	if a.Advertise != "" {
		return strings.TrimSuffix(a.Advertise, "/")
	}
	return "http://" + reachable(bound)
}

// apiURL is the base URL of the API's listener for other machines.
func apiURL(a config.API, bound net.Addr) string {
	switch {
	case a.Advertise != "":
		return strings.TrimSuffix(a.Advertise, "/")
	case a.TLS.CertFile != "":
		return "https://" + reachable(bound)
	}
	return "http://" + reachable(bound)
}

// reachable is an address that was bound, with the host's name for every interface.
func reachable(bound net.Addr) string {
	host, port, err := net.SplitHostPort(bound.String())
	if err != nil {
		return bound.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	return net.JoinHostPort(host, port)
}
