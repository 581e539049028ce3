package demo

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// Stores that the placement table of a demo can be in.
var Stores = []string{"etcd", "consul", "redis", "opensearch"}

// server is a running engine for the table; nil when it is in the controller.
type server interface {
	URL() string
	Stop() error
}

// startStore starts the engine that the table is kept in, as a process of its own, and returns the lines of the section store for
// all processes. etcd needs none of both: it is inside the controller.
func (s *story) startStore(ctx context.Context) error {
	dir, q := filepath.Join(s.dir, "store"), strconv.Quote
	switch s.o.Store {
	case "consul":
		c, err := engines.StartConsul(ctx, &engines.ConsulOptions{Dir: dir, Progress: s.out})
		if err != nil {
			return err
		}
		s.table = c
		s.storeLines = []string{"kind: consul", "consul:", "  addresses: [" + q(c.URL()) + "]"}
		s.say("the placement table is in Consul %s at %s", c.Version(), c.URL())
	case "redis":
		r, err := engines.StartRedis(ctx, &engines.RedisOptions{Dir: dir})
		if err != nil {
			return err
		}
		s.table = r
		s.storeLines = []string{"kind: redis", "redis:", "  addresses: [" + q(r.Addr()) + "]"}
		s.say("the placement table is in Redis at %s, with appendfsync always", r.Addr())
	case "opensearch":
		// A third cluster: the table must not depend on the clusters that tenants move between.
		o, err := engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{Name: "table", Dir: dir, HeapMB: 256, Progress: s.out})
		if err != nil {
			return err
		}
		s.table = o
		s.storeLines = []string{"kind: opensearch", "opensearch:", "  addresses: [" + q(o.URL()) + "]", "  replicas: 0"}
		s.say("the placement table is in an index of a third cluster, OpenSearch %s at %s", o.Version(), o.URL())
	case "etcd":
	default:
		return fmt.Errorf("no store %q", s.o.Store) // Validate has refused it
	}
	return nil
}
