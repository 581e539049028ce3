package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
)

// What a move compares is asked for and shown, and so is what it finds: each document
// with both sides, and with nothing of what it says.
func TestVerifyAndDriftAreShown(t *testing.T) {
	t.Parallel()
	c, s := newMoveCLI(t)
	if r := c.run("move", "acme", "--to", "b", "--verify", "all"); r.code != exitUsage || !strings.Contains(r.stderr, `verify: "all" must be versions or content`) {
		t.Errorf("%+v", r)
	}
	c.ok("move", "acme", "--to", "b", "--verify", "content")
	if out := c.ok("moves", "set", "acme", "--accept-drift"); !strings.Contains(out, "drift accepted") {
		t.Error(out)
	}
	if out := c.ok("moves", "set", "acme", "--accept-drift=false"); !strings.Contains(out, "drift waited for") {
		t.Error(out)
	}
	after := time.Now().Add(-time.Hour)
	change(t, s, newest(t, s), func(m *control.Move) {
		m.Stage = control.StageVerifying
		m.Progress.Comparing = &control.Comparing{Scanned: 1500, Total: 4000, ETA: 90 * time.Second}
		m.Drift = &control.Drift{Documents: 3, Indices: []control.DriftIndex{{Index: "docs", Documents: 3, After: &after, Seen: after, Last: after}}, Differences: []mover.Difference{
			{Index: "docs", ID: "one\x1b", Routing: "r", Kind: mover.DiffMissing, Source: mover.Side{Present: true, Version: 3, Routing: "r"}},
			{Index: "docs", ID: "two", Kind: mover.DiffContent, Source: mover.Side{Present: true, Version: 1, Bytes: 2048, SHA256: "00112233445566778899aabbccddeeff"}, Target: mover.Side{Present: true, Version: 1, Bytes: 7, SHA256: "ff"}},
		}}
	})
	out := c.ok("moves", "show", "acme")
	for _, says := range []string{
		"1,500 / 4,000 documents of both sides compared, ETA 1m30s", "3 documents that no proxy has journaled, 0 accepted", "3 in docs: written after ", "and 1 more",
		`missing "docs/one\x1b" routing r: source version 3 routing r, target has none`, "content docs/two: source version 1 2.0 KiB, sha256 00112233, target version 1 7 B, sha256 ff",
	} {
		if !strings.Contains(out, says) {
			t.Errorf("not shown: %q in\n%s", says, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Error("a document's id moves the cursor")
	}
	var m control.Move
	if err := json.Unmarshal([]byte(c.ok("moves", "show", "acme", "-o", "json")), &m); err != nil || m.Options.Verify != control.VerifyContent || m.Options.AcceptDrift || len(m.Drift.Differences) != 2 || m.Drift.Differences[0].Source.Version != 3 {
		t.Errorf("%+v, %v", m, err)
	}
	change(t, s, m.ID, func(m *control.Move) {
		m.Receipt = &control.Receipt{Verification: control.DiffCounts{Mode: control.VerifyContent, Scanned: 8000, Content: 2, Routing: 1, Accepted: 3, Late: 4}}
	})
	if out := c.ok("moves", "show", "acme"); !strings.Contains(out, "8,000 ids, versions and contents compared; at first sight 0 missing, 0 extra, 0 older, 1 with another routing, 2 with another content; unexplained 0; 3 written around the proxies were accepted; 4 more operations") {
		t.Error(out)
	}
}

// How far a comparison is stands on one line, which is drawn over, and is gone at the end.
func TestComparisonsShowHowFarTheyAre(t *testing.T) {
	var b bytes.Buffer
	draw, end := progressLine(&b)
	draw(control.Comparing{Scanned: 1500, Total: 4000, ETA: 90 * time.Second})
	draw(control.Comparing{Scanned: 1501, Total: 4000}) // too soon
	end()
	text := b.String()
	if !strings.HasPrefix(text, "\r\x1b[K") || !strings.HasSuffix(text, "  1,500 / 4,000 documents of both sides, ETA 1m30s\r\x1b[K") || strings.Contains(text, "\n") {
		t.Errorf("%q", text)
	}
}
