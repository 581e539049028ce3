package proxy_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/proxy"
)

// Every error of the table is answered in OpenSearch's shape, with a hint.
func TestEveryError(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range catalog.Entries(catalog.Proxy) {
		if seen[c.Code] {
			t.Errorf("%s is in the table twice", c.Code)
		}
		seen[c.Code] = true
		for _, text := range []string{c.Meaning, c.Action} {
			if len(text) < 20 || !strings.HasSuffix(text, ".") || strings.ContainsAny(text, "|\n") {
				t.Errorf("%s: %q is no sentence", c.Code, text)
			}
		}
		if len(c.Statuses) == 0 {
			t.Errorf("%s has no status", c.Code)
		}
		for _, status := range c.Statuses {
			a := proxy.WriteError(status, c.Code)
			if a.Code != status || a.Header().Get("Content-Type") != "application/json; charset=UTF-8" {
				t.Errorf("%s: status %d, %v", c.Code, a.Code, a.Header())
			}
			r := reply{a.Code, a.Header(), a.Body.String()}
			r.want(t, status, "error/type", c.Code, "error/reason", "because", "error/root_cause/0/type", c.Code, "error/root_cause/0/reason", "because",
				"error/retryable", c.Retryable, "error/action", c.Action, "status", strconv.Itoa(status))
			// Official clients repeat these statuses by themselves.
			if again := slices.Contains([]int{429, 502, 503}, status); again != c.Retryable && status != http.StatusConflict {
				t.Errorf("%s has status %d and retryable %t", c.Code, status, c.Retryable)
			}
		}
	}
}

// made is an error that the package's code makes.
type made struct{ at, kind string }

// Every type of error that the code makes is in the table, and every one of the
// table is made.
func TestNoErrorOutsideTheTable(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set, constants := token.NewFileSet(), map[string]string{}
	var all []made
	var syntax []*ast.File
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(set, f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		syntax = append(syntax, tree)
		ast.Inspect(tree, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && len(v.Names) == len(v.Values) {
				for i, name := range v.Names {
					if l, ok := v.Values[i].(*ast.BasicLit); ok && l.Kind == token.STRING && strings.HasPrefix(name.Name, "Type") {
						constants[name.Name], _ = strconv.Unquote(l.Value)
					}
				}
			}
			return true
		})
	}
	// What is passed through: the table of endpoints holds constants, which are
	// looked at where they stand, and a cluster's own types need no row.
	through := []string{"kind", "c.kind", "plainType(detail.Type)"}
	for _, tree := range syntax {
		ast.Inspect(tree, func(n ast.Node) bool {
			var kinds []ast.Expr
			switch n := n.(type) {
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "fail" && len(n.Args) > 2 {
					kinds = append(kinds, n.Args[1])
				}
			case *ast.CompositeLit:
				switch id, ok := n.Type.(*ast.Ident); {
				case ok && id.Name == "cell":
					for _, e := range n.Elts {
						if i, ok := e.(*ast.Ident); ok && strings.HasPrefix(i.Name, "Type") {
							kinds = append(kinds, e)
						}
					}
				case ok && id.Name == "apiError":
					for _, e := range n.Elts {
						if kv, ok := e.(*ast.KeyValueExpr); ok && fmt.Sprint(kv.Key) == "kind" {
							kinds = append(kinds, kv.Value)
						}
					}
				}
			case *ast.AssignStmt:
				for i, l := range n.Lhs {
					if s, ok := l.(*ast.SelectorExpr); ok && s.Sel.Name == "kind" && fmt.Sprint(s.X) == "e" && len(n.Lhs) == len(n.Rhs) {
						kinds = append(kinds, n.Rhs[i])
					}
				}
			}
			for _, k := range kinds {
				m := made{at: set.Position(k.Pos()).String()}
				switch k := k.(type) {
				case *ast.Ident:
					m.kind = constants[k.Name]
					if m.kind == "" && !slices.Contains(through, k.Name) {
						t.Errorf("%s: %s is no constant of a type of error", m.at, k.Name)
					}
				case *ast.BasicLit:
					m.kind, _ = strconv.Unquote(k.Value)
				case *ast.SelectorExpr:
					if !slices.Contains(through, fmt.Sprint(k.X)+"."+k.Sel.Name) {
						t.Errorf("%s: a type of error that this test cannot follow", m.at)
					}
				case *ast.CallExpr:
					if f, ok := k.Fun.(*ast.Ident); !ok || f.Name != "plainType" {
						t.Errorf("%s: a type of error that this test cannot follow", m.at)
					}
				default:
					t.Errorf("%s: a type of error that this test cannot follow", m.at)
				}
				if m.kind != "" {
					all = append(all, m)
				}
			}
			return true
		})
	}
	if len(all) < 60 {
		t.Fatalf("only %d errors found: this test looks in the wrong place", len(all))
	}
	known := map[string]bool{}
	for _, c := range catalog.Entries(catalog.Proxy) {
		known[c.Code] = true
	}
	used := map[string]bool{}
	for _, m := range all {
		used[m.kind] = true
		if !known[m.kind] {
			t.Errorf("%s: the error %s is not in the catalogue of errors", m.at, m.kind)
		}
	}
	for kind := range known {
		if !used[kind] {
			t.Errorf("nothing makes the error %s", kind)
		}
	}
	for name, kind := range constants {
		if !known[kind] {
			t.Errorf("%s = %s is not in the catalogue of errors", name, kind)
		}
	}
}
