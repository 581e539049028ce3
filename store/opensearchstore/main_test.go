package opensearchstore_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

func TestMain(m *testing.M) { enginetest.MainLeakFree(m) }

// timeout of the drivers in these tests, long enough for a machine that is busy with others.
const timeout = 10 * time.Second

var tables atomic.Int64

// table returns the name of a table that no other test uses.
func table() string { return fmt.Sprintf("test-%d", tables.Add(1)) }

func key(name string) driver.Key { return driver.Key{Space: "entries", Name: name} }

// connect opens a driver, for the length of the test.
func connect(t testing.TB, index string, addresses ...string) *opensearchstore.Store {
	t.Helper()
	return connectWith(t, opensearchstore.Config{Addresses: addresses, Index: index}, &opensearchstore.Options{Timeout: timeout, DialTimeout: time.Minute})
}

func connectWith(t testing.TB, c opensearchstore.Config, o *opensearchstore.Options) *opensearchstore.Store {
	t.Helper()
	s, err := opensearchstore.Open(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var put = drivertest.Put
