package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
)

// The whole program against something that answers at once: all cases are measured,
// and the limit is felt where it is.
func TestRun(t *testing.T) {
	cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case strings.HasSuffix(r.URL.Path, "/_bulk"):
			items := strings.Repeat(`,{"index":{"status":201}}`, bytes.Count(body, []byte("\n"))/2)
			_, _ = io.WriteString(w, `{"took":1,"errors":false,"items":[`+items[1:]+`]}`)
		case strings.HasSuffix(r.URL.Path, "/_search"):
			time.Sleep(5 * time.Millisecond) // what a search takes
			_, _ = io.WriteString(w, `{}`)
		default:
			_, _ = io.WriteString(w, `{}`)
		}
	}))
	defer cluster.Close()
	dir := t.TempDir()
	var out, errw strings.Builder
	args := []string{"-cluster", cluster.URL, "-clients", "8", "-limit", "2", "-docs", "10", "-rounds", "2", "-slice", "60ms", "-think", "1ms", "-backoff", "1ms", "-out", dir}
	if code := report.Run(t.Context(), "flood", benchmark, args, &out, &errw); code != 0 {
		t.Fatalf("exit code %d: %s", code, errw.String())
	}
	text, err := os.ReadFile(filepath.Join(dir, "flood.result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Rows []report.Row
		Raw  result
	}
	if err := json.Unmarshal(text, &file); err != nil || len(file.Rows) != 6 || out.Len() == 0 {
		t.Fatalf("%v, %d rows", err, len(file.Rows))
	}
	res := file.Raw
	if len(res.Cases) != 4 || len(res.Ratios) != 2 {
		t.Fatalf("%+v", res)
	}
	for _, c := range res.Cases {
		if c.N < 2 || c.P50 <= 0 || c.P99 < c.P50 || c.Max < c.P99 || (c.Served > 0) != c.Flood || (c.Refused > 0) != (c.Flood && c.Limit) {
			t.Errorf("%+v", c)
		}
	}
	for _, r := range res.Ratios {
		if r.P50 <= 0 || r.P99 <= 0 {
			t.Errorf("%+v", r)
		}
	}
	for _, bad := range [][]string{{"-clients", "1", "-limit", "1"}, {"-nosuch"}, {"nosuch"}, {"-rounds", "0"}} {
		if code := report.Run(t.Context(), "flood", benchmark, bad, io.Discard, io.Discard); code != 2 {
			t.Errorf("%q: exit code %d", bad, code)
		}
	}
}
