package demo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/load"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// clusters are the two OpenSearch nodes that all cases use.
func clusters(t *testing.T) [2]*engines.OpenSearch {
	var nodes [2]*engines.OpenSearch
	for i := range nodes {
		nodes[i] = enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{
			Version: engines.OpenSearch2, Name: []string{"a", "b"}[i], HeapMB: 384,
			Settings: map[string]string{"action.auto_create_index": "false"},
		})
	}
	return nodes
}

// chaosDocs is small, and the copy is slowed down, so that a case takes a minute and the copy still lasts for seconds.
const (
	chaosDocs = 3000
	copyRate  = "1000" // documents a second
)

// quickToGiveUp shortens what a vanished proxy makes everybody wait for. Nothing here lets a write take 5 s.
var quickToGiveUp = map[string][]string{
	"proxy":      {"session_ttl: 3s", "upstream_write_timeout: 5s", "drain_barrier: 5s"},
	"controller": {"session_ttl: 3s", "drain_barrier: 5s"},
}

// rig is a fleet under load.
type rig struct {
	fleet *demo.Fleet
	load  *load.Load
	stop  func() error // ends the load and waits for it
}

func newRig(t *testing.T, nodes [2]*engines.OpenSearch, name string) *rig {
	t.Helper()
	fleet, err := demo.NewFleet(enginetest.Sluice(t), t.TempDir(), &demo.FleetOptions{Extra: quickToGiveUp})
	must(t, err)
	t.Cleanup(func() {
		if err := fleet.Stop(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			showLogs(t, fleet)
		}
	})
	must(t, fleet.Start(t.Context()))
	return newLoad(t, nodes, fleet, fleet.URLs(), name, chaosDocs)
}

// newLoad gives the tenant of a running fleet an index with n documents, and clients of the proxies at urls.
func newLoad(t *testing.T, nodes [2]*engines.OpenSearch, fleet *demo.Fleet, urls []string, name string, n int) *rig {
	t.Helper()
	index := "acme-" + name
	request(t, http.MethodPut, nodes[0].URL()+"/"+index, load.Mapping)
	for i, c := range []string{"a", "b"} {
		command(t, fleet, "cluster", "add", c, nodes[i].URL())
	}
	command(t, fleet, "tenant", "add", "acme", "--cluster", "a", "--index", index, "--as", "docs")
	docs, err := load.Corpus(t.Context(), n+n/20)
	must(t, err)
	l, err := load.New(load.Target{URLs: urls, Header: demo.TenantHeader, Tenant: "acme", Index: "docs"}, docs, n,
		&load.Options{Rate: 100, GiveUp: time.Minute})
	must(t, err)
	t.Cleanup(l.Close)
	must(t, l.Seed(t.Context(), nil))
	stopping, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- l.Run(t.Context(), stopping) }()
	return &rig{fleet, l, sync.OnceValue(func() error { close(stopping); return <-ended })}
}

func command(t *testing.T, f *demo.Fleet, args ...string) {
	t.Helper()
	_, err := f.Run(t.Context(), nil, args...)
	must(t, err)
}

func request(t *testing.T, method, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("%s %s: %s %s", method, url, resp.Status, text)
	}
}

// showLogs puts the end of every process's log into the test's.
func showLogs(t *testing.T, f *demo.Fleet) {
	files, _ := filepath.Glob(filepath.Join(f.Dir(), "logs", "*.log"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err == nil {
			t.Logf("%s:\n%s", filepath.Base(file), b[max(0, len(b)-4000):])
		}
	}
}

// writesHeld is no stage of a move but the phase of the tenant's entry in which writes are held.
const writesHeld = "Cutover"

// watchStage returns a channel that is closed as soon as a move's record in the store says that it is in the stage, or the
// tenant's entry that it is in the phase. It reads the store itself, because a cutover is over before a command could have asked.
func watchStage(t *testing.T, ctx context.Context, f *demo.Fleet, stage string) <-chan struct{} {
	t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{f.EtcdURL()}, DialTimeout: 10 * time.Second, Logger: zap.NewNop()})
	must(t, err)
	reached := make(chan struct{})
	events := client.Watch(ctx, "/sluice/", clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	<-events // the watch stands
	go func() {
		defer func() { _ = client.Close() }()
		for response := range events {
			for _, e := range response.Events {
				var record struct{ Stage, Phase string }
				if json.Unmarshal(e.Kv.Value, &record) == nil && (record.Stage == stage || record.Phase == stage) {
					close(reached)
					return
				}
			}
		}
	}()
	return reached
}

// settled waits until the move has come to an end.
func settled(ctx context.Context, f *demo.Fleet, id string) (demo.Move, error) {
	for {
		m, err := f.Show(ctx, id)
		if err == nil && m.Finished() {
			return m, nil
		}
		select {
		case <-ctx.Done():
			return m, errors.Join(fmt.Errorf("move %s is still %s: %s", id, m.Stage, m.Raw), err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// TestKill9 kills a process in every stage and starts it again. The move must go on by itself, and no acknowledged write may
// be missing. Two fleets are at work at a time: each mostly waits, for its copy and for what has vanished.
func TestKill9(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes")
	}
	nodes := clusters(t)
	for _, stage := range []string{"copying", "catching_up", "cutover", writesHeld} {
		t.Run(stage, func(t *testing.T) {
			for _, victim := range []string{"proxy", "controller"} {
				t.Run(victim, func(t *testing.T) {
					t.Parallel()
					name := strings.ReplaceAll(victim+"-"+stage, "_", "-")
					if stage == writesHeld {
						name = victim + "-held"
					}
					r := newRig(t, nodes, name)
					process := r.fleet.Controllers[0]
					if victim == "proxy" {
						process = r.fleet.Proxies[0]
					}
					killDuring(t, r, process, stage)
				})
			}
		})
	}
}

func killDuring(t *testing.T, r *rig, process *demo.Process, stage string) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cursors, err := r.load.OpenCursors(ctx)
	must(t, err)
	reached := watchStage(t, ctx, r.fleet, stage)
	// How long a pause is is not what this is about: with the default budget a move on a busy machine waits for calm, which
	// may not come in the time above.
	// Nor is how gentle the copy is: beside the throttle it would last five times as long, on two processors.
	m, err := r.fleet.Begin(ctx, "acme", "b", "--copy-rate", copyRate, "--copy-throttle", "off", "--pause-budget", "3s", "--cutover-deadline", "4s")
	must(t, err)
	select {
	case <-reached:
	case <-ctx.Done():
		m, err := r.fleet.Show(t.Context(), m.ID)
		t.Fatalf("never in stage %s: %s %v", stage, m.Raw, err)
	}
	process.Kill()
	killed := time.Now()
	// The clients go on without it for a moment: this is what is tested, nothing is waited for.
	time.Sleep(1500 * time.Millisecond)
	must(t, process.Start(ctx))
	m, err = settled(ctx, r.fleet, m.ID)
	must(t, err)
	if m.Stage != "flipped" {
		t.Fatalf("the move ended %s: %s", m.Stage, m.Raw)
	}
	t.Logf("flipped %.1fs after the kill", time.Since(killed).Seconds())
	must(t, cursors.Finish(ctx))
	if !cursors.Scroll.Complete() || !cursors.PIT.Complete() {
		t.Errorf("scroll %d of %d, PIT %d of %d", cursors.Scroll.Read, cursors.Scroll.Expected, cursors.PIT.Read, cursors.PIT.Expected)
	}
	verify(t, ctx, r)
	must(t, r.fleet.Retire(ctx, m.ID, nil))
	must(t, r.stop())
	verify(t, ctx, r)
}

// verify reads everything back. Repeated requests and unknown outcomes are what a kill costs; everything else is a fault.
func verify(t *testing.T, ctx context.Context, r *rig) {
	t.Helper()
	report, err := r.load.Check(ctx)
	must(t, err)
	c := r.load.Counts()
	t.Logf("%+v %+v", c, report)
	if !report.OK() || c.Stale != 0 || c.Failed != 0 || c.Jumps != 0 {
		t.Errorf("faults: %v %v", report.Findings, r.load.Trouble())
	}
	if c.Acknowledged == 0 || c.Reads == 0 {
		t.Error("nothing was tested")
	}
}
