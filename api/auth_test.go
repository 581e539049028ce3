package api_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

func hashOf(token string) string {
	h := sha256.Sum256([]byte(token))
	return hex.EncodeToString(h[:])
}

func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTokens(t *testing.T) {
	f := file(t, "# who\nci viewer "+hashOf("t-ci")+"\n\nops admin "+hashOf("t-ops")+"\n")
	w := newWorld(t, &api.Options{Auth: api.AuthConfig{TokensFile: f}})
	w.get("/tenants", "Authorization", "Bearer t-ci", "From", "10.0.0.7:5", "Host", "sluice.example.com").is(200, nil)
	w.get("/tenants", "Authorization", "bearer  t-ops").is(200, nil)
	for _, h := range []string{"", "Bearer", "Bearer ", "Bearer t-other", "Basic t-ci", "Bearer " + hashOf("t-ci"), "Bearer a.b.c"} {
		a := w.get("/tenants", "Authorization", h)
		if a.fails(api.CodeUnauthenticated); a.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%q: %v", h, a.header)
		}
	}
	w.get("/tenants").fails(api.CodeUnauthenticated) // on this machine, too, where somebody is known
	// Replaced while it serves, and then by something that cannot be used.
	if err := os.WriteFile(f, []byte("new admin "+hashOf("t-new")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); w.get("/tenants", "Authorization", "Bearer t-new").status != 200; {
		if time.Now().After(end) {
			t.Fatal("the file is not read again")
		}
		time.Sleep(20 * time.Millisecond) // the file is looked at once a second
	}
	w.get("/tenants", "Authorization", "Bearer t-ci").fails(api.CodeUnauthenticated)
}

func TestGeneratedToken(t *testing.T) {
	w := newWorld(t, &api.Options{AdminToken: "generated-for-this-machine"})
	w.get("/tenants").is(200, nil)
	w.get("/tenants", "From", "10.0.0.7:5", "Authorization", "Bearer generated-for-this-machine").is(200, nil)
	w.get("/tenants", "Authorization", "Bearer wrong").fails(api.CodeUnauthenticated)
}

func TestCertificates(t *testing.T) {
	w := newWorld(t, &api.Options{Auth: api.AuthConfig{Certificates: []string{"viewer ou=search", "admin cn=ops", "operator dns=a.example.com"}}})
	w.get("/tenants").fails(api.CodeUnauthenticated)
	show := func(c x509.Certificate) {
		w.tls = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{&c}}}
	}
	show(x509.Certificate{Subject: pkix.Name{OrganizationalUnit: []string{"other", "search"}}})
	w.get("/tenants").is(200, nil)
	show(x509.Certificate{Subject: pkix.Name{CommonName: "ops"}})
	w.get("/tenants").is(200, nil)
	show(x509.Certificate{Subject: pkix.Name{CommonName: "search"}})
	w.get("/tenants").fails(api.CodeUnauthenticated)
	// Shown, and verified by nobody.
	w.tls = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{Subject: pkix.Name{CommonName: "ops"}}}}
	w.get("/tenants").fails(api.CodeUnauthenticated)
}

// issuer signs tokens.
type issuer struct {
	t   *testing.T
	key *ecdsa.PrivateKey
	id  string
}

func newIssuer(t *testing.T, id string) issuer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return issuer{t, k, id}
}

func (i issuer) set() string {
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: i.key.Public(), KeyID: i.id, Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		i.t.Fatal(err)
	}
	return string(b)
}

func (i issuer) token(claims map[string]any) string {
	i.t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: i.id}}, nil)
	if err != nil {
		i.t.Fatal(err)
	}
	own := map[string]any{"iss": "https://id", "aud": "sluice", "sub": "kim", "exp": time.Now().Add(time.Hour).Unix()}
	for k, v := range claims {
		own[k] = v
	}
	text, err := jwt.Signed(s).Claims(own).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return text
}

func oidc(c api.AuthConfig) api.AuthConfig {
	c.Issuer, c.Audience, c.NameClaim, c.RoleClaim, c.Algorithms = "https://id", "sluice", "sub", "groups", []string{"ES256"}
	return c
}

func TestSignedTokens(t *testing.T) {
	i, other := newIssuer(t, "1"), newIssuer(t, "1")
	w := newWorld(t, &api.Options{Auth: oidc(api.AuthConfig{KeysFile: file(t, i.set()), Roles: []string{"cn=search,dc=x=viewer", "all=admin"}})})
	ask := func(token string) answer { return w.get("/tenants", "Authorization", "Bearer "+token) }
	ask(i.token(map[string]any{"groups": []string{"x", "cn=search,dc=x"}})).is(200, nil)
	ask(i.token(map[string]any{"groups": "all"})).is(200, nil)
	ask(i.token(map[string]any{"groups": "viewer"})).fails(api.CodeForbidden) // with Roles it is not the name of one
	ask(i.token(nil)).fails(api.CodeForbidden)
	for name, claims := range map[string]map[string]any{
		"of another issuer": {"iss": "https://other"}, "for another audience": {"aud": "search"}, "expired": {"exp": time.Now().Add(-time.Hour).Unix()}, "names nobody": {"sub": ""},
	} {
		claims["groups"] = "all"
		if p := ask(i.token(claims)).fails(api.CodeUnauthenticated); !strings.Contains(p.Detail, name) {
			t.Errorf("%s: %s", name, p.Detail)
		}
	}
	ask(other.token(map[string]any{"groups": "all"})).fails(api.CodeUnauthenticated)
	plain := newWorld(t, &api.Options{Auth: oidc(api.AuthConfig{KeysFile: file(t, i.set())})})
	plain.get("/tenants", "Authorization", "Bearer "+i.token(map[string]any{"groups": []string{"viewer", "root"}})).is(200, nil)
}

// Keys at an address are fetched when they are needed; without any nobody is let in,
// and it is said that it is not the token's fault.
func TestFetchedKeys(t *testing.T) {
	i := newIssuer(t, "1")
	var fetched atomic.Int64
	var broken atomic.Bool
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		if broken.Load() {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		_, _ = w.Write([]byte(i.set()))
	}))
	defer keys.Close()
	w := newWorld(t, &api.Options{Auth: oidc(api.AuthConfig{KeysURL: keys.URL})})
	ask := func(token string) answer { return w.get("/tenants", "Authorization", "Bearer "+token) }
	token := i.token(map[string]any{"groups": "viewer"})
	ask(token).is(200, nil)
	ask(token).is(200, nil)
	broken.Store(true)
	ask(token).is(200, nil)
	ask(newIssuer(t, "2").token(map[string]any{"groups": "viewer"})).fails(api.CodeUnauthenticated)
	if n := fetched.Load(); n != 1 { // a key that is not known is no reason to ask at once again
		t.Errorf("fetched %d times", n)
	}
	never := newWorld(t, &api.Options{Auth: oidc(api.AuthConfig{KeysURL: keys.URL})})
	never.get("/tenants", "Authorization", "Bearer "+token).fails(api.CodeKeysUnavailable)
}

func TestAuthRefusals(t *testing.T) {
	for _, tt := range []struct {
		c     api.AuthConfig
		field string
	}{
		{api.AuthConfig{Certificates: []string{"root cn=ops"}}, "api.auth.certificates[0]"},
		{api.AuthConfig{Certificates: []string{"admin serial=1"}}, "api.auth.certificates[0]"},
		{api.AuthConfig{Certificates: []string{"admin cn="}}, "api.auth.certificates[0]"},
		{api.AuthConfig{Audience: "a"}, "api.auth.oidc.issuer"},
		{api.AuthConfig{Issuer: "i"}, "api.auth.oidc.audience"},
		{api.AuthConfig{Issuer: "i", Audience: "a"}, "api.auth.oidc.keys_url"},
		{oidc(api.AuthConfig{KeysFile: "f", KeysURL: "https://x/"}), "api.auth.oidc.keys_url"},
		{oidc(api.AuthConfig{KeysURL: "http://id.example.com/keys"}), "api.auth.oidc.keys_url"},
		{oidc(api.AuthConfig{KeysURL: "https://u:p@id.example.com/keys"}), "api.auth.oidc.keys_url"},
		{oidc(api.AuthConfig{KeysFile: "f", Roles: []string{"admin"}}), "api.auth.oidc.roles[0]"},
		{oidc(api.AuthConfig{KeysFile: "f", Roles: []string{"x=root"}}), "api.auth.oidc.roles[0]"},
	} {
		var inv *placement.InvalidError
		if err := tt.c.Validate(); !errors.As(err, &inv) || inv.Field != tt.field || strings.Contains(err.Error(), "u:p@") {
			t.Errorf("%+v: %v, want the field %s", tt.c, err, tt.field)
		}
	}
	for _, text := range []string{"ci viewer", "ci root " + hashOf("x"), "ci viewer abc", "a viewer " + hashOf("x") + "\nb viewer " + hashOf("x"), "a viewer " + hashOf("x") + "\na viewer " + hashOf("y")} {
		_, err := api.New(nil, &api.Options{Auth: api.AuthConfig{TokensFile: file(t, text)}})
		if err == nil || strings.Contains(err.Error(), hashOf("x")) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// No token reaches a log.
func TestTokensAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	a, err := api.New(store.New(memstore.New(nil), nil), &api.Options{AdminToken: "s3cr3t-good", Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{"s3cr3t-good", "s3cr3t-wrong"} {
		r := httptest.NewRequest("GET", "http://127.0.0.1"+api.Prefix+"/tenants/none", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		rec := httptest.NewRecorder()
		a.Handler().ServeHTTP(rec, r)
		if rec.Code < 400 || strings.Contains(rec.Body.String()+log.String(), "s3cr3t") {
			t.Errorf("%d %s; log: %s", rec.Code, rec.Body, &log)
		}
	}
}
