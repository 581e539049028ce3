// Package report is the form in which every benchmark leaves what it measured, and makes
// docs/performance.md of those results:
//
//	go run ./bench/report/page -out docs/performance.md bench/results/*.result.json
//
// A result says what was compared with what, in one run of one machine. It judges a figure only
// against the target that its row names.
package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Result is one run of a benchmark.
type Result struct {
	Name    string  `json:"name"`    // of its file, bench/results/NAME.result.json; a new run replaces it
	Title   string  `json:"title"`   // of its section
	Order   int     `json:"order"`   // of its section, from the front
	Command string  `json:"command"` // which repeats it
	Method  string  `json:"method"`  // in sentences: what was interleaved with what, warm-up, load generator, what the spread is
	Machine Machine `json:"machine"`
	Rows    []Row   `json:"rows"`
	Notes   string  `json:"notes,omitempty"` // what a reader must know to read the rows right
	Raw     any     `json:"raw,omitempty"`   // every sample, or what is left of them
}

// Machine is where and when a result was measured.
type Machine struct {
	CPU    string  `json:"cpu"`
	Cores  int     `json:"cores"`
	Memory float64 `json:"memory_gib"`
	OS     string  `json:"os"`
	Go     string  `json:"go"`
	Commit string  `json:"commit"`     // with "+" if the tree had changes
	When   string  `json:"when"`       // RFC 3339, UTC, at the end
	Load   float64 `json:"other_load"` // the load average of one minute before the run began; above 0.5 something else was at work
	// Disk is where temporary files are, the engines' data among them: the file system, and
	// the median time of a sync.
	Disk string `json:"disk,omitempty"`
}

// Row is one figure.
type Row struct {
	What    string  `json:"what"`
	Against string  `json:"against,omitempty"` // what it is compared with
	Value   string  `json:"value"`             // with its unit
	Other   string  `json:"other,omitempty"`   // the same of what it is compared with
	Ratio   float64 `json:"ratio,omitempty"`   // Value / Other; 0: there is none
	N       int     `json:"n"`                 // samples behind Value
	Spread  string  `json:"spread,omitempty"`
	Target  string  `json:"target,omitempty"`
	Met     *bool   `json:"met,omitempty"`    // whether the target was met; nil: there is none
	Missed  string  `json:"missed,omitempty"` // by how much, in words
}

// Judge sets Met, and Missed if value lies above limit.
func (r *Row) Judge(value, limit float64) { r.judge(value <= limit, value, limit) }

// JudgeAtLeast sets Met, and Missed if value lies below limit.
func (r *Row) JudgeAtLeast(value, limit float64) { r.judge(value >= limit, value, limit) }

func (r *Row) judge(met bool, value, limit float64) {
	r.Met, r.Missed = &met, ""
	if !met && limit != 0 {
		r.Missed = fmt.Sprintf("%.2f times the target", value/limit)
	}
}

// Here describes this machine at the start of a run, so that Load is that of others.
func Here() Machine {
	m := Machine{Cores: runtime.GOMAXPROCS(0), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Load: -1}
	for _, f := range []struct {
		file, key string
		set       func(string)
	}{
		{"/proc/cpuinfo", "model name", func(v string) { m.CPU = v }},
		{"/proc/meminfo", "MemTotal", func(v string) {
			var kib float64
			if _, err := fmt.Sscanf(v, "%f kB", &kib); err == nil {
				m.Memory = math.Round(kib/(1<<20)*10) / 10
			}
		}},
	} {
		b, err := os.ReadFile(f.file)
		if err != nil {
			continue // not Linux
		}
		for line := range strings.Lines(string(b)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == f.key {
				f.set(strings.TrimSpace(v))
				break
			}
		}
	}
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Sscanf(string(b), "%f", &m.Load)
	}
	if b, err := exec.Command("git", "describe", "--always", "--dirty=+").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(b))
	}
	m.Disk = disk(os.TempDir())
	return m
}

// Write writes r to dir/NAME.result.json. It makes dir if there is none.
func (r *Result) Write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	r.Machine.When = time.Now().UTC().Format(time.RFC3339)
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, r.Name+".result.json"), append(b, '\n'), 0o644)
}

// Print writes the rows as lines of text, for whoever has just measured them.
func (r *Result) Print(w io.Writer) {
	for _, row := range r.Rows {
		against := ""
		if row.Against != "" {
			against = fmt.Sprintf("  against %s of %s: %.3f", row.Other, row.Against, row.Ratio)
		}
		verdict := ""
		if row.Met != nil {
			verdict = fmt.Sprintf("  target %s %s", row.Target, cmp.Or(row.Missed, "met"))
		}
		_, _ = fmt.Fprintf(w, "%-64s %s%s  n=%d  %s%s\n", row.What, row.Value, against, row.N, row.Spread, verdict)
	}
}

// Read reads results, in their order.
func Read(files []string) ([]Result, error) {
	var all []Result
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		var r Result
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
		if r.Title == "" || r.Command == "" || r.Method == "" || len(r.Rows) == 0 {
			return nil, fmt.Errorf("%s: a result has a title, a command, a method and rows", f)
		}
		all = append(all, r)
	}
	slices.SortStableFunc(all, func(a, b Result) int { return a.Order - b.Order })
	return all, nil
}

// Page writes the results as a page of the manual.
func Page(all []Result) []byte {
	var b strings.Builder
	b.WriteString(head)
	met, missed := 0, 0
	for _, r := range all {
		for _, row := range r.Rows {
			if row.Met != nil && *row.Met {
				met++
			} else if row.Met != nil {
				missed++
			}
		}
	}
	fmt.Fprintf(&b, "Of %d figures that have a target, %d meet it and %d miss it. A row that misses says by how much.\n", met+missed, met, missed)
	for _, r := range all {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n```sh\n%s\n```\n\n", r.Title, r.Method, r.Command)
		m := r.Machine
		fmt.Fprintf(&b, "%s, %d cores, %.1f GiB, %s, %s; commit %s, %s; load average before it %.2f", m.CPU, m.Cores, m.Memory, m.OS, m.Go, m.Commit, m.When, m.Load)
		if m.Disk != "" {
			fmt.Fprintf(&b, "; temporary files on %s", m.Disk)
		}
		b.WriteString(".\n\n")
		b.WriteString("| what | measured | against | its figure | ratio | n | spread | target | met |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
		for _, row := range r.Rows {
			ratio, verdict := "", ""
			if row.Ratio != 0 {
				ratio = fmt.Sprintf("%.2f", row.Ratio)
			}
			switch {
			case row.Met == nil:
			case *row.Met:
				verdict = "yes"
			default:
				verdict = strings.TrimSuffix("no: "+row.Missed, ": ")
			}
			cells := []string{row.What, row.Value, row.Against, row.Other, ratio, fmt.Sprint(row.N), row.Spread, row.Target, verdict}
			for i, c := range cells {
				cells[i] = strings.ReplaceAll(strings.ReplaceAll(c, "|", `\|`), "<", "&lt;")
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
		if r.Notes != "" {
			fmt.Fprintf(&b, "\n%s\n", r.Notes)
		}
	}
	return []byte(b.String())
}

const head = `# Performance

This page is made from the raw results in bench/results by ` + "`make performance-page`" + `; do not edit it. Each section is one run on one machine,
whose cases took turns; so its ratios mean something, and its absolute figures little on another machine. The command of a section repeats it,
and puts its own result in the place of the one that is here.

`
