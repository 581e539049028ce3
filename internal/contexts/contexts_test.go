package contexts_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/contexts"
	"github.com/sluiceproxy/sluice/placement"
)

func TestKeeps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "contexts.yaml")
	if f, err := contexts.Load(file); err != nil || len(f.Contexts) != 0 || f.Current != "" {
		t.Errorf("no file: %v, %v", f, err)
	}
	want := contexts.File{Current: "lab", Contexts: map[string]contexts.Context{
		"lab":        {Config: "/home/me/sluice.yaml"},
		"production": {API: "https://sluice.example.com:9282", TokenFile: "/t", CAFile: "/ca", CertFile: "/c", KeyFile: "/k", ServerName: "x"},
	}}
	for range 2 { // the second time over the first
		if err := want.Save(file); err != nil {
			t.Fatal(err)
		}
	}
	have, err := contexts.Load(file)
	if d := cmp.Diff(want, have); err != nil || d != "" {
		t.Errorf("%v (-want +have):\n%s", err, d)
	}
	if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v, %v", i, err)
	}
	if all, err := os.ReadDir(filepath.Dir(file)); err != nil || len(all) != 1 {
		t.Errorf("something is left beside it: %v, %v", all, err)
	}
	if err := want.Save("/dev/null/contexts.yaml"); err == nil {
		t.Error("saved where nothing can be")
	}
}

func TestRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"contexts: {a: {api: 'http://x', token: secret}}": "field token not found",
		"contexts: {a: {api: 'http://x', config: y}}":     "contexts.a.config: \"y\" must be left out where api is set",
		"contexts: {a: {}}":                               "contexts.a.api: \"\" must be the address",
		"contexts: {a: {config: x, token_file: y}}":       "contexts.a.api: \"\" must be set",
		"contexts: {A: {config: x}}":                      "\"A\" must be 1 to 64 of a-z",
		"current: b\ncontexts: {a: {config: x}}":          "current: \"b\" must be the name of one of its contexts",
		"contexts: {a: {config: x}, a: {config: y}}":      "already defined",
		"contexts: [": "must be as sluice context writes it",
		"current: " + strings.Repeat("a", 65) + "\ncontexts: {}\n": "must be the name of one",
	} {
		file := filepath.Join(t.TempDir(), "contexts.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := contexts.Load(file)
		var invalid *placement.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v; want %q", text, err, says)
		}
	}
	if _, err := contexts.Load(t.TempDir()); err == nil {
		t.Error("a folder was read")
	}
}
