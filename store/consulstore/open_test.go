package consulstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/consulstore"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	plain, secure := []string{"http://127.0.0.1:8500"}, []string{"https://consul-1:8501", "https://consul-2:8501/"}
	for _, test := range []struct {
		field  string // empty: valid
		config consulstore.Config
	}{
		{"", consulstore.Config{Addresses: plain}},
		{"", consulstore.Config{
			Addresses: secure, Datacenter: "dc-1", Prefix: "a/b_2/", Node: "n-1", TokenFile: "t",
			TLS: consulstore.TLS{CAFile: "a", CertFile: "b", KeyFile: "c", ServerName: "d"},
		}},
		{"addresses", consulstore.Config{}},
		{"addresses[0]", consulstore.Config{Addresses: []string{"127.0.0.1:8500"}}},
		{"addresses[0]", consulstore.Config{Addresses: []string{"https://u:secret@consul:8501"}}},
		{"addresses[0]", consulstore.Config{Addresses: plain, TLS: consulstore.TLS{CAFile: "a"}}},
		{"addresses[1]", consulstore.Config{Addresses: []string{"https://consul-1:8501", "http://consul-2:8500"}}},
		{"prefix", consulstore.Config{Addresses: plain, Prefix: "sluice"}},
		{"prefix", consulstore.Config{Addresses: plain, Prefix: "/sluice/"}},
		{"prefix", consulstore.Config{Addresses: plain, Prefix: "/"}},
		{"prefix", consulstore.Config{Addresses: plain, Prefix: "a/../b/"}},
		{"prefix", consulstore.Config{Addresses: plain, Prefix: strings.Repeat("a", 128) + "/"}},
		{"node", consulstore.Config{Addresses: plain, Node: "a b"}},
		{"datacenter", consulstore.Config{Addresses: plain, Datacenter: "a/b"}},
		{"tls.key_file", consulstore.Config{Addresses: secure, TLS: consulstore.TLS{CertFile: "c.pem"}}},
	} {
		err := test.config.Validate()
		var invalid *placement.InvalidError
		if test.field == "" && err != nil || test.field != "" && (!errors.As(err, &invalid) || invalid.Field != "store.consul."+test.field) {
			t.Errorf("%+v: %v; want an error that names %q", test.config, err, test.field)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error holds a password: %v", err)
		}
	}
}

// The fields are named in files as in the configuration of sluice.
func TestConfigInFiles(t *testing.T) {
	t.Parallel()
	want := consulstore.Config{
		Addresses: []string{"https://consul:8501"}, Datacenter: "dc", Prefix: "p/", Node: "n", TokenFile: "f",
		TLS: consulstore.TLS{CAFile: "ca", CertFile: "cert", KeyFile: "key", ServerName: "name"},
	}
	const text = `{"addresses": ["https://consul:8501"], "datacenter": "dc", "prefix": "p/", "node": "n", "token_file": "f",
		"tls": {"ca_file": "ca", "cert_file": "cert", "key_file": "key", "server_name": "name"}}`
	var got consulstore.Config
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

// Open says what is wrong: the address, and why it does not answer; the file,
// and what it lacks.
func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text, empty, two := file("text", "no certificate"), file("empty", "\n"), file("two", "a token\nand another\n")
	plain, secure := []string{"http://127.0.0.1:1"}, []string{"https://127.0.0.1:1"}
	for name, test := range map[string]struct {
		config consulstore.Config
		want   []string
	}{
		"nobody there": {consulstore.Config{Addresses: plain}, []string{"http://127.0.0.1:1", "connection refused"}},
		"no CA":        {consulstore.Config{Addresses: secure, TLS: consulstore.TLS{CAFile: text}}, []string{"store.consul.tls.ca_file"}},
		"no token":     {consulstore.Config{Addresses: plain, TokenFile: empty}, []string{"store.consul.token_file"}},
		"two tokens":   {consulstore.Config{Addresses: plain, TokenFile: two}, []string{"store.consul.token_file"}},
	} {
		began := time.Now()
		_, err := consulstore.Open(t.Context(), test.config, &consulstore.Options{Timeout: 500 * time.Millisecond})
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q in it", name, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), "another") {
			t.Errorf("%s: the error holds the file's content: %v", name, err)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := consulstore.Open(ctx, consulstore.Config{Addresses: plain}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("under a cancelled context: %v", err)
	}
}
