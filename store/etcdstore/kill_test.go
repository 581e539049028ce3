package etcdstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// history is what writers did while members were killed under them: per key, the
// values that are known to have taken effect, with their versions.
type history struct {
	t     *testing.T
	d     driver.Driver
	from  driver.Version
	acked atomic.Int64 // writes that were acknowledged
	vague atomic.Int64 // writes whose outcome was unknown at first

	mu     sync.Mutex
	events []driver.Event // by the watch
	grew   chan struct{}
	took   map[driver.Version]string // version to key and value
}

const killedWriters = 4

// underFire runs writers and a watch while fire kills and restarts, and then
// checks that no acknowledged write was lost, that unknown outcomes were told
// right, and that the watch reported every change once.
func underFire(t *testing.T, d driver.Driver, fire func(h *history)) {
	t.Helper()
	h := &history{t: t, d: d, from: put(t, d, key("start"), "", 0), took: map[driver.Version]string{}, grew: make(chan struct{})}
	watch, stopWatch := context.WithCancel(t.Context())
	var watcher, writers sync.WaitGroup
	defer watcher.Wait()
	defer stopWatch()
	watcher.Go(func() {
		if err := d.Watch(watch, "entries", h.from, h.seen); !errors.Is(err, context.Canceled) {
			t.Errorf("watch: %v", err)
		}
	})
	ctx, stop := context.WithCancel(t.Context())
	for w := range killedWriters {
		writers.Go(func() { h.write(ctx, key(fmt.Sprint("w", w))) })
	}
	fire(h)
	h.progress() // and they still write
	stop()
	writers.Wait()
	h.check()
	t.Logf("%d writes acknowledged, %d of unknown outcome", h.acked.Load(), h.vague.Load())
}

// progress waits until more writes are acknowledged.
func (h *history) progress() {
	h.t.Helper()
	want := h.acked.Load() + 20
	deadline := time.Now().Add(30 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); h.acked.Load() < want && !h.t.Failed(); <-tick.C {
		if time.Now().After(deadline) {
			h.t.Fatal("no write is acknowledged any more")
		}
	}
}

func (h *history) seen(evs []driver.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, evs...)
	close(h.grew)
	h.grew = make(chan struct{})
	return nil
}

func (h *history) note(k driver.Key, value string, v driver.Version) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.took[v] = k.Name + "=" + value
}

// write writes one key until the context ends. After an unknown outcome it reads
// what happened, as users of the driver do.
func (h *history) write(ctx context.Context, k driver.Key) {
	var at driver.Version
	for i := 0; ctx.Err() == nil; i++ {
		value := fmt.Sprint(i)
		attempt, cancel := context.WithTimeout(h.t.Context(), time.Second)
		v, err := h.d.Write(attempt, driver.Write{Key: k, Value: []byte(value), Expect: at})
		cancel()
		switch {
		case err == nil:
			h.acked.Add(1)
			h.note(k, value, v)
			at = v
			continue
		case errors.Is(err, driver.ErrConflict):
			h.t.Errorf("a conflict, though nobody else writes %s and every outcome was read", k.Name)
			return
		}
		h.vague.Add(1)
		var ok bool
		if at, ok = h.resolve(k, value, at); !ok {
			return
		}
	}
}

// resolve settles the write of value at version at: it writes again, until that
// succeeds or conflicts, so that nothing is on its way any more.
func (h *history) resolve(k driver.Key, value string, at driver.Version) (driver.Version, bool) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		v, err := h.d.Write(h.t.Context(), driver.Write{Key: k, Value: []byte(value), Expect: at})
		if err == nil {
			h.note(k, value, v)
			return v, true
		}
		if !errors.Is(err, driver.ErrConflict) {
			continue
		}
		kv, err := h.d.Get(h.t.Context(), k)
		if err != nil {
			continue
		}
		if kv.Version <= at || string(kv.Value) != value {
			h.t.Errorf("%s is %q at %d after a conflict at %d", k.Name, kv.Value, kv.Version, at)
			return 0, false
		}
		h.note(k, value, kv.Version)
		return kv.Version, true
	}
	h.t.Errorf("the outcome of a write of %s could not be learned", k.Name)
	return 0, false
}

func (h *history) check() {
	h.t.Helper()
	end := put(h.t, h.d, key("end"), "", 0)
	h.note(key("end"), "", end)
	deadline := time.After(30 * time.Second)
	for {
		h.mu.Lock()
		evs, grew := h.events, h.grew
		h.mu.Unlock()
		if len(evs) > 0 && evs[len(evs)-1].Version >= end {
			break
		}
		select {
		case <-grew:
		case <-deadline:
			h.t.Fatal("the watch does not come to the end")
		}
	}
	newest := map[string]driver.KV{}
	last := h.from
	for _, ev := range h.events {
		if ev.Version <= last {
			h.t.Fatalf("the watch reported %d after %d", ev.Version, last)
		}
		last = ev.Version
		if got := ev.Name + "=" + string(ev.Value); h.took[ev.Version] != got {
			h.t.Fatalf("the watch reported %q at %d; known to have taken effect there: %q", got, ev.Version, h.took[ev.Version])
		}
		newest[ev.Name] = ev.KV
	}
	if len(h.events) != len(h.took) {
		h.t.Fatalf("the watch reported %d changes; %d took effect", len(h.events), len(h.took))
	}
	for name, kv := range newest {
		if got, err := h.d.Get(h.t.Context(), key(name)); err != nil || got.Version != kv.Version || string(got.Value) != string(kv.Value) {
			h.t.Fatalf("%s is %q at %d, %v; the newest write was %q at %d", name, got.Value, got.Version, err, kv.Value, kv.Version)
		}
	}
}

// A member that is killed while writers are at work loses nothing that it
// acknowledged, and the driver goes on by itself when it is back.
func TestMemberIsKilled(t *testing.T) {
	t.Parallel()
	p := enginetest.Etcd(t)
	underFire(t, connect(t, prefix(), p.URL()), func(h *history) {
		for range 3 {
			h.progress()
			if err := errors.Join(p.Kill(), p.Restart(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The same for the embedded member, which dies with its process.
func TestEmbeddedMemberIsKilled(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cmd, endpoint := startChild(t, dir, "http://127.0.0.1:0")
	underFire(t, connect(t, prefix(), endpoint), func(h *history) {
		for range 2 {
			h.progress()
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // it was killed, says the error
			cmd, _ = startChild(t, dir, endpoint)
		}
	})
}

// startChild runs this test binary as an embedded member.
func startChild(t *testing.T, dir, clientURL string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, "SLUICE_TEST_CLIENT_URL="+clientURL)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // its end is the child's end
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	line = strings.TrimSpace(line)
	if err != nil || !strings.HasPrefix(line, "http://") {
		t.Fatalf("the child said %q, %v", line, err)
	}
	return cmd, line
}

// When a cluster's leader is killed, another takes over, and the driver goes on
// without it.
func TestLeaderIsKilled(t *testing.T) {
	t.Parallel()
	c := enginetest.EtcdCluster(t, 3)
	underFire(t, connect(t, prefix(), c.URLs()...), func(h *history) {
		for range 2 {
			h.progress()
			leader, err := c.Leader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := leader.Kill(); err != nil {
				t.Fatal(err)
			}
			h.progress() // the other two are enough
			if err := c.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// While a cluster has no leader, watches end, because the member that is left
// could not tell them anything; the driver begins them again, without a gap.
func TestQuorumIsLost(t *testing.T) {
	t.Parallel()
	c := enginetest.EtcdCluster(t, 3)
	ended := make(chan string, 100)
	s, err := etcdstore.Open(t.Context(), etcdstore.Config{Endpoints: c.URLs(), Prefix: prefix()},
		&etcdstore.Options{Timeout: timeout, Logger: slog.New(slog.NewTextHandler(lines(ended), nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	underFire(t, s, func(h *history) {
		h.progress()
		for _, m := range c.Members()[:2] {
			if err := m.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case line := <-ended:
			if !strings.Contains(line, "a watch of etcd ended") {
				t.Errorf("it logged %q", line)
			}
		case <-time.After(30 * time.Second):
			t.Error("the watch did not end, though there is no leader")
		}
		if err := c.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

// lines is a writer that passes on what is written.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	select {
	case l <- string(p):
	default:
	}
	return len(p), nil
}

// A directory is locked against another process too.
func TestDirectoryOfAnotherProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	startChild(t, dir, "http://127.0.0.1:0")
	began := time.Now()
	_, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}, nil)
	if err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Fatalf("%v; want an error that says who is in the way", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Fatalf("it took %v", took)
	}
}
