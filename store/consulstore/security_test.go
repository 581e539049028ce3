package consulstore_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/internal/credentials/testca"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
)

// management is the token that may do everything.
const management = "0d6f3ac1-6d3f-4c8e-9a53-6a7a1f2f9c11"

// documented is the policy in the documentation.
func documented(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/stores/consul.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```hcl\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("docs/stores/consul.md has no policy")
	}
	return string(m[1])
}

// TLS both ways and a token with the documented policy and no more: against a
// server that asks for all of it the driver does everything, and each thing that is
// wrong is told apart. What is in the environment changes nothing.
func TestSecured(t *testing.T) {
	ca, stranger := testca.New(t), testca.New(t)
	ca.Server("server", "server.dc1.consul")
	ca.Client("client")
	server := enginetest.ConsulWith(t, &engines.ConsulOptions{
		Token: management, CertFile: ca.File("server.pem"), KeyFile: ca.File("server.key"), CAFile: ca.File("ca.pem"), Settings: quick,
	})
	token := func(name, rules string) string {
		return ca.Write(name+".token", []byte(grant(t, ca, server.URL(), name, rules)+"\n"))
	}
	good := consulstore.Config{
		Addresses: []string{server.URL()}, TokenFile: token("documented", documented(t)),
		TLS: consulstore.TLS{CAFile: ca.File("ca.pem"), CertFile: ca.File("client.pem"), KeyFile: ca.File("client.key"), ServerName: "server.dc1.consul"},
	}
	poor := map[string]string{
		"reader":   token("reader", `key_prefix "sluice/" { policy = "read" }`),
		"no-lease": token("no-lease", documented(t)+`key_prefix "sluice/lease/" { policy = "deny" }`),
		"no-gen":   token("no-gen", documented(t)+`key "sluice/data/entries/gen" { policy = "deny" }`),
	}
	t.Setenv("CONSUL_HTTP_TOKEN", management)
	t.Setenv("CONSUL_NAMESPACE", "elsewhere")
	for _, test := range []struct {
		want  string
		spoil func(*consulstore.Config)
	}{
		{"unknown authority", func(c *consulstore.Config) { c.TLS.CAFile = stranger.File("ca.pem") }},
		{"not other.example", func(c *consulstore.Config) { c.TLS.ServerName = "other.example" }},
		{"certificate required", func(c *consulstore.Config) { c.TLS.CertFile, c.TLS.KeyFile = "", "" }},
		{"ACL not found", func(c *consulstore.Config) {
			c.TokenFile = ca.Write("unknown.token", []byte("9d6f3ac1-6d3f-4c8e-9a53-6a7a1f2f9c11"))
		}},
		{"Permission denied", func(c *consulstore.Config) { c.Prefix = "theirs/" }},
		{"Permission denied", func(c *consulstore.Config) { c.TokenFile = "" }},
	} {
		c := good
		test.spoil(&c)
		_, err := consulstore.Open(t.Context(), c, &consulstore.Options{Timeout: 2 * time.Second})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v; want %q in it", err, test.want)
		}
	}
	everything(t, connectWith(t, good))

	// What the token may not do is an error that is no answer, everywhere.
	for name, file := range poor {
		c := good
		c.TokenFile = file
		s := connectWith(t, c)
		v, err := s.Write(t.Context(), driver.Write{Key: key(name), Value: []byte("x")})
		if err == nil && name != "no-lease" || errors.Is(err, driver.ErrConflict) {
			t.Errorf("%s: write: version %d, %v; want an error that is no answer", name, v, err)
		}
		if name == "reader" {
			continue
		}
		if n, err := count(t, s); err == nil && name == "no-gen" {
			t.Errorf("%s: list has %d records", name, n)
		}
		if _, err := s.Get(t.Context(), key("kept")); name == "no-lease" && (err == nil || errors.Is(err, driver.ErrNotFound)) {
			t.Errorf("%s: get: %v; want an error that is no answer", name, err)
		}
	}
}

// grant makes a token with those rules.
func grant(t *testing.T, ca *testca.Authority, url, name, rules string) string {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	c, err := api.NewClient(&api.Config{Address: url, Token: management, Transport: transport, TLSConfig: api.TLSConfig{
		Address: "server.dc1.consul", CAFile: ca.File("ca.pem"), CertFile: ca.File("client.pem"), KeyFile: ca.File("client.key"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	options := &api.WriteOptions{}
	if _, _, err := c.ACL().PolicyCreate(&api.ACLPolicy{Name: name, Rules: rules}, options); err != nil {
		t.Fatal(err)
	}
	token, _, err := c.ACL().TokenCreate(&api.ACLToken{Policies: []*api.ACLTokenPolicyLink{{Name: name}}}, options)
	if err != nil {
		t.Fatal(err)
	}
	return token.SecretID
}

func count(t *testing.T, s *consulstore.Store) (n int, err error) {
	t.Helper()
	_, err = s.List(t.Context(), "entries", func(driver.KV) bool { n++; return true })
	return n, err
}

// everything uses all that there is of a driver.
func everything(t *testing.T, s *consulstore.Store) {
	t.Helper()
	v := put(t, s, key("kept"), "1", 0)
	v = put(t, s, key("kept"), "2", v)
	if n, err := count(t, s); err != nil || n != 1 {
		t.Fatalf("list: %d records, %v", n, err)
	}
	if head, err := s.Head(t.Context(), "entries"); err != nil || head != v {
		t.Fatalf("head: %d, %v; want %d", head, err, v)
	}
	seen := errors.New("seen")
	if err := s.Watch(t.Context(), "entries", v-1, func([]driver.Event) error { return seen }); err != seen {
		t.Fatalf("watch: %v", err)
	}
	x, err := s.Open(t.Context(), session("s"), []byte("x"), 2*time.Second)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	if err := x.Renew(t.Context()); err != nil {
		t.Fatalf("renew: %v", err)
	}
	if _, err := x.Update(t.Context(), []byte("y")); err != nil {
		t.Fatalf("update: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	head, err := s.Head(ctx, "sessions")
	if err != nil {
		t.Fatal(err)
	}
	// Its end, which the watch itself has to bring about.
	err = s.Watch(ctx, "sessions", head, func(evs []driver.Event) error {
		if !evs[0].Deleted {
			t.Errorf("watch: %v", evs)
		}
		return seen
	})
	if err != seen {
		t.Fatalf("watch: %v", err)
	}
}
