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
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
)

// rig is the clusters and the fleet.
type rig struct {
	plan
	others
	nodes  [2]*engines.OpenSearch
	fleet  *demo.Fleet
	client *http.Client
	bulks  [][]byte // all documents, as bulk requests
}

// start brings everything up. stop ends it, whatever start returned.
func start(ctx context.Context, program string, p plan, o others, progress io.Writer) (r *rig, stop func() error, err error) {
	r = &rig{plan: p, others: o, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * p.Writers}, Timeout: 5 * time.Minute}}
	dir, err := os.MkdirTemp("", "sluice-copy-")
	if err != nil {
		return r, func() error { return nil }, err
	}
	stop = func() error {
		var errs []error
		if r.fleet != nil {
			errs = append(errs, r.fleet.Stop())
		}
		for _, n := range r.nodes {
			if n != nil {
				errs = append(errs, n.Stop())
			}
		}
		return errors.Join(append(errs, os.RemoveAll(dir))...)
	}
	snapshots := filepath.Join(dir, "snapshots")
	for i := range r.nodes {
		o := &engines.OpenSearchOptions{Name: string(rune('a' + i)), HeapMB: p.HeapMB, Settings: map[string]string{"path.repo": snapshots}, Progress: progress}
		if i == 1 {
			o.Processors = p.Target
		}
		if r.nodes[i], err = engines.StartOpenSearch(ctx, o); err != nil {
			return r, stop, err
		}
		// As docs/moves.md has it: one place, written by the source alone. As a scan is not
		// throttled here, a snapshot is not.
		body := fmt.Sprintf(`{"type":"fs","settings":{"location":%q,"readonly":%t,"max_snapshot_bytes_per_sec":"0","max_restore_bytes_per_sec":"0"}}`, snapshots, i == 1)
		if err := r.ask(ctx, i, "PUT", "/_snapshot/"+repository, []byte(body), nil); err != nil {
			return r, stop, err
		}
	}
	if r.fleet, err = demo.NewFleet(program, dir, &demo.FleetOptions{Proxies: 1}); err != nil {
		return r, stop, err
	}
	if err := r.fleet.Start(ctx); err != nil {
		return r, stop, err
	}
	for i, n := range r.nodes {
		if _, err := r.fleet.Run(ctx, nil, "cluster", "add", string(rune('a'+i)), n.URL()); err != nil {
			return r, stop, err
		}
	}
	r.bulks = bulks(p.Docs, p.Size)
	return r, stop, nil
}

// repository is of the snapshots, on both nodes.
const repository = "shared"

// perBulk is how many bytes a bulk request of the plain load has, as a move's have at most.
const perBulk = 4 << 20

var words = strings.Fields("amber basin cedar delta ember fjord grove heath islet jetty knoll larch marsh north ocean plain quarry river shore tundra")

// bulks are the documents as bulk requests.
func bulks(docs, size int) [][]byte {
	var out [][]byte
	var b bytes.Buffer
	x := rand.New(rand.NewPCG(1, uint64(size)))
	for i := range docs {
		fmt.Fprintf(&b, "{\"index\":{\"_id\":\"%d\"}}\n{\"n\":%d,\"group\":\"g%d\",\"text\":\"", i, i, i%97)
		for from := b.Len(); b.Len()-from < size-60; {
			b.WriteString(words[x.IntN(len(words))])
			b.WriteString(strconv.Itoa(x.IntN(500)))
			b.WriteByte(' ')
		}
		b.WriteString("\"}\n")
		if b.Len() >= perBulk || i == docs-1 {
			out = append(out, bytes.Clone(b.Bytes()))
			b.Reset()
		}
	}
	return out
}

func (r *rig) ask(ctx context.Context, node int, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, r.nodes[node].URL()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return err
	case resp.StatusCode >= 300 || bytes.Contains(text[:min(len(text), 200)], []byte(`"errors":true`)):
		return fmt.Errorf("%s %s: status %d: %.300s", method, path, resp.StatusCode, text)
	case into == nil:
		return nil
	}
	return json.Unmarshal(text, into)
}

// create makes an empty index. It is not refreshed while it is filled, as somebody who
// hurries would have it, and as a move does.
func (r *rig) create(ctx context.Context, node int, index string) error {
	body := fmt.Sprintf(`{"settings":{"number_of_shards":%d,"number_of_replicas":0,"refresh_interval":"-1"},"mappings":{"properties":{"n":{"type":"integer"},"group":{"type":"keyword"},"text":{"type":"text"}}}}`, r.Shards)
	return r.ask(ctx, node, "PUT", "/"+index, []byte(body), nil)
}

// load writes all documents to an index with plain bulk requests.
func (r *rig) load(ctx context.Context, node int, index string) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.Writers)
	for _, b := range r.bulks {
		g.Go(func() error { return r.ask(gctx, node, "POST", "/"+index+"/_bulk", b, nil) })
	}
	return g.Wait()
}

// whole refreshes the index and returns an error unless every document is there.
func (r *rig) whole(ctx context.Context, node int, index string) error {
	var ans struct{ Count int }
	err := r.ask(ctx, node, "POST", "/"+index+"/_refresh", nil, nil)
	if err == nil {
		err = r.ask(ctx, node, "GET", "/"+index+"/_count", nil, &ans)
	}
	if err == nil && ans.Count != r.Docs {
		err = fmt.Errorf("index %s has %d documents instead of %d", index, ans.Count, r.Docs)
	}
	return err
}
