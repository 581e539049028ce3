package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
)

func TestRetireRefusals(t *testing.T) {
	t.Parallel()
	c, s := newMoveCLI(t)
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"move acme --to b --retire-after soon", exitUsage, "must be a duration such as 7d"},
		{"move acme --to b --retire-after -1h", exitUsage, "retire_after"},
		{"move acme --to b --keep --retire-after 1d", exitUsage, "an old copy that is kept is not retired"},
		{"move acme --to b --keep --trash 7d", exitUsage, "an old copy that is kept is not retired"},
		{"trash show m1", exitRefused, "has left nothing in the trash"},
		{"trash restore m1", exitRefused, "not in the trash"},
		{"trash purge m1", exitRefused, "not in the trash"},
		{"wave retire w1", exitRefused, `unknown wave "w1"`},
	} {
		if r := c.run(strings.Fields(tt.args)...); r.code != tt.code || !strings.Contains(r.stderr, tt.says) {
			t.Errorf("sluice %s: %+v; want code %d and %q", tt.args, r, tt.code, tt.says)
		}
	}
	if out := c.ok("trash", "list", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Error(out)
	}
	c.ok("tenant", "add", "tiny", "--cluster", "a", "--kind", "dedicated_index", "--index", "tiny")
	c.ok("move", "acme", "--to", "b", "--retire-after", "1d12h", "--trash", "7d")
	id := newest(t, s)
	var m control.Move
	if err := json.Unmarshal([]byte(c.ok("moves", "show", id, "-o", "json")), &m); err != nil || m.Options.RetireAfter != 36*time.Hour || *m.Options.Trash != 168*time.Hour {
		t.Errorf("%+v, %v", m.Options, err)
	}
	change(t, s, id, func(m *control.Move) {
		m.Stage, m.RetireAt, m.Receipt = control.StageFlipped, time.Now().Add(time.Hour), receipt()
	})
	if out := c.ok("moves", "show", id); !strings.Contains(out, "kept, and retired by itself at") {
		t.Error(out)
	}
	if r := c.run("moves", "retire", id); r.code != exitRefused || !strings.Contains(r.stderr, "--now does not wait for that") {
		t.Errorf("retire while it soaks: %+v", r)
	}
	if r := c.run("moves", "retire", id, "--now", "--keep", "--trash", "1h"); r.code != exitUsage {
		t.Errorf("keep into the trash: %+v", r)
	}
	c.ok("moves", "retire", id, "--now", "--trash", "0s")
	change(t, s, id, func(m *control.Move) { m.RetireRequested, m.RetireAt, m.Options.Keep = false, time.Time{}, true })
	if r := c.run("moves", "retire", id); r.code != exitRefused || !strings.Contains(r.stderr, "--keep=false removes it") {
		t.Errorf("retire of what is kept: %+v", r)
	}
	c.ok("moves", "retire", id, "--keep=false")
	trash := control.Trash{Move: "m9", Partition: "gone", At: m.From, Until: time.Now().Add(time.Hour)}
	trash.At.Cluster, trash.At.Index = "b", "old"
	if _, err := control.TrashRecords(s).Put(t.Context(), "m9", trash, 0); err != nil {
		t.Fatal(err)
	}
	if r := c.run("tenant", "add", "hooli", "--cluster", "b", "--kind", "dedicated_cluster"); r.code != exitRefused || !strings.Contains(r.stderr, "sluice trash purge m9") {
		t.Errorf("a tenant onto what is in the trash: %+v", r)
	}
	change(t, s, id, func(m *control.Move) { m.Stage = control.StageDone })
	if r := c.run("cluster", "remove", "b"); r.code != exitRefused || !strings.Contains(r.stderr, "sluice trash purge m9") {
		t.Errorf("remove of a cluster with something in the trash: %+v", r)
	}
	c.ok("trash", "purge", "m9")
	if r := c.run("trash", "restore", "m9"); r.code != exitRefused || !strings.Contains(r.stderr, "leaves the trash already") {
		t.Errorf("restore of what is being purged: %+v", r)
	}
	if out := c.ok("trash", "show", "m9"); !strings.Contains(out, "purging") {
		t.Error(out)
	}
}

// retireThem retires what the newest wave left at the node, by way of the trash.
func retireThem(t *testing.T, c cli, node, wave string) {
	t.Helper()
	if out := c.ok("wave", "retire", wave, "--trash", "1h", "--wait"); !strings.Contains(out, "4 old copies: 4 trashed") {
		t.Error(out)
	}
	var trash []control.Trash
	if err := json.Unmarshal([]byte(c.ok("trash", "list", "-o", "json")), &trash); err != nil || len(trash) != 4 {
		t.Fatal(trash, err)
	}
	restored, purged, left := trash[0], trash[1], trash[2]
	if out := c.ok("trash", "restore", restored.Move, "--wait"); !strings.Contains(out, "restored: 1 indices on a") {
		t.Error(out)
	}
	c.ok("trash", "purge", purged.Move, "--wait")
	for _, x := range []struct {
		of   control.Trash
		code int
	}{{restored, http.StatusOK}, {purged, http.StatusNotFound}, {left, http.StatusBadRequest}} {
		resp, err := http.Get(node + "/" + x.of.At.Index + "/_count")
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != x.code {
			t.Errorf("%s is answered with %d, not %d", x.of.At, resp.StatusCode, x.code)
		}
	}
	if r := c.run("tenant", "add", "squatter", "--cluster", "a", "--index", left.At.Index); r.code != exitRefused || !strings.Contains(r.stderr, "sluice trash purge "+left.Move) {
		t.Errorf("a tenant onto what is in the trash: %+v", r)
	}
}
