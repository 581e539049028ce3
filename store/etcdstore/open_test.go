package etcdstore_test

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
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	plain, secure := []string{"http://127.0.0.1:2379"}, []string{"https://etcd-1:2379", "https://etcd-2:2379"}
	for _, test := range []struct {
		field  string // empty: valid
		config etcdstore.Config
	}{
		{"", etcdstore.Config{Endpoints: plain}},
		{"", etcdstore.Config{Endpoints: secure, Prefix: "/a/b/", Username: "u", PasswordFile: "p", TLS: etcdstore.TLS{CAFile: "a", CertFile: "b", KeyFile: "c", ServerName: "d"}}},
		{"endpoints", etcdstore.Config{}},
		{"endpoints[0]", etcdstore.Config{Endpoints: []string{"127.0.0.1:2379"}}},
		{"endpoints[0]", etcdstore.Config{Endpoints: []string{"https://u:secret@etcd:2379"}}},
		{"endpoints[0]", etcdstore.Config{Endpoints: plain, TLS: etcdstore.TLS{CAFile: "a"}}},
		{"endpoints[1]", etcdstore.Config{Endpoints: []string{"https://etcd-1:2379", "http://etcd-2:2379"}}},
		{"prefix", etcdstore.Config{Endpoints: plain, Prefix: "sluice"}},
		{"prefix", etcdstore.Config{Endpoints: plain, Prefix: "/"}},
		{"password_file", etcdstore.Config{Endpoints: plain, Username: "root"}},
		{"password_file", etcdstore.Config{Endpoints: plain, PasswordFile: "p"}},
		{"tls.key_file", etcdstore.Config{Endpoints: secure, TLS: etcdstore.TLS{CertFile: "c.pem"}}},
	} {
		err := test.config.Validate()
		var invalid *placement.InvalidError
		if test.field == "" && err != nil || test.field != "" && (!errors.As(err, &invalid) || invalid.Field != "store.etcd."+test.field) {
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
	want := etcdstore.Config{
		Endpoints: []string{"https://etcd:2379"}, Prefix: "/p/", Username: "u", PasswordFile: "f",
		TLS: etcdstore.TLS{CAFile: "ca", CertFile: "cert", KeyFile: "key", ServerName: "name"},
	}
	const text = `{"endpoints": ["https://etcd:2379"], "prefix": "/p/", "username": "u", "password_file": "f",
		"tls": {"ca_file": "ca", "cert_file": "cert", "key_file": "key", "server_name": "name"}}`
	var got etcdstore.Config
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
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config etcdstore.Config
		want   []string
	}{
		"nobody there": {etcdstore.Config{Endpoints: []string{"http://127.0.0.1:1"}}, []string{"http://127.0.0.1:1", "connection refused"}},
		"no CA":        {etcdstore.Config{Endpoints: []string{"https://127.0.0.1:1"}, TLS: etcdstore.TLS{CAFile: text}}, []string{"store.etcd.tls.ca_file"}},
		"no password":  {etcdstore.Config{Endpoints: []string{"http://127.0.0.1:1"}, Username: "u", PasswordFile: empty}, []string{"store.etcd.password_file"}},
	} {
		began := time.Now()
		_, err := etcdstore.Open(t.Context(), test.config, &etcdstore.Options{DialTimeout: 500 * time.Millisecond})
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; want %q in it", name, err, want)
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: it took %v", name, took)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := etcdstore.Open(ctx, etcdstore.Config{Endpoints: []string{"http://127.0.0.1:1"}}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("under a cancelled context: %v", err)
	}
}
