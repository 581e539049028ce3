package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCursorKeys(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, b, short := file("a", strings.Repeat("a", 32)+"\n"), file("b", strings.Repeat("b", 16)), file("short", "x")
	derived, err := cursorKeys(nil, []byte("the fleet's secret"))
	if err != nil || len(derived) != 1 || len(derived[0]) != 32 {
		t.Errorf("derived: %d keys, %v", len(derived), err)
	}
	keys, err := cursorKeys([]string{b, a}, []byte("the fleet's secret"))
	if err != nil || len(keys) != 2 || string(keys[0]) != strings.Repeat("b", 16) || string(keys[1]) != strings.Repeat("a", 32) {
		t.Errorf("%q, %v: want b's key, then a's", keys, err)
	}
	for _, f := range []string{short, filepath.Join(dir, "none")} {
		if _, err := cursorKeys([]string{a, f}, nil); err == nil || !strings.Contains(err.Error(), "proxy.cursors.key_files[1]") {
			t.Errorf("%s: %v, want the field's name", f, err)
		}
	}
}
