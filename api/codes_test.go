package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/api"
)

// Every code that the package has is in the table once and is used, and every row says
// what whoever gets it needs to know.
func TestNoProblemOutsideTheTable(t *testing.T) {
	table := map[api.Code]bool{}
	for _, r := range api.Problems() {
		if table[r.Code] {
			t.Errorf("%s is in the table twice", r.Code)
		}
		table[r.Code] = true
		for _, text := range []string{r.Meaning, r.Action} {
			if len(text) < 15 || !strings.HasSuffix(text, ".") || strings.ContainsAny(text, "|\n") {
				t.Errorf("%s: %q is no sentence", r.Code, text)
			}
		}
		if r.Status < 400 {
			t.Errorf("%s has status %d", r.Code, r.Status)
		}
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	constants, used := map[string]api.Code{}, map[string]int{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if id, ok := n.Type.(*ast.Ident); ok && id.Name == "Code" {
					text, _ := strconv.Unquote(n.Values[0].(*ast.BasicLit).Value)
					constants[n.Names[0].Name] = api.Code(text)
				}
			case *ast.Ident:
				if f != "codes.go" && strings.HasPrefix(n.Name, "Code") {
					used[n.Name]++
				}
			case *ast.CallExpr: // a problem's code is written out where it is made, or comes from the list of sentinels
				if id, ok := n.Fun.(*ast.Ident); ok && (id.Name == "problem" || id.Name == "Code") {
					arg := ""
					switch x := n.Args[0].(type) {
					case *ast.Ident:
						arg = x.Name
					case *ast.SelectorExpr:
						arg = x.X.(*ast.Ident).Name + "." + x.Sel.Name
					}
					if !strings.HasPrefix(arg, "Code") && arg != "s.code" && arg != "e.Code" { // the latter makes the table
						t.Errorf("%s makes a problem with the code %q", f, arg)
					}
				}
			}
			return true
		})
	}
	if len(constants) != len(table) {
		t.Errorf("%d codes, and %d rows", len(constants), len(table))
	}
	for name, code := range constants {
		if !table[code] {
			t.Errorf("%s is not in the table", name)
		}
		if used[name] == 0 {
			t.Errorf("%s is never made", name)
		}
	}
}
