package etcdstore_test

import (
	"context"
	"fmt"
	"os"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// A member inside this process, and another process's way to it.
func ExampleStartEmbedded() {
	dir, err := os.MkdirTemp("", "sluice-example")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()

	ctx := context.Background()
	member, err := etcdstore.StartEmbedded(ctx, etcdstore.EmbeddedConfig{DataDir: dir, ClientURL: "http://127.0.0.1:0"}, nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = member.Close() }()

	k := driver.Key{Space: "entries", Name: "acme"}
	if _, err := member.Store().Write(ctx, driver.Write{Key: k, Value: []byte("on cluster a")}); err != nil {
		panic(err)
	}
	other, err := etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{member.Endpoint()}}, nil)
	if err != nil {
		panic(err)
	}
	defer func() { _ = other.Close() }()
	kv, err := other.Get(ctx, k)
	fmt.Printf("%s, %v\n", kv.Value, err)
	// Output: on cluster a, <nil>
}
