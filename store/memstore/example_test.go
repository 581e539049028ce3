package memstore_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

func Example() {
	ctx := context.Background()
	s := memstore.New(nil)
	defer func() { _ = s.Close() }()

	k := driver.Key{Space: "entries", Name: "acme"}
	v, err := s.Write(ctx, driver.Write{Key: k, Value: []byte("on cluster a")})
	if err != nil {
		panic(err)
	}
	_, err = s.Write(ctx, driver.Write{Key: k, Value: []byte("on cluster b"), Expect: v})
	fmt.Println("at the version that was read:", err)
	_, err = s.Write(ctx, driver.Write{Key: k, Value: []byte("on cluster c"), Expect: v})
	fmt.Println("again:", errors.Is(err, driver.ErrConflict))
	// Output:
	// at the version that was read: <nil>
	// again: true
}
