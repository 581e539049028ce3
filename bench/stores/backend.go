package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
	"github.com/sluiceproxy/sluice/store/memstore"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// backend is one kind of store.
type backend struct {
	name    string
	entries int    // of the large table by default
	why     string // it is no million, if it is none
	writers int    // writes under way while the table is filled
	start   func(context.Context) (*server, error)
}

// server is a running one, with nothing in it.
type server struct {
	version string
	setup   string // what is not its default
	addr    string // host:port; empty when it is in this process
	pid     func() int
	// open connects to the table of that name, at addr or at a proxy's address. Every
	// call has connections of its own, except where there are none.
	open func(ctx context.Context, addr, table string) (store, error)
	// fill is faster than writing entries one by one; nil where that will do.
	fill func(ctx context.Context, addr, table string, n int, done func(int)) error
	stop func() error
}

// store is a driver with its end.
type store interface {
	driver.Driver
	Close() error
}

var backends = []backend{
	{name: "memory", entries: 1_000_000, writers: 1, start: startMemory},
	{name: "etcd", entries: 1_000_000, writers: 256, start: startEtcd},
	{name: "redis", entries: 1_000_000, writers: 256, start: startRedis},
	{name: "consul", entries: 100_000, writers: 16, start: startConsul,
		why: "one transaction an entry, which the log and Consul's memory have as well: a million took eleven minutes to write, beside other work"},
	{name: "opensearch", entries: 1_000_000, writers: 4, start: startOpenSearch},
}

// startMemory shares one store: there is nothing to connect to.
func startMemory(context.Context) (*server, error) {
	tables := map[string]*memstore.Store{}
	return &server{
		version: "of this program", setup: "none",
		open: func(_ context.Context, _, table string) (store, error) {
			if tables[table] == nil {
				tables[table] = memstore.New(nil)
			}
			return shared{tables[table]}, nil
		},
		stop: func() error {
			for _, s := range tables {
				_ = s.Close() // it always returns nil
			}
			return nil
		},
	}, nil
}

// shared is a store that others still use when it is closed.
type shared struct{ *memstore.Store }

func (shared) Close() error { return nil }

func startEtcd(ctx context.Context) (*server, error) {
	e, err := engines.StartEtcd(ctx, &engines.EtcdOptions{ExtraArgs: []string{"--quota-backend-bytes=8589934592"}, Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	return &server{
		version: e.Version(), setup: "one member, --quota-backend-bytes 8 GiB", addr: strings.TrimPrefix(e.URL(), "http://"), pid: e.PID, stop: e.Stop,
		open: func(ctx context.Context, addr, table string) (store, error) {
			return opened(etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{"http://" + addr}, Prefix: "/" + table + "/"}, nil))
		},
	}, nil
}

func startRedis(ctx context.Context) (*server, error) {
	r, err := engines.StartRedis(ctx, nil)
	if err != nil {
		return nil, err
	}
	version, err := r.Info(ctx, "redis_version")
	if err != nil {
		return nil, errors.Join(err, r.Stop())
	}
	return &server{
		version: version, setup: "one master, appendfsync always", addr: r.Addr(), pid: r.PID, stop: r.Stop,
		open: func(ctx context.Context, addr, table string) (store, error) {
			return opened(redisstore.Open(ctx, redisstore.Config{Addresses: []string{addr}, Prefix: table}, nil))
		},
	}, nil
}

func startConsul(ctx context.Context) (*server, error) {
	c, err := engines.StartConsul(ctx, &engines.ConsulOptions{Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	return &server{
		version: c.Version(), setup: "one server, http_max_conns_per_client 10,000", addr: strings.TrimPrefix(c.URL(), "http://"), pid: c.PID, stop: c.Stop,
		open: func(ctx context.Context, addr, table string) (store, error) {
			return opened(consulstore.Open(ctx, consulstore.Config{Addresses: []string{"http://" + addr}, Prefix: table + "/"}, nil))
		},
	}, nil
}

// heapMB is the JVM's: what a small cluster for nothing else would have.
const heapMB = 1024

func startOpenSearch(ctx context.Context) (*server, error) {
	o, err := engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{HeapMB: heapMB, Progress: os.Stderr})
	if err != nil {
		return nil, err
	}
	return &server{
		version: o.Version(), setup: fmt.Sprintf("one node, heap %d MB", heapMB), addr: strings.TrimPrefix(o.URL(), "http://"), pid: o.PID, stop: o.Stop,
		open: func(ctx context.Context, addr, table string) (store, error) {
			none := 0
			return opened(opensearchstore.Open(ctx, opensearchstore.Config{Addresses: []string{"http://" + addr}, Index: table, Replicas: &none}, nil))
		},
		fill: fillOpenSearch,
	}, nil
}

// opened keeps a nil pointer from becoming a store.
func opened[S store](s S, err error) (store, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// residentMB is the memory of a process in MiB, 0 where that cannot be told.
func residentMB(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			return kb >> 10
		}
	}
	return 0
}
