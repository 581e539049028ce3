package proxy_test

import (
	"context"
	"log"
	"net/http"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
	"github.com/sluiceproxy/sluice/tenancy"
)

// A proxy is a gate, a directory of clusters and a tenancy; both services run
// before it serves.
func Example() {
	s := store.New(memstore.New(nil), nil)
	g, err := gate.New(s, nil)
	if err != nil {
		log.Fatal(err)
	}
	clusters := proxy.NewDirectory(s, nil)
	tenants, err := tenancy.New(tenancy.Config{Header: "X-Sluice-Tenant"}, nil)
	if err != nil {
		log.Fatal(err)
	}
	p, err := proxy.New(g, clusters, tenants, &proxy.Options{CursorKeys: [][]byte{[]byte("a key of 32 bytes from your vault")}})
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Print(g.Run(context.Background())) }()
	go func() { log.Print(clusters.Run(context.Background())) }()
	log.Fatal(http.ListenAndServe(":9200", p))
}
