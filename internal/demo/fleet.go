package demo

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// TenantHeader is the header in which the demo's requests name their tenant.
const TenantHeader = "X-Tenant-Id"

// FleetOptions of a Fleet. The zero value is useful.
type FleetOptions struct {
	Proxies     int // 0 is 2
	Controllers int // 0 is 1; more need a Store
	// Store are the lines of the section store, the same for all processes; nil is an etcd inside the controller.
	Store []string
	// Extra is more configuration of all processes: lines of YAML by section, such as {"controller": {"moves_at_once: 1"}}.
	Extra map[string][]string
	// Advertise returns the address, host:port, at which controllers are told to reach a proxy, given the proxy's name and
	// where it listens for them; nil is the latter.
	Advertise func(proxy, listens string) (string, error)
}

// Fleet is controllers, the only one with an embedded etcd unless the options name another store, and proxies, each a process
// of its own.
type Fleet struct {
	Controllers []*Process
	Proxies     []*Process

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
	n, controllers := cmp.Or(o.Proxies, 2), cmp.Or(o.Controllers, 1)
	if controllers > 1 && o.Store == nil {
		return nil, errors.New("a fleet of several controllers needs a store outside of them")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(1 + controllers + 2*n)
	if err != nil {
		return nil, err
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
	for i := range controllers {
		own := base
		own.name, own.admin, own.data = "controller", ports[1+i], filepath.Join(dir, "etcd")
		if controllers > 1 {
			own.name = "controller-" + strconv.Itoa(i+1)
		}
		own.advertise = own.admin
		p, err := f.process("controller", own)
		if err != nil {
			return nil, err
		}
		f.Controllers = append(f.Controllers, p)
	}
	for i := range n {
		own := base
		at := ports[1+controllers+2*i:]
		own.name, own.listen, own.admin = "proxy-"+strconv.Itoa(i+1), at[0], at[1]
		own.advertise = own.admin
		if o.Advertise != nil {
			if own.advertise, err = o.Advertise(own.name, own.admin); err != nil {
				return nil, err
			}
		}
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

// Processes returns the controllers and then the proxies.
func (f *Fleet) Processes() []*Process { return slices.Concat(f.Controllers, f.Proxies) }

// EtcdURL returns the address of the etcd inside the controller, if there is one.
func (f *Fleet) EtcdURL() string { return f.etcd }

// Dir returns the directory of configuration, data and logs.
func (f *Fleet) Dir() string { return f.dir }

// Start starts the controllers, in which the store usually is, and then the proxies.
func (f *Fleet) Start(ctx context.Context) error {
	for _, p := range f.Processes() {
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Stop stops the proxies, which need the store for a clean end, and then the controllers.
func (f *Fleet) Stop() error { return errors.Join(stop(f.Proxies), stop(f.Controllers)) }

func stop(all []*Process) error {
	errs := make([]error, len(all))
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() { errs[i] = p.Stop(20 * time.Second) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// freePorts returns n addresses of loopback that nobody listens on now. Processes leave theirs free while they are killed.
func freePorts(n int) ([]string, error) {
	ports, err := engines.FreePorts(n)
	if err != nil {
		return nil, err
	}
	out := make([]string, n)
	for i, p := range ports {
		out[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(p))
	}
	return out, nil
}
