// Package enginetest gives tests real engines: OpenSearch nodes, etcd and Consul, one per test or one for all tests of a package.
//
// It has one rule about machines that lack something an engine needs. Where the environment variable CI is set, the test
// fails, because there a test that quietly does not run is worse than none. Elsewhere it is skipped, with what is missing
// and how to get it. Every other trouble fails the test everywhere.
package enginetest

import (
	"errors"
	"io"
	"os"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// OpenSearch starts a node of the given version, engines.OpenSearch2 or engines.OpenSearch3, for this test alone, which may
// kill and pause it. It is stopped when the test ends.
func OpenSearch(t testing.TB, version string) *engines.OpenSearch {
	t.Helper()
	return OpenSearchWith(t, &engines.OpenSearchOptions{Version: version})
}

// OpenSearchWith is OpenSearch with options.
func OpenSearchWith(t testing.TB, o *engines.OpenSearchOptions) *engines.OpenSearch {
	t.Helper()
	own := *o
	if own.Progress == nil {
		own.Progress = progress
	}
	node, err := engines.StartOpenSearch(t.Context(), &own)
	demand(t, err)
	stopAfter(t, node)
	return node
}

// RequireOpenSearch prepares the given version and starts nothing, for a test whose own processes start it.
func RequireOpenSearch(t testing.TB, version string) {
	t.Helper()
	demand(t, engines.PrepareOpenSearch(t.Context(), version, progress))
}

// OpenSearchCluster starts a cluster of n nodes for this test alone. It is stopped when the test ends.
func OpenSearchCluster(t testing.TB, n int, o *engines.OpenSearchOptions) *engines.OpenSearchCluster {
	t.Helper()
	own := *o
	if own.Progress == nil {
		own.Progress = progress
	}
	cluster, err := engines.StartOpenSearchCluster(t.Context(), n, &own)
	demand(t, err)
	stopAfter(t, cluster)
	return cluster
}

// Etcd starts a member that is a cluster of its own, for this test alone, which may kill and pause it. It is stopped when the
// test ends.
func Etcd(t testing.TB) *engines.Etcd {
	t.Helper()
	return EtcdWith(t, &engines.EtcdOptions{})
}

// EtcdWith is Etcd with options.
func EtcdWith(t testing.TB, o *engines.EtcdOptions) *engines.Etcd {
	t.Helper()
	own := *o
	if own.Progress == nil {
		own.Progress = progress
	}
	member, err := engines.StartEtcd(t.Context(), &own)
	demand(t, err)
	stopAfter(t, member)
	return member
}

// EtcdCluster starts a cluster of n members for this test alone. It is stopped when the test ends.
func EtcdCluster(t testing.TB, n int) *engines.EtcdCluster {
	t.Helper()
	return EtcdClusterWith(t, n, &engines.EtcdOptions{})
}

// EtcdClusterWith is EtcdCluster with options.
func EtcdClusterWith(t testing.TB, n int, o *engines.EtcdOptions) *engines.EtcdCluster {
	t.Helper()
	own := *o
	if own.Progress == nil {
		own.Progress = progress
	}
	cluster, err := engines.StartEtcdCluster(t.Context(), n, &own)
	demand(t, err)
	stopAfter(t, cluster)
	return cluster
}

// Consul starts a server that is a datacenter of its own, for this test alone, which may kill and pause it. It is stopped when
// the test ends.
func Consul(t testing.TB) *engines.Consul {
	t.Helper()
	return ConsulWith(t, &engines.ConsulOptions{})
}

// ConsulWith is Consul with options.
func ConsulWith(t testing.TB, o *engines.ConsulOptions) *engines.Consul {
	t.Helper()
	own := *o
	if own.Progress == nil {
		own.Progress = progress
	}
	server, err := engines.StartConsul(t.Context(), &own)
	demand(t, err)
	stopAfter(t, server)
	return server
}

// ConsulCluster starts a cluster of n servers for this test alone. It is stopped when the test ends.
func ConsulCluster(t testing.TB, n int, o *engines.ConsulOptions) *engines.ConsulCluster {
	t.Helper()
	own := *o
	if own.Progress == nil {
		own.Progress = progress
	}
	cluster, err := engines.StartConsulCluster(t.Context(), n, &own)
	demand(t, err)
	stopAfter(t, cluster)
	return cluster
}

func stopAfter(t testing.TB, engine interface{ Stop() error }) {
	t.Cleanup(func() {
		if err := engine.Stop(); err != nil {
			t.Error(err)
		}
	})
}

// demand returns when err is nil. It is the one place that decides between skipping and failing.
func demand(t testing.TB, err error) {
	t.Helper()
	if err == nil {
		return
	}
	var missing *engines.MissingError
	if errors.As(err, &missing) && os.Getenv("CI") == "" {
		t.Skipf("skipped, it would fail where CI is set: %v", err)
	}
	t.Fatal(err)
}

// progress shows what takes long to whoever watches; a test's log would show it when it is over.
var progress io.Writer = os.Stderr
