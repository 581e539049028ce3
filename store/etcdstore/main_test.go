package etcdstore_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// childDir makes the test binary a process that runs an embedded member on that
// directory, so that a test can kill it.
const childDir = "SLUICE_TEST_EMBEDDED_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		os.Exit(child(dir))
	}
	enginetest.MainLeakFree(m)
}

// child runs until it is killed, or until its parent is gone.
func child(dir string) int {
	e, err := etcdstore.StartEmbedded(context.Background(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: os.Getenv("SLUICE_TEST_CLIENT_URL")}, nil)
	if err != nil {
		fmt.Println("error:", err)
		return 1
	}
	fmt.Println(e.Endpoint())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := e.Close(); err != nil {
		return 1
	}
	return 0
}

// timeout of the drivers in these tests, short of the default so that what waits
// for it does not take long.
const timeout = 2 * time.Second

var namespaces atomic.Int64

// prefix returns a namespace that no other test uses.
func prefix() string { return fmt.Sprintf("/test-%d/", namespaces.Add(1)) }

func key(name string) driver.Key { return driver.Key{Space: "entries", Name: name} }

// startEmbedded starts a member on a free port, for the length of the test.
func startEmbedded(t testing.TB, dir string) *etcdstore.Embedded {
	t.Helper()
	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}, &etcdstore.Options{Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// connect opens a driver, for the length of the test.
func connect(t testing.TB, prefix string, endpoints ...string) *etcdstore.Store {
	t.Helper()
	s, err := etcdstore.Open(t.Context(), etcdstore.Config{Endpoints: endpoints, Prefix: prefix}, &etcdstore.Options{Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var put = drivertest.Put

// compactor returns a function that compacts an etcd up to now.
func compactor(t *testing.T, endpoint string) func() {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{endpoint}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return func() {
		r, err := c.Get(t.Context(), "x")
		if err != nil {
			t.Fatal(err)
		}
		// Compacting twice at one revision is an error; the second has nothing to do.
		if _, err := c.Compact(t.Context(), r.Header.Revision); err != nil && !strings.Contains(err.Error(), "compacted") {
			t.Fatal(err)
		}
	}
}
