package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/doctor"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/transfer"
)

// everyStore starts each kind of store and returns the flags that choose it, in
// the order of a tour that ends where it began.
func everyStore(t *testing.T) (kinds []string, flags map[string][]string) {
	t.Helper()
	e, err := etcdFlags(t)
	if err != nil {
		t.Fatal(err)
	}
	flags = map[string][]string{
		"etcd":       e,
		"redis":      {"--store.kind", "redis", "--store.redis.addresses", enginetest.Redis(t).Addr()},
		"consul":     {"--store.kind", "consul", "--store.consul.addresses", enginetest.Consul(t).URL(), "--store.consul.prefix", "cli/"},
		"opensearch": {"--store.kind", "opensearch", "--store.opensearch.addresses", enginetest.LendOpenSearch(t, engines.OpenSearch2).URL(), "--store.opensearch.replicas", "0", "--store.opensearch.index", "cli-table"},
	}
	return []string{"etcd", "redis", "consul", "opensearch"}, flags
}

func etcdFlags(t *testing.T) ([]string, error) {
	c, s := newCLI(t)
	// An old etcd: it has counted far beyond what a new engine has.
	for i := range 1000 {
		if _, err := s.Clusters().Put(t.Context(), fmt.Sprint("c", i), placement.Cluster{}, 0); err != nil {
			return nil, err
		}
		if err := s.Clusters().Delete(t.Context(), fmt.Sprint("c", i), mustVersion(t, s, fmt.Sprint("c", i))); err != nil {
			return nil, err
		}
	}
	return c.flags, nil
}

func TestEveryStore(t *testing.T) {
	t.Parallel()
	kinds, flags := everyStore(t)
	t.Run("tour", func(t *testing.T) { tour(t, kinds, flags) })
	t.Run("session bounds", func(t *testing.T) { sessionBounds(t, cli{t, flags["consul"]}) })
	t.Run("doctor", func(t *testing.T) { doctorEverywhere(t, kinds, flags) })
}

// tour: a table goes round all stores and comes home. No epoch goes back on the
// way, transitions work everywhere, and every way of reading agrees.
func tour(t *testing.T, kinds []string, flags map[string][]string) {
	home := cli{t, flags["etcd"]}
	home.ok("cluster", "add", "a", "http://127.0.0.1:1", "--no-check")
	home.ok("cluster", "add", "b", "http://127.0.0.1:1", "--no-check")
	for i := range 5 {
		home.ok("tenant", "add", fmt.Sprint("t", i), "--cluster", "a", "--index", fmt.Sprint("i", i))
	}
	newest := map[string]placement.Epoch{}
	observe := func(c cli, where string) {
		t.Helper()
		var all []control.TenantView
		if err := json.Unmarshal([]byte(c.ok("tenant", "list", "-o", "json")), &all); err != nil || len(all) != 5 {
			t.Fatalf("%s: %d tenants, %v", where, len(all), err)
		}
		for _, v := range all {
			if v.Epoch <= newest[string(v.Tenant)] {
				t.Errorf("%s: tenant %s has epoch %d, and was seen with %d", where, v.Tenant, v.Epoch, newest[string(v.Tenant)])
			}
			newest[string(v.Tenant)] = v.Epoch
		}
	}
	observe(home, "etcd")
	for i, kind := range append(slices.Clone(kinds[1:]), kinds[0]) {
		from, to := cli{t, flags[kinds[i]]}, cli{t, flags[kind]}
		file := filepath.Join(t.TempDir(), "table.jsonl")
		from.ok("store", "export", "--close", file)
		args := []string{"store", "import", file, "-o", "json"}
		if kind == "etcd" {
			args = append(args, "--replace")
		}
		var res transfer.ImportResult
		if err := json.Unmarshal([]byte(to.ok(args...)), &res); err != nil || res.Base < newest["t4"] {
			t.Fatalf("%s to %s: %+v, %v; the newest epoch was %d", kinds[i], kind, res, err, newest["t4"])
		}
		observe(to, kind)
		stir(t, to, newest)
		if r := from.run("tenant", "list"); r.code != exitRefused {
			t.Errorf("%s is closed and answers: %+v", kinds[i], r)
		}
	}
}

// stir makes a transition and its undoing, and looks at them in every way.
func stir(t *testing.T, c cli, newest map[string]placement.Epoch) {
	t.Helper()
	s, closeStore := openTable(t, c)
	defer closeStore()
	from, err := s.Entries(t.Context(), func(placement.Entry, error) bool { return true })
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "p"}, store.Report{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want []placement.Epoch
	for _, cmd := range []placement.Command{
		{Op: placement.OpBegin, To: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "x", Logical: "i4"}, Attempt: placement.Attempt{Move: "m"}},
		{Op: placement.OpAbort},
	} {
		e, err := s.Apply(t.Context(), "t4", cmd)
		if err != nil || e.Epoch <= newest["t4"] {
			t.Fatalf("%s: %+v, %v; the newest epoch was %d", cmd.Op, e, err, newest["t4"])
		}
		newest["t4"] = e.Epoch
		want = append(want, e.Epoch)
	}
	if s.HasHead() {
		if head, err := s.Head(t.Context()); err != nil || head < newest["t4"] {
			t.Errorf("head %d, %v; the newest epoch is %d", head, err, newest["t4"])
		}
	} else {
		seen, err := s.Epochs(t.Context(), []placement.PartitionID{"t4"})
		if err != nil || seen["t4"].Err != nil || seen["t4"].Epoch != newest["t4"] {
			t.Errorf("%v, %v; the newest epoch is %d", seen, err, newest["t4"])
		}
		if changes, at, err := s.Since(t.Context(), from); err != nil || len(changes) != len(want) || at < newest["t4"] {
			t.Errorf("%d changes up to %d, %v; %d were made, the newest at %d", len(changes), at, err, len(want), newest["t4"])
		}
	}
	var got []placement.Epoch
	if err := s.Watch(t.Context(), from, func(cs []store.Change) error {
		for _, ch := range cs {
			got = append(got, ch.Entry.Epoch)
		}
		if len(got) >= len(want) {
			return errEnded
		}
		return nil
	}); err != errEnded || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("a watch from %d saw %v, %v; want %v", from, got, err, want)
	}
	if err := x.Close(t.Context(), true); err != nil {
		t.Error(err)
	}
}

// sessionBounds: what the configuration refuses with Consul is what Consul refuses.
func sessionBounds(t *testing.T, c cli) {
	c.ok("store", "reopen") // the tour has closed it
	s, closeStore := openTable(t, c)
	defer closeStore()
	for _, tt := range []struct {
		ttl time.Duration
		ok  bool
	}{{9 * time.Second, false}, {10 * time.Second, true}, {24 * time.Hour, true}, {24*time.Hour + time.Second, false}} {
		x, err := s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "p"}, store.Report{}, &store.SessionOptions{TTL: tt.ttl})
		if (err == nil) != tt.ok {
			t.Errorf("a session of %s: %v", tt.ttl, err)
		}
		if err == nil {
			if err := x.Close(t.Context(), true); err != nil {
				t.Error(err)
			}
		}
		if r := c.run("doctor", "store", "--proxy.session_ttl", tt.ttl.String()); (r.code == exitUsage) == tt.ok {
			t.Errorf("proxy.session_ttl %s: exit code %d, %s", tt.ttl, r.code, r.stderr)
		}
	}
}

// doctorEverywhere: every store, as the tests start it, is examined without
// finding it broken.
func doctorEverywhere(t *testing.T, kinds []string, flags map[string][]string) {
	for _, kind := range kinds {
		r := cli{t, flags[kind]}.run("doctor", "store", "-o", "json")
		var v doctorView
		if err := json.Unmarshal([]byte(r.stdout), &v); err != nil {
			t.Fatalf("%s: %v\n%s", kind, err, r.stderr)
		}
		want := map[doctor.Verdict]int{doctor.Holds: exitOK, doctor.Weak: exitWeak}
		if code, ok := want[v.Worst]; !ok || r.code != code || len(v.Left) > 0 {
			t.Errorf("%s: worst %s, exit code %d, left %v\n%s", kind, v.Worst, r.code, v.Left, r.stderr)
		}
		if v.Server.Engine == "" || v.Server.Version == "" {
			t.Errorf("%s: the report does not say which server: %+v", kind, v.Server)
		}
		probed := 0
		for _, f := range v.Findings {
			if f.Probed {
				probed++
			}
			if f.Verdict != doctor.Holds {
				t.Logf("%s: %s is %s: %s", kind, f.Guarantee, f.Verdict, f.Why)
			}
			if f.Verdict == doctor.Weak && (f.Why == "" || f.Risk == "" || f.Remedy == "") {
				t.Errorf("%s: %+v does not say why, what could happen and what to set", kind, f)
			}
		}
		if probed < 12 {
			t.Errorf("%s: %d guarantees probed", kind, probed)
		}
		if text := (cli{t, flags[kind]}).run("doctor", "store"); !strings.Contains(text.stdout, "CreateHasExactlyOneWinner: probed") {
			t.Errorf("%s: %s", kind, text.stdout)
		}
	}
}

// openTable opens the store as a command does.
func openTable(t *testing.T, c cli) (*store.Store, func()) {
	t.Helper()
	var s *openedStore
	cmd := &cobra.Command{Use: "t", SilenceErrors: true, SilenceUsage: true, RunE: func(c *cobra.Command, _ []string) (err error) {
		s, err = openStore(c)
		return err
	}}
	cmd.Flags().String("config", "", "")
	storeFlags(cmd)
	cmd.SetArgs(c.flags)
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s.Store, s.close
}

func mustVersion(t *testing.T, s *store.Store, cluster string) driver.Version {
	t.Helper()
	r, err := s.Clusters().Get(t.Context(), cluster)
	if err != nil {
		t.Fatal(err)
	}
	return r.Version
}
