package sim_test

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	coverSeeds = flag.Int("sim.cover", 0, "how many seeds to measure the coverage of the protocol by; 0: none")
	coverList  = flag.Bool("sim.blocks", false, "list what they have not run")
)

const module = "github.com/sluiceproxy/sluice/"

// part of the shipped code, in the package of that name. least is the share of its statements, in percent, that
// 600 seeds and the given worlds have to run: what was measured of them, less a point or two.
type part struct {
	what  string
	paths []string // prefixes
	least float64
	// elsewhere are files, within paths, of which no world has anything: real engines
	// test them.
	elsewhere []string
}

// The protocol is in the first four. What else their packages hold is for other
// tests: validation of what people type, import and export, the control plane that
// other programs import.
var parts = []part{
	{"gate", []string{"gate/"}, 90, []string{"gate/shadow.go", "gate/observe.go"}},
	{"control", []string{"control/adopt.go", "control/barrier.go", "control/catchup.go", "control/controller.go", "control/cutover.go", "control/drive.go",
		"control/fleet", "control/journals.go", "control/m", "control/receipt.go", "control/relieve.go", "control/rollback.go", "control/settle.go", "control/t", "control/verify.go"}, 85, []string{"control/tenants.go", "control/trash.go"}},
	{"placement", []string{"placement/entry.go", "placement/step.go"}, 78, nil},
	{"store", []string{"store/codec.go", "store/records.go", "store/scan.go", "store/session.go", "store/store.go"}, 77, nil},
	// No world has a shared index, a tenant of several, a shard of more than a batch, a copy
	// with hours, or a snapshot repository; none compares searches, or copies by itself.
	{"mover", []string{"mover/"}, 69, []string{"mover/shared.go", "mover/lifted.go", "mover/sweep.go", "mover/trash.go", "mover/nodestats.go", "mover/into", "mover/position.go", "mover/snapshot", "mover/frozen.go",
		"mover/pair.go", "mover/repository.go", "mover/rests.go", "mover/sample.go", "mover/sole.go"}},
	{"proxy", []string{"proxy/"}, 39, []string{"proxy/shared", "proxy/shadow", "proxy/pattern.go", "proxy/mixedbulk.go", "proxy/template.go", "proxy/tenantmetrics.go"}},
}

// block is a piece of code without a branch: all of it runs, or nothing.
type block struct {
	file             string
	fromLine, toLine int
	statements       int
}

// TestCoverage measures what of the shipped code the simulation runs. Go counts
// blocks between branches; whether a condition was both true and false shows only
// where each leads to a block of its own.
func TestCoverage(t *testing.T) {
	if *coverSeeds == 0 {
		t.Skip("runs seeds of a program that is built to count; make cover-sim does it, and make test")
	}
	ran := measure(t, *coverSeeds)
	for _, p := range parts {
		all, on := 0, 0
		for b, ran := range ran {
			is := func(path string) bool { return strings.HasPrefix(b.file, path) }
			if !slices.ContainsFunc(p.paths, is) || slices.ContainsFunc(p.elsewhere, is) {
				continue
			}
			all += b.statements
			if ran {
				on += b.statements
			}
		}
		if all == 0 {
			t.Errorf("nothing is known of %s", p.what)
			continue
		}
		share := 100 * float64(on) / float64(all)
		t.Logf("%-10s %5.1f%% of %d statements ran in %d seeds and the given worlds; at least %v%% must", p.what, share, all, *coverSeeds, p.least)
		if share < p.least {
			t.Errorf("%s: %.1f%% is too little", p.what, share)
		}
	}
	if *coverList {
		list(t, ran)
	}
}

// measure runs seeds in a program that counts, one process a core, and beside them
// the worlds of the mutants and of what was found.
func measure(t *testing.T, seeds int) map[block]bool {
	var pkgs []string
	for _, p := range parts {
		pkgs = append(pkgs, module+p.what)
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "cover.test")
	build := exec.Command("go", "test", "-c", "-covermode=set", "-coverpkg="+strings.Join(pkgs, ","), "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	each := (seeds + cores - 1) / cores
	var runs [][]string
	for i := range cores {
		runs = append(runs, []string{"-test.run=^TestSeeds$", "-sim.child", "-sim.noshrink", fmt.Sprintf("-sim.seeds=%d", each), fmt.Sprintf("-sim.first=%d", 1+i*each)})
	}
	// And the worlds that were made to have much of something: chance has little of it.
	runs = append(runs, []string{"-test.run=^(TestMutantsRunsAreClean|TestFound|TestRollbacks)$"})
	var wg sync.WaitGroup
	for i, args := range runs {
		wg.Go(func() {
			run := exec.CommandContext(t.Context(), program, append(args, "-test.timeout=0", fmt.Sprintf("-test.coverprofile=%s/%d.out", dir, i))...)
			if out, err := run.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out[max(0, len(out)-3000):])
			}
		})
	}
	wg.Wait()
	ran := map[block]bool{}
	for i := range runs {
		profile(t, fmt.Sprintf("%s/%d.out", dir, i), ran)
	}
	return ran
}

// profile adds what one process has run.
func profile(t *testing.T, name string, ran map[block]bool) {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Scan() // the mode
	for lines.Scan() {
		file, rest, ok := strings.Cut(strings.TrimPrefix(lines.Text(), module), ":")
		var b block
		var c1, c2, count int
		if _, err := fmt.Sscanf(rest, "%d.%d,%d.%d %d %d", &b.fromLine, &c1, &b.toLine, &c2, &b.statements, &count); !ok || err != nil {
			t.Fatalf("a line of the profile is %q: %v", lines.Text(), err)
		}
		b.file = file
		// Blocks that begin and end in the same lines are told apart by their columns.
		b.fromLine, b.toLine = b.fromLine*1000+c1, b.toLine*1000+c2
		ran[b] = ran[b] || count > 0
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// function is where one stands in its file.
type function struct {
	name     string
	from, to int
}

func functions(t *testing.T, path string) []function {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []function
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			out = append(out, function{fn.Name.Name, set.Position(fn.Pos()).Line, set.Position(fn.End()).Line})
		}
	}
	return out
}

// list prints each function that did not run whole, and its blocks that did not.
func list(t *testing.T, ran map[block]bool) {
	byFile := map[string][]block{}
	for b := range ran {
		byFile[b.file] = append(byFile[b.file], b)
	}
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		blocks := byFile[file]
		slices.SortFunc(blocks, func(a, b block) int { return cmp.Compare(a.fromLine, b.fromLine) })
		path := filepath.Join("../..", file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		source := strings.Split(string(text), "\n")
		for _, fn := range functions(t, path) {
			all, on := 0, 0
			var left []string
			for _, b := range blocks {
				from, to := b.fromLine/1000, b.toLine/1000
				if from < fn.from || from > fn.to {
					continue
				}
				all += b.statements
				if ran[b] {
					on += b.statements
				} else {
					left = append(left, fmt.Sprintf("    %s:%d-%d  %s", file, from, to, strings.TrimSpace(source[from-1])))
				}
			}
			if on < all {
				fmt.Printf("%s %s: %d of %d statements\n%s\n", file, fn.name, on, all, strings.Join(left, "\n"))
			}
		}
	}
}
