package api_test

import (
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// A proxy in another language takes part on every store: its session and the table, over
// each engine as a server of its own.
func TestFleetOnEngines(t *testing.T) {
	for name, start := range map[string]func(*testing.T) func(prefix string) (driver.Driver, func() error, error){
		"etcd": func(t *testing.T) func(string) (driver.Driver, func() error, error) {
			e := enginetest.Etcd(t)
			return func(prefix string) (driver.Driver, func() error, error) {
				s, err := etcdstore.Open(t.Context(), etcdstore.Config{Endpoints: []string{e.URL()}, Prefix: "/" + prefix + "/"}, nil)
				return s, s.Close, err
			}
		},
		"consul": func(t *testing.T) func(string) (driver.Driver, func() error, error) {
			c := enginetest.Consul(t)
			return func(prefix string) (driver.Driver, func() error, error) {
				s, err := consulstore.Open(t.Context(), consulstore.Config{Addresses: []string{c.URL()}, Prefix: prefix + "/"}, nil)
				return s, s.Close, err
			}
		},
		"redis": func(t *testing.T) func(string) (driver.Driver, func() error, error) {
			r := enginetest.Redis(t)
			return func(prefix string) (driver.Driver, func() error, error) {
				s, err := redisstore.Open(t.Context(), redisstore.Config{Addresses: []string{r.Addr()}, Prefix: prefix}, nil)
				return s, s.Close, err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			open := start(t)
			for part, run := range map[string]func(*testing.T, driver.Driver){"session": sessionOfAProxy, "table": tableOfAProxy} {
				t.Run(part, func(t *testing.T) {
					d, end, err := open(part)
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = end() })
					run(t, d)
				})
			}
		})
	}
}
