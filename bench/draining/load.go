package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/child"
	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// The tenants.
const (
	active, another, draining = "active", "active too", "draining"
)

var names = map[string]string{active: "active-1", another: "active-2", draining: "draining-1"}

// measure runs all rounds.
func (r *results) measure(ctx context.Context, program string, progress io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "sluice-draining-")
	if err != nil {
		return err
	}
	var ends []func() error
	defer func() {
		for i := len(ends) - 1; i >= 0; i-- {
			err = errors.Join(err, ends[i]())
		}
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	upstream, end, err := startStub()
	if err != nil {
		return err
	}
	ends = append(ends, end)
	etcd, err := engines.StartEtcd(ctx, &engines.EtcdOptions{Progress: progress})
	if err != nil {
		return err
	}
	ends = append(ends, etcd.Stop)
	d, err := etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{etcd.URL()}}, nil)
	if err != nil {
		return err
	}
	ends = append(ends, d.Close)
	s := store.New(d, nil)
	for _, name := range []string{"a", "b"} {
		if _, err := s.Clusters().Put(ctx, name, placement.Cluster{Name: name, Endpoints: []string{"http://" + upstream}}, 0); err != nil {
			return err
		}
	}
	for _, name := range names {
		if _, err := s.Register(ctx, placement.PartitionID(name), placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: name, Logical: "docs"}); err != nil {
			return err
		}
	}
	fleet, err := demo.NewFleet(program, dir, &demo.FleetOptions{Proxies: 1, Store: []string{"etcd:", "  endpoints: [" + strconv.Quote(etcd.URL()) + "]"}})
	if err != nil {
		return err
	}
	if err := fleet.Start(ctx); err != nil {
		return err
	}
	ends = append(ends, fleet.Stop)
	id := placement.PartitionID(names[draining])
	barrier := control.NewFleetBarrier(s, nil)
	e, err := control.New(s, barrier, nil).BeginMigration(ctx, placement.Entry{Partition: id}, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "copy", Logical: "docs"}, placement.Attempt{Move: "bench"})
	if err == nil {
		_, err = barrier.Wait(ctx, id, e.Epoch, nil)
	}
	if err != nil {
		return err
	}
	secret, err := os.ReadFile(filepath.Join(dir, "fleet.secret"))
	if err != nil {
		return err
	}
	confirming, stop := context.WithCancel(ctx)
	confirmed := make(chan error, 1)
	go func() {
		confirmed <- r.confirm(confirming, s, gate.NewPeers([]byte(strings.TrimSpace(string(secret))), nil), id)
	}()
	err = r.rounds(ctx, strings.TrimPrefix(fleet.URLs()[0], "http://"), progress)
	stop()
	err = errors.Join(err, <-confirmed)
	if written := int64(len(r.Rates[draining])) > 0 && r.Journaled > 0; err == nil && !written {
		err = errors.New("nothing was journaled")
	}
	return err
}

// startStub starts this program as the stub.
func startStub() (addr string, end func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(self, stubArg)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	cmd.Stderr = os.Stderr
	c, err := child.Start(cmd)
	if err != nil {
		return "", nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	end = func() error { c.Kill(); return nil }
	return strings.TrimSpace(line), end, err
}

// confirm reads the journal and lets the proxy forget it, five times a second, as a move
// does while it catches up.
func (r *results) confirm(ctx context.Context, s *store.Store, peers *gate.Peers, id placement.PartitionID) error {
	sessions, _, err := s.Sessions().List(ctx)
	if err != nil {
		return err
	}
	var proxy *store.Info
	for _, x := range sessions {
		if x.Value.Kind == store.KindProxy {
			proxy = &x.Value.Info
		}
	}
	if proxy == nil {
		return errors.New("the proxy has no session")
	}
	after := uint64(0)
	for t := time.NewTicker(200 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		for more := true; more; {
			page, err := peers.Pull(ctx, *proxy, id, after, 5000)
			if err == nil && page.Lost {
				err = errors.New("the journal has given up")
			}
			upto := page.Head
			if n := len(page.Entries); err == nil && page.More {
				upto = page.Entries[n-1].Seq
			}
			if err == nil && upto > after {
				err = peers.Confirm(ctx, *proxy, id, upto)
			}
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return fmt.Errorf("the journal: %w", err)
			}
			after, more = upto, page.More
			r.Journaled += int64(len(page.Entries))
		}
	}
}

// rounds lets the tenants take turns.
func (r *results) rounds(ctx context.Context, proxy string, progress io.Writer) error {
	r.Rates = map[string][]float64{}
	order := []string{active, draining, another}
	for round := range r.Rounds + 2 {
		for i := range order {
			name := order[(i+round)%len(order)]
			n, took, err := r.turn(ctx, proxy, names[name])
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if round >= 2 { // the first two warm everything up
				r.Rates[name] = append(r.Rates[name], float64(n)/took.Seconds())
				r.Requests += n
			}
		}
	}
	_, _ = fmt.Fprintf(progress, "%d rounds\n", r.Rounds)
	return nil
}

// turn lets all clients write for a while.
func (r *results) turn(ctx context.Context, proxy, tenant string) (int, time.Duration, error) {
	counts, errs := make([]int, r.Clients), make([]error, r.Clients)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range r.Clients { // each has a place of its own in counts and errs
		wg.Go(func() { counts[i], errs[i] = r.client(ctx, proxy, tenant, i, began.Add(r.Slice)) })
	}
	wg.Wait()
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return sum, time.Since(began), errors.Join(errs...)
}

// client writes one document after the other over one connection.
func (r *results) client(ctx context.Context, proxy, tenant string, number int, until time.Time) (n int, err error) {
	c, err := net.Dial("tcp", proxy)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	body := `{"text":"` + strings.Repeat("x", r.Bytes-11) + `"}`
	var request []byte
	for ; time.Now().Before(until) && ctx.Err() == nil; n++ {
		request = fmt.Appendf(request[:0], "PUT /docs/_doc/%d-%d HTTP/1.1\r\nHost: proxy\r\n%s: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			number, n%r.IDs, demo.TenantHeader, tenant, len(body), body)
		if _, err := c.Write(request); err != nil {
			return n, err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return n, err
		}
		text, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			return n, fmt.Errorf("%s: %.300s: %w", resp.Status, text, err)
		}
	}
	return n, ctx.Err()
}
