package chaos

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
)

// What the processes are configured with. The sessions are short so that many of them lapse; the drain barrier is longer
// than a cluster is ever stopped and a link is ever slow, together.
const (
	sessionTTL      = 4 * time.Second
	writeTimeout    = 3 * time.Second
	drainBarrier    = 9 * time.Second
	holdDeadline    = 5 * time.Second
	cutoverDeadline = 4 * time.Second
	pauseBudget     = 3 * time.Second
)

var clusterNames = [2]string{"a", "b"}

// Members is how many members the etcd of a run has.
const Members = 3

// clientName is that of all clients, which are in this process.
const clientName = "clients"

// callers are the names of all who open connections that are cut.
var callers = []string{"controller-1", "controller-2", "proxy-1", "proxy-2", "proxy-3", "etcd-1", "etcd-2", "etcd-3", clientName}

// Engines are what the fleet stands on.
type Engines struct {
	Network  *Network
	Etcd     *engines.EtcdCluster // started with the network's AdvertisePeer
	Clusters [2]*engines.OpenSearch
}

// world is one run.
type world struct {
	engines Engines
	fleet   *demo.Fleet
	network *Network
	doors   []string // where clients reach the proxies
	out     io.Writer
	began   time.Time

	mu     sync.Mutex
	faults map[string]int
	wrong  []string // what must not be, beside what clients saw
	down   int      // nodes of clusters that are killed and do not serve again yet
	upAt   time.Time

	// One who does something to a process holds its lock, so that nobody starts it at the same time.
	locks map[string]*sync.Mutex
}

func newWorld(program, dir string, e Engines, out io.Writer) (*world, error) {
	if errOwner != nil {
		return nil, errOwner
	}
	w := &world{engines: e, network: e.Network, out: out, began: time.Now(), faults: map[string]int{}, locks: map[string]*sync.Mutex{}}
	var endpoints []string
	for _, m := range e.Etcd.Members() {
		at, err := w.network.add(m.Name(), strings.TrimPrefix(m.URL(), "http://"))
		if err != nil {
			return nil, err
		}
		endpoints = append(endpoints, strconv.Quote("http://"+at))
	}
	var err error
	w.fleet, err = demo.NewFleet(program, dir, &demo.FleetOptions{
		Proxies: 3, Controllers: 2,
		Store:     []string{"etcd:", "  endpoints: [" + strings.Join(endpoints, ", ") + "]"},
		Advertise: w.network.add,
		Extra: map[string][]string{
			"proxy": {set("session_ttl", sessionTTL), set("upstream_write_timeout", writeTimeout), set("drain_barrier", drainBarrier), set("hold_deadline", holdDeadline)},
			"controller": {set("session_ttl", sessionTTL), set("drain_barrier", drainBarrier), set("cutover_deadline", cutoverDeadline),
				set("pause_budget", pauseBudget)},
		},
	})
	if err != nil {
		return nil, err
	}
	for _, p := range w.fleet.Processes() {
		w.locks[p.Name] = &sync.Mutex{}
	}
	for i, url := range w.fleet.URLs() {
		at, err := w.network.add(w.fleet.Proxies[i].Name+forClients, strings.TrimPrefix(url, "http://"))
		if err != nil {
			return nil, err
		}
		w.doors = append(w.doors, "http://"+at)
	}
	w.network.know(w.pids)
	return w, nil
}

func set(key string, d time.Duration) string { return key + ": " + d.String() }

func (w *world) pids() map[string]int {
	pids := map[string]int{clientName: os.Getpid()}
	for _, p := range w.fleet.Processes() {
		pids[p.Name] = p.PID()
	}
	for _, m := range w.engines.Etcd.Members() {
		pids[m.Name()] = m.PID()
	}
	maps.DeleteFunc(pids, func(_ string, pid int) bool { return pid == 0 })
	return pids
}

// names returns the names of all of a kind.
func (w *world) names(kind string) []string {
	var of []victim
	switch kind {
	case "proxy":
		of = w.proxies()
	case "controller":
		of = w.controllers()
	case "etcd":
		of = w.members()
	case "OpenSearch":
		of = w.clusters()
	case "client":
		return []string{clientName}
	}
	var names []string
	for _, v := range of {
		names = append(names, v.name())
	}
	return names
}

func (w *world) say(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, _ = fmt.Fprintf(w.out, "%7.1fs %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
}

func (w *world) injected(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[kind]++
}

// counts returns the faults so far, by kind.
func (w *world) counts() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.faults)
}

// killed notes that the node of a cluster is, until the returned function is called.
func (w *world) killed() (serves func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.down--
		w.upAt = time.Now()
	}
}

// starting reports whether some cluster did not serve, because its node had been killed, at any time since then.
func (w *world) starting(since time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.down > 0 || !w.upAt.Before(since)
}

// complain notes what must not be.
func (w *world) complain(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.say("ANOMALY: %s", text)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, text)
}

func (w *world) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wrong)
}

// victim is something that can be killed and stopped.
type victim interface {
	name() string
	// kill ends it, and starts it again after a time.
	kill(ctx context.Context, down time.Duration)
	// pause stops it for a time and reports whether it ran.
	pause(ctx context.Context, d time.Duration) bool
}

func (w *world) proxies() []victim     { return w.processes(w.fleet.Proxies) }
func (w *world) controllers() []victim { return w.processes(w.fleet.Controllers) }

func (w *world) processes(all []*demo.Process) []victim {
	var out []victim
	for _, p := range all {
		out = append(out, process{w, p})
	}
	return out
}

func (w *world) members() []victim {
	var out []victim
	for _, m := range w.engines.Etcd.Members() {
		out = append(out, engine{w, m.Name(), m.Process, nil})
	}
	return out
}

func (w *world) clusters() []victim {
	var out []victim
	for i, c := range w.engines.Clusters {
		out = append(out, engine{w, "cluster " + clusterNames[i], c.Process, w.killed})
	}
	return out
}

// process is one of the fleet.
type process struct {
	w *world
	*demo.Process
}

func (p process) name() string { return p.Name }

func (p process) kill(ctx context.Context, down time.Duration) {
	p.w.locks[p.Name].Lock()
	defer p.w.locks[p.Name].Unlock()
	p.Kill()
	sleep(ctx, down)
	p.start(ctx)
}

// start starts a process. Who cannot reach the store does not come up; the watch tries again.
func (p process) start(ctx context.Context) {
	if err := p.Start(ctx); err != nil && ctx.Err() == nil {
		p.w.say("%v", err)
	}
}

func (p process) pause(ctx context.Context, d time.Duration) bool {
	p.w.locks[p.Name].Lock()
	defer p.w.locks[p.Name].Unlock()
	if p.Pause() != nil {
		return false
	}
	sleep(ctx, d)
	return p.Resume() == nil
}

// watch starts processes that do not run though nobody has killed them. That one has ended by itself is a fault.
func (w *world) watch(ctx context.Context) {
	seen := map[string]int{}
	for ctx.Err() == nil {
		for _, p := range w.fleet.Processes() {
			lock := w.locks[p.Name]
			if !lock.TryLock() {
				delete(seen, p.Name)
				continue
			}
			if pid := p.PID(); pid != 0 {
				seen[p.Name] = pid
			} else {
				if seen[p.Name] != 0 {
					w.complain("%s has ended by itself: %s", p.Name, p.LastWords())
				}
				delete(seen, p.Name)
				process{w, p}.start(ctx)
			}
			lock.Unlock()
		}
		sleep(ctx, 300*time.Millisecond)
	}
}

// engine is an OpenSearch node or a member of etcd.
type engine struct {
	w    *world
	what string
	*engines.Process
	killed func() func() // told of a kill, and then that it serves again; nil: nobody
}

func (e engine) name() string {
	return e.what
}

func (e engine) kill(ctx context.Context, down time.Duration) {
	if e.killed != nil {
		defer e.killed()()
	}
	if err := e.Kill(); err != nil {
		e.w.complain("kill %s: %v", e.what, err)
	}
	sleep(ctx, down)
	for tries := 0; ; tries++ {
		err := e.Restart(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		e.w.say("%v", err)
		if tries == 3 {
			e.w.complain("%s does not come back: %v", e.what, err)
			return
		}
	}
}

func (e engine) pause(ctx context.Context, d time.Duration) bool {
	if e.Pause() != nil {
		return false
	}
	sleep(ctx, d)
	return e.Resume() == nil
}
