package api_test

import (
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/api"
)

var update = flag.Bool("update", false, "write docs/openapi.yaml")

// The document that is published is that of the code, and the one that is served.
func TestOpenAPI(t *testing.T) {
	const file = "../docs/openapi.yaml"
	w := newWorld(t, nil)
	document, err := w.a.Document()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, document, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(document), string(have)); d != "" {
		t.Errorf("%s differs (-want +have); run make openapi:\n%s", file, d)
	}
	if served := w.get("/openapi.yaml").is(200, nil); served.body != string(have) || served.header.Get("Content-Type") != "application/openapi+yaml" {
		t.Errorf("served is another one: %v", served.header)
	}
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string                     `json:"operationId"`
			Summary     string                     `json:"summary"`
			Role        string                     `json:"x-role"`
			Responses   map[string]json.RawMessage `json:"responses"`
		}
	}
	w.get("/openapi.json").is(200, &doc)
	if doc.OpenAPI != "3.1.0" || len(doc.Paths) < 10 {
		t.Errorf("OpenAPI %s, %d paths", doc.OpenAPI, len(doc.Paths))
	}
	seen := map[string]bool{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			if op.OperationID == "" || seen[op.OperationID] || op.Summary == "" || !strings.Contains("proxy viewer operator admin", op.Role) || op.Role == "" {
				t.Errorf("%s %s: %+v", method, path, op)
			}
			seen[op.OperationID] = true
			if !strings.Contains(string(op.Responses["default"]), "application/problem+json") {
				t.Errorf("%s %s does not say what a problem is", method, path)
			}
		}
	}
}

// The page names operations that there are, and all paths.
func TestPage(t *testing.T) {
	b, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Paths map[string]any }
	newWorld(t, nil).get("/openapi.json").is(200, &doc)
	named := regexp.MustCompile("`(?:(?:GET|POST|PUT|PATCH|DELETE) )?(/[a-z{][a-z{}/]*)`")
	on := map[string]bool{}
	for _, m := range named.FindAllStringSubmatch(string(b), -1) {
		if on[m[1]] = true; doc.Paths[m[1]] == nil && m[1] != api.Prefix {
			t.Errorf("docs/api.md names %s, which is no path", m[1])
		}
	}
	for path := range doc.Paths {
		if !on[path] {
			t.Errorf("docs/api.md does not name %s", path)
		}
	}
}
