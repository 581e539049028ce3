package placement_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/sluiceproxy/sluice/placement"
)

// A partition is registered, moves, and holds a write in between.
func Example() {
	table := placement.NewTable()
	home := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: "acme-1", Logical: "orders"}
	if err := table.Set("acme", home); err != nil {
		log.Fatal(err)
	}
	resolved, _ := table.Get("acme")
	fmt.Println(resolved.State, table.AdmitWrite("acme", resolved.Epoch))

	away := placement.Placement{Kind: placement.DedicatedCluster, Cluster: "west"}
	if _, err := table.BeginMigration("acme", away, placement.Attempt{Move: "m1"}); err != nil {
		log.Fatal(err)
	}
	closed, err := table.EnterCutover("acme", 0, placement.Start{})
	if err != nil {
		log.Fatal(err)
	}
	err = table.AdmitWrite("acme", resolved.Epoch)
	fmt.Println(closed.State, errors.Is(err, placement.ErrInCutover))

	// The barrier was proven for this epoch, so complete names it.
	done, err := table.CompleteMigration("acme", closed.Epoch)
	fmt.Println(done.State, done.Incarnation, err)

	_, err = table.AbortMigration("acme", closed.Epoch)
	fmt.Println(errors.Is(err, placement.ErrStaleEpoch))
	// Output:
	// Active(dedicated_index:east/acme-1) <nil>
	// Migrating{dedicated_index:east/acme-1 -> dedicated_cluster:west, Cutover} true
	// Active(dedicated_cluster:west) 1 <nil>
	// true
}

// Step is the state machine alone: the store writes what it returns, and gives
// the new epoch.
func ExampleStep() {
	entry := placement.Entry{
		Partition: "acme", Epoch: 41,
		State: placement.State{From: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "east"}},
	}
	_, err := placement.Step(entry, placement.Command{Op: placement.OpComplete})
	var refusal *placement.Refusal
	fmt.Println(errors.As(err, &refusal), refusal.Code)
	// Output: true not_migrating
}
