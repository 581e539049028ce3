package etcdstore_test

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

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
	from := put(t, s, key("k"), "0", 0)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen, over := make(chan driver.Version), make(chan error, 1)
	go func() {
		over <- s.Watch(ctx, "entries", from, func(evs []driver.Event) error {
			for _, ev := range evs {
				seen <- ev.Version
			}
			return nil
		})
	}()
	first := put(t, s, key("k"), "1", from)
	if v := <-seen; v != first {
		t.Fatalf("the watch reported %d; want %d", v, first)
	}
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
	// Written where the watch need not be, until somebody takes it; each outcome is
	// read back by what the watch says.
	second := first
	for second == first {
		if v, err := s.Write(ctx, driver.Write{Key: key("k"), Value: []byte("2"), Expect: first}); err == nil {
			second = v
		} else if kv, err := s.Get(ctx, key("k")); err == nil {
			second = kv.Version
		}
		if ctx.Err() != nil {
			t.Fatal("nothing can be written after the cluster is back")
		}
	}
	if v := <-seen; v != second {
		t.Fatalf("the watch reported %d; want %d", v, second)
	}
	cancel()
	if err := <-over; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
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
