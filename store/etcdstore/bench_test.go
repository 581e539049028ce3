package etcdstore_test

import (
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// BenchmarkCycle compares the three steps of a move, begin, cut over and complete, each
// of which begins with the entry that the one before has left, with
// three conditional writes of the same size by etcd's own client: as many fsyncs of the
// same member, and nothing else. They take turns, because what an fsync takes changes
// from second to second; ratio is the cycles' time over the writes'.
func BenchmarkCycle(b *testing.B) {
	e := startEmbedded(b, b.TempDir())
	s := store.New(connect(b, prefix(), e.Endpoint()), nil)
	c, err := clientv3.New(clientv3.Config{Endpoints: []string{e.Endpoint()}, Logger: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	places := [2]placement.Placement{{Kind: placement.DedicatedCluster, Cluster: "east"}, {Kind: placement.DedicatedCluster, Cluster: "west"}}
	entry, err := s.Register(b.Context(), "acme", places[0])
	if err != nil {
		b.Fatal(err)
	}
	value := string(store.EncodeEntry(entry))
	var cycles, writes stopwatch
	var revision int64
	i := 0
	for b.Loop() {
		i++
		cycles.time(func() {
			for _, cmd := range []placement.Command{
				{Op: placement.OpBegin, To: places[i%2], Attempt: placement.Attempt{Move: "m", Number: 1}}, {Op: placement.OpCutover}, {Op: placement.OpComplete},
			} {
				if entry, err = s.ApplyTo(b.Context(), entry, cmd); err != nil {
					b.Fatal(err)
				}
			}
		})
		writes.time(func() {
			for range 3 {
				r, err := c.Txn(b.Context()).If(clientv3.Compare(clientv3.ModRevision("bare"), "=", revision)).Then(clientv3.OpPut("bare", value)).Commit()
				if err != nil || !r.Succeeded {
					b.Fatalf("a bare write: %+v, %v", r, err)
				}
				revision = r.Header.Revision
			}
		})
	}
	b.ReportMetric(cycles.median(), "ns/cycle")
	b.ReportMetric(writes.median(), "ns/writes")
	b.ReportMetric(cycles.median()/writes.median(), "ratio")
}
