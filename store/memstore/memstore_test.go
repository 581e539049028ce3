package memstore_test

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

func TestContract(t *testing.T) {
	drivertest.Run(t, drivertest.Harness{
		New:     func(*testing.T) driver.Driver { return memstore.New(nil) },
		TTL:     300 * time.Millisecond,
		Late:    2 * time.Second,
		Compact: func(_ *testing.T, d driver.Driver) { d.(*memstore.Store).Compact("entries") },
	})
}
