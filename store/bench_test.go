package store_test

import (
	"fmt"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// BenchmarkCycle begins, cuts over and completes a move of a partition of a thousand, over
// the store in memory: records are written and read as with any other.
func BenchmarkCycle(b *testing.B) {
	s := store.New(memstore.New(&memstore.Options{History: 1000}), nil)
	ids := make([]placement.PartitionID, 1000)
	for i := range ids {
		ids[i] = placement.PartitionID(fmt.Sprintf("tenant-%07d", i))
		if _, err := s.Register(b.Context(), ids[i], east); err != nil {
			b.Fatal(err)
		}
	}
	places := [2]placement.Placement{west, east}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		for _, cmd := range []placement.Command{
			{Op: placement.OpBegin, To: places[i/len(ids)%2], Attempt: move}, {Op: placement.OpCutover, Start: start}, {Op: placement.OpComplete},
		} {
			if _, err := s.Apply(b.Context(), ids[i%len(ids)], cmd); err != nil {
				b.Fatal(err)
			}
		}
		i++
	}
}

func BenchmarkEncodeEntry(b *testing.B) {
	e := legal(b)[2] // in Cutover, which has most
	b.ReportAllocs()
	for b.Loop() {
		store.EncodeEntry(e)
	}
}

func BenchmarkDecodeEntry(b *testing.B) {
	e := legal(b)[2]
	kv := driver.KV{Name: string(e.Partition), Value: store.EncodeEntry(e), Version: 7}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := store.DecodeEntry(kv); err != nil {
			b.Fatal(err)
		}
	}
}
