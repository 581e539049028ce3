package proxy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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

const acme, other = placement.PartitionID("acme"), placement.PartitionID("other")

var (
	placeA = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "acme-1", Logical: "docs"}
	placeB = placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "acme-2", Logical: "docs"}
)

// rig is a proxy over a gate, a table in memory and two named clusters.
type rig struct {
	t     *testing.T
	store *store.Store
	gate  *gate.Gate
	dir   *proxy.Directory
	proxy *proxy.Proxy
	url   string
}

func newRig(t *testing.T, urlA, urlB string, o *proxy.Options) *rig {
	t.Helper()
	return newRigOver(t, urlA, urlB, o, gate.Options{})
}

func newRigOver(t *testing.T, urlA, urlB string, o *proxy.Options, held gate.Options) *rig {
	t.Helper()
	held.CloseDeadline = 50 * time.Millisecond
	s := store.New(memstore.New(nil), nil)
	r := &rig{t: t, store: s}
	for name, u := range map[string]string{"a": urlA, "b": urlB} {
		if _, err := s.Clusters().Put(t.Context(), name, placement.Cluster{Name: name, Endpoints: []string{u}}, 0); err != nil {
			t.Fatal(err)
		}
	}
	g, err := gate.New(s, &held)
	if err != nil {
		t.Fatal(err)
	}
	r.gate = g
	d := proxy.NewDirectory(s, nil)
	r.dir = d
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	run := func(f func(context.Context) error) {
		wg.Go(func() {
			if err := f(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	run(g.Run)
	run(d.Run)
	t.Cleanup(func() { cancel(); wg.Wait() })
	<-d.Ready()
	waitFor(t, "the gate serves", func() bool { return g.Ready() == nil })
	tenants, err := tenancy.New(tenancy.Default(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if o == nil {
		o = &proxy.Options{}
	}
	o.CursorKeys = [][]byte{bytes.Repeat([]byte("k"), 32)}
	if r.proxy, err = proxy.New(g, d, tenants, o); err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + serve(t, r.proxy)
	return r
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("waited too long until %s", what)
		}
		time.Sleep(2 * time.Millisecond) // polling: nothing tells
	}
}

func (r *rig) held() int64 { return r.gate.Stats().Held }

func (r *rig) register(id placement.PartitionID, p placement.Placement) {
	r.t.Helper()
	if _, err := r.store.Register(r.t.Context(), id, p); err != nil {
		r.t.Fatal(err)
	}
}

// step moves acme one transition on.
func (r *rig) step(op placement.Op) {
	r.t.Helper()
	cmd := placement.Command{Op: op, Attempt: placement.Attempt{Move: "m", Number: 1}}
	if op == placement.OpBegin {
		cmd.To = placeB
	}
	if _, err := r.store.Apply(r.t.Context(), acme, cmd); err != nil {
		r.t.Fatal(err)
	}
}

// reply is an answer.
type reply struct {
	status int
	header http.Header
	raw    string
}

// at returns the value at a path of keys and positions such as hits.hits.0._id.
func (a reply) at(path string) any {
	var v any
	d := json.NewDecoder(strings.NewReader(a.raw))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil
	}
	for k := range strings.SplitSeq(path, "/") {
		switch x := v.(type) {
		case map[string]any:
			v = x[k]
		case []any:
			i := 0
			for _, c := range k {
				i = i*10 + int(c-'0')
			}
			if i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	if n, ok := v.(json.Number); ok {
		return n.String()
	}
	return v
}

func (a reply) str(path string) string { s, _ := a.at(path).(string); return s }

func (r *rig) as(id placement.PartitionID, method, path, body string, headers ...string) reply {
	r.t.Helper()
	return send(r.t, r.url, method, path, body, append(headers, "X-Sluice-Tenant", string(id))...)
}

// do is a request of acme.
func (r *rig) do(method, path, body string, headers ...string) reply {
	r.t.Helper()
	return r.as(acme, method, path, body, headers...)
}

func send(t *testing.T, base, method, path, body string, headers ...string) reply {
	t.Helper()
	var b io.Reader
	if body != "" {
		b = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, b)
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := reply{resp.StatusCode, resp.Header, string(raw)}
	if kind := a.str("error/type"); strings.HasPrefix(kind, "sluice_") { // whatever is tested: no error without its hint
		if _, ok := a.at("error/retryable").(bool); !ok || a.str("error/action") == "" || a.str("error/root_cause/0/type") == "" || a.at("status") != strconv.Itoa(a.status) {
			t.Errorf("%s %s: an error out of shape: %s", method, path, a.raw)
		}
	}
	return a
}

// want checks the status and values of an answer: path, value, path, value...
func (a reply) want(t *testing.T, status int, pairs ...any) reply {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.raw)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if got := a.at(pairs[i].(string)); got != pairs[i+1] {
			t.Errorf("%s is %v, want %v: %s", pairs[i], got, pairs[i+1], a.raw)
		}
	}
	return a
}

// engine is the real thing, with fresh indices for both places.
func engine(t *testing.T) (*rig, string) {
	t.Helper()
	node := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	u := node.URL()
	for _, i := range []string{placeA.Index, placeB.Index} {
		send(t, u, "DELETE", "/"+i, "")
		send(t, u, "PUT", "/"+i, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`).want(t, 200)
	}
	r := newRig(t, u, u, nil)
	r.register(acme, placeA)
	return r, u
}
