package engines

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
)

// OpenSearchCluster is several OpenSearch nodes that form one cluster. Each can be killed, paused and started again by itself.
type OpenSearchCluster struct {
	nodes []*OpenSearch
}

// Nodes returns the nodes; the slice is the caller's.
func (c *OpenSearchCluster) Nodes() []*OpenSearch { return append([]*OpenSearch(nil), c.nodes...) }

// URLs returns the addresses of all nodes for clients, whether they run or not.
func (c *OpenSearchCluster) URLs() []string {
	urls := make([]string, len(c.nodes))
	for i, n := range c.nodes {
		urls[i] = n.URL()
	}
	return urls
}

// StartOpenSearchCluster starts n nodes on loopback and returns when each of them serves. The options are those of
// StartOpenSearch for every node: Name and Dir are continued with a number, "opensearch-1" and so on; nil is allowed. All
// nodes may hold data and become the cluster's manager, and they find out within some seconds when one of them is gone,
// unless Settings say otherwise. A Dir must not hold an earlier cluster. Other errors are as with StartOpenSearch.
func StartOpenSearchCluster(ctx context.Context, n int, o *OpenSearchOptions) (*OpenSearchCluster, error) {
	if n < 1 {
		return nil, fmt.Errorf("start an OpenSearch cluster of %d nodes", n)
	}
	if o == nil {
		o = &OpenSearchOptions{}
	}
	b, err := prepare(ctx, cmp.Or(o.Version, OpenSearch2), o.Progress)
	if err != nil {
		return nil, err
	}
	const attempts = 4
	for attempt := 1; ; attempt++ {
		c, err := startOpenSearchCluster(ctx, b, n, o)
		// A node cannot change its port alone: the others were told of it.
		if err == nil || attempt == attempts || !collided(err) || o.Dir != "" {
			return c, err
		}
	}
}

func startOpenSearchCluster(ctx context.Context, b *build, n int, o *OpenSearchOptions) (*OpenSearchCluster, error) {
	ports, err := pickPorts(n * openSearchPorts)
	if err != nil {
		return nil, err
	}
	of := func(i int) []int { return ports[i*openSearchPorts : (i+1)*openSearchPorts] }
	name := cmp.Or(o.Name, "opensearch")
	var names, seeds []string
	for i := range n {
		names = append(names, fmt.Sprintf("%s-%d", name, i+1))
		seeds = append(seeds, loopback(of(i)[1]))
	}
	c := &OpenSearchCluster{}
	for i := range n {
		own := *o
		own.Name = names[i]
		if o.Dir != "" {
			own.Dir = filepath.Join(o.Dir, own.Name)
			if exists(filepath.Join(own.Dir, "data", "nodes")) {
				return nil, errors.Join(fmt.Errorf("start an OpenSearch cluster: %s holds an earlier one", own.Dir), c.Stop())
			}
		}
		own.Settings = map[string]string{
			"cluster.fault_detection.follower_check.interval":    "500ms",
			"cluster.fault_detection.follower_check.timeout":     "2s",
			"cluster.fault_detection.follower_check.retry_count": "2",
			"cluster.fault_detection.leader_check.interval":      "500ms",
			"cluster.fault_detection.leader_check.timeout":       "2s",
			"cluster.fault_detection.leader_check.retry_count":   "2",
		}
		maps.Copy(own.Settings, o.Settings)
		maps.Copy(own.Settings, map[string]string{
			"cluster.name":                          name,
			"discovery.seed_hosts":                  strings.Join(seeds, ","),
			"cluster.initial_cluster_manager_nodes": strings.Join(names, ","),
		})
		node, err := newOpenSearch(b, &own)
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		node.setCommand(b, &own, "-XX:SharedArchiveFile="+b.archive(), of(i))
		c.nodes = append(c.nodes, node)
	}
	if err := c.Restart(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

// Restart starts all nodes that do not run, at the same time: a node is ready only when a majority is there. Nodes that run
// are left alone.
func (c *OpenSearchCluster) Restart(ctx context.Context) error {
	// When one fails, the rest must not wait any longer, and its error is the one to tell.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	err := c.each(func(n *OpenSearch) error {
		if n.PID() != 0 {
			return nil
		}
		err := n.Restart(ctx)
		if err != nil {
			cancel(err) // of several calls the first counts
		}
		return err
	})
	if err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return nil
}

// Stop stops all nodes at the same time, as Process.Stop does.
func (c *OpenSearchCluster) Stop() error {
	return c.each(func(n *OpenSearch) error { return n.Stop() })
}

func (c *OpenSearchCluster) each(f func(*OpenSearch) error) error {
	errs := make([]error, len(c.nodes))
	var wg sync.WaitGroup
	for i, n := range c.nodes {
		wg.Go(func() { errs[i] = f(n) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Primary asks the node at that URL, which need not hold it, for the node with the primary of the index's only shard, or
// of its first one.
func (c *OpenSearchCluster) Primary(ctx context.Context, url, index string) (*OpenSearch, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_cat/shards/"+index+"?format=json&h=shard,prirep,state,node", nil)
	if err != nil {
		return nil, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("find the primary of %s: %w", index, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var shards []struct{ Shard, Prirep, State, Node string }
	if err := json.NewDecoder(resp.Body).Decode(&shards); err != nil {
		return nil, fmt.Errorf("find the primary of %s: status %s: %w", index, resp.Status, err)
	}
	for _, s := range shards {
		if s.Shard != "0" || s.Prirep != "p" || s.State != "STARTED" {
			continue
		}
		for _, n := range c.nodes {
			if n.Name() == s.Node {
				return n, nil
			}
		}
	}
	return nil, fmt.Errorf("find the primary of %s: none is started", index)
}
