package consulstore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/consulstore"
)

// A configuration at fault says which field it is, and the fix, before anything is
// sent.
func ExampleOpen() {
	ctx := context.Background()
	s, err := consulstore.Open(ctx, consulstore.Config{Addresses: []string{"https://consul-1:8501"}, Prefix: "/sluice"}, nil)
	var invalid *placement.InvalidError
	if errors.As(err, &invalid) {
		fmt.Println(invalid.Field)
		return
	}
	if err != nil {
		panic(err)
	}
	defer func() { _ = s.Close() }()
	// Output: store.consul.prefix
}
