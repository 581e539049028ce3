package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
	"github.com/sluiceproxy/sluice/tenancy"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// The kinds of placement, as the tables of this package name them.
const (
	kindCluster = "dedicated_cluster"
	kindIndex   = "dedicated_index"
	kindShared  = "shared_index"
)

// tenant is one through which clients are run.
type tenant struct {
	kind     string
	id       placement.PartitionID
	place    placement.Placement
	basic    bool // the client proves the tenant by a password, instead of naming it in a header
	compress bool // the client compresses its requests
}

var tenants = []tenant{
	{kind: kindCluster, id: "whole", basic: true, place: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "own"}},
	{kind: kindIndex, id: "acme", compress: true, place: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "acme-2", Logical: "docs"}},
	{kind: kindShared, id: "pooled", place: placement.Placement{Kind: placement.SharedIndex, Cluster: "a", Index: "pool", Logical: "docs", PartitionField: "tenant"}},
}

const password = "a-password"

// world is a cluster and a proxy in front of it.
type world struct {
	cluster string // URL, as are the others
	proxy   string // tenants are named by a header
	proved  string // tenants prove themselves by a password
	surface surface
}

// surface is testdata/surface.json.
type surface struct {
	Settings  json.RawMessage
	Mappings  json.RawMessage
	Documents []struct {
		ID  string
		Doc json.RawMessage
	}
	Searches map[string]json.RawMessage
	Raw      []struct {
		Name, Method, Path, Text string
		Body                     json.RawMessage
	}
}

func readSurface(t *testing.T) (s surface) {
	t.Helper()
	raw, err := os.ReadFile(surfaceFile)
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// answerLine is an answer as it is on the wire.
func answerLine(t *testing.T, name string, resp *http.Response) line {
	t.Helper()
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	l := line{Name: name, Status: resp.StatusCode, Body: raw}
	if resp.StatusCode >= 400 {
		l.Error = resp.Status
	}
	h := map[string]string{}
	for _, k := range []string{"Content-Type", "Warning", "Location", "X-Opaque-Id", "Allow"} {
		if v := resp.Header.Get(k); v != "" {
			h[strings.ToLower(k)] = v
		}
	}
	if !json.Valid(raw) {
		l.Body, err = json.Marshal(string(raw))
	}
	if err == nil {
		l.Header, err = json.Marshal(h)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{cluster: enginetest.SharedOpenSearch(t, version(t)).URL(), surface: readSurface(t)}
	// The cluster's index of tasks comes with the first one. It is to be there in every run.
	w.reset(t, nil)
	w.must(t, "POST", "/docs/_update_by_query?wait_for_completion=false", "")
	w.must(t, "GET", "/_cluster/health/.tasks?wait_for_status=yellow", "")
	s := store.New(memstore.New(nil), nil)
	for _, name := range []string{"a", "own"} {
		if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{w.cluster}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	for _, tenant := range tenants {
		register(t, s, tenant)
	}
	users := filepath.Join(t.TempDir(), "users")
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err == nil {
		err = os.WriteFile(users, []byte("whole:"+string(hash)+"\n"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	g, d := run(t, s)
	w.proxy = serve(t, g, d, tenancy.Default())
	w.proved = serve(t, g, d, tenancy.Config{Basic: tenancy.Basic{UsersFile: users}})
	return w
}

// register adds a tenant. One with an index of its own has moved there before, so
// that the tokens which clients are shown are not those of the cluster.
func register(t *testing.T, s *store.Store, of tenant) {
	t.Helper()
	first := of.place
	if of.kind == kindIndex {
		first.Index = "acme-1"
	}
	if _, err := s.Register(t.Context(), of.id, first); err != nil {
		t.Fatal(err)
	}
	if first == of.place {
		return
	}
	cmd := placement.Command{Attempt: placement.Attempt{Move: "m", Number: 1}}
	for _, cmd.Op = range []placement.Op{placement.OpBegin, placement.OpCutover, placement.OpComplete} {
		if cmd.To = (placement.Placement{}); cmd.Op == placement.OpBegin {
			cmd.To = of.place
		}
		if _, err := s.Apply(t.Context(), of.id, cmd); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs a gate and a directory until the test ends.
func run(t *testing.T, s *store.Store) (*gate.Gate, *proxy.Directory) {
	t.Helper()
	g, err := gate.New(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := proxy.NewDirectory(s, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, f := range []func(context.Context) error{g.Run, d.Run} {
		wg.Go(func() {
			if err := f(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { cancel(); wg.Wait() })
	<-d.Ready()
	for end := time.Now().Add(30 * time.Second); g.Ready() != nil; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the gate does not serve: %v", g.Ready())
		}
	}
	return g, d
}

func serve(t *testing.T, g *gate.Gate, d *proxy.Directory, c tenancy.Config) string {
	t.Helper()
	r, err := tenancy.New(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := proxy.New(g, d, r, &proxy.Options{CursorKeys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	return srv.URL
}

// version is the newest line of OpenSearch that this machine can run.
func version(t *testing.T) string {
	t.Helper()
	var missing *engines.MissingError
	if err := engines.PrepareOpenSearch(t.Context(), engines.OpenSearch3, os.Stderr); errors.As(err, &missing) {
		return engines.OpenSearch2
	}
	return engines.OpenSearch3
}

// reset leaves the cluster with nothing but the index that clients call docs: the
// tenant's, or for nil that of clients which call the cluster itself.
func (w *world) reset(t *testing.T, of *tenant) {
	t.Helper()
	for _, name := range []string{"docs", "docs-made", "docs-copy", "acme-2", "pool"} {
		w.must(t, "DELETE", "/"+name+"?ignore_unavailable=true", "")
	}
	name, mappings := "docs", string(w.surface.Mappings)
	if of != nil && of.kind != kindCluster {
		name = of.place.Index
	}
	if of != nil && of.kind == kindShared {
		mappings = strings.Replace(mappings, `"properties": {`, `"properties": {"tenant": {"type": "keyword"},`, 1)
	}
	w.must(t, "PUT", "/"+name, `{"settings":`+string(w.surface.Settings)+`,"mappings":`+mappings+`}`)
	if of != nil && of.kind == kindShared { // somebody else's, which must not be seen
		w.must(t, "PUT", "/"+name+"/_doc/1?refresh=true", `{"tenant":"somebody","title":"a red secret","tag":"secret","n":1}`)
	}
}

// must is a request to the cluster itself.
func (w *world) must(t *testing.T, method, path, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, w.cluster+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if raw, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, raw, err)
	}
}
