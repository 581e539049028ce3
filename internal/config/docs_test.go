package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/config"
)

// Every configuration that the page about tenants shows is one.
func TestTenantsPage(t *testing.T) {
	b, err := os.ReadFile("../../docs/tenants.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(b), "```yaml\n")[1:]
	if len(blocks) < 5 {
		t.Fatalf("%d configurations", len(blocks))
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		if !strings.Contains(text, "client_cert:") { // the others are shown without
			text += "  tls: {cert_file: c, key_file: k}\n"
		}
		if _, warnings, err := config.Load(&config.Options{File: write(t, text), Environ: noEnv}); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %q", text, err, warnings)
		}
	}
}
