package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/load"
	"github.com/sluiceproxy/sluice/placement"
)

// The names of the demo.
const (
	tenant   = "acme"
	logical  = "docs"
	physical = "acme-docs"
	other    = "notes" // the tenant's second index, on a cluster of its own
)

// names of the clusters, in the order of Options.OpenSearch.
var names = [2]string{"a", "b"}

// ErrOff is returned when the receipt shows anything that must not be.
var ErrOff = errors.New("the demo found something that must not be")

// story is a running demo.
type story struct {
	o       Options
	program string
	dir     string
	out     io.Writer
	begun   time.Time

	nodes [2]*engines.OpenSearch
	table server // of the placement table; nil when it is in the controller
	fleet *Fleet
	load  *load.Load
	side  *load.Load // the second index of a dedicated cluster: written once, moved along; nil otherwise
	log   *os.File   // of the clients; nil when none is kept
	res   Result

	storeLines []string // configuration of the store; nil for the one in the controller
}

// Run runs the demo with the sluice binary program and tells on out what happens. It returns the result, as far as it came,
// and an error that wraps ErrOff when something is off. Everything it started has ended when it returns.
func Run(ctx context.Context, program string, o Options, out io.Writer) (_ *Result, err error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	s := &story{o: o, program: program, out: &lockedWriter{w: out}, begun: time.Now()}
	s.res.Versions, s.res.Store = o.OpenSearch, o.Store
	if err := s.directory(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.cleanUp(err != nil && ctx.Err() == nil)) }()
	for _, step := range []func(context.Context) error{s.startClusters, s.startStore, s.startFleet, s.introduce} {
		if err := step(ctx); err != nil {
			return &s.res, err
		}
	}
	if err := s.underLoad(ctx); err != nil {
		return &s.res, err
	}
	return &s.res, s.judge()
}

// directory makes the directory of data and logs.
func (s *story) directory() error {
	var err error
	if s.dir = s.o.DataDir; s.dir == "" {
		s.dir, err = os.MkdirTemp("", "sluice-demo-")
	} else if s.dir, err = filepath.Abs(s.dir); err == nil {
		err = os.MkdirAll(s.dir, 0o755)
		if entries, e := os.ReadDir(s.dir); e == nil && len(entries) > 0 {
			return fmt.Errorf("--data-dir: %s must be empty, or not exist", s.dir)
		}
	}
	if err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	return nil
}

// cleanUp ends everything in the reverse order of its start. Logs stay when something went wrong, which an interruption is not.
func (s *story) cleanUp(failed bool) error {
	var errs []error
	for _, l := range []*load.Load{s.load, s.side} {
		if l != nil {
			l.Close()
		}
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	if s.fleet != nil {
		errs = append(errs, s.fleet.Stop())
	}
	if s.table != nil {
		errs = append(errs, s.table.Stop())
	}
	var wg sync.WaitGroup
	stops := make([]error, len(s.nodes))
	for i, n := range s.nodes {
		if n != nil {
			wg.Go(func() { stops[i] = n.Stop() })
		}
	}
	wg.Wait()
	errs = append(errs, stops...)
	if s.o.Keep || failed {
		s.say("data and logs are in %s", s.dir)
		return errors.Join(errs...)
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// say prints a line with the time since the start.
func (s *story) say(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "%6.1fs  %s\n", time.Since(s.begun).Seconds(), fmt.Sprintf(format, args...))
}

// startClusters starts both OpenSearch clusters at once.
func (s *story) startClusters(ctx context.Context) error {
	s.say("starting two OpenSearch clusters, %s as a and %s as b", s.o.OpenSearch[0], s.o.OpenSearch[1])
	var wg sync.WaitGroup
	errs := make([]error, len(names))
	for i, name := range names {
		wg.Go(func() {
			node, err := engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{
				Version: s.o.OpenSearch[i], Name: name, Dir: filepath.Join(s.dir, "cluster-"+name), Progress: s.out,
			})
			s.nodes[i], errs[i] = node, err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for i, n := range s.nodes {
		s.say("cluster %s is OpenSearch %s at %s", names[i], n.Version(), n.URL())
	}
	return nil
}

func (s *story) startFleet(ctx context.Context) error {
	f, err := NewFleet(s.program, s.dir, &FleetOptions{Store: s.storeLines})
	if err != nil {
		return err
	}
	s.fleet = f
	inside := ""
	if s.table == nil {
		inside = ", with etcd inside,"
	}
	s.say("starting a controller%s and two proxies", inside)
	if err := f.Start(ctx); err != nil {
		return err
	}
	s.say("proxies listen on %s", strings.Join(f.URLs(), " and "))
	return nil
}

// introduce tells the fleet of the clusters and the tenant, whose index it creates.
func (s *story) introduce(ctx context.Context) error {
	for i, name := range names {
		if err := s.command(ctx, "cluster", "add", name, s.nodes[i].URL()); err != nil {
			return err
		}
	}
	if s.o.Placement == placement.DedicatedCluster {
		// Clients use the cluster's own names. The second index has documents of the same ids.
		for _, index := range []string{logical, other} {
			if err := createIndex(ctx, s.nodes[0].URL(), index); err != nil {
				return err
			}
		}
		s.say("created indices %s and %s on cluster a, with their mapping", logical, other)
		return s.command(ctx, "tenant", "add", tenant, "--cluster", names[0], "--kind", string(s.o.Placement))
	}
	if err := createIndex(ctx, s.nodes[0].URL(), physical); err != nil {
		return err
	}
	s.say("created index %s on cluster a, with its mapping", physical)
	return s.command(ctx, "tenant", "add", tenant, "--cluster", names[0], "--index", physical, "--as", logical)
}

// command runs and shows what a user would type.
func (s *story) command(ctx context.Context, args ...string) error {
	s.say("$ sluice %s", strings.Join(args, " "))
	_, err := s.fleet.Run(ctx, s.out, args...)
	return err
}

// createIndex makes the source index. It is made on the cluster itself, as an index that was there before Sluice.
func createIndex(ctx context.Context, base, index string) error {
	body := strings.NewReader(`{"settings":{"number_of_shards":1,"number_of_replicas":0},` + load.Mapping[1:])
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, base+"/"+index, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("create index %s: %w", index, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
		return fmt.Errorf("create index %s: %s: %s", index, resp.Status, text)
	}
	return nil
}

// lockedWriter lets several goroutines write lines.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}
