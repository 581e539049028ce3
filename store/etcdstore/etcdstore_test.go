package etcdstore_test

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/etcdstore"
)

func TestEmbeddedSmoke(t *testing.T) {
	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	c, err := etcdstore.Open(t.Context(), etcdstore.Config{Endpoints: []string{e.Endpoint()}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := e.Store().Head(t.Context(), "entries"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed in %v", time.Since(start))
}
