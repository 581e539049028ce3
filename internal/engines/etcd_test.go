//go:build unix

package engines_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

func etcdClient(t *testing.T, tlsConfig *tls.Config, urls ...string) *clientv3.Client {
	t.Helper()
	c, err := clientv3.New(clientv3.Config{
		Endpoints: urls, TLS: tlsConfig, DialTimeout: 10 * time.Second, Logger: zap.NewNop(),
	})
	must(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// within gives each step of a test a bound of its own.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func put(t *testing.T, c *clientv3.Client, key, value string) {
	t.Helper()
	_, err := c.Put(within(t, 20*time.Second), key, value)
	must(t, err)
}

func wantValue(t *testing.T, c *clientv3.Client, key, value string) {
	t.Helper()
	got, err := c.Get(within(t, 20*time.Second), key)
	must(t, err)
	if len(got.Kvs) != 1 || string(got.Kvs[0].Value) != value {
		t.Fatalf("%s is %v, want %s", key, got.Kvs, value)
	}
}

func TestEtcdLife(t *testing.T) {
	t.Setenv("ETCD_DATA_DIR", "/nowhere") // the environment of whoever runs the test must not matter
	enginetest.Etcd(t)                    // a first build is not to be measured
	start := time.Now()
	member := enginetest.EtcdWith(t, &engines.EtcdOptions{Name: "life", Env: []string{"ETCD_MAX_TXN_OPS=7"}})
	t.Logf("etcd %s started in %v", member.Version(), time.Since(start))
	c := etcdClient(t, nil, member.URL())
	put(t, c, "k", "v")

	must(t, member.Kill())
	start = time.Now()
	must(t, member.Restart(t.Context()))
	t.Logf("started again in %v", time.Since(start))
	wantValue(t, c, "k", "v")

	must(t, member.Pause())
	if _, err := c.Get(within(t, 300*time.Millisecond), "k"); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a paused member: %v", err)
	}
	must(t, member.Resume())
	wantValue(t, c, "k", "v")

	ops := make([]clientv3.Op, 8)
	for i := range ops {
		ops[i] = clientv3.OpGet("k")
	}
	if _, err := c.Txn(within(t, 10*time.Second)).Then(ops...).Commit(); err == nil {
		t.Error("Env did not reach it: a transaction of 8 operations was taken")
	}
	start = time.Now()
	must(t, member.Stop())
	t.Logf("stopped in %v, with a client connected", time.Since(start))
}

func TestEtcdCluster(t *testing.T) {
	start := time.Now()
	cluster := enginetest.EtcdCluster(t, 3)
	t.Logf("three members started in %v", time.Since(start))
	c := etcdClient(t, nil, cluster.URLs()...)
	put(t, c, "k", "1")

	leader, err := cluster.Leader(within(t, 10*time.Second))
	must(t, err)
	must(t, leader.Kill())
	start = time.Now()
	next, err := cluster.Leader(within(t, 20*time.Second))
	must(t, err)
	put(t, c, "k", "2")
	t.Logf("the leader was killed; a put succeeded after %v", time.Since(start))
	if next == leader {
		t.Fatal("a dead member leads")
	}
	must(t, leader.Restart(t.Context()))

	for _, m := range cluster.Members() {
		must(t, m.Kill())
	}
	must(t, cluster.Restart(t.Context()))
	for _, m := range cluster.Members() {
		wantValue(t, etcdClient(t, nil, m.URL()), "k", "2")
	}
}

func TestEtcdTakesUpADirectory(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		member := enginetest.EtcdWith(t, &engines.EtcdOptions{Dir: dir})
		c := etcdClient(t, nil, member.URL())
		if i == 0 {
			put(t, c, "k", "v")
		}
		wantValue(t, c, "k", "v")
		must(t, member.Stop())
	}
}

func TestEtcdClusterRefusesADirectoryOfAnother(t *testing.T) {
	enginetest.Etcd(t)
	o := &engines.EtcdOptions{Dir: t.TempDir()}
	cluster, err := engines.StartEtcdCluster(t.Context(), 3, o)
	must(t, err)
	must(t, cluster.Stop())
	_, err = engines.StartEtcdCluster(t.Context(), 3, o)
	if err == nil || !strings.Contains(err.Error(), "holds an earlier one") {
		t.Fatal(err)
	}
}

func TestEtcdWithTLS(t *testing.T) {
	member := enginetest.EtcdWith(t, &engines.EtcdOptions{ExtraArgs: []string{"--auto-tls"}})
	if !strings.HasPrefix(member.URL(), "https://") {
		t.Fatalf("url %s", member.URL())
	}
	c := etcdClient(t, &tls.Config{InsecureSkipVerify: true}, member.URL()) // a certificate it just made for itself
	put(t, c, "k", "v")
	wantValue(t, c, "k", "v")
}

func TestEtcdStartFailureQuotesTheLog(t *testing.T) {
	enginetest.Etcd(t)
	_, err := engines.StartEtcd(t.Context(), &engines.EtcdOptions{ExtraArgs: []string{"--no-such-flag"}})
	var start *engines.StartError
	if !errors.As(err, &start) || !strings.Contains(err.Error(), "no-such-flag") {
		t.Fatal(err)
	}
}

// The faults of the proxy are what they claim for gRPC as well.
func TestEtcdBehindTheFaultProxy(t *testing.T) {
	member := enginetest.Etcd(t)
	p, err := faultproxy.New(strings.TrimPrefix(member.URL(), "http://"))
	must(t, err)
	defer func() { _ = p.Close() }()
	direct := etcdClient(t, nil, member.URL())
	faulty := etcdClient(t, nil, "http://"+p.Addr())
	put(t, faulty, "k", "before")

	for _, test := range []struct {
		fault func()
		want  string
	}{
		{p.DropReplies, "failed, but took effect"},
		{p.DropRequests, "failed"},
		{p.Refuse, "refused"},
	} {
		want := "before"
		if test.want == "failed, but took effect" {
			want = test.want
		}
		// etcd may talk first and lose the connection before the put is sent:
		// that try has failed without effect, and shows nothing.
		for try := 0; ; try++ {
			put(t, faulty, "k", "before") // over an open connection
			test.fault()
			if _, err := faulty.Put(within(t, 2*time.Second), "k", test.want); err == nil {
				t.Errorf("%s: the client learned nothing", test.want)
			}
			p.Pass()
			r, err := direct.Get(within(t, 2*time.Second), "k")
			must(t, err)
			if try == 20 || len(r.Kvs) == 1 && string(r.Kvs[0].Value) == want {
				break
			}
		}
		wantValue(t, direct, "k", want)
	}
	wantValue(t, faulty, "k", "before")
}
