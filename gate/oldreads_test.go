package gate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
)

// An old copy is removed when no read is open on it any more. A read that has looked up the entry, and is overtaken by the
// flip before it is counted, must be neither let through uncounted nor counted where nobody looks.
func TestReadThatIsOvertakenByTheFlip(t *testing.T) {
	r := gate.NewReplica()
	at := func(cluster string, epoch placement.Epoch) placement.Entry {
		return placement.Entry{Partition: acme, Epoch: epoch, State: placement.State{
			From: placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: "acme", Logical: "docs"}}}
	}
	r.Apply(at("a", 1))
	counted, late := r.Look(acme), r.Look(acme)
	if !counted() {
		t.Fatal("a read of the newest entry was refused")
	}
	r.Apply(at("b", 2))
	if late() {
		t.Error("a read was admitted on an entry that had been replaced")
	}
	if d := cmp.Diff([]placement.PartitionID{acme}, r.OldReads()); d != "" {
		t.Errorf("old reads (-want +got):\n%s", d)
	}
	if !r.Look(acme)() {
		t.Error("a read of the new entry was refused")
	}
}
