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

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/proxy"
)

const errorsHead = `# Errors

<!-- Made from the tables in proxy/codes.go and api/codes.go by make endpoints-page. -->

There are two kinds: what a client of OpenSearch gets from a proxy, and what an operator gets from the HTTP API.

## Of the proxy

What the proxy answers by itself has OpenSearch's shape, with two members more. ` + "`error.type`" + ` is stable, and programs branch on it; the text of
` + "`error.reason`" + ` is for people and may change.

` + "```json" + `
{
  "error": {
    "root_cause": [{"type": "sluice_too_many_requests", "reason": "..."}],
    "type": "sluice_too_many_requests", "reason": "...",
    "retryable": true,
    "action": "Repeat the request after the time in Retry-After, and have fewer under way at once."
  },
  "status": 429
}
` + "```" + `

` + "`retryable`" + ` is true if nothing was changed and the same request may succeed later. Where it is false, repeating it is of no use, or, after
` + "`sluice_outcome_unknown`" + `, not safe. ` + "`action`" + ` says what to do. Items of a bulk that fail in the proxy carry the same members in their own ` + "`error`" + `.

Errors of the cluster are passed on as they are, without these members; a tenant of a ` + "`shared_index`" + ` sees their types, and reasons of the proxy's.
A message that is no HTTP request is refused in the same shape before it has a tenant; under TLS, in plain text.
`

const problemsHead = `
## Of the HTTP API

The API answers with problems (` + "`application/problem+json`" + `, RFC 9457). ` + "`code`" + ` is stable, and programs branch on it; ` + "`type`" + ` is
` + "`" + api.TypePrefix + "`" + ` and the code. ` + "`title`, `retryable` and `action`" + ` are those of this table, ` + "`detail`" + ` is about the request, and ` + "`instance`" + ` has its id.

| code | status | retryable | meaning | what to do |
| --- | --- | --- | --- | --- |
`

// errorsPage is the manual's page of the table.
func errorsPage() string {
	var b strings.Builder
	b.WriteString(errorsHead)
	section := func(title string, own bool) {
		fmt.Fprintf(&b, "\n### %s\n\n| type | status | retryable | meaning | what to do |\n| --- | --- | --- | --- | --- |\n", title)
		for _, c := range proxy.Codes {
			if strings.HasPrefix(c.Type, "sluice_") != own {
				continue
			}
			var statuses []string
			for _, s := range c.Statuses {
				statuses = append(statuses, strconv.Itoa(s))
			}
			retryable := "no"
			if c.Retryable {
				retryable = "yes"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.Type, strings.Join(statuses, ", "), retryable, c.Meaning, c.Action)
		}
	}
	section("The proxy's own", true)
	section("OpenSearch's, answered in the cluster's place", false)
	b.WriteString(problemsHead)
	for _, p := range api.Problems() {
		retryable := "no"
		if p.Retryable {
			retryable = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %d | %s | %s | %s |\n", p.Code, p.Status, retryable, p.Meaning, p.Action)
	}
	return b.String()
}

// The manual's page says what the table says.
func TestErrorsPage(t *testing.T) { samePage(t, "../docs/errors.md", errorsPage()) }

// Every error of the table is answered in OpenSearch's shape, with a hint.
func TestEveryError(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range proxy.Codes {
		if seen[c.Type] {
			t.Errorf("%s is in the table twice", c.Type)
		}
		seen[c.Type] = true
		for _, text := range []string{c.Meaning, c.Action} {
			if len(text) < 20 || !strings.HasSuffix(text, ".") || strings.ContainsAny(text, "|\n") {
				t.Errorf("%s: %q is no sentence", c.Type, text)
			}
		}
		if len(c.Statuses) == 0 {
			t.Errorf("%s has no status", c.Type)
		}
		for _, status := range c.Statuses {
			a := proxy.WriteError(status, c.Type)
			if a.Code != status || a.Header().Get("Content-Type") != "application/json; charset=UTF-8" {
				t.Errorf("%s: status %d, %v", c.Type, a.Code, a.Header())
			}
			r := reply{a.Code, a.Header(), a.Body.String()}
			r.want(t, status, "error/type", c.Type, "error/reason", "because", "error/root_cause/0/type", c.Type, "error/root_cause/0/reason", "because",
				"error/retryable", c.Retryable, "error/action", c.Action, "status", strconv.Itoa(status))
			// Official clients repeat these statuses by themselves.
			if again := slices.Contains([]int{429, 502, 503}, status); again != c.Retryable && status != http.StatusConflict {
				t.Errorf("%s has status %d and retryable %t", c.Type, status, c.Retryable)
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
	for _, c := range proxy.Codes {
		known[c.Type] = true
	}
	used := map[string]bool{}
	for _, m := range all {
		used[m.kind] = true
		if !known[m.kind] {
			t.Errorf("%s: the error %s is not in the table in codes.go", m.at, m.kind)
		}
	}
	for kind := range known {
		if !used[kind] {
			t.Errorf("nothing makes the error %s", kind)
		}
	}
	for name, kind := range constants {
		if !known[kind] {
			t.Errorf("%s = %s is not in the table in codes.go", name, kind)
		}
	}
}
