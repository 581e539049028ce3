package tenancy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/crypto/bcrypt"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

func file(t testing.TB, text string) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), "f")
	rewrite(t, f, text)
	return f
}

func rewrite(t testing.TB, f, text string) {
	t.Helper()
	if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func resolver(t testing.TB, c tenancy.Config) tenancy.Resolver {
	t.Helper()
	x, err := tenancy.New(c, &tenancy.Options{Every: time.Nanosecond, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// ask resolves a request with headers, name and value in turn, and checks that
// nothing of them is left when it is served.
func ask(t testing.TB, x tenancy.Resolver, headers ...string) (placement.PartitionID, error) {
	t.Helper()
	r := httptest.NewRequest("GET", "/docs/_search", nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	who, err := x.Resolve(r)
	id := who.Tenant
	if err == nil && len(r.Header) > 0 {
		t.Errorf("headers %v are left", r.Header)
	}
	return id, err
}

// want is a tenant's name, or the beginning of the reason of a refusal after a "!".
func want(t testing.TB, x tenancy.Resolver, want string, headers ...string) {
	t.Helper()
	id, err := ask(t, x, headers...)
	reason, refused := strings.CutPrefix(want, "!")
	if !refused {
		if string(id) != want || err != nil {
			t.Errorf("%.80q: %q, %v; want %q", headers, id, err, want)
		}
		return
	}
	var un *tenancy.UnauthenticatedError
	if !errors.As(err, &un) || !strings.HasPrefix(un.Reason, reason) || id != "" {
		t.Errorf("%.80q: %q, %v; want a refusal: %s", headers, id, err, reason)
	}
	for i := 1; i < len(headers) && err != nil; i += 2 {
		if len(headers[i]) > 12 && strings.Contains(err.Error(), headers[i]) {
			t.Errorf("the refusal shows the credential: %v", err)
		}
	}
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func hash(t testing.TB, password string) string {
	t.Helper()
	h, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(h)
}

func TestUsers(t *testing.T) {
	f := file(t, "# users\n\nacme:"+hash(t, "open sesame")+"\r\nbob:"+strings.Replace(hash(t, "b:o:b"), "$2a$", "$2y$", 1)+":initech/日本\n")
	x := resolver(t, tenancy.Config{Header: "X-Tenant", Basic: tenancy.Basic{UsersFile: f}})
	for range 2 { // the second time from what is remembered
		want(t, x, "acme", "Authorization", basic("acme", "open sesame"))
		want(t, x, "acme", "Authorization", strings.Replace(basic("acme", "open sesame"), "Basic", "bASIC", 1), "X-Tenant", "acme")
		want(t, x, "initech/日本", "Authorization", basic("bob", "b:o:b"))
		want(t, x, "!the user or the password is wrong", "Authorization", basic("acme", "open sesam"))
		want(t, x, "!the user or the password is wrong", "Authorization", basic("acme", "b:o:b"))
		want(t, x, "!the user or the password is wrong", "Authorization", basic("nobody", "open sesame"))
	}
	want(t, x, "!the user or the password is wrong", "Authorization", basic("acme", strings.Repeat("x", 73)))
	want(t, x, "!the request has no credentials")
	want(t, x, "!the request has no credentials", "X-Tenant", "acme") // a claim proves nothing
	want(t, x, "!the request has no credentials", "Authorization", "Bearer abc")
	want(t, x, "!the Authorization header is not", "Authorization", "Basic !!")
	want(t, x, "!the Authorization header is empty", "Authorization", "Basic ")
	want(t, x, "!there is more than one", "Authorization", basic("acme", "open sesame"), "Authorization", basic("acme", "open sesame"))
	_, err := ask(t, x)
	var un *tenancy.UnauthenticatedError
	if !errors.As(err, &un) || len(un.Challenges) != 1 || !strings.HasPrefix(un.Challenges[0], "Basic ") {
		t.Errorf("%#v", err)
	}
	// A changed file holds at once: no password is remembered beyond it.
	rewrite(t, f, "acme:"+hash(t, "changed")+":acme\n")
	want(t, x, "!the user or the password is wrong", "Authorization", basic("acme", "open sesame"))
	want(t, x, "acme", "Authorization", basic("acme", "changed"))
	want(t, x, "!the user or the password is wrong", "Authorization", basic("bob", "b:o:b"))
}

// Many who come at once with one password, some wrong: each gets its own answer.
func TestUsersAtOnce(t *testing.T) {
	x := resolver(t, tenancy.Config{Basic: tenancy.Basic{UsersFile: file(t, "acme:"+hash(t, "right")+"\n")}})
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if i%4 == 0 {
				want(t, x, "!the user or the password is wrong", "Authorization", basic("acme", "wrong"))
				return
			}
			want(t, x, "acme", "Authorization", basic("acme", "right"))
		})
	}
	wg.Wait()
}

func TestTrustedUser(t *testing.T) {
	x := resolver(t, tenancy.Config{Basic: tenancy.Basic{Trusted: true}})
	want(t, x, "acme", "Authorization", basic("acme", "whatever"))
	want(t, x, "!the request has no credentials")
	want(t, x, "!the Authorization header is not", "Authorization", basic("", "x"))
}

func TestFilesThatAreRefused(t *testing.T) {
	good, sum := hash(t, "x"), strings.Repeat("ab", sha256.Size)
	for _, test := range []struct{ users, keys, says string }{
		{"", "", "at least one line"}, {"# none\n", "", "at least one line"},
		{"acme:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00\n", "", "line 1 must be USER:HASH"}, {"acme:secret\n", "", "line 1 must be USER:HASH"},
		{":" + good, "", "line 1 must begin with"}, {"a:" + good + "\na:" + good, "", "line 2 has a user of"},
		{"acme:" + strings.Replace(good, "$04$", "$31$", 1), "", "cost 31"}, {"acme:" + good + ":", "", "line 1"},
		{"", "acme\n", "line 1 must be HASH:TENANT"}, {"", sum + ":", "line 1"}, {"", sum + ":a\n" + sum + ":b\n", "line 2 has the hash"},
		{"", "x" + sum[1:] + ":a", "line 1 must be HASH:TENANT"},
	} {
		c := tenancy.Config{Basic: tenancy.Basic{UsersFile: file(t, test.users)}}
		if test.keys != "" {
			c = tenancy.Config{APIKey: tenancy.APIKey{KeysFile: file(t, test.keys)}}
		}
		_, err := tenancy.New(c, nil)
		var inv *placement.InvalidError
		if !errors.As(err, &inv) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), good) {
			t.Errorf("%q %q: %v, want %q", test.users, test.keys, err, test.says)
		}
	}
	for _, c := range []tenancy.Config{{Basic: tenancy.Basic{UsersFile: "/nowhere/f"}}, {APIKey: tenancy.APIKey{KeysFile: "/nowhere/f"}},
		{JWT: tenancy.JWT{KeysFile: "/nowhere/f", Claim: "c", Issuer: "i", Audience: "a", Algorithms: []string{"RS256"}}}} {
		if _, err := tenancy.New(c, nil); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a file that is not there: %v", err)
		}
	}
}

func TestAPIKeys(t *testing.T) {
	line := func(key, tenant string) string {
		sum := sha256.Sum256([]byte(key))
		return hex.EncodeToString(sum[:]) + ":" + tenant + "\n"
	}
	const one, two = "3f9c1d2e-key-one", "77aa-key-two"
	f := file(t, "# keys\n"+strings.ToUpper(line(one, ""))[:64]+":acme\n"+line(two, "with:colon and space"))
	x := resolver(t, tenancy.Config{APIKey: tenancy.APIKey{KeysFile: f}})
	want(t, x, "acme", "Authorization", "ApiKey "+one)
	want(t, x, "with:colon and space", "Authorization", "apikey "+two)
	want(t, x, "!the API key is not known", "Authorization", "ApiKey "+one+"x")
	want(t, x, "!the request has no credentials", "X-Api-Key", one)
	rewrite(t, f, line(two, "acme"))
	want(t, x, "!the API key is not known", "Authorization", "ApiKey "+one)
	want(t, x, "acme", "Authorization", "ApiKey "+two)

	x = resolver(t, tenancy.Config{APIKey: tenancy.APIKey{KeysFile: f, Header: "x-api-key"}})
	want(t, x, "acme", "X-Api-Key", two)
	want(t, x, "!the API key is not known", "X-Api-Key", "")
	want(t, x, "!there is more than one", "X-Api-Key", two, "X-Api-Key", two)
	want(t, x, "!the request has no credentials", "Authorization", "ApiKey "+two)
}

func TestClientCertificates(t *testing.T) {
	uri := func(s string) *url.URL { u, _ := url.Parse(s); return u }
	cert := &x509.Certificate{
		Subject:  pkix.Name{CommonName: "acme", Organization: []string{"Acme"}, OrganizationalUnit: []string{"search", "ops"}},
		DNSNames: []string{"a.b.clients.example.com", "acme.clients.example.com"}, EmailAddresses: []string{"x@y@tenants.example.com", "acme@tenants.example.com"},
		URIs: []*url.URL{uri("spiffe://example.com/tenant/acme/extra"), uri("spiffe://example.com/tenant/acme")},
	}
	for _, test := range []struct{ field, pattern, want string }{
		{"cn", "", "acme"}, {"o", "", "Acme"}, {"dns", "{tenant}.clients.example.com", "acme"}, {"email", "{tenant}@tenants.example.com", "acme"},
		{"uri", "spiffe://example.com/tenant/{tenant}", "acme"}, {"cn", "tenant-{tenant}", ""}, {"ou", "", "contradiction"},
	} {
		x := resolver(t, tenancy.Config{ClientCert: tenancy.ClientCert{Field: test.field, Pattern: test.pattern}})
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{cert}}
		var un *tenancy.UnauthenticatedError
		if id, err := x.Resolve(r); !errors.As(err, &un) {
			t.Errorf("%s: a certificate that nobody has verified names %v", test.field, id)
		}
		r.TLS.VerifiedChains = [][]*x509.Certificate{{cert}}
		who, err := x.Resolve(r)
		id := who.Tenant
		switch test.want {
		case "":
			if !errors.As(err, &un) {
				t.Errorf("%+v: %q, %v; want a refusal", test, id, err)
			}
		case "contradiction":
			if !errors.Is(err, tenancy.ErrContradiction) {
				t.Errorf("%+v: %q, %v; want a contradiction", test, id, err)
			}
		default:
			if string(id) != test.want || err != nil {
				t.Errorf("%+v: %q, %v", test, id, err)
			}
		}
	}
}

// issuer makes tokens.
type issuer struct {
	t    testing.TB
	keys map[string]any // private ones, by kid
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &issuer{t, map[string]any{"r": r, "e": e}}
}

func public(k any) any {
	if r, ok := k.(*rsa.PrivateKey); ok {
		return r.Public()
	}
	return k.(*ecdsa.PrivateKey).Public()
}

// set is a key set with the public keys of some kids.
func (i *issuer) set(kids ...string) string {
	var s jose.JSONWebKeySet
	for _, kid := range kids {
		s.Keys = append(s.Keys, jose.JSONWebKey{Key: public(i.keys[kid]), KeyID: kid, Use: "sig"})
	}
	b, err := json.Marshal(s)
	if err != nil {
		i.t.Fatal(err)
	}
	return string(b)
}

// claims are those of a good token, changed by name and value.
func claims(change ...any) map[string]any {
	c := map[string]any{"iss": "https://id", "aud": []string{"other", "search"}, "exp": noon.Add(time.Minute).Unix(), "tenant": "acme"}
	for i := 0; i < len(change); i += 2 {
		c[change[i].(string)] = change[i+1]
		if change[i+1] == nil {
			delete(c, change[i].(string))
		}
	}
	return c
}

func (i *issuer) sign(alg jose.SignatureAlgorithm, key any, kid string, c map[string]any) string {
	i.t.Helper()
	opt := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		opt = opt.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, opt)
	if err != nil {
		i.t.Fatal(err)
	}
	text, err := jwt.Signed(s).Claims(c).Serialize()
	if err != nil {
		i.t.Fatal(err)
	}
	return "Bearer " + text
}

func TestTokens(t *testing.T) {
	i := newIssuer(t)
	f := file(t, i.set("r", "e"))
	config := tenancy.JWT{KeysFile: f, Claim: "tenant", Issuer: "https://id", Audience: "search", Algorithms: []string{"RS256", "ES256"}}
	x := resolver(t, tenancy.Config{Header: "X-Tenant", JWT: config})
	r, e := i.keys["r"], i.keys["e"]
	good := i.sign(jose.RS256, r, "r", claims())
	want(t, x, "acme", "Authorization", good)
	want(t, x, "acme", "Authorization", i.sign(jose.ES256, e, "e", claims()))
	want(t, x, "acme", "Authorization", i.sign(jose.RS256, r, "r", claims("aud", "search", "nbf", noon.Unix(), "iat", noon.Unix())))
	want(t, x, "acme", "Authorization", i.sign(jose.RS256, r, "r", claims("exp", noon.Add(-29*time.Second).Unix())))

	pemOf, err := x509.MarshalPKIXPublicKey(public(r))
	if err != nil {
		t.Fatal(err)
	}
	stranger := newIssuer(t)
	parts := strings.Split(good, ".")
	payload := func(c map[string]any) string {
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	none := "Bearer " + base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload(claims()) + "."
	for name, test := range map[string]struct{ text, says string }{
		"expired":            {i.sign(jose.RS256, r, "r", claims("exp", noon.Add(-31*time.Second).Unix())), "the token has expired"},
		"no exp":             {i.sign(jose.RS256, r, "r", claims("exp", nil)), "the token never expires"},
		"not yet":            {i.sign(jose.RS256, r, "r", claims("nbf", noon.Add(time.Minute).Unix())), "the token is not valid yet"},
		"from the future":    {i.sign(jose.RS256, r, "r", claims("iat", noon.Add(time.Minute).Unix())), "the token is not valid yet"},
		"other issuer":       {i.sign(jose.RS256, r, "r", claims("iss", "https://evil")), "the token is of another issuer"},
		"no issuer":          {i.sign(jose.RS256, r, "r", claims("iss", nil)), "the token is of another issuer"},
		"other audience":     {i.sign(jose.RS256, r, "r", claims("aud", []string{"billing"})), "the token is for another audience"},
		"no audience":        {i.sign(jose.RS256, r, "r", claims("aud", nil)), "the token is for another audience"},
		"no tenant":          {i.sign(jose.RS256, r, "r", claims("tenant", nil)), "the token names no tenant"},
		"empty tenant":       {i.sign(jose.RS256, r, "r", claims("tenant", "")), "the token names no tenant"},
		"list of tenants":    {i.sign(jose.RS256, r, "r", claims("tenant", []string{"acme"})), "the token names no tenant"},
		"stranger's key":     {i.sign(jose.RS256, stranger.keys["r"], "r", claims()), "the token's signature is wrong"},
		"unknown kid":        {i.sign(jose.RS256, r, "x", claims()), "the token is signed with a key that is not known"},
		"no kid":             {i.sign(jose.RS256, r, "", claims()), "the token is signed with a key that is not known"},
		"kid of another":     {i.sign(jose.RS256, r, "e", claims()), "the token's signature is wrong"},
		"algorithm not ours": {i.sign(jose.PS256, r, "r", claims()), "the token is none"},
		"alg none":           {none, "the token is none"},
		"public key as HMAC": {i.sign(jose.HS256, pemOf, "r", claims()), "the token is none"},
		"changed payload":    {parts[0] + "." + payload(claims("tenant", "evil")) + "." + parts[2], "the token's signature is wrong"},
		"cut":                {good[:len(good)-2], "the token"},
		"garbage":            {"Bearer a.b.c", "the token is none"},
		"huge":               {"Bearer " + strings.Repeat("a", 17<<10), "the token is longer"},
	} {
		t.Run(name, func(t *testing.T) { want(t, x, "!"+test.says, "Authorization", test.text) })
	}

	// The issuer's next key, and no more the one before.
	rewrite(t, f, i.set("e"))
	want(t, x, "!the token is signed with a key that is not known", "Authorization", good)
	want(t, x, "acme", "Authorization", i.sign(jose.ES256, e, "", claims())) // the only one needs no name
	rewrite(t, f, "{}")                                                      // a slip: the last good set stays
	want(t, x, "acme", "Authorization", i.sign(jose.ES256, e, "e", claims()))
}

func TestKeySetsThatAreRefused(t *testing.T) {
	i := newIssuer(t)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	set := func(keys ...jose.JSONWebKey) string {
		b, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	pub := public(i.keys["r"])
	for says, text := range map[string]string{
		"must be a JSON Web Key Set":            "[]",
		"at least one public key":               `{"keys":[]}`,
		"key 1: must be a public key":           set(jose.JSONWebKey{Key: i.keys["r"]}),
		"key 2: must be a public key":           set(jose.JSONWebKey{Key: pub}, jose.JSONWebKey{Key: []byte("0123456789abcdef")}),
		"key 1: must have at least 2048 bits":   set(jose.JSONWebKey{Key: weak.Public()}),
		"key 2: has the kid of a key before it": set(jose.JSONWebKey{Key: pub, KeyID: "a"}, jose.JSONWebKey{Key: pub, KeyID: "a"}),
		"hold at least one public key for":      set(jose.JSONWebKey{Key: pub, Use: "enc"}),
	} {
		c := tenancy.Config{JWT: tenancy.JWT{KeysFile: file(t, text), Claim: "t", Issuer: "i", Audience: "a", Algorithms: []string{"RS256"}}}
		_, err := tenancy.New(c, nil)
		var inv *placement.InvalidError
		if !errors.As(err, &inv) || inv.Field != "tenancy.jwt.keys_file" || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	// What is not known is left out, as a newer issuer may have it.
	text := strings.Replace(set(jose.JSONWebKey{Key: pub, KeyID: "a"}), "[", `[{"kty":"AKP","alg":"ML-DSA-44","pub":"AA","kid":"new"},`, 1)
	c := tenancy.Config{JWT: tenancy.JWT{KeysFile: file(t, text), Claim: "t", Issuer: "i", Audience: "a", Algorithms: []string{"RS256"}}}
	if _, err := tenancy.New(c, nil); err != nil {
		t.Errorf("a set with a key of an unknown type: %v", err)
	}
}

// Whatever names a tenant must name the same one, and what does not hold is
// refused whatever else the request says.
func TestProofsAndClaimsMustAgree(t *testing.T) {
	i := newIssuer(t)
	sum := sha256.Sum256([]byte("key"))
	x := resolver(t, tenancy.Config{
		Header: "X-Tenant", PathPrefix: "/t/", ClientCert: tenancy.ClientCert{Field: "cn"},
		Basic:  tenancy.Basic{UsersFile: file(t, "acme:"+hash(t, "pw")+"\n")},
		JWT:    tenancy.JWT{KeysFile: file(t, i.set("r")), Claim: "tenant", Issuer: "https://id", Audience: "search", Algorithms: []string{"RS256"}},
		APIKey: tenancy.APIKey{KeysFile: file(t, hex.EncodeToString(sum[:])+":acme\n"), Header: "X-Key"},
	})
	acme, evil := i.sign(jose.RS256, i.keys["r"], "r", claims()), i.sign(jose.RS256, i.keys["r"], "r", claims("tenant", "evil"))
	for name, test := range map[string]struct {
		path, cn string
		headers  []string
		want     error // nil: acme
	}{
		"token":                       {"/docs", "", []string{"Authorization", acme}, nil},
		"all of them":                 {"/t/acme/docs", "acme", []string{"Authorization", acme, "X-Key", "key", "X-Tenant", "acme"}, nil},
		"token against header":        {"/docs", "", []string{"Authorization", evil, "X-Tenant", "acme"}, tenancy.ErrContradiction},
		"token against path":          {"/t/acme/docs", "", []string{"Authorization", evil}, tenancy.ErrContradiction},
		"token against API key":       {"/docs", "", []string{"Authorization", evil, "X-Key", "key"}, tenancy.ErrContradiction},
		"certificate against token":   {"/docs", "evil", []string{"Authorization", acme}, tenancy.ErrContradiction},
		"certificate against user":    {"/docs", "evil", []string{"Authorization", basic("acme", "pw")}, tenancy.ErrContradiction},
		"wrong key with a good token": {"/docs", "", []string{"Authorization", acme, "X-Key", "nope"}, &tenancy.UnauthenticatedError{}},
		"wrong user with a good key":  {"/docs", "", []string{"Authorization", basic("acme", "no"), "X-Key", "key"}, &tenancy.UnauthenticatedError{}},
		"claims alone":                {"/t/acme/docs", "", []string{"X-Tenant", "acme"}, &tenancy.UnauthenticatedError{}},
		"contradiction of a stranger": {"/t/acme/docs", "", []string{"X-Tenant", "evil"}, &tenancy.UnauthenticatedError{}},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", test.path, nil)
			for k := 0; k < len(test.headers); k += 2 {
				r.Header.Set(test.headers[k], test.headers[k+1])
			}
			if test.cn != "" {
				r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: test.cn}}}}}
			}
			who, err := x.Resolve(r)
			id := who.Tenant
			var un *tenancy.UnauthenticatedError
			switch {
			case test.want == nil:
				if id != "acme" || err != nil || len(r.Header) > 0 || r.URL.Path != "/docs" {
					t.Errorf("%q, %v, left %v %s", id, err, r.Header, r.URL.Path)
				}
			case errors.As(test.want, &un):
				if !errors.As(err, &un) || id != "" || len(un.Challenges) != 2 {
					t.Errorf("%q, %v; want a refusal with two challenges", id, err)
				}
			case !errors.Is(err, test.want) || id != "":
				t.Errorf("%q, %v, want %v", id, err, test.want)
			}
		})
	}
}

// FuzzAuthorization: nothing that is not the credential is taken for it, and
// nothing panics.
func FuzzAuthorization(f *testing.F) {
	i := newIssuer(f)
	sum := sha256.Sum256([]byte("key"))
	x := resolver(f, tenancy.Config{
		Basic:  tenancy.Basic{UsersFile: file(f, "acme:"+hash(f, "pw")+"\n")},
		JWT:    tenancy.JWT{KeysFile: file(f, i.set("r")), Claim: "tenant", Issuer: "https://id", Audience: "search", Algorithms: []string{"RS256"}},
		APIKey: tenancy.APIKey{KeysFile: file(f, hex.EncodeToString(sum[:])+":acme\n")},
	})
	for _, s := range []string{"", "Basic", "Basic Og==", "ApiKey key", "Bearer ..", "bearer eyJhbGciOiJub25lIn0.e30.", basic("acme", "pw")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := &http.Request{Header: http.Header{"Authorization": {text}}, URL: &url.URL{Path: "/"}}
		who, err := x.Resolve(r)
		id := who.Tenant
		if err != nil {
			return
		}
		user, password, _ := (&http.Request{Header: http.Header{"Authorization": {text}}}).BasicAuth()
		scheme, rest, _ := strings.Cut(text, " ")
		key := strings.EqualFold(scheme, "ApiKey") && strings.Trim(rest, " ") == "key"
		if id != "acme" || !key && (user != "acme" || password != "pw") {
			t.Fatalf("%q is taken for %q", text, id)
		}
	})
}
