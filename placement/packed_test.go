package placement_test

import (
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
)

// Whatever an entry holds, also what no store would take: it comes back.
func TestPackedComesBack(t *testing.T) {
	long := strings.Repeat("x", 300)
	froms := []placement.Placement{
		{}, east, {Kind: placement.DedicatedCluster, Cluster: "c"},
		{Kind: placement.SharedIndex, Cluster: "c", Index: "shared", Logical: "docs", PartitionField: "tenant"},
		{Kind: placement.DedicatedIndex, Cluster: "c", Index: "acme-*"}, {Kind: placement.DedicatedIndex, Cluster: "c", Logical: "docs"},
		{Kind: placement.DedicatedIndex, Cluster: "c", Index: long, Logical: "docs", PartitionField: "f"}, {Kind: placement.DedicatedIndex, Index: "i", Logical: long},
		{Kind: placement.DedicatedIndex, Cluster: "c", Index: strings.Repeat("i", 255), Logical: strings.Repeat("l", 255)},
	}
	for _, from := range froms {
		for _, e := range []placement.Entry{
			{State: placement.State{From: from}},
			{Partition: "acme", Epoch: 1 << 63, Incarnation: 1<<32 - 1, State: placement.State{From: from}},
			{Partition: placement.PartitionID(long + long + long), Epoch: 7, State: placement.State{Phase: placement.Draining, From: from, To: west}, Attempt: placement.Attempt{Move: "m", Number: 3}},
			{Partition: "größe", Epoch: 7, State: placement.State{Phase: placement.Cutover, From: from, To: west}, CutoverAt: placement.Start{Boot: "b", Since: 5}, Attempt: placement.Attempt{Move: "m", Number: 1}},
			{Partition: "acme", Epoch: 7, State: placement.State{From: from}, Previous: west, PreviousMove: "m", Fenced: "m"},
		} {
			p := placement.Pack(e)
			if d := cmp.Diff(e, p.Entry()); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if p.Partition() != e.Partition || p.Epoch() != e.Epoch || p.Phase() != e.State.Phase || p.Move() != e.Attempt.Move {
				t.Errorf("%+v packed is of %q, epoch %d, %s, move %q", e, p.Partition(), p.Epoch(), p.Phase(), p.Move())
			}
		}
	}
	var zero placement.Packed
	if zero.Entry() != (placement.Entry{}) || zero.Partition() != "" {
		t.Errorf("the zero one is %+v", zero.Entry())
	}
	if size := unsafe.Sizeof(zero); size != 48 {
		t.Errorf("it has %d bytes", size)
	}
}
