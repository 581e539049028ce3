package mover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

const (
	// nodesEvery is how often nodes are asked how they are, and nodesFirst when at
	// first: most copies are over before.
	nodesEvery = 5 * time.Second
	nodesFirst = 2 * time.Second
	// fullHeap is the percentage of a node's heap above which the copy slows down.
	fullHeap = 85
	// deepQueue is how many requests may wait for each thread of a pool.
	deepQueue = 2
	// spareCPU and busyCPU are the percentages of a node's processors below which the
	// copy may become faster, and above which it becomes gentle again.
	spareCPU, busyCPU = 40, 60
	// spareWhole is how many processors must be idle besides: one for the copy, and one
	// for the tenant's next request. On two processors, 30 % busy, a copy that became
	// faster raised the tenant's p99 by a third (bench/copying).
	spareWhole = 2
)

const nodesPath = "/_nodes/stats/thread_pool,jvm,breaker,os"

// nodesFilter keeps the answer small on clusters of many nodes.
const nodesFilter = "nodes.*.name,nodes.*.thread_pool.write,nodes.*.thread_pool.search,nodes.*.jvm.mem.heap_used_percent,nodes.*.breakers.*.tripped,nodes.*.os.cpu.percent"

type pool struct{ Threads, Queue, Rejected int64 }

type nodeStats struct {
	Name  string
	Pools map[string]pool `json:"thread_pool"`
	JVM   struct {
		Mem struct {
			HeapUsed int64 `json:"heap_used_percent"`
		}
	}
	Breakers map[string]struct{ Tripped int64 }
	OS       struct{ CPU struct{ Percent *int64 } } // nil or below 0: not known
}

// counted is what has only grown when it was looked at last, by node.
type counted struct{ rejected, tripped int64 }

// watchNodes asks a cluster's nodes how they are until the context ends. A cluster that
// refuses to tell, as managed services do, is not asked again: the copy then goes by
// what the cluster answers to itself.
func (m *Mover) watchNodes(ctx context.Context, c *upstream.Client) {
	timer := time.NewTimer(nodesFirst)
	defer timer.Stop()
	var last map[string]counted
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			timer.Reset(nodesEvery)
		}
		if m.throttle.untold(c.Name()) {
			return
		}
		bound, cancel := context.WithTimeout(ctx, nodesEvery)
		var ans struct{ Nodes map[string]nodeStats }
		err := c.JSON(bound, http.MethodGet, nodesPath, query("filter_path", nodesFilter, "timeout", "3s"), nil, &ans)
		cancel()
		var refused *upstream.StatusError
		switch {
		case ctx.Err() != nil:
			return
		case overloaded(err):
			m.throttle.refusedBy(c.Name())
		case errors.As(err, &refused) && refused.Status < 500:
			m.deafen(ctx, c.Name(), refused.Status)
			return
		case err != nil: // not known now; what was said before is old
			m.throttle.heard(c.Name(), reading{})
		default:
			var r reading
			r, last = diagnose(c.Name(), ans.Nodes, last)
			m.throttle.heard(c.Name(), r)
		}
	}
}

// diagnose says how the worst of some nodes is, and what their counters stand at. last
// is nil in the first look, in which counters tell nothing.
func diagnose(cluster string, nodes map[string]nodeStats, last map[string]counted) (worst reading, seen map[string]counted) {
	seen, worst.spare = map[string]counted{}, len(nodes) > 0
	for _, id := range slices.Sorted(maps.Keys(nodes)) {
		n := nodes[id]
		say := func(s severity, format string, a ...any) {
			if s > worst.severity {
				worst.severity, worst.trouble = s, fmt.Sprintf("node %s of cluster %s: ", n.Name, cluster)+fmt.Sprintf(format, a...)
			}
		}
		var now counted
		for _, b := range n.Breakers {
			now.tripped += b.Tripped
		}
		cpu := n.OS.CPU.Percent
		// The pool for writes has a thread for each processor that the node may use.
		if cpu == nil || *cpu < 0 || *cpu >= spareCPU || n.Pools["write"].Threads*(100-*cpu) < 100*spareWhole {
			worst.spare = false
		}
		if cpu != nil && *cpu > busyCPU {
			say(busy, "processors %d %% busy", *cpu)
		}
		if n.JVM.Mem.HeapUsed > fullHeap {
			say(strain, "heap %d %% full", n.JVM.Mem.HeapUsed)
		}
		for _, name := range []string{"write", "search"} {
			p := n.Pools[name]
			now.rejected += p.Rejected
			if p.Threads > 0 && p.Queue > deepQueue*p.Threads {
				say(strain, "%d requests wait for %d threads of %s", p.Queue, p.Threads, name)
			}
		}
		seen[id] = now
		if before, known := last[id]; known {
			if d := now.rejected - before.rejected; d > 0 {
				say(harm, "%d requests were rejected", d)
			}
			if d := now.tripped - before.tripped; d > 0 {
				say(harm, "circuit breakers tripped %d times", d)
			}
		}
	}
	return worst, seen
}

// deafen notes that a cluster does not say how its nodes are.
func (m *Mover) deafen(ctx context.Context, cluster string, status int) {
	m.throttle.heard(cluster, reading{untold: true})
	m.log.WarnContext(ctx, "a cluster does not say how its nodes are: the copy stays gentle and does not heed its queues and its heap; --copy-throttle off makes it faster", "cluster", cluster, "status", status)
}
