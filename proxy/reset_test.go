package proxy_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
)

// keeper is the answer on a stream of HTTP/2 that its client resets: writing it fails, and
// what was to be written is still looked at afterwards, when it is its turn on the
// connection.
type keeper struct {
	header http.Header
	kept   [][]byte
	copies []string // of kept, as they were
}

func (k *keeper) Header() http.Header { return k.header }
func (k *keeper) WriteHeader(int)     {}
func (k *keeper) Write(b []byte) (int, error) {
	k.kept, k.copies = append(k.kept, b), append(k.copies, string(b))
	return 0, errors.New("http2: stream closed")
}

// A client that resets streams of HTTP/2 gets nothing of another tenant's: what may still
// be written for such a stream is not used for another answer.
func TestResetStreams(t *testing.T) {
	letters := map[string]string{"acme-1": "a", "other-1": "b", "docs": "c"}
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		index, _, _ := strings.Cut(r.URL.Path[1:], "/")
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = io.WriteString(w, fmt.Sprintf(`{"_index":%q,"_id":"1","_version":1,"found":true,"_source":{"t":%q}}`, index, strings.Repeat(letters[index], 8000)))
	}))
	defer cluster.Close()
	r := newRig(t, cluster.URL, cluster.URL, nil)
	r.register(acme, placeA)
	r.register(other, placeOther)
	r.register("whole", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"})
	get := func(w http.ResponseWriter, tenant placement.PartitionID) {
		defer func() { _ = recover() }() // an answer that is broken off
		req := httptest.NewRequest("GET", "/docs/_doc/1", nil)
		req.Header.Set("X-Sluice-Tenant", string(tenant))
		r.proxy.ServeHTTP(w, req)
	}
	for _, tenant := range []placement.PartitionID{acme, "whole"} {
		k := &keeper{header: http.Header{}}
		for range 20 {
			get(k, tenant)
			for _, next := range []placement.PartitionID{other, "whole", acme} {
				get(httptest.NewRecorder(), next)
			}
		}
		if len(k.kept) < 20 {
			t.Fatalf("%d pieces of answers were to be written", len(k.kept))
		}
		for i, b := range k.kept {
			if string(b) != k.copies[i] {
				t.Fatalf("of %s: what was to be written has become %.80q", tenant, b)
			}
		}
	}
}
