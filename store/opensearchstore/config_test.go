package opensearchstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

func number(n int) *int { return &n }

func TestValidateNamesTheFieldAndTheFix(t *testing.T) {
	good := opensearchstore.Config{Addresses: []string{"https://a:9200", "https://b:9200/"}, Username: "u", PasswordFile: "f"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		field string
		spoil func(*opensearchstore.Config)
	}{
		{"addresses", func(c *opensearchstore.Config) { c.Addresses = nil }},
		{"addresses[1]", func(c *opensearchstore.Config) { c.Addresses[1] = "b:9200" }},
		{"addresses[0]", func(c *opensearchstore.Config) { c.Addresses[0] = "https://u:secret@a" }},
		{"addresses[0]", func(c *opensearchstore.Config) { c.Addresses[0] = "http://a"; c.TLS.CAFile = "ca" }},
		{"index", func(c *opensearchstore.Config) { c.Index = "Upper" }},
		{"index", func(c *opensearchstore.Config) { c.Index = "_x" }},
		{"index", func(c *opensearchstore.Config) { c.Index = "a,b" }},
		{"index", func(c *opensearchstore.Config) { c.Index = strings.Repeat("a", 201) }},
		{"replicas", func(c *opensearchstore.Config) { c.Replicas = number(-1) }},
		{"replicas", func(c *opensearchstore.Config) { c.Replicas = number(100) }},
		{"wait_for_active_shards", func(c *opensearchstore.Config) { c.WaitForActiveShards = 3 }},
		{"wait_for_active_shards", func(c *opensearchstore.Config) { c.Replicas = number(0); c.WaitForActiveShards = 2 }},
		{"password_file", func(c *opensearchstore.Config) { c.PasswordFile = "" }},
		{"tls.key_file", func(c *opensearchstore.Config) { c.TLS.CertFile = "cert" }},
	} {
		bad := good
		bad.Addresses = append([]string(nil), good.Addresses...)
		test.spoil(&bad)
		var invalid *placement.InvalidError
		_, err := opensearchstore.Open(t.Context(), bad, nil)
		if !errors.As(err, &invalid) || invalid.Field != "store.opensearch."+test.field || invalid.Fix == "" {
			t.Errorf("%+v: %v; want %s to be named", bad, err, test.field)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error holds a password: %v", err)
		}
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		want  string
		spoil func(*opensearchstore.Config)
	}{
		{"store.opensearch.password_file", func(c *opensearchstore.Config) { c.Username, c.PasswordFile = "u", empty }},
		{"store.opensearch.tls.ca_file", func(c *opensearchstore.Config) { c.TLS.CAFile = empty }},
	} {
		c := opensearchstore.Config{Addresses: []string{"https://127.0.0.1:1"}}
		test.spoil(&c)
		if _, err := opensearchstore.Open(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v; want %q in it", err, test.want)
		}
	}
}
