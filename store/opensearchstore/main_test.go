package opensearchstore_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

func TestMain(m *testing.M) {
	code := enginetest.Run(m)
	if err := goleak.Find(); err != nil && code == 0 {
		_, _ = fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

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

func put(t testing.TB, d driver.Driver, k driver.Key, value string, expect driver.Version) driver.Version {
	t.Helper()
	v, err := d.Write(t.Context(), driver.Write{Key: k, Value: []byte(value), Expect: expect})
	if err != nil {
		t.Fatalf("write at %d: %v", expect, err)
	}
	return v
}
