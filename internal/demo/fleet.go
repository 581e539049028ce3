package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// TenantHeader is the header in which the demo's requests name their tenant.
const TenantHeader = "X-Tenant-Id"

// FleetOptions of a Fleet. The zero value is useful.
type FleetOptions struct {
	Proxies int // 0 is 2
	// Store are the lines of the section store, the same for all processes; nil is an etcd inside the controller.
	Store []string
	// Extra is more configuration of all processes: lines of YAML by section, such as {"controller": {"moves_at_once: 1"}}.
	Extra map[string][]string
}

// Fleet is a controller, with an embedded etcd unless the options name another store, and proxies, each a process of its own.
type Fleet struct {
	Controller *Process
	Proxies    []*Process

	program string
	dir     string
	client  string   // configuration for commands
	urls    []string // of the proxies
	etcd    string
}

// NewFleet writes the configuration of a fleet into dir, which must exist, and starts nothing. Program is the path of the
// sluice binary.
func NewFleet(program, dir string, o *FleetOptions) (*Fleet, error) {
	if o == nil {
		o = &FleetOptions{}
	}
	n := o.Proxies
	if n == 0 {
		n = 2
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(2 + 2*n)
	if err != nil {
		return nil, fmt.Errorf("find free ports: %w", err)
	}
	f := &Fleet{program: program, dir: dir, client: filepath.Join(dir, "client.yaml"), etcd: "http://" + ports[0]}
	secret := filepath.Join(dir, "fleet.secret")
	if _, err := os.Stat(secret); errors.Is(err, os.ErrNotExist) {
		if err := os.WriteFile(secret, []byte(rand.Text()+"\n"), 0o600); err != nil {
			return nil, fmt.Errorf("write the fleet's secret: %w", err)
		}
	}
	base := config{secret: secret, extra: o.Extra, etcd: f.etcd, store: o.Store}
	if err := base.write(f.client); err != nil {
		return nil, err
	}
	controller := base
	controller.name, controller.admin, controller.data = "controller", ports[1], filepath.Join(dir, "etcd")
	if f.Controller, err = f.process("controller", controller); err != nil {
		return nil, err
	}
	for i := range n {
		own := base
		own.name, own.listen, own.admin = "proxy-"+strconv.Itoa(i+1), ports[2+2*i], ports[3+2*i]
		p, err := f.process("proxy", own)
		if err != nil {
			return nil, err
		}
		f.Proxies = append(f.Proxies, p)
		f.urls = append(f.urls, "http://"+own.listen)
	}
	return f, nil
}

func (f *Fleet) process(command string, c config) (*Process, error) {
	file := filepath.Join(f.dir, c.name+".yaml")
	if err := c.write(file); err != nil {
		return nil, err
	}
	return &Process{
		Name: c.name, program: f.program, args: []string{command, "--config", file},
		log: filepath.Join(f.dir, "logs", c.name+".log"), ready: "http://" + c.admin + "/-/ready",
	}, nil
}

// URLs returns the addresses of the proxies for clients, whether they run or not.
func (f *Fleet) URLs() []string { return append([]string(nil), f.urls...) }

// EtcdURL returns the address of the etcd inside the controller, if there is one.
func (f *Fleet) EtcdURL() string { return f.etcd }

// Dir returns the directory of configuration, data and logs.
func (f *Fleet) Dir() string { return f.dir }

// Start starts the controller, in which the store usually is, and then the proxies.
func (f *Fleet) Start(ctx context.Context) error {
	if err := f.Controller.Start(ctx); err != nil {
		return err
	}
	for _, p := range f.Proxies {
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stop stops the proxies, which need the store for a clean end, and then the controller.
func (f *Fleet) Stop() error {
	errs := make(chan error, len(f.Proxies))
	for _, p := range f.Proxies {
		go func() { errs <- p.Stop(20 * time.Second) }()
	}
	var all []error
	for range f.Proxies {
		all = append(all, <-errs)
	}
	all = append(all, f.Controller.Stop(20*time.Second))
	return errors.Join(all...)
}

// freePorts returns n addresses of loopback that nobody listens on now.
func freePorts(n int) ([]string, error) {
	var out []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }() // all are held until all are found, so that they differ
		out = append(out, l.Addr().String())
	}
	return out, nil
}
