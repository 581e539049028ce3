package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
	"github.com/sluiceproxy/sluice/store/transfer"
)

// An embedded store that never ran is none, and a look at it makes none.
func TestStoreThatNeverRan(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	c := cli{t, []string{"--store.etcd.embedded.data_dir", dir, "--store.etcd.embedded.client_url", "http://" + freeAddress(t)}}
	if r := c.run("doctor", "store"); r.code != exitUnavailable || !strings.Contains(r.stderr, "there is no table yet: nothing is in "+dir+", which the first `sluice serve` makes, and nobody serves one at http://127.0.0.1:") {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it has made one")
	}
}

func TestStoreTransfer(t *testing.T) {
	t.Parallel()
	from, s := newCLI(t)
	to, target := newCLI(t)
	file := filepath.Join(t.TempDir(), "table.jsonl")
	from.ok("cluster", "add", "a", "http://127.0.0.1:1", "--no-check")
	for i := range 20 {
		from.ok("tenant", "add", fmt.Sprint("t", i), "--cluster", "a", "--index", fmt.Sprint("i", i))
	}
	// A cluster and the tenants; of the change that made each one the audit log's entry and
	// the answer that is kept for its key.
	const records = 3 * (1 + 20)
	if out := from.ok("store", "export"); strings.Count(out, "\n") != records+2 || !strings.HasPrefix(out, `{"sluice_table":1`) {
		t.Errorf("export to standard output: %q", out)
	}
	x, err := s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "p1"}, store.Report{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	refusals := []struct {
		c    cli
		args string
		code int
		says string
	}{
		{from, "store export --close " + file, exitRefused, "1 process(es) serve this table: proxy p1"},
		{to, "store import " + file, exitUsage, "no such file"},
	}
	check := func() {
		t.Helper()
		for _, tt := range refusals {
			if r := tt.c.run(strings.Fields(tt.args)...); r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
				t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, tt.code, tt.says)
			}
		}
	}
	check()
	if _, err := os.Stat(file); err == nil {
		t.Error("a refused export left a file")
	}
	from.ok("store", "export", file)
	refusals = refusals[:0]
	refusals = append(refusals, struct {
		c    cli
		args string
		code int
		says string
	}{to, "store import " + file, exitRefused, "--source-gone"})
	check()
	if err := x.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	from.ok("store", "export", "--close", file)
	if r := from.run("tenant", "list"); r.code != exitRefused || !strings.Contains(r.stderr, "sluice store reopen") {
		t.Errorf("a closed table: %+v", r)
	}
	if r := from.run("serve", "--api.listen", "", "--fleet.secret_file", secretFile(t), "--proxy.listen", "127.0.0.1:0", "--admin.listen", "127.0.0.1:0"); r.code != exitRefused || !strings.Contains(r.stderr, "is closed") {
		t.Errorf("serve on a closed table: %+v", r)
	}
	var res transfer.ImportResult
	if err := json.Unmarshal([]byte(to.ok("store", "import", file, "-o", "json")), &res); err != nil || res.Written != records || res.Base == 0 {
		t.Errorf("import: %+v, %v", res, err)
	}
	if out := to.ok("store", "import", file); !strings.Contains(out, "was imported") {
		t.Errorf("again: %q", out)
	}
	e, err := target.State(t.Context(), "t3")
	if err != nil || e.Epoch <= res.Base {
		t.Errorf("%+v, %v; base %d", e, err, res.Base)
	}
	from.ok("store", "reopen")
	from.ok("tenant", "list")
}

func secretFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(strings.Repeat("s", 32)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// The embedded store needs no process that runs it: the command does.
func TestStoreTransferOfTheEmbedded(t *testing.T) {
	t.Parallel()
	flags := func() []string {
		return []string{"--store.etcd.embedded.data_dir", filepath.Join(t.TempDir(), "data"), "--store.etcd.embedded.client_url", "http://" + freeAddress(t)}
	}
	from, to, file := cli{t, flags()}, cli{t, flags()}, filepath.Join(t.TempDir(), "table.jsonl")
	if r := from.run("store", "export", file); r.code != exitUnavailable {
		t.Errorf("export of nothing: %+v", r)
	}
	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: from.flags[1], ClientURL: from.flags[3]}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = store.New(e.Store(), nil).Register(t.Context(), "acme", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"})
	if err != nil {
		t.Fatal(err)
	}
	from.ok("store", "export", file) // while another process runs it
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	from.ok("store", "export", "--close", file)
	to.ok("store", "import", file)
	to.ok("store", "export", file)
	if b, err := os.ReadFile(file); err != nil || !bytes.Contains(b, []byte(`"acme"`)) {
		t.Errorf("%s, %v", b, err)
	}
	// The report is the one of a running member: all that it promises, and what one
	// member cannot.
	r := to.run("doctor", "store", "-o", "json")
	owed := 0
	for _, g := range driver.Guarantees() {
		if g.Binds(e.Store()) {
			owed++
		}
	}
	var v doctorView
	if err := json.Unmarshal([]byte(r.stdout), &v); err != nil || r.code != exitWeak || len(v.Findings) != owed || v.Server.Engine != "etcd" {
		t.Errorf("code %d, %v, %d findings of %d: %s", r.code, err, len(v.Findings), owed, r.stderr)
	}
	if out := to.run("doctor", "store").stdout; !strings.Contains(out, "weak     SurvivesLeaderKill") || !strings.Contains(out, "holds    SurvivesClockAhead: no test can show it; leases count on") {
		t.Error(out)
	}
}

// TestImportKilled kills the process in the middle of an import, more than once.
func TestImportKilled(t *testing.T) {
	if args := os.Getenv("TEST_SLUICE_ARGS"); args != "" { // this is the process
		os.Exit(run(strings.Split(args, "\n"), os.Stdout, os.Stderr))
	}
	t.Parallel()
	const tenants = 3000
	src, s := newCLI(t)
	if _, err := s.Clusters().Put(t.Context(), "a", placement.Cluster{Name: "a", Endpoints: []string{"http://a"}}, 0); err != nil {
		t.Fatal(err)
	}
	for i := range tenants {
		if _, err := s.Register(t.Context(), placement.PartitionID(fmt.Sprint("t", i)), placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: fmt.Sprint("i", i), Logical: "d"}); err != nil {
			t.Fatal(err)
		}
	}
	newest, err := s.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "table.jsonl")
	src.ok("store", "export", "--close", file)

	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	to := cli{t, []string{"--store.etcd.endpoints", e.Endpoint()}}
	for _, at := range []int{1, tenants / 3, tenants * 2 / 3} {
		killImport(t, e.Store(), append([]string{"store", "import", file}, to.flags...), at)
		if r := to.run("tenant", "list"); r.code != exitRefused || !strings.Contains(r.stderr, "has not finished") {
			t.Fatalf("killed after %d: %+v", at, r)
		}
	}
	if out := to.ok("store", "import", file); strings.Contains(out, " 0 there already") {
		t.Errorf("nothing was there already: %q", out)
	}
	n := 0
	if _, err := store.New(e.Store(), nil).Entries(t.Context(), func(en placement.Entry, err error) bool {
		if n++; err != nil || en.Epoch <= newest {
			t.Errorf("%+v, %v; the source's newest epoch was %d", en, err, newest)
		}
		return !t.Failed()
	}); err != nil || n != tenants {
		t.Errorf("%d entries, %v", n, err)
	}
}

// killImport runs the import as a process and kills it when n entries are there.
func killImport(t *testing.T, d driver.Driver, args []string, n int) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run", "^TestImportKilled$")
	c.Env = append(os.Environ(), "TEST_SLUICE_ARGS="+strings.Join(args, "\n"))
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	seen := 0
	from, err := d.List(ctx, store.SpaceEntries, func(driver.KV) bool { seen++; return true })
	if err == nil && seen < n {
		err = d.Watch(ctx, store.SpaceEntries, from, func(evs []driver.Event) error {
			if seen += len(evs); seen >= n {
				return errEnded
			}
			return nil
		})
	}
	_ = c.Process.Kill()
	<-ended
	if err != nil && err != errEnded || strings.Contains(out.String(), "epochs go on") {
		t.Fatalf("%d entries, %v:\n%s", seen, err, out.String())
	}
}
