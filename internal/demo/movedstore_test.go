package demo_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// TestTheStoreIsReplacedDuringAMove takes the table to another kind of store while a tenant moves, once in order and once
// after the machine with the old table has died. The fleet on the new table resumes the move by itself, and no acknowledged
// write is missing.
func TestTheStoreIsReplacedDuringAMove(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	nodes := clusters(t)
	for _, test := range []struct {
		name string
		// take ends the old fleet and leaves its table in a file.
		take func(t *testing.T, old *demo.Fleet, file string)
		// flags are what the import asks for, and refused what it says without each.
		flags, refused []string
	}{
		{"closed", closeAndExport, []string{"--allow-migrating"}, []string{"tenants are moving"}},
		{"gone", exportAndDie, []string{"--source-gone", "--allow-migrating"}, []string{"was not closed", "tenants are moving"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			old, next := storeFleets(t)
			must(t, old.Start(t.Context()))
			r := newLoad(t, nodes, old, append(old.URLs(), next.URLs()...), "store-"+test.name, 2000) // whoever listens
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			copying := watchStage(t, ctx, old, "copying")
			m, err := old.Begin(ctx, "acme", "b", "--copy-rate", "200", "--copy-throttle", "off", "--pause-budget", "3s", "--cutover-deadline", "4s")
			must(t, err)
			select {
			case <-copying:
			case <-ctx.Done():
				t.Fatal("the copy does not begin")
			}
			time.Sleep(time.Second) // the clients write what the journals must know; nothing is waited for
			before := show(t, old)

			file := filepath.Join(t.TempDir(), "table.jsonl")
			test.take(t, old, file)
			for i, says := range test.refused {
				if _, err := next.Run(ctx, nil, append([]string{"store", "import", file}, test.flags[:i]...)...); err == nil || !strings.Contains(err.Error(), says) {
					t.Fatalf("import with %v: %v; want %q", test.flags[:i], err, says)
				}
			}
			command(t, next, append([]string{"store", "import", file}, test.flags...)...)
			if after := show(t, next); before.Phase != "draining" || after.Phase != "draining" || after.Move != m.ID || after.Epoch <= before.Epoch {
				t.Fatalf("the tenant was %+v and is %+v; want it to be moving by %s, at a higher epoch", before, after, m.ID)
			}
			acked := r.load.Counts().Acknowledged
			must(t, next.Start(ctx))
			if m, err = settled(ctx, next, m.ID); err != nil || m.Stage != "flipped" {
				t.Fatalf("the move has not gone on: %v %s", err, m.Raw)
			}
			if now := show(t, next); now.Placement.Cluster != "b" || now.PreviousMove != m.ID {
				t.Errorf("the tenant is %+v; want it at b", now)
			}
			verify(t, ctx, r)
			if more := r.load.Counts().Acknowledged - acked; more < 50 {
				t.Errorf("%d writes were acknowledged on the new table", more)
			}
			must(t, next.Retire(ctx, m.ID, nil))
			must(t, r.stop())
			verify(t, ctx, r)
		})
	}
	// The clusters are there: the program, too, is replaced during a move.
	t.Run("upgraded", func(t *testing.T) { rollingUpgrade(t, nodes) })
}

// storeFleets are the same fleet twice, with an etcd inside and on a Redis; neither runs.
func storeFleets(t *testing.T) (old, next *demo.Fleet) {
	t.Helper()
	redis := enginetest.Redis(t)
	dirs := [2]string{t.TempDir(), t.TempDir()}
	var fleets [2]*demo.Fleet
	for i, store := range [][]string{nil, {"kind: redis", "redis:", "  addresses: [" + strconv.Quote(redis.Addr()) + "]"}} {
		if i == 1 { // the secret goes along, as on a real machine
			must(t, os.CopyFS(dirs[1], os.DirFS(dirs[0])))
		}
		var err error
		fleets[i], err = demo.NewFleet(enginetest.Sluice(t), dirs[i], &demo.FleetOptions{Store: store, Extra: map[string][]string{
			"proxy":      {"session_ttl: 5s", "upstream_write_timeout: 10s", "drain_barrier: 10s"},
			"controller": {"drain_barrier: 10s"},
		}})
		must(t, err)
		t.Cleanup(func() {
			if err := fleets[i].Stop(); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				showLogs(t, fleets[i])
			}
		})
	}
	return fleets[0], fleets[1]
}

// closeAndExport stops the fleet in order; the etcd, which was inside its controller, is opened by the command.
func closeAndExport(t *testing.T, old *demo.Fleet, file string) {
	t.Helper()
	must(t, old.Stop())
	out, err := exec.CommandContext(t.Context(), enginetest.Sluice(t), "store", "export", "--close", file, "--config", filepath.Join(old.Dir(), "controller.yaml")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1 of the tenants are moving") {
		t.Fatalf("export: %v: %s", err, out)
	}
}

// exportAndDie takes a backup of the table that is served, and then kills every process and removes the table.
func exportAndDie(t *testing.T, old *demo.Fleet, file string) {
	t.Helper()
	command(t, old, "store", "export", file)
	if m := show(t, old); m.Phase != "draining" {
		t.Fatalf("the move had gone on to %s when the store died; the copy is too fast", m.Phase)
	}
	old.Controllers[0].Kill() // and with it the store
	for _, p := range old.Proxies {
		p.Kill()
	}
	must(t, os.RemoveAll(filepath.Join(old.Dir(), "etcd")))
}

// tenant is what `sluice tenant show` prints, as far as it matters here.
type tenant struct {
	Phase        string `json:"phase"`
	Move         string `json:"move"`
	Epoch        uint64 `json:"epoch"`
	PreviousMove string `json:"previous_move"`
	Placement    struct {
		Cluster string `json:"cluster"`
	} `json:"placement"`
}

func show(t *testing.T, f *demo.Fleet) (v tenant) {
	t.Helper()
	out, err := f.Run(t.Context(), nil, "tenant", "show", "acme", "-o", "json")
	must(t, err)
	must(t, json.Unmarshal(out, &v))
	return v
}
