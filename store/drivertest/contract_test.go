package drivertest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// The names are fit for reports and for subtests, and each statement is one
// sentence. That names and subtests are the same is what Run begins with.
func TestGuarantees(t *testing.T) {
	name, seen := regexp.MustCompile(`^[A-Z][A-Za-z]+$`), map[string]bool{}
	for _, g := range driver.Guarantees() {
		if !name.MatchString(g.Name) || seen[g.Name] {
			t.Errorf("%q is no name, or there twice", g.Name)
		}
		seen[g.Name] = true
		if strings.Count(g.Statement, ".") != 1 || !strings.HasSuffix(g.Statement, ".") {
			t.Errorf("%s: %q is not one sentence", g.Name, g.Statement)
		}
	}
}

// The doc comment of each subtest states at length what the guarantee is: it is
// where somebody looks whose driver fails.
func TestSubtestsAreDocumented(t *testing.T) {
	docs, checks := map[string]string{}, map[string]ast.Expr{}
	names, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range names {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				docs[d.Name.Name] = d.Doc.Text()
			case *ast.GenDecl:
				collect(d, checks)
			}
		}
	}
	if len(checks) < 40 {
		t.Fatalf("only %d subtests were found", len(checks))
	}
	for name, check := range checks {
		ast.Inspect(check, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				n = call.Fun
			}
			id, ok := n.(*ast.Ident)
			if doc, function := docs[identName(id)]; ok && function && len(doc) < 40 {
				t.Errorf("%s: the function %s says no more than %q", name, id.Name, doc)
			} else if ok && function {
				docs[name] = doc
			}
			return true
		})
		if docs[name] == "" {
			t.Errorf("%s has no doc comment", name)
		}
	}
}

func identName(id *ast.Ident) string {
	if id == nil {
		return ""
	}
	return id.Name
}

// The suite is right about a driver without a Head, too.
func TestConformanceWithoutAHead(t *testing.T) {
	const bound = 5 * time.Second
	drivertest.Run(t, drivertest.Harness{
		New: func(t *testing.T) drivertest.Engine {
			mem := memstore.New(nil)
			t.Cleanup(func() { _ = mem.Close() })
			s := drivertest.NewHeadless(mem)
			d, fault := drivertest.NewFlaky(s, bound)
			return drivertest.Engine{Driver: d, Peer: s, Fault: fault, Compact: func() { mem.Compact("entries") }}
		},
		TTL: time.Second, Late: time.Millisecond, Bound: bound + time.Millisecond, Bubble: true,
		Cannot: map[drivertest.Outage]string{
			drivertest.Freeze: reason, drivertest.FullDisk: reason, drivertest.ClockAhead: reason,
			drivertest.ClockBack: reason, drivertest.LeaderKill: reason, drivertest.LeaderFreeze: reason,
		},
		Shows: map[string]func(*testing.T) string{"SurvivesKill": func(*testing.T) string { return "it forgets" }},
	})
}

const reason = "it is memory, whose own tests make what outages there can be"

// collect finds the table of the subtests.
func collect(d *ast.GenDecl, into map[string]ast.Expr) {
	for _, s := range d.Specs {
		v, ok := s.(*ast.ValueSpec)
		if !ok || v.Names[0].Name != "checks" {
			continue
		}
		for _, row := range v.Values[0].(*ast.CompositeLit).Elts {
			cells := row.(*ast.CompositeLit).Elts
			into[strings.Trim(cells[0].(*ast.BasicLit).Value, `"`)] = cells[2]
		}
	}
}
