package etcdstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sluiceproxy/sluice/internal/credentials/testca"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// TLS both ways, a user with a password, and permissions on the prefix alone:
// against a member that asks for all of it, the driver does everything, and each
// thing that is wrong is told apart.
func TestSecured(t *testing.T) {
	t.Parallel()
	ca, stranger := testca.New(t), testca.New(t)
	ca.Server("server", "etcd.example")
	ca.Client("client")
	p := enginetest.EtcdWith(t, &engines.EtcdOptions{ExtraArgs: []string{
		"--cert-file=" + ca.File("server.pem"), "--key-file=" + ca.File("server.key"),
		"--client-cert-auth", "--trusted-ca-file=" + ca.File("ca.pem"), "--bcrypt-cost=4",
	}})
	root := enableUsers(t, ca, p.URL())

	password := ca.Write("password", []byte("s3cret\n"))
	good := etcdstore.Config{
		Endpoints: []string{p.URL()}, Prefix: "/mine/", Username: "sluice", PasswordFile: password,
		TLS: etcdstore.TLS{CAFile: ca.File("ca.pem"), CertFile: ca.File("client.pem"), KeyFile: ca.File("client.key"), ServerName: "etcd.example"},
	}
	options := &etcdstore.Options{DialTimeout: time.Second}
	for _, test := range []struct {
		want  string
		spoil func(*etcdstore.Config)
	}{
		{"unknown authority", func(c *etcdstore.Config) { c.TLS.CAFile = stranger.File("ca.pem") }},
		{"not other.example", func(c *etcdstore.Config) { c.TLS.ServerName = "other.example" }},
		{"connect to etcd at", func(c *etcdstore.Config) { c.TLS.CertFile, c.TLS.KeyFile = "", "" }},
		{"invalid user ID or password", func(c *etcdstore.Config) { c.PasswordFile = ca.File("client.pem") }},
		{"permission denied", func(c *etcdstore.Config) { c.Prefix = "/theirs/" }},
		{"permission denied", func(c *etcdstore.Config) { c.Username, c.PasswordFile = "", "" }},
	} {
		bad := good
		test.spoil(&bad)
		s, err := etcdstore.Open(t.Context(), bad, options)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v; want %q in it", err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("the error holds the password: %v", err)
		}
	}

	s, err := etcdstore.Open(t.Context(), good, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	x, err := s.Open(t.Context(), driver.Key{Space: "sessions", Name: "s"}, nil, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	v := everything(t, s, x, 0)

	// The users change: the client's token is out of date, its write none the less.
	if _, err := root.UserAdd(t.Context(), "another", "x"); err != nil {
		t.Fatal(err)
	}
	v = everything(t, s, x, v)

	// The member restarts: it has forgotten all tokens.
	if err := errors.Join(p.Kill(), p.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	everything(t, s, x, v)

	// What is not allowed any more is an error, not absence, and ends a watch.
	if _, err := root.UserRevokeRole(t.Context(), "sluice", "sluice"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), key("k")); err == nil || errors.Is(err, driver.ErrNotFound) || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("get without permission: %v", err)
	}
	if err := s.Watch(t.Context(), "entries", v, nil); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("watch without permission: %v", err)
	}
}

// everything makes one call of each kind, and returns the version of its write.
func everything(t *testing.T, s *etcdstore.Store, x driver.Session, at driver.Version) driver.Version {
	t.Helper()
	v := put(t, s, key("k"), "x", at) // first: nothing has renewed the token before
	if err := x.Renew(t.Context()); err != nil {
		t.Fatalf("renew: %v", err)
	}
	if _, err := x.Update(t.Context(), []byte("y")); err != nil {
		t.Fatalf("update: %v", err)
	}
	if head, err := s.Head(t.Context(), "entries"); err != nil || head != v {
		t.Fatalf("head: %d, %v; want %d", head, err, v)
	}
	n := 0
	if _, err := s.List(t.Context(), "entries", func(driver.KV) bool { n++; return true }); err != nil || n != 1 {
		t.Fatalf("list: %d records, %v", n, err)
	}
	done := errors.New("seen")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Watch(ctx, "entries", v-1, func([]driver.Event) error { return done }); err != done {
		t.Fatalf("watch: %v", err)
	}
	return v
}

// enableUsers makes the user "sluice" with a role on "/mine/", switches
// authentication on and returns root's client.
func enableUsers(t *testing.T, ca *testca.Authority, endpoint string) *clientv3.Client {
	t.Helper()
	cert, err := tls.LoadX509KeyPair(ca.File("client.pem"), ca.File("client.key"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := clientv3.Config{
		Endpoints: []string{endpoint}, Logger: zap.NewNop(), DialTimeout: 10 * time.Second,
		TLS: &tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{cert}},
	}
	c, err := clientv3.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx := t.Context()
	for _, step := range []func() error{
		func() error { _, err := c.RoleAdd(ctx, "root"); return err },
		func() error { _, err := c.UserAdd(ctx, "root", "toor"); return err },
		func() error { _, err := c.UserGrantRole(ctx, "root", "root"); return err },
		func() error { _, err := c.RoleAdd(ctx, "sluice"); return err },
		func() error {
			_, err := c.RoleGrantPermission(ctx, "sluice", "/mine/", clientv3.GetPrefixRangeEnd("/mine/"), clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := c.UserAdd(ctx, "sluice", "s3cret"); return err },
		func() error { _, err := c.UserGrantRole(ctx, "sluice", "sluice"); return err },
		func() error { _, err := c.AuthEnable(ctx); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	cfg.Username, cfg.Password = "root", "toor"
	root, err := clientv3.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}
