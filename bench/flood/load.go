package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
	"github.com/sluiceproxy/sluice/tenancy"
)

const quiet, flooding = "quiet", "flooding"

// rig is two proxies over one gate and one cluster: with a limit and without.
type rig struct {
	limited, open string // base URLs
	client        *http.Client
}

// measure runs all cases.
func measure(ctx context.Context, cluster string, p plan, progress io.Writer) (*result, error) {
	res := &result{Plan: p}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	r, err := start(ctx, &running, cluster, p)
	if err != nil {
		return nil, err
	}
	defer r.client.CloseIdleConnections()
	for _, tenant := range []string{quiet, flooding} {
		if err := r.fill(ctx, tenant, p.Docs); err != nil {
			return nil, err
		}
	}
	res.Cases = []cell{{Limit: true}, {Limit: true, Flood: true}, {Limit: false}, {Limit: false, Flood: true}}
	samples := make([][]time.Duration, len(res.Cases))
	for round := range p.Rounds {
		for i := range res.Cases {
			n := (i + round) % len(res.Cases)
			s, err := r.turn(ctx, &res.Cases[n], p)
			if err != nil {
				return nil, err
			}
			samples[n] = append(samples[n], s...)
		}
		_, _ = fmt.Fprintf(progress, "round %d of %d\n", round+1, p.Rounds)
	}
	for i := range res.Cases {
		c := &res.Cases[i]
		c.fill(samples[i])
		if c.Flood && c.Served == 0 || c.Flood && c.Limit && c.Refused == 0 || (!c.Flood || !c.Limit) && c.Refused > 0 {
			return nil, fmt.Errorf("this is not what was to be measured: %+v", *c)
		}
	}
	res.compare()
	return res, nil
}

// start brings the proxies up.
func start(ctx context.Context, running *sync.WaitGroup, cluster string, p plan) (*rig, error) {
	s := store.New(memstore.New(nil), nil)
	if _, err := s.Clusters().Put(ctx, "a", placement.Cluster{Name: "a", Endpoints: []string{cluster}}, 0); err != nil {
		return nil, err
	}
	for _, tenant := range []string{quiet, flooding} {
		index := "flood-" + tenant + "-" + strings.ToLower(rand.Text()[:8]) // a cluster that was given may have old ones
		if _, err := s.Register(ctx, placement.PartitionID(tenant), placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: index, Logical: "docs"}); err != nil {
			return nil, err
		}
	}
	g, err := gate.New(s, &gate.Options{CloseDeadline: time.Second})
	if err != nil {
		return nil, err
	}
	clusters := proxy.NewDirectory(s, nil)
	running.Go(func() { _ = g.Run(ctx) }) // ends with the context
	running.Go(func() { _ = clusters.Run(ctx) })
	tenants, err := tenancy.New(tenancy.Default(), nil)
	if err != nil {
		return nil, err
	}
	r := &rig{client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * p.Clients}}}
	for _, side := range []struct {
		url   *string
		limit int
	}{{&r.limited, p.Limit}, {&r.open, 1 << 20}} {
		h, err := proxy.New(g, clusters, tenants, &proxy.Options{CursorKeys: [][]byte{[]byte(rand.Text() + rand.Text())}, Requests: 1 << 20, TenantRequests: side.limit})
		if err != nil {
			return nil, err
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		server := &http.Server{Handler: proxy.Patience{}.Handler(h), ReadHeaderTimeout: 10 * time.Second}
		running.Go(func() { _ = server.Serve(l) })
		context.AfterFunc(ctx, func() { _ = server.Close() })
		*side.url = "http://" + l.Addr().String()
	}
	select {
	case <-clusters.Ready():
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return r, nil
}

// ask is one request; the answer's body is read to its end.
func (r *rig) ask(ctx context.Context, base, tenant, method, path, body string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set(tenancy.DefaultHeader, tenant)
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// fill writes a tenant's documents.
func (r *rig) fill(ctx context.Context, tenant string, docs int) error {
	const most = 2000 // in one bulk
	for from := 0; from < docs; from += most {
		var b bytes.Buffer
		for i := from; i < min(docs, from+most); i++ {
			fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n{\"n\":%d,\"group\":%d,\"text\":\"a document of the tenant that is %s\"}\n", i, i, i%97, tenant)
		}
		status, err := r.ask(ctx, r.open, tenant, "POST", "/docs/_bulk?refresh=true", b.String())
		if err != nil || status != 200 {
			return fmt.Errorf("write the documents of %s: status %d, %w", tenant, status, err)
		}
	}
	return nil
}

// turn is one case for one slice. It returns how long the quiet tenant waited each time.
func (r *rig) turn(ctx context.Context, c *cell, p plan) ([]time.Duration, error) {
	base := r.open
	if c.Limit {
		base = r.limited
	}
	flood, cancel := context.WithCancel(ctx)
	var clients sync.WaitGroup
	defer clients.Wait()
	defer cancel()
	if c.Flood {
		var begun atomic.Int64
		for range p.Clients {
			clients.Go(func() { r.flood(flood, base, c, &begun, p.Backoff) })
		}
		for begun.Load() < int64(p.Clients) { // all of it is there before anything is measured
			if err := pause(ctx, time.Millisecond); err != nil {
				return nil, err
			}
		}
	}
	var samples []time.Duration
	for end := time.Now().Add(p.Slice); len(samples) == 0 || time.Now().Before(end); {
		start := time.Now()
		status, err := r.ask(ctx, base, quiet, "GET", fmt.Sprintf("/docs/_doc/%d", len(samples)%p.Docs), "")
		if err != nil || status != 200 {
			return nil, fmt.Errorf("a request of the quiet tenant: status %d, %w", status, err)
		}
		samples = append(samples, time.Since(start))
		if err := pause(ctx, p.Think); err != nil {
			return nil, err
		}
	}
	return samples, nil
}

const search = `{"size":50,"query":{"match":{"text":"document"}},"sort":[{"n":"desc"}],"aggs":{"g":{"terms":{"field":"group","size":97},"aggs":{"n":{"sum":{"field":"n"}}}}}}`

// flood searches until the context ends.
func (r *rig) flood(ctx context.Context, base string, c *cell, begun *atomic.Int64, backoff time.Duration) {
	for first := true; ctx.Err() == nil; first = false {
		if first {
			begun.Add(1)
		}
		status, err := r.ask(ctx, base, flooding, "POST", "/docs/_search", search)
		switch {
		case errors.Is(err, context.Canceled):
		case status == http.StatusOK:
			atomic.AddInt64(&c.Served, 1)
		default:
			// A cluster that is over its own limits answers 429 as well; the cases
			// without a limit fail then, as they must not be compared.
			atomic.AddInt64(&c.Refused, 1)
			_ = pause(ctx, backoff) // the loop asks the context
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
