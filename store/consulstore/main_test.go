package consulstore_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
)

func TestMain(m *testing.M) { enginetest.MainLeakFree(m) }

// The drivers' times in these tests, short of the defaults so that what waits for
// them does not take long.
var options = consulstore.Options{Timeout: 3 * time.Second, ListTimeout: 3 * time.Second, Wait: 2 * time.Second}

var namespaces atomic.Int64

// prefix returns a namespace that no other test uses.
func prefix() string { return fmt.Sprintf("test-%d/", namespaces.Add(1)) }

func key(name string) driver.Key { return driver.Key{Space: "entries", Name: name} }

func session(name string) driver.Key { return driver.Key{Space: "sessions", Name: name} }

// connect opens a driver, for the length of the test.
func connect(t testing.TB, prefix string, addresses ...string) *consulstore.Store {
	t.Helper()
	return connectWith(t, consulstore.Config{Addresses: addresses, Prefix: prefix})
}

func connectWith(t testing.TB, c consulstore.Config) *consulstore.Store {
	t.Helper()
	s, err := consulstore.Open(t.Context(), c, &options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var put = drivertest.Put
