package proxy_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
	"github.com/sluiceproxy/sluice/tenancy"
)

// another is a second proxy over the rig's gate and clusters.
func (r *rig) another(c tenancy.Config, o proxy.Options) *proxy.Proxy {
	r.t.Helper()
	tenants, err := tenancy.New(c, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	o.CursorKeys = [][]byte{bytes.Repeat([]byte("k"), 32)}
	p, err := proxy.New(r.gate, r.dir, tenants, &o)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

// from is the answer to a request that comes from an address, with headers by name
// and value.
func from(p *proxy.Proxy, addr string, tls bool, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.RemoteAddr = addr
	if tls {
		req = httptest.NewRequest(method, "https://search.example.com"+path, strings.NewReader(body))
		req.RemoteAddr = addr
	}
	req.Header.Set("X-Sluice-Tenant", "acme")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, req)
	return w
}

// Every method of every row is refused below its role, before anything is sent, and
// not at it.
func TestEveryEndpointNeedsItsRole(t *testing.T) {
	var calls atomic.Int64
	u := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		answer(w, 200, `{}`)
	})
	r := newRig(t, u, u, nil)
	r.register(acme, placement.Placement{Kind: placement.DedicatedCluster, Cluster: "b"})
	p := r.another(tenancy.Config{Header: tenancy.DefaultHeader, RoleHeader: "X-Role"}, proxy.Options{})
	of := map[tenancy.Role]int{}
	for _, row := range proxy.Endpoints() {
		path := strings.NewReplacer("{i}", "docs", "{id}", "1", "{name}", "x", "/**", "/any/thing").Replace(row.Pattern)
		for _, m := range strings.Fields(strings.ReplaceAll(row.Methods, "*", "GET HEAD POST PUT DELETE")) {
			need := row.Needs(m)
			if row.Cells[0].Type != "" {
				continue // refused for everybody who has a cluster, by a reason of its own
			}
			if need == 0 {
				t.Errorf("%s %s is served and needs no role", m, row.Pattern)
			}
			if changes := slices.Contains([]string{"PUT", "DELETE"}, m); changes && need == tenancy.RoleRead && !strings.Contains(row.Pattern, "scroll") && !strings.Contains(row.Pattern, "point_in_time") {
				t.Errorf("%s %s is for readers", m, row.Pattern)
			}
			of[need]++
			for _, role := range []tenancy.Role{tenancy.RoleRead, tenancy.RoleWrite, tenancy.RoleAdmin} {
				before := calls.Load()
				w := from(p, "127.0.0.1:1", false, m, path, "", "X-Role", role.String())
				refused := w.Code == 403 && (m == "HEAD" || strings.Contains(w.Body.String(), `"type":"`+proxy.TypeRole+`"`))
				if refused != (role < need) || refused && calls.Load() != before {
					t.Errorf("%s %s with the role %v: %d %s, and the row needs %v; %d calls", m, path, role, w.Code, w.Body, need, calls.Load()-before)
				}
			}
		}
	}
	if of[tenancy.RoleRead] < 40 || of[tenancy.RoleWrite] < 15 || of[tenancy.RoleAdmin] < 5 {
		t.Errorf("rows by role: %v: too few to mean anything", of)
	}
	if w := from(p, "127.0.0.1:1", false, "GET", "/docs/_search", ""); w.Code != 403 || !strings.Contains(w.Body.String(), proxy.TypeRole) {
		t.Errorf("without the header of the role: %d %s", w.Code, w.Body)
	}
}

// norole is a rule of one's own that forgets the role.
type norole struct{}

func (norole) Resolve(*http.Request) (tenancy.Identity, error) {
	return tenancy.Identity{Tenant: acme}, nil
}

func TestNoRoleMayDoNothing(t *testing.T) {
	r := newRig(t, "http://127.0.0.1:1", "http://127.0.0.1:1", nil)
	p, err := proxy.New(r.gate, r.dir, norole{}, &proxy.Options{CursorKeys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	if err != nil {
		t.Fatal(err)
	}
	if w := from(p, "127.0.0.1:1", false, "GET", "/docs/_search", ""); w.Code != 403 || !strings.Contains(w.Body.String(), "give none") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestChangesInTheClear(t *testing.T) {
	var calls atomic.Int64
	u := faulty(t, func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		answer(w, 200, `{}`)
	})
	r := newRig(t, u, u, nil)
	r.register(acme, placeA)
	const self, peer, front = "127.0.0.1:40000", "10.9.9.9:40000", "10.1.2.3:40000"
	proxies := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}
	for _, test := range []struct {
		name   string
		policy proxy.Cleartext
		from   string
		tls    bool
		proto  []string // X-Forwarded-Proto
		taken  bool
	}{
		{"default, this machine", "", self, false, nil, true},
		{"default, this machine over IPv6", "", "[::1]:1", false, nil, true},
		{"default, this machine mapped into IPv6", "", "[::ffff:127.0.0.1]:1", false, nil, true},
		{"default, another machine", "", peer, false, nil, false},
		{"default, another machine that says it is https", "", peer, false, []string{"https"}, false},
		{"default, no address at all", "", "", false, nil, false},
		{"TLS", "", peer, true, nil, true},
		{"TLS, and a word that nobody asked for", "", peer, true, []string{"http"}, true},
		{"a trusted proxy with https", "", front, false, []string{"https"}, true},
		{"a trusted proxy with http", "", front, false, []string{"http"}, false},
		{"a trusted proxy with both", "", front, false, []string{"https", "http"}, false},
		{"a trusted proxy with a list", "", front, false, []string{"https, http"}, false},
		{"a trusted proxy with nothing", "", front, false, nil, false},
		{"a trusted proxy over TLS, whose client used none", "", front, true, []string{"http"}, false},
		{"a trusted proxy over TLS with nothing", "", front, true, nil, true},
		{"refuse, this machine", proxy.CleartextRefuse, self, false, nil, false},
		{"refuse, TLS", proxy.CleartextRefuse, peer, true, nil, true},
		{"allow, another machine", proxy.CleartextAllow, peer, false, nil, true},
	} {
		p := r.another(tenancy.Default(), proxy.Options{Cleartext: test.policy, TrustedProxies: proxies})
		var headers []string
		for _, v := range test.proto {
			headers = append(headers, "X-Forwarded-Proto", v)
		}
		before := calls.Load()
		w := from(p, test.from, test.tls, "PUT", "/docs/_doc/1", "{}", headers...)
		if taken := w.Code == 200; taken != test.taken || !taken && (w.Code != 403 || !strings.Contains(w.Body.String(), proxy.TypeCleartext)) || (calls.Load() > before) != test.taken {
			t.Errorf("%s: %d %s, want it taken: %t", test.name, w.Code, w.Body, test.taken)
		}
		if w := from(p, test.from, test.tls, "GET", "/docs/_doc/1", "", headers...); w.Code != 200 {
			t.Errorf("%s: a read is refused: %d %s", test.name, w.Code, w.Body)
		}
	}
}

// What a cluster sees of a client's headers, by the lists, and what it never sees.
func TestForwardedHeaders(t *testing.T) {
	var mu sync.Mutex
	var seen http.Header
	u := faulty(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = r.Header.Clone()
		mu.Unlock()
		w.Header().Set("Set-Cookie", "a=b")
		w.Header().Set("X-Hop", "1")
		w.Header().Set("Connection", "X-Hop")
		answer(w, 200, `{}`)
	})
	r := newRig(t, u, u, nil)
	r.register(acme, placeA)
	sent := []string{
		"X-Opaque-Id", "o", "Traceparent", "t", "User-Agent", "me", "X-Team-A", "a", "X-Team-Secret", "s", "Connection", "close, X-Team-Hop", "X-Team-Hop", "h",
		"Authorization", "Bearer x", "Proxy-Authorization", "x", "Cookie", "x", "Securitytenant", "x", "X-Proxy-User", "x", "X-Proxy-Roles", "x", "Remote-User", "x",
		"X-Forwarded-For", "9.9.9.9", "Opendistro_security_impersonate_as", "admin", "_opendistro_security_user", "admin", "X-Amz-Security-Token", "x", "Te", "trailers",
		"Keep-Alive", "1", "Upgrade", "h2c", "Transfer-Encoding", "identity", "X-Sluice-Debug", "1", "Idempotency-Key", "x", "X-Remote-Groups", "x", "If-None-Match", "x",
	}
	for _, test := range []struct {
		name        string
		allow, deny []string
		addr        string
		want        []string
	}{
		{"by default", nil, nil, "127.0.0.1:1", []string{"Traceparent", "User-Agent", "X-Opaque-Id"}},
		{"nothing", []string{}, nil, "127.0.0.1:1", nil},
		{"a list", []string{"x-team-*", "X-OPAQUE-ID"}, []string{"x-team-secret"}, "127.0.0.1:1", []string{"X-Opaque-Id", "X-Team-A"}},
		{"everything that may", []string{"*"}, nil, "127.0.0.1:1", []string{"Traceparent", "User-Agent", "X-Opaque-Id", "X-Team-A", "X-Team-Secret"}},
		{"everything that may, of a trusted proxy", []string{"*"}, []string{"x-team-*"}, "10.1.2.3:1", []string{"Traceparent", "User-Agent", "X-Forwarded-For", "X-Opaque-Id"}},
	} {
		p := r.another(tenancy.Default(), proxy.Options{ForwardHeaders: test.allow, DropHeaders: test.deny, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}})
		w := from(p, test.addr, false, "GET", "/docs/_doc/1", "", sent...)
		if w.Code != 200 {
			t.Fatalf("%s: %d %s", test.name, w.Code, w.Body)
		}
		var got []string
		mu.Lock()
		for name := range seen {
			if name != "Accept" && name != "Accept-Encoding" && (name != "User-Agent" || seen.Get(name) == "me") {
				got = append(got, name)
			}
		}
		mu.Unlock()
		slices.Sort(got)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: the cluster saw %q, want %q", test.name, got, test.want)
		}
		for _, h := range []string{"Set-Cookie", "X-Hop", "Connection"} {
			if w.Header().Get(h) != "" {
				t.Errorf("%s: the client got the cluster's %s", test.name, h)
			}
		}
	}
	for i := 0; i < len(sent); i += 2 {
		if name := sent[i]; proxy.NeverForwarded(name) != !slices.Contains([]string{"X-Opaque-Id", "Traceparent", "User-Agent", "X-Team-A", "X-Team-Secret", "X-Team-Hop", "X-Forwarded-For"}, name) {
			t.Errorf("%s: never forwarded: %t", name, proxy.NeverForwarded(name))
		}
	}
}
