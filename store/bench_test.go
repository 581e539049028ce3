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
// the store in memory. Each transition begins with the entry that the one before has left.
func BenchmarkCycle(b *testing.B) {
	s := store.New(memstore.New(&memstore.Options{History: 1000}), nil)
	entries := make([]placement.Entry, 1000)
	for i := range entries {
		var err error
		if entries[i], err = s.Register(b.Context(), placement.PartitionID(fmt.Sprintf("tenant-%07d", i)), east); err != nil {
			b.Fatal(err)
		}
	}
	places := [2]placement.Placement{west, east}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e := &entries[i%len(entries)]
		for _, cmd := range []placement.Command{
			{Op: placement.OpBegin, To: places[i/len(entries)%2], Attempt: move}, {Op: placement.OpCutover, Start: start}, {Op: placement.OpComplete},
		} {
			var err error
			if *e, err = s.ApplyTo(b.Context(), *e, cmd); err != nil {
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
