package placement_test

import (
	"fmt"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// BenchmarkCycle begins, cuts over and completes a move of a partition of a thousand, in
// the table that is nothing but memory.
func BenchmarkCycle(b *testing.B) {
	table := placement.NewTable()
	ids := make([]placement.PartitionID, 1000)
	for i := range ids {
		ids[i] = placement.PartitionID(fmt.Sprintf("tenant-%07d", i))
		if err := table.Set(ids[i], east); err != nil {
			b.Fatal(err)
		}
	}
	places := [2]placement.Placement{west, east}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		id := ids[i%len(ids)]
		e, err := table.BeginMigration(id, places[i/len(ids)%2], placement.Attempt{Move: "m", Number: 1})
		if err == nil {
			e, err = table.EnterCutover(id, e.Epoch, placement.Start{})
		}
		if err == nil {
			_, err = table.CompleteMigration(id, e.Epoch)
		}
		if err != nil {
			b.Fatal(err)
		}
		i++
	}
}
