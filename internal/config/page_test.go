package config_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/config"
)

var update = flag.Bool("update", false, "write the page of the manual that is made from the table of keys")

// The manual's page of the configuration says what the table says.
func TestConfigurationPage(t *testing.T) {
	const file = "../../docs/configuration.md"
	want := config.Page()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("the manual differs (-want +have); run make config-page:\n%s", diff)
	}
	for _, path := range config.Paths() {
		if !strings.Contains(want, "| `"+path+"` |") {
			t.Errorf("%s is not on the page", path)
		}
	}
	if rows, lines := strings.Count(want, "\n| `"), len(config.Paths()); rows != lines {
		t.Errorf("%d rows for %d keys", rows, lines)
	}
}
