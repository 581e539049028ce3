package report_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/bench/report"
)

// TestPageIsCurrent holds docs/performance.md to the results that it is made of.
func TestPageIsCurrent(t *testing.T) {
	files, err := filepath.Glob("../results/*.result.json")
	if err != nil {
		t.Fatal(err)
	}
	all, err := report.Read(files)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, report.Page(all)) {
		t.Error("docs/performance.md is not what bench/results comes to: make performance-page")
	}
}

func TestVerdicts(t *testing.T) {
	var below, above, least report.Row
	below.Judge(150, 150)
	above.Judge(300, 150)
	least.JudgeAtLeast(0.4, 0.8)
	if !*below.Met || below.Missed != "" {
		t.Errorf("150 of at most 150: %+v", below)
	}
	if *above.Met || above.Missed != "2.00 times the target" {
		t.Errorf("300 of at most 150: %+v", above)
	}
	if *least.Met || least.Missed != "0.50 times the target" {
		t.Errorf("0.4 of at least 0.8: %+v", least)
	}
	r := report.Result{Title: "T", Method: "M.", Command: "make x", Rows: []report.Row{{What: "a | b", Value: "300 ns", N: 3, Target: "<= 150 ns", Met: above.Met, Missed: above.Missed}}}
	page := string(report.Page([]report.Result{r}))
	for _, want := range []string{"Of 1 figures that have a target, 0 meet it and 1 miss it.", `| a \| b | 300 ns |`, "&lt;= 150 ns | no: 2.00 times the target |"} {
		if !bytes.Contains([]byte(page), []byte(want)) {
			t.Errorf("the page has no %q:\n%s", want, page)
		}
	}
}

// TestWhereItWasMeasured: a page says what the engines' files were on, where that is known.
func TestWhereItWasMeasured(t *testing.T) {
	here := report.Here()
	if runtime.GOOS == "linux" && !strings.Contains(here.Disk, ", synced in ") {
		t.Errorf("temporary files on %q", here.Disk)
	}
	r := report.Result{Name: "x", Title: "T", Method: "M.", Command: "make x", Machine: here, Rows: []report.Row{{What: "a", Value: "1"}}}
	r.Machine.Disk = "xfs, synced in 0.50 ms"
	dir := filepath.Join(t.TempDir(), "made")
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	all, err := report.Read([]string{filepath.Join(dir, "x.result.json")})
	if err != nil {
		t.Fatal(err)
	}
	if page := string(report.Page(all)); !strings.Contains(page, "; temporary files on xfs, synced in 0.50 ms.\n") {
		t.Errorf("not on the page:\n%s", page)
	}
}
