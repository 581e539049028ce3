package clients_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// The API keeps what its document promises: schemathesis sends what the document allows, and
// what it does not, to every operation of a controller with a table in etcd. It finds
// answers of 500, answers that are not as described, and requests that are accepted though
// the document forbids them.
//
// Left out are two operations whose answers do not end, and one check: that whatever fits the
// document is accepted. A cursor that nobody gave out, a session that there is not, a key that
// was used for another request fit it, and are refused.
func TestAPIContract(t *testing.T) {
	need(t, "apt-get install python3-venv", "python3")
	if exec.CommandContext(t.Context(), "python3", "-c", "import ensurepip").Run() != nil {
		need(t, "apt-get install python3-venv", "python3's ensurepip")
	}
	lock := "testdata/schemathesis/requirements.txt"
	dir := fetched(t, "schemathesis", []string{lock}, func(ctx context.Context, dir string) error {
		if err := copyTo(dir, lock); err != nil {
			return err
		}
		if err := fetch(t, ctx, dir, "python3", "-m", "venv", "venv"); err != nil {
			return err
		}
		return fetch(t, ctx, dir, "venv/bin/pip", "install", "--quiet", "--no-deps", "-r", "requirements.txt")
	})
	settings, err := filepath.Abs("testdata/schemathesis/schemathesis.toml")
	if err != nil {
		t.Fatal(err)
	}
	base, log := controller(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	began := time.Now()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "venv/bin/st"), "--config-file", settings, "run", base+api.Prefix+"/openapi.json", "--url", base+api.Prefix,
		"-H", "Authorization: Bearer "+adminToken, "--exclude-path-regex", "(/events|/table/changes)$", "--phases", "examples,coverage,fuzzing",
		"--checks", "all", "--exclude-checks", "positive_data_acceptance", "--max-examples", "10", "--seed", "1", "--generation-database", "none",
		"--continue-on-failure", "--no-shrink", "--request-timeout", "30", "--suppress-health-check", "all", "--no-color", "--warnings", "off")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	summary := string(out[max(0, bytes.LastIndex(out, []byte("= SUMMARY ="))):])
	t.Logf("in %s: %s", time.Since(began).Round(time.Second), summary)
	if !strings.Contains(summary, "generated") {
		t.Errorf("it has tested nothing:\n%s", out)
	}
	for line := range strings.SplitSeq(log.String(), "\n") {
		if strings.Contains(line, "level=ERROR") {
			t.Errorf("the controller says: %s", line)
		}
	}
}

const adminToken = "a token that may do everything"

// shownLog is a log that is read when its writers have ended, or while they write.
type shownLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *shownLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *shownLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// controller runs a controller and its API over an etcd of their own, in this process. Its
// clusters do not answer.
func controller(t *testing.T) (base string, log *shownLog) {
	t.Helper()
	etcd, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = etcd.Close() })
	log = &shownLog{}
	logger, s := slog.New(slog.NewTextHandler(log, nil)), store.New(etcd.Store(), nil)
	for _, name := range []string{"a", "b"} {
		if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{"http://127.0.0.1:1"}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Register(t.Context(), "acme", tenants[1].place); err != nil {
		t.Fatal(err)
	}
	a, err := api.New(s, &api.Options{Build: "test", Engine: "etcd", AdminToken: adminToken, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	c := control.NewController(s, gate.NewPeers([]byte("the fleet's secret"), nil), &control.ControllerOptions{Waves: true, Trash: true, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	for _, run := range []func(context.Context) error{c.Run, a.Run} {
		parts.Go(func() { _ = run(ctx) }) // they end when they are told to
	}
	srv := httptest.NewServer(a.Handler())
	t.Cleanup(func() { srv.Close(); stop(); parts.Wait(); a.Close() })
	return srv.URL, log
}
