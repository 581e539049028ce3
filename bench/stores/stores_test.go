package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// The program works, from the flags to the page. It starts no engine, and no figure
// is looked at but those that are counts.
func TestMemory(t *testing.T) {
	dir := t.TempDir()
	var said bytes.Buffer
	if code := run(t.Context(), []string{"-quick", "-stores", "memory", "-entries", "1000", "-out", dir}, &said); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, said.String())
	}
	file := filepath.Join(dir, "stores-memory.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	p := quick()
	tab := r.Table
	if tab.Entries != 1000 || tab.FirstWatch.N != p.firstWatches || tab.AckToSeen.N != p.changes || tab.FanOut.Last.N != p.fanWrites || tab.FanOut.Watches != p.watches {
		t.Errorf("it measured something else: %s", text)
	}
	if tab.HeapPeak <= 0 {
		t.Errorf("an instance starts with %v MB", tab.HeapPeak)
	}
	if len(r.Fresh) != 8 {
		t.Errorf("%d cells of the two modes", len(r.Fresh))
	}
	for _, c := range r.Fresh {
		if c.Latency.N == 0 || c.Mode == "fresh" && c.CallsS == 0 {
			t.Errorf("%+v", c)
		}
	}
	page := filepath.Join(dir, "page.md")
	if code := run(t.Context(), []string{"-page", page, file}, &said); code != 0 {
		t.Fatalf("exit code %d:\n%s", code, said.String())
	}
	md, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(md), "| memory | fresh | 64 |") || strings.Contains(string(md), "What failed") {
		t.Errorf("the page:\n%s", md)
	}
}

// The manual's page says what the committed results say.
func TestMeasuredPage(t *testing.T) {
	files, err := filepath.Glob("../results/stores-*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no results: %v", err)
	}
	want, err := pageOf(files)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../docs/stores/measured.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("the manual differs (-want +have); run make stores-page:\n%s", diff)
	}
}

// Wrong flags are said to be wrong, and nothing is measured.
func TestFlags(t *testing.T) {
	for _, c := range []struct {
		args []string
		say  string
	}{
		{[]string{"-stores", "memory,nosuch"}, `"nosuch" must be one of memory, etcd`},
		{[]string{"-entries", "-1"}, "must be 0 to 10000000"},
		{[]string{"-page", filepath.Join(t.TempDir(), "p"), "nosuch.json"}, "nosuch.json"},
	} {
		var said bytes.Buffer
		if code := run(t.Context(), c.args, &said); code == 0 || !strings.Contains(said.String(), c.say) {
			t.Errorf("%v: exit code %d, %q; want %q", c.args, code, said.String(), c.say)
		}
	}
}

func TestDist(t *testing.T) {
	var d []time.Duration
	for i := range 200 {
		d = append(d, time.Duration(200-i)*time.Millisecond)
	}
	if diff := cmp.Diff(dist{N: 200, P50: 100, P99: 198, Max: 200}, distOf(d)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(dist{}, distOf(nil)); diff != "" {
		t.Error(diff)
	}
}

// Counting hides nothing that the gate looks for in a driver.
func TestCountingKeepsTheHead(t *testing.T) {
	s := memstore.New(nil)
	defer func() { _ = s.Close() }()
	d, n := count(s)
	h, ok := d.(driver.Header)
	if !ok {
		t.Fatal("a driver with a head has none any more")
	}
	if _, err := h.Head(t.Context(), "entries"); err != nil || n.Load() != 1 {
		t.Errorf("%d calls after one: %v", n.Load(), err)
	}
	d, n = count(drivertest.NewHeadless(s))
	if _, ok := d.(driver.Header); ok {
		t.Error("a driver without a head has one")
	}
	b, ok := d.(driver.Batcher)
	if !ok {
		t.Fatal("a driver that reads many keys at once does so no more")
	}
	if _, err := b.Versions(t.Context(), "entries", []string{"a", "b"}); err != nil || n.Load() != 1 {
		t.Errorf("%d calls after one: %v", n.Load(), err)
	}
	if _, _, err := b.Since(t.Context(), "entries", 0); err != nil || n.Load() != 2 {
		t.Errorf("%d calls after two: %v", n.Load(), err)
	}
}
