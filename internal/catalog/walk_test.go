package catalog_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// outside are folders whose errors reach nobody but a developer: tests, engines,
// benchmarks and what they are made of. Of cmd, api and all that they import none is here.
var outside = []string{
	"bench", "deploy", "spec", "docs", "store/drivertest", "internal/arch", "internal/chaos", "internal/child", "internal/clients", "internal/demo",
	"internal/engines", "internal/history", "internal/load", "internal/sim", "internal/soak", "internal/credentials/testca",
}

// source is a file of the program.
type source struct {
	dir  string // of its package, from the module's root
	tree *ast.File
}

func program(t *testing.T) (*token.FileSet, []source) {
	t.Helper()
	set, root := token.NewFileSet(), filepath.Join("..", "..")
	var all []source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if slices.Contains(outside, rel) || d.Name() == "testdata" || d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".") && rel != "." {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		tree, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return err
		}
		dir, _ := filepath.Split(rel)
		all = append(all, source{strings.TrimSuffix(dir, "/"), tree})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 200 {
		t.Fatalf("only %d files: this test looks in the wrong place", len(all))
	}
	return set, all
}

func literal(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

// called returns the name of what is called, such as errors.New.
func called(e ast.Expr) string {
	c, ok := e.(*ast.CallExpr)
	if !ok {
		return ""
	}
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
	}
	return ""
}

// No error that has a name leaves without a code: neither a sentinel, nor a type. What has
// no name gets the code of the place where it leaves, each of which takes any error: the
// proxy's toAPI, the API's problemOf, and the command line's entryOf. Of other packages than control, what
// is not exported is not looked at: it is seen by nobody who could branch on it, and gets the
// code of what wraps it, or of the place where it leaves.
func TestEveryErrorHasACode(t *testing.T) {
	set, all := program(t)
	messages, codes := map[string]token.Pos{}, map[string]bool{} // types, by package and name, that have Error, and ErrorCode
	sentinels := 0
	for _, f := range all {
		for _, d := range f.tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil || d.Type.Params.NumFields() > 0 {
					continue
				}
				of := d.Recv.List[0].Type
				if s, ok := of.(*ast.StarExpr); ok {
					of = s.X
				}
				if id, ok := of.(*ast.Ident); ok {
					switch d.Name.Name {
					case "Error":
						messages[f.dir+"."+id.Name] = d.Pos()
					case "ErrorCode":
						codes[f.dir+"."+id.Name] = true
					}
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					v, ok := s.(*ast.ValueSpec)
					if !ok || d.Tok != token.VAR {
						continue
					}
					for i, x := range v.Values {
						name := f.dir + "." + v.Names[i].Name
						if !v.Names[i].IsExported() && f.dir != "control" {
							continue
						}
						switch called(x) {
						case "catalog.New", "catalog.Errorf":
							sentinels++
						case "errors.New":
							t.Errorf("%s: %s has no code: make it by catalog.New", set.Position(v.Pos()), name)
						case "fmt.Errorf":
							if text, ok := literal(x.(*ast.CallExpr).Args[0]); !ok || !strings.Contains(text, "%w") {
								t.Errorf("%s: %s has no code: make it by catalog.Errorf, or let it wrap one that has", set.Position(v.Pos()), name)
							}
						}
					}
				}
			}
		}
	}
	for name, pos := range messages {
		if !codes[name] {
			t.Errorf("%s: the error %s has no method ErrorCode", set.Position(pos), name)
		}
	}
	if sentinels < 50 || len(messages) < 25 {
		t.Errorf("only %d sentinels and %d types: this test looks in the wrong place", sentinels, len(messages))
	}
}

// Every code that an error is given is in the catalogue, and every code of the
// catalogue is given to something.
func TestEveryCodeHasAnEntry(t *testing.T) {
	set, all := program(t)
	given := map[string]token.Pos{}
	texts := map[string]bool{}
	for _, f := range all {
		if f.dir == "internal/catalog" {
			continue
		}
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if s, ok := literal(n); ok {
					texts[s] = true
				}
			case *ast.CallExpr:
				if name := called(n); name == "catalog.New" || name == "catalog.Errorf" {
					if code, ok := literal(n.Args[0]); ok {
						given[code] = n.Pos()
					} else if c := called(n.Args[0]); c != "cmp.Or" { // a code that was recorded before
						t.Errorf("%s: a code that this test cannot follow", set.Position(n.Pos()))
					}
				}
			case *ast.FuncDecl: // what a method ErrorCode returns
				if n.Name.Name != "ErrorCode" {
					return true
				}
				ast.Inspect(n, func(n ast.Node) bool {
					if r, ok := n.(*ast.ReturnStmt); ok {
						if code, ok := literal(r.Results[0]); ok {
							given[code] = r.Pos()
						}
					}
					return true
				})
			case *ast.ValueSpec: // the constants that a typed refusal holds
				for i, name := range n.Names {
					if i < len(n.Values) && strings.HasPrefix(name.Name, "Code") && slices.Contains([]string{"placement", "mover", "api"}, f.dir) {
						if code, ok := literal(n.Values[i]); ok {
							given[code] = n.Pos()
						}
					}
				}
			}
			return true
		})
	}
	for code, pos := range given {
		if len(catalog.Named(code)) == 0 {
			t.Errorf("%s: %s is not in the catalogue", set.Position(pos), code)
		}
	}
	if len(given) < 120 {
		t.Errorf("only %d codes: this test looks in the wrong place", len(given))
	}
	for _, of := range catalog.Surfaces {
		for _, e := range catalog.Entries(of) {
			if !texts[e.Code] {
				t.Errorf("nothing has the code %s of %s", e.Code, of)
			}
		}
	}
}

// What a move and a wave record for people comes with its code: through the two methods
// that set both, from an error. What a driver notes has a code of its own.
func TestMovesRecordCodes(t *testing.T) {
	set, all := program(t)
	noted := 0
	for _, f := range all {
		if f.dir != "control" {
			continue
		}
		for _, d := range f.tree.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.AssignStmt:
					for _, l := range n.Lhs {
						s, ok := l.(*ast.SelectorExpr)
						if !ok || fn.Name.Name == "because" || fn.Name.Name == "waits" {
							continue
						}
						of, _ := s.X.(*ast.Ident)
						inner, _ := s.X.(*ast.SelectorExpr)
						switch {
						case s.Sel.Name == "Error" && of != nil && of.Name == "m",
							s.Sel.Name == "Note" && inner != nil && inner.Sel.Name == "Progress",
							s.Sel.Name == "Reason" && of != nil && of.Name == "w":
							t.Errorf("%s: set it by because or waits, which record its code, too", set.Position(n.Pos()))
						}
					}
				case *ast.CallExpr:
					s, ok := n.Fun.(*ast.SelectorExpr)
					if !ok || !slices.Contains([]string{"note", "waits", "because", "become", "keep", "end"}, s.Sel.Name) {
						return true
					}
					noted++
					switch last := n.Args[len(n.Args)-1]; called(last) {
					case "errors.New":
						t.Errorf("%s: this reason has no code", set.Position(n.Pos()))
					case "fmt.Errorf":
						if text, _ := literal(last.(*ast.CallExpr).Args[0]); !strings.Contains(text, "%w") {
							t.Errorf("%s: this reason has no code", set.Position(n.Pos()))
						}
					}
				}
				return true
			})
		}
	}
	if noted < 30 {
		t.Errorf("only %d reasons: this test looks in the wrong place", noted)
	}
}
