package redisstore_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/credentials/testca"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// documented returns the rights that docs/stores/redis.md tells to give, without the
// password, for a prefix.
func documented(t *testing.T, prefix string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/stores/redis.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(page)) {
		if rules, ok := strings.CutPrefix(line, "user sluice on >CHANGE-ME "); ok {
			return strings.ReplaceAll(strings.TrimSpace(rules), "{sluice}", "{"+prefix+"}")
		}
	}
	t.Fatal("docs/stores/redis.md has no line with the user's rights")
	return ""
}

// The whole suite as a user with no more rights than are documented, over TLS.
func TestConformanceLeastRights(t *testing.T) {
	t.Parallel()
	ca := testca.New(t)
	ca.Server("server", "redis.example")
	rules := strings.ReplaceAll(documented(t, "sluice"), "~{sluice}:*", "~{test-*}:*")
	r := enginetest.RedisWith(t, &engines.RedisOptions{
		Username: "sluice", Password: "secret", Rules: rules, CertFile: ca.File("server.pem"), KeyFile: ca.File("server.key"), CAFile: ca.File("ca.pem"),
	})
	c := redisstore.Config{Username: "sluice", PasswordFile: file(t, "password", "secret\n"), TLS: redisstore.TLS{Enabled: true, CAFile: ca.File("ca.pem")}}
	h := harness(func(t *testing.T) drivertest.Engine { return engine(t, r.Addr(), 500, c) })
	h.Cannot = map[drivertest.Outage]string{}
	for _, o := range drivertest.Outages() {
		h.Cannot[o] = "see TestConformance and TestConformanceReplicated"
	}
	drivertest.Run(t, h)
}

// Each of the documented rights is needed, and without it Open says so, rather than
// the first request.
func TestEveryDocumentedRightIsNeeded(t *testing.T) {
	t.Parallel()
	rules := documented(t, "sluice")
	r := enginetest.RedisReplicated(t, 1, &engines.RedisOptions{Username: "sluice", Password: "secret", Rules: rules, MinReplicasToWrite: 1}).Master()
	c := at(r.Addr())
	c.Username, c.PasswordFile, c.DB = "sluice", file(t, "password", "secret"), 1
	try := func() error {
		s, err := redisstore.Open(t.Context(), c, &redisstore.Options{DialTimeout: 5 * time.Second})
		if err == nil {
			_ = s.Close()
		}
		return err
	}
	if err := try(); err != nil {
		t.Fatal(err)
	}
	for _, right := range strings.Fields(rules) {
		command, ok := strings.CutPrefix(right, "+")
		// The right to log in cannot be taken away.
		if !ok || command == "auth" {
			continue
		}
		ask := func(args ...any) {
			if _, err := r.Do(t.Context(), args...); err != nil {
				t.Fatal(err)
			}
		}
		ask("acl", "setuser", "sluice", "-"+command)
		ask("script", "flush") // so that EVAL is needed as well
		if err := try(); err == nil {
			t.Errorf("it opens without the right to %s", command)
		}
		ask("acl", "setuser", "sluice", "+"+command)
	}
	if err := try(); err != nil {
		t.Fatal(err)
	}
}

// Who is not to be trusted is not talked to.
func TestTLSAndPasswordsThatAreWrong(t *testing.T) {
	t.Parallel()
	ca, other := testca.New(t), testca.New(t)
	ca.Server("server", "redis.example")
	r := enginetest.RedisWith(t, &engines.RedisOptions{Username: "u", Password: "secret", Rules: "~* +@all", CertFile: ca.File("server.pem"), KeyFile: ca.File("server.key"), CAFile: ca.File("ca.pem")})
	good := redisstore.Config{
		Addresses: []string{r.Addr()}, Username: "u", PasswordFile: file(t, "password", "secret"), TLS: redisstore.TLS{Enabled: true, CAFile: ca.File("ca.pem")},
	}
	for _, test := range []struct {
		name   string
		change func(*redisstore.Config)
		want   string // empty: it opens
	}{
		{"good", func(*redisstore.Config) {}, ""},
		{"by name", func(c *redisstore.Config) { c.TLS.ServerName = "redis.example" }, ""},
		{"another name", func(c *redisstore.Config) { c.TLS.ServerName = "redis.test" }, "certificate is valid for redis.example"},
		{"another authority", func(c *redisstore.Config) { c.TLS.CAFile = other.File("ca.pem") }, "certificate"},
		{"no authority", func(c *redisstore.Config) { c.TLS.CAFile = ca.File("ca.key") }, "store.redis.tls.ca_file"},
		{"wrong password", func(c *redisstore.Config) { c.PasswordFile = file(t, "password", "wrong") }, "WRONGPASS"},
		{"no password", func(c *redisstore.Config) { c.PasswordFile = file(t, "password", "\n") }, "must hold a password"},
		{"no file", func(c *redisstore.Config) { c.PasswordFile = "/nowhere" }, "store.redis.password_file"},
	} {
		c := good
		test.change(&c)
		s, err := redisstore.Open(t.Context(), c, &redisstore.Options{DialTimeout: timeout})
		if err == nil {
			_ = s.Close()
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want %q", test.name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the password: %v", test.name, err)
		}
	}
}
