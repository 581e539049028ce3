package enginetest

import (
	"context"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// engine is what shared engines have in common.
type engine interface {
	PID() int
	Resume() error
	Restart(ctx context.Context) error
	Stop() error
}

// shared are the engines that outlive a test.
var shared struct {
	sync.Mutex
	usable  bool // Main runs
	engines map[string]*slot
}

// slot is the place of one shared engine. Its mutex is held while the engine starts, so that two kinds start at once.
type slot struct {
	sync.Mutex
	engine engine
	err    error // a start that failed is not tried again for every test
}

// Main runs the tests of a package, stops the shared engines and exits. A package that uses one calls it from
// TestMain:
//
//	func TestMain(m *testing.M) { enginetest.Main(m) }
func Main(m *testing.M) { os.Exit(Run(m)) }

// MainLeakFree is Main for a package that must leave no goroutine behind.
func MainLeakFree(m *testing.M) {
	code := Run(m)
	if err := goleak.Find(); err != nil && code == 0 {
		_, _ = fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// Run is Main for a TestMain that has more to do: it returns the exit code instead of exiting.
func Run(m *testing.M) int {
	shared.Lock()
	shared.usable, shared.engines = true, map[string]*slot{}
	shared.Unlock()
	lending.Lock()
	lending.usable, lending.idle = true, map[string][]*engines.OpenSearch{}
	lending.Unlock()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400) // with the race detector a collection is dear, and a test's heap is small
	}
	code := m.Run()
	if err := stopLent(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "stop the nodes that were lent: %v\n", err)
		code = max(code, 1)
	}
	if err := removeSluice(); err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "remove the program: %v\n", err)
		code = max(code, 1)
	}

	shared.Lock()
	defer shared.Unlock()
	shared.usable = false
	for name, s := range shared.engines {
		s.Lock()
		if s.engine != nil {
			if err := s.engine.Stop(); err != nil {
				_, _ = fmt.Fprintf(os.Stderr, "stop the shared %s: %v\n", name, err)
				code = max(code, 1)
			}
		}
		s.Unlock()
	}
	return code
}

// SharedOpenSearch returns the node of the given version that all tests of the package use. The first call starts it, Main
// stops it. Tests use index names of their own and leave the node running; one that was killed or paused all the same is
// running again when the next test gets it, with its data.
func SharedOpenSearch(t testing.TB, version string) *engines.OpenSearch {
	t.Helper()
	return share(t, "opensearch "+version, func(ctx context.Context) (*engines.OpenSearch, error) {
		return engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{Version: version, Progress: progress})
	})
}

// SharedEtcd returns the etcd that all tests of the package use, with the same rules as SharedOpenSearch. Tests use key
// prefixes of their own.
func SharedEtcd(t testing.TB) *engines.Etcd {
	t.Helper()
	return share(t, "etcd", func(ctx context.Context) (*engines.Etcd, error) {
		return engines.StartEtcd(ctx, &engines.EtcdOptions{Progress: progress})
	})
}

// SharedConsul returns the Consul that all tests of the package use, with the same rules as SharedOpenSearch. Tests use key
// prefixes of their own. It grants sessions of one second and more, where Consul's default is ten.
func SharedConsul(t testing.TB) *engines.Consul {
	t.Helper()
	return share(t, "consul", func(ctx context.Context) (*engines.Consul, error) {
		return engines.StartConsul(ctx, &engines.ConsulOptions{Progress: progress, Settings: map[string]any{"session_ttl_min": "1s"}})
	})
}

func share[E engine](t testing.TB, name string, start func(context.Context) (E, error)) E {
	t.Helper()
	shared.Lock()
	usable, s := shared.usable, shared.engines[name]
	if usable && s == nil {
		s = &slot{}
		shared.engines[name] = s
	}
	shared.Unlock()
	if !usable {
		t.Fatalf("a shared %s needs func TestMain(m *testing.M) { enginetest.Main(m) } in this package", name)
	}

	s.Lock()
	defer s.Unlock()
	switch {
	case s.err != nil:
	case s.engine == nil:
		// Not the test's context: another test may be waiting for the same engine.
		e, err := start(context.Background())
		if s.err = err; err == nil {
			s.engine = e
		}
	case s.engine.PID() == 0:
		demand(t, s.engine.Restart(t.Context()))
	default:
		demand(t, s.engine.Resume()) // no harm when it was not paused
	}
	demand(t, s.err)
	return s.engine.(E)
}
