package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
)

const tenant = "acme"

var kinds = []string{"read", "write", "search"}

// rig is the clusters, the fleet and a client.
type rig struct {
	p      plan
	fleet  *demo.Fleet
	source string // URL of cluster a
	client *http.Client
}

// turn is one of the cases.
type turn struct {
	name  string
	move  bool
	flags []string
}

// cases are the turns of each round. flags are those of moves in a case of their own.
func cases(flags []string) []turn {
	all := []turn{{"no move", false, nil}, {"copying", true, nil}, {"copying, throttle off", true, []string{"--copy-throttle", "off"}}}
	for _, f := range flags {
		all = append(all, turn{"copying, " + f, true, strings.Fields(f)})
	}
	return all
}

// measure runs all cases.
func measure(ctx context.Context, program string, p plan, progress io.Writer) (_ *result, err error) {
	res, turns := newResult(p), cases(p.Flags)
	dir, err := os.MkdirTemp("", "sluice-copying-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	r := &rig{p: p, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * p.Clients}, Timeout: time.Minute}}
	nodes := make([]*engines.OpenSearch, 2)
	for i := range nodes {
		if nodes[i], err = engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{Name: string(rune('a' + i)), HeapMB: 1024, Progress: progress}); err != nil {
			return nil, err
		}
		defer func() { _ = nodes[i].Stop() }() // it ends with this process anyway
	}
	res.OpenSearch, r.source = nodes[0].Version(), nodes[0].URL()
	if r.fleet, err = demo.NewFleet(program, dir, &demo.FleetOptions{Proxies: 1}); err != nil {
		return nil, err
	}
	if err := r.fleet.Start(ctx); err != nil {
		return nil, err
	}
	defer func() { _ = r.fleet.Stop() }()
	if err := r.fill(ctx, nodes); err != nil {
		return nil, err
	}
	for _, t := range turns {
		res.Cases = append(res.Cases, cell{Case: t.name, raw: map[string][]time.Duration{}})
	}
	// One turn that does not count: the nodes' compilers have seen nothing yet.
	for i := range turns {
		if _, err := r.take(ctx, turns[i], &cell{}); err != nil {
			return nil, err
		}
	}
	var rounds []map[string]map[string][]time.Duration
	for n := range p.Rounds {
		one := map[string]map[string][]time.Duration{}
		for i := range turns {
			k := (i + n) % len(turns)
			c := &res.Cases[k]
			s, err := r.take(ctx, turns[k], c)
			if err != nil {
				return nil, err
			}
			one[c.Case] = s
			for kind, x := range s {
				c.raw[kind] = append(c.raw[kind], x...)
			}
		}
		rounds = append(rounds, one)
		_, _ = fmt.Fprintf(progress, "round %d of %d\n", n+1, p.Rounds)
	}
	for i := range res.Cases {
		res.Cases[i].Copied = round(res.Cases[i].Copied / float64(p.Rounds))
		res.Cases[i].sum()
	}
	res.compare(rounds)
	res.LoadAfter = loadAverage()
	return res, nil
}

// fill makes the tenant and its documents, at the cluster itself.
func (r *rig) fill(ctx context.Context, nodes []*engines.OpenSearch) error {
	for i, n := range nodes {
		if _, err := r.fleet.Run(ctx, nil, "cluster", "add", string(rune('a'+i)), n.URL()); err != nil {
			return err
		}
	}
	err := r.ask(ctx, r.source, "PUT", "/docs-a", `{"settings":{"number_of_shards":2,"number_of_replicas":0},"mappings":{"properties":{"n":{"type":"integer"},"group":{"type":"keyword"},"text":{"type":"text"}}}}`)
	for from := 0; err == nil && from < r.p.Docs; from += 2000 {
		var b bytes.Buffer
		for i := from; i < min(r.p.Docs, from+2000); i++ {
			fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n%s\n", i, source(i))
		}
		err = r.ask(ctx, r.source, "POST", "/docs-a/_bulk", b.String())
	}
	if err == nil {
		err = r.ask(ctx, r.source, "POST", "/docs-a/_forcemerge?max_num_segments=4", "")
	}
	if err != nil {
		return fmt.Errorf("write the documents: %w", err)
	}
	_, err = r.fleet.Run(ctx, nil, "tenant", "add", tenant, "--cluster", "a", "--index", "docs-a", "--as", "docs")
	return err
}

var words = strings.Fields("amber basin cedar delta ember fjord grove heath islet jetty knoll larch marsh north ocean plain quarry river shore tundra")

// source is a document of about 500 bytes.
func source(i int) string {
	x := rand.New(rand.NewPCG(1, uint64(i)))
	var text strings.Builder
	for text.Len() < 430 {
		text.WriteString(words[x.IntN(len(words))])
		fmt.Fprintf(&text, "%d ", x.IntN(500))
	}
	return fmt.Sprintf(`{"n":%d,"group":"g%d","text":"%s"}`, i, i%97, text.String())
}

func (r *rig) ask(ctx context.Context, base, method, path, body string) error {
	req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set(demo.TenantHeader, tenant)
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode >= 300 || bytes.Contains(text, []byte(`"errors":true`))) {
		err = fmt.Errorf("%s %s: status %d: %.300s", method, path, resp.StatusCode, text)
	}
	return err
}

// copied is what the record of a move says.
type copied struct {
	Stage    string
	Progress struct {
		Docs     int64
		SlowedBy string `json:"slowed_by"`
	}
	Updated time.Time
}

func (r *rig) look(ctx context.Context, id string) (copied, error) {
	var c copied
	m, err := r.fleet.Show(ctx, id)
	if err == nil {
		err = json.Unmarshal(m.Raw, &c)
	}
	return c, err
}

// take is one case for one slice.
func (r *rig) take(ctx context.Context, t turn, c *cell) (map[string][]time.Duration, error) {
	var id string
	var before copied
	if t.move {
		m, err := r.fleet.Begin(ctx, tenant, "b", t.flags...)
		if err != nil {
			return nil, err
		}
		id = m.ID
		for before.Stage != "copying" || before.Progress.Docs == 0 {
			if before, err = r.look(ctx, id); err != nil {
				return nil, err
			}
			if s := before.Stage; s != "preparing" && s != "copying" {
				return nil, fmt.Errorf("the move was %s before its turn began: more -docs", s)
			}
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return nil, err
			}
		}
	}
	settled, cancel := context.WithTimeout(ctx, r.p.Settle)
	_, err := r.clients(settled, r.p.Settle) // the same load, unmeasured
	cancel()
	if err != nil {
		return nil, err
	}
	if t.move {
		if before, err = r.look(ctx, id); err != nil {
			return nil, err
		}
	}
	s, err := r.clients(ctx, r.p.Slice)
	if err != nil || !t.move {
		return s, err
	}
	after, err := r.look(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case after.Stage != "copying":
		return nil, fmt.Errorf("the move was %s before its turn ended: more -docs or a shorter -slice", after.Stage)
	case !after.Updated.After(before.Updated):
		return nil, errors.New("the move has not said how far it is in its turn: a longer -slice")
	}
	c.Copied += float64(after.Progress.Docs-before.Progress.Docs) / after.Updated.Sub(before.Updated).Seconds()
	if by := after.Progress.SlowedBy; by != "" && !slices.Contains(c.Slowed, by) {
		c.Slowed = append(c.Slowed, by)
	}
	_, err = r.fleet.Run(ctx, nil, "moves", "abort", id, "--wait")
	return s, err
}

// clients let all clients work for a while and returns how long each request took.
func (r *rig) clients(ctx context.Context, d time.Duration) (map[string][]time.Duration, error) {
	base := r.fleet.URLs()[0]
	all, failed := map[string][]time.Duration{}, error(nil)
	var mu sync.Mutex
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for n := range r.p.Clients {
		wg.Go(func() {
			for i := n; time.Now().Before(end); i++ {
				kind := kinds[i%len(kinds)]
				doc := rand.IntN(r.p.Docs)
				began := time.Now()
				var err error
				switch kind {
				case "read":
					err = r.ask(context.WithoutCancel(ctx), base, "GET", fmt.Sprintf("/docs/_doc/%d", doc), "")
				case "write":
					err = r.ask(context.WithoutCancel(ctx), base, "PUT", fmt.Sprintf("/docs/_doc/%d", doc), source(doc))
				case "search":
					err = r.ask(context.WithoutCancel(ctx), base, "POST", "/docs/_search", fmt.Sprintf(`{"size":10,"query":{"match":{"text":"%s%d"}}}`, words[rand.IntN(len(words))], rand.IntN(500)))
				}
				took := time.Since(began)
				mu.Lock()
				failed = errors.Join(failed, err)
				all[kind] = append(all[kind], took)
				mu.Unlock()
				if err != nil || pause(ctx, r.p.Think) != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return all, failed
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
