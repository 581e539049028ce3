package redisstore_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

func TestMain(m *testing.M) { enginetest.MainLeakFree(m) }

// timeout of the drivers in these tests, short of the default so that what waits
// for it does not take long.
const timeout = 2 * time.Second

var namespaces atomic.Int64

// prefix returns a namespace that no other test uses.
func prefix() string { return fmt.Sprintf("test-%d", namespaces.Add(1)) }

func key(name string) driver.Key { return driver.Key{Space: "entries", Name: name} }

// connect opens a driver, for the length of the test.
func connect(t testing.TB, c redisstore.Config) *redisstore.Store {
	t.Helper()
	if c.Prefix == "" {
		c.Prefix = prefix()
	}
	s, err := redisstore.Open(t.Context(), c, &redisstore.Options{Timeout: timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func at(addrs ...string) redisstore.Config { return redisstore.Config{Addresses: addrs} }

var put = drivertest.Put
