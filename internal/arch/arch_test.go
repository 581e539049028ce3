package arch_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module   = "github.com/sluiceproxy/sluice"
	maxLines = 800
)

// file is one Go file, its imports by import path.
type file struct {
	name    string // relative to the module's root, with slashes
	pkg     string // its folder
	test    bool
	decl    string // name in the package clause
	doc     bool
	lines   int // 0: it is generated, and nobody reads it from top to bottom
	imports []string
}

// under reports whether folder dir is one of the rooms, or below one.
func under(dir string, rooms ...string) bool {
	return slices.ContainsFunc(rooms, func(r string) bool { return dir == r || strings.HasPrefix(dir, r+"/") })
}

// own returns the folder of an import of this module; false for any other.
func own(imp string) (string, bool) { return strings.CutPrefix(imp, module+"/") }

// A rule looks at one import of one file and says what is wrong with it, or "".
type rule func(f file, imp string) string

var drivers = []string{"store/memstore", "store/etcdstore", "store/consulstore", "store/redisstore", "store/opensearchstore"}

var rules = []rule{
	func(f file, imp string) string {
		dir, ok := own(imp)
		if !ok || f.test || !under(dir, drivers...) || under(f.pkg, "cmd", "bench", "internal/demo", "internal/sim") || under(f.pkg, drivers...) {
			return ""
		}
		return "only cmd, the demo, the simulation, the benchmarks and tests choose a driver: take a *store.Store or a driver.Driver instead"
	},
	func(f file, imp string) string {
		dir, ok := own(imp)
		if !ok || f.test || !under(dir, "control", "mover") || !under(f.pkg, "proxy", "gate", "tenancy", "affinity", "placement", "store") {
			return ""
		}
		return "nothing in the path of a request imports what moves partitions"
	},
	func(f file, imp string) string {
		if f.test || f.pkg != "placement" {
			return ""
		}
		// What the pure state machine may use. os, net, time.Now and the like would
		// make the model and the program two different things.
		pure := []string{
			"bytes", "cmp", "errors", "fmt", "hash/maphash", "iter", "maps", "math", "math/bits", "net/url", "slices",
			"strconv", "strings", "sync", "sync/atomic", "time", "unicode", "unicode/utf8", "unique",
		}
		if slices.Contains(pure, imp) {
			return ""
		}
		return "placement does no I/O and imports nothing of the project"
	},
	func(f file, imp string) string {
		if dir, ok := own(imp); !ok || f.test || f.pkg != "store/driver" || dir == "internal/catalog" {
			return ""
		}
		return "a driver knows no phase, no tenant and no policy"
	},
	func(f file, imp string) string {
		dir, ok := own(imp)
		if !ok || f.test || !under(f.pkg, drivers...) || under(dir, "store/driver", "internal/catalog", "internal/clock", "internal/credentials", "placement") || under(dir, f.pkg) {
			return ""
		}
		return "a driver supplies primitives only, over store/driver (and placement's values, for its own configuration)"
	},
	func(f file, imp string) string {
		dir, ok := own(imp)
		if !ok || f.test || !under(dir, "internal/engines", "internal/demo", "internal/load") || under(f.pkg, "internal", "cmd", "bench", "store/drivertest") {
			return ""
		}
		return "real engines are for tests, the demo and the benchmarks"
	},
	func(f file, imp string) string {
		dir, ok := own(imp)
		if !ok || f.test {
			return ""
		}
		if under(dir, "api") && !under(f.pkg, "cmd", "api") {
			return "the API is over everything else: only cmd serves it"
		}
		if under(f.pkg, "api") && under(dir, "proxy", "gate", "affinity", "internal/config") {
			return "the API asks package control, and knows nothing of how requests are served"
		}
		return ""
	},
	func(f file, imp string) string {
		dir, ok := own(imp)
		if !ok || f.test {
			return ""
		}
		if f.pkg == "client" && !under(dir, "internal/credentials", "placement") {
			return "who asks the API links nothing of the fleet: only how a server is reached, and how bad input is told"
		}
		if dir == "client" && !under(f.pkg, "cmd") {
			return "the client is for those who operate a fleet, and no part of one: only cmd asks"
		}
		if under(f.pkg, "console") || under(dir, "console") && !under(f.pkg, "cmd") {
			return "the console asks the API, as any client: only cmd serves it, and it imports nothing of the project"
		}
		return ""
	},
	func(f file, imp string) string {
		if _, ok := own(imp); !ok || f.test || f.pkg != "internal/catalog" {
			return ""
		}
		return "the catalogue holds facts: whatever has an error imports it"
	},
	func(f file, imp string) string {
		if dir, ok := own(imp); !ok || !under(dir, "cmd") || f.pkg == dir {
			return ""
		}
		return "cmd is wiring: nothing imports it"
	},
}

func TestImports(t *testing.T) {
	for _, f := range source(t) {
		for _, bad := range violations(f) {
			t.Error(bad)
		}
	}
}

func violations(f file) (out []string) {
	for _, imp := range f.imports {
		for _, r := range rules {
			if why := r(f, imp); why != "" {
				out = append(out, fmt.Sprintf("%s imports %s: %s", f.name, imp, why))
			}
		}
	}
	return out
}

// The rules themselves: each bites, and none bites what is allowed.
func TestRulesBite(t *testing.T) {
	for _, c := range []struct {
		from, imp string
		test, ok  bool
	}{
		{"control", "store/memstore", false, false}, {"control", "store/memstore", true, true}, {"cmd/sluice", "store/etcdstore", false, true},
		{"internal/demo", "store/etcdstore", false, true}, {"store", "store/memstore", false, false},
		{"proxy", "mover", false, false}, {"gate", "control", false, false}, {"tenancy", "control", false, false}, {"store/etcdstore", "control", false, false},
		{"mover", "control", false, true}, {"mover", "gate", false, true}, {"placement", "store", false, false}, {"store", "placement", false, true},
		{"store/driver", "placement", false, false}, {"store/driver", "internal/catalog", false, true}, {"store/memstore", "internal/catalog", false, true}, {"internal/catalog", "placement", false, false}, {"placement", "internal/catalog", false, false}, {"store/memstore", "store/driver", false, true}, {"store/memstore", "placement", false, true}, {"store/memstore", "store", false, false},
		{"store/etcdstore", "store/memstore", false, false}, {"proxy", "internal/engines", false, false}, {"internal/demo", "cmd/sluice", false, false},
		{"api", "control", false, true}, {"api", "proxy", false, false}, {"api", "gate", false, false}, {"control", "api", false, false}, {"cmd/sluice", "api", false, true}, {"proxy", "api", true, true},
		{"client", "control", false, false}, {"client", "api", false, false}, {"client", "internal/credentials", false, true}, {"control", "client", false, false}, {"cmd/sluice", "client", false, true},
		{"cmd/sluice", "console", false, true}, {"api", "console", false, false}, {"console", "api", false, false}, {"console", "control", false, false},
		{"store/drivertest", "internal/engines/faultproxy", false, true}, {"store/etcdstore", "internal/credentials", false, true}, {"store/etcdstore", "internal/config", false, false},
	} {
		f := file{name: c.from + "/x.go", pkg: c.from, test: c.test, imports: []string{module + "/" + c.imp}}
		if got := len(violations(f)) == 0; got != c.ok {
			t.Errorf("%s imports %s (test: %t): allowed %t, want %t", c.from, c.imp, c.test, got, c.ok)
		}
	}
	for _, imp := range []string{"os", "net", "net/http", "io", "context", "log/slog", "math/rand/v2", "syscall"} {
		if len(violations(file{pkg: "placement", imports: []string{imp}})) == 0 {
			t.Errorf("placement may import %s", imp)
		}
	}
}

// time is for durations and dates in placement, not for reading a clock; the go
// statement would make it something else than a value.
func TestPlacementIsPure(t *testing.T) {
	fset := token.NewFileSet()
	for _, f := range source(t) {
		if f.pkg != "placement" || f.test {
			continue
		}
		tree, err := parser.ParseFile(fset, filepath.Join(root(t), f.name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				t.Errorf("%s starts a goroutine", fset.Position(n.Pos()))
			case *ast.SelectorExpr:
				clock := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clock, n.Sel.Name) {
					t.Errorf("%s reads the clock: time.%s", fset.Position(n.Pos()), n.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestFilesAreShort(t *testing.T) {
	for _, f := range source(t) {
		if f.lines > maxLines {
			t.Errorf("%s has %d lines, more than %d: split it by what it does", f.name, f.lines, maxLines)
		}
	}
}

func TestPackageNamesAndDocs(t *testing.T) {
	nameless := []string{"util", "utils", "common", "helper", "helpers", "manager", "impl", "misc", "base"}
	documented := map[string]bool{}
	for _, f := range source(t) {
		if slices.Contains(nameless, f.decl) || slices.Contains(nameless, path.Base(f.pkg)) {
			t.Errorf("%s: a package named %q does not say what is in it", f.name, f.decl)
		}
		if f.test {
			if f.decl != "main" && !strings.HasSuffix(f.decl, "_test") && path.Base(f.name) != "export_test.go" && !internalTest[f.name] {
				t.Errorf("%s: tests belong in package %s_test, where they see what users see", f.name, f.decl)
			}
			continue
		}
		documented[f.pkg] = documented[f.pkg] || f.doc
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no package comment: say what it does, what it refuses, and why", pkg)
		}
	}
}

// internalTest are the test files that need what their package does not export.
var internalTest = map[string]bool{}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// source reads every Go file of the module, whatever its build constraints, but
// none of other modules inside it, of testdata, nor of hidden folders.
func source(t *testing.T) []file {
	t.Helper()
	var out []file
	top := root(t)
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(p, "go.mod"))
			hidden := strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_") || d.Name() == "testdata"
			if p != top && (hidden || nested == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := read(top, p)
		out = append(out, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 20 {
		t.Fatalf("only %d files found: this test looks in the wrong place", len(out))
	}
	return out
}

func read(top, p string) (file, error) {
	rel, err := filepath.Rel(top, p)
	if err != nil {
		return file{}, err
	}
	text, err := os.ReadFile(p)
	if err != nil {
		return file{}, err
	}
	tree, err := parser.ParseFile(token.NewFileSet(), p, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return file{}, err
	}
	name := filepath.ToSlash(rel)
	f := file{
		name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
		decl: tree.Name.Name, doc: tree.Doc.Text() != "",
	}
	if !ast.IsGenerated(tree) {
		f.lines = bytes.Count(text, []byte("\n"))
	}
	for _, imp := range tree.Imports {
		s, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, s)
	}
	return f, nil
}
