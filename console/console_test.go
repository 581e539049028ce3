package console_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/console"
)

func ask(method, path string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	console.Handler().ServeHTTP(rec, httptest.NewRequest(method, "http://127.0.0.1:9282"+path, nil))
	return rec
}

// The page is at every path of its own, under a policy that lets it load only the files
// that it names, and those are there, for ever under their names.
func TestHandler(t *testing.T) {
	page := ask("GET", "/ui/")
	for _, path := range []string{"/ui/", "/ui/moves/m1", "/ui/tenants/a%2Fb", "/ui/../etc/passwd"} {
		r := ask("GET", path)
		if r.Code != http.StatusOK || r.Body.String() != page.Body.String() || r.Header().Get("Content-Security-Policy") != console.Policy ||
			r.Header().Get("Cache-Control") != "no-cache" || r.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("%s: %d %v", path, r.Code, r.Header())
		}
	}
	if strings.Contains(console.Policy, "unsafe") || !strings.HasPrefix(console.Policy, "default-src 'none';") {
		t.Errorf("the policy is %s", console.Policy)
	}
	named := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page.Body.String(), -1)
	if len(named) < 3 {
		t.Fatalf("the page names %d files:\n%s", len(named), page.Body)
	}
	for _, m := range named {
		r := ask("GET", m[1])
		if !strings.HasPrefix(m[1], console.Path+"assets/") || r.Code != http.StatusOK || r.Body.Len() == 0 || !strings.Contains(r.Header().Get("Cache-Control"), "immutable") ||
			r.Header().Get("Content-Type") == "" || r.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", m[1], r.Code, r.Header())
		}
	}
	if regexp.MustCompile(`<style|<script>|\sstyle=|\son[a-z]+=`).MatchString(page.Body.String()) {
		t.Errorf("there is something inline in the page:\n%s", page.Body)
	}
	if r := ask("GET", "/ui/assets/index-of-another-build.js"); r.Code != http.StatusNotFound || r.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("a file of another build: %d %v", r.Code, r.Header())
	}
	if r := ask("POST", "/ui/"); r.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", r.Code)
	}
	if r := ask("HEAD", "/ui/"); r.Code != http.StatusOK || r.Body.Len() != 0 {
		t.Errorf("HEAD: %d, %d bytes", r.Code, r.Body.Len())
	}
}
