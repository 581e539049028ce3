package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/config"
)

// Every configuration that the pages about tenants and security show is one.
func TestPagesShowConfigurations(t *testing.T) {
	for page, least := range map[string]int{"tenants": 6, "security": 3, "api": 1} {
		t.Run(page, func(t *testing.T) { checkPage(t, page, least) })
	}
}

func checkPage(t *testing.T, page string, least int) {
	t.Helper()
	b, err := os.ReadFile("../../docs/" + page + ".md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(b), "```yaml\n")[1:]
	if len(blocks) < least {
		t.Fatalf("%d configurations", len(blocks))
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		if !strings.Contains(text, "client_cert:") && page == "tenants" { // the others are shown without
			text += "  tls: {cert_file: c, key_file: k}\n"
		}
		if _, warnings, err := config.Load(&config.Options{File: write(t, text), Environ: noEnv}); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %q", text, err, warnings)
		}
	}
}
