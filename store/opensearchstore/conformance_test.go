package opensearchstore_test

import (
	"cmp"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

// version of OpenSearch for the conformance tests; SLUICE_TEST_OPENSEARCH=3.9.0 runs them
// against the other line.
func version() string { return cmp.Or(os.Getenv("SLUICE_TEST_OPENSEARCH"), engines.OpenSearch2) }

// Searches return few records at a time, so that every list and every watch of the
// suite is one of many pages.
const fewRecords = 7

func harness(t *testing.T) drivertest.Harness {
	return drivertest.Harness{
		New: func(t *testing.T) drivertest.Engine {
			node := enginetest.SharedOpenSearch(t, version())
			name := table()
			peer := connect(t, name, node.URL())
			addr, fault := drivertest.NewProxy(t, strings.TrimPrefix(node.URL(), "http://"))
			d := connect(t, name, "http://"+addr)
			for _, s := range []*opensearchstore.Store{peer, d} {
				s.SetPage(fewRecords)
			}
			return drivertest.Engine{Driver: d, Peer: peer, Fault: fault, Compact: func() {
				if err := peer.Compact(t.Context()); err != nil {
					t.Error(err)
				}
			}}
		},
		TTL: 2 * time.Second,
		// The margin, a poll, the tombstone, and another poll.
		Late:    3 * time.Second,
		Bound:   timeout + 2*time.Second,
		Outages: outages,
		Shows: map[string]func(*testing.T) string{
			"GetSeesEveryAcknowledgedWrite": staleGet, "VersionsSeeEveryAcknowledgedWrite": staleVersions, "SurvivesLeaderFreeze": staleGet,
		},
	}
}

func TestConformance(t *testing.T) {
	drivertest.Run(t, harness(t))
}
