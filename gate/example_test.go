package gate_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// A proxy of one's own: it asks the gate where a write goes, sends it there, and
// tells the gate how it ended.
func Example() {
	ctx, leave := context.WithCancel(context.Background())
	defer leave()
	table := store.New(memstore.New(nil), nil) // an etcdstore in a real fleet
	_, err := table.Register(ctx, "acme", placement.Placement{
		Kind: placement.DedicatedIndex, Cluster: "a", Index: "acme-docs", Logical: "docs",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := gate.New(table, &gate.Options{Name: "my-proxy", Address: "http://10.0.0.7:9281"})
	if err != nil {
		fmt.Println(err)
		return
	}
	left := make(chan error)
	go func() { left <- g.Run(ctx) }()

	write := func(tenant placement.PartitionID, send func(placement.Placement) error) error {
		t, err := g.Write(ctx, tenant, 0) // waits out a cutover
		if err != nil {
			return err
		}
		t.Record(gate.DocRef{Index: "docs", ID: "1"})
		if err := t.Send(); err != nil {
			t.Cancel() // nothing was sent
			return err
		}
		if err := send(t.Entry().State.From); err != nil {
			t.Unknown() // no answer: it may still take effect
			return errors.Join(gate.ErrOutcomeUnknown, err)
		}
		return t.Done() // report success only if this is nil
	}
	fmt.Println(write("acme", func(p placement.Placement) error {
		fmt.Println("sent to", p)
		return nil
	}))
	fmt.Println(errors.Is(write("nobody", nil), placement.ErrUnknownPartition))

	leave()
	fmt.Println(<-left)
	// Output:
	// sent to dedicated_index:a/acme-docs
	// <nil>
	// true
	// <nil>
}
