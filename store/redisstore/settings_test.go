package redisstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// refuses reports whether an error is about that setting.
func refuses(err error, setting string) bool {
	var s *redisstore.SettingError
	return errors.As(err, &s) && s.Setting == setting && s.Fix != ""
}

func containsField(line, field string) bool { return slices.Contains(strings.Split(line, ","), field) }

// A server that may lose what it acknowledged is refused, with the setting and what
// to do; one that may lose little is taken when told so.
func TestWeakSettingsAreRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		options engines.RedisOptions
		config  redisstore.Config
		setting string // empty: it opens
		fix     string
	}{
		{"no file", engines.RedisOptions{Config: []string{"appendonly no"}}, redisstore.Config{}, "appendonly", "CONFIG SET appendonly yes"},
		{"no file, weak allowed", engines.RedisOptions{Config: []string{"appendonly no"}}, redisstore.Config{AllowWeakDurability: true}, "appendonly", "CONFIG SET appendonly yes"},
		{"synced every second", engines.RedisOptions{AppendFsync: "everysec"}, redisstore.Config{}, "appendfsync", "allow_weak_durability"},
		{"synced every second, allowed", engines.RedisOptions{AppendFsync: "everysec"}, redisstore.Config{AllowWeakDurability: true}, "", ""},
		{"never synced", engines.RedisOptions{AppendFsync: "no"}, redisstore.Config{AllowWeakDurability: true}, "appendfsync", "set it to always"},
		{"not synced during a rewrite", engines.RedisOptions{Config: []string{"no-appendfsync-on-rewrite yes"}}, redisstore.Config{}, "no-appendfsync-on-rewrite", "set it to no"},
		{"may evict", engines.RedisOptions{Config: []string{"maxmemory-policy allkeys-lru"}}, redisstore.Config{AllowWeakDurability: true}, "maxmemory-policy", "noeviction"},
		{"good", engines.RedisOptions{}, redisstore.Config{}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			r := enginetest.RedisWith(t, &test.options)
			test.config.Addresses = []string{r.Addr()}
			s, err := redisstore.Open(t.Context(), test.config, nil)
			if err == nil {
				t.Cleanup(func() { _ = s.Close() })
			}
			if test.setting == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !refuses(err, test.setting) || !strings.Contains(err.Error(), test.fix) {
				t.Fatalf("%v; want what is wrong with %s and %q", err, test.setting, test.fix)
			}
		})
	}
}

// Where CONFIG is forbidden, the error says what to make sure of, and to say so.
func TestSettingsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	r := enginetest.RedisWith(t, &engines.RedisOptions{Username: "sluice", Password: "secret", Rules: "~* +@all -config"})
	c := at(r.Addr())
	c.Username, c.PasswordFile = "sluice", file(t, "password", "secret\n")
	_, err := redisstore.Open(t.Context(), c, nil)
	if !refuses(err, "configuration") || !strings.Contains(err.Error(), "+config|get") || !strings.Contains(err.Error(), "skip_settings_check") {
		t.Fatalf("%v; want what to allow, or to set", err)
	}
	c.SkipSettingsCheck = true
	put(t, connect(t, c), key("k"), "x", 0)

	all := enginetest.RedisReplicated(t, 1, nil)
	c = at(all.Addrs()...)
	c.SkipSettingsCheck = true
	var bad *placement.InvalidError
	if _, err := redisstore.Open(t.Context(), c, nil); !errors.As(err, &bad) || bad.Field != "store.redis.wait_replicas" {
		t.Fatalf("with a replica that nothing is known of: %v", err)
	}
	c.WaitReplicas = 1
	put(t, connect(t, c), key("k"), "x", 0)
}

// Only a master is opened, and of two of them neither.
func TestWhichServerIsMaster(t *testing.T) {
	t.Parallel()
	all := enginetest.RedisReplicated(t, 1, &engines.RedisOptions{MinReplicasToWrite: 1})
	other := enginetest.Redis(t)
	for _, test := range []struct {
		addrs []string
		want  string
	}{
		{[]string{all.Replicas()[0].Addr()}, "not a master"},
		{[]string{all.Replicas()[0].Addr(), "127.0.0.1:1"}, "none of"},
		{[]string{all.Master().Addr(), other.Addr()}, "both say that they are master"},
	} {
		_, err := redisstore.Open(t.Context(), at(test.addrs...), &redisstore.Options{DialTimeout: timeout})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v; want %q", test.addrs, err, test.want)
		}
	}
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A configuration that cannot work names the field and the fix.
func TestValidate(t *testing.T) {
	t.Parallel()
	good := redisstore.Config{Addresses: []string{"a:1"}}
	for _, test := range []struct {
		change func(*redisstore.Config)
		field  string
	}{
		{func(*redisstore.Config) {}, ""},
		{func(c *redisstore.Config) { c.Addresses = []string{"[::1]:6379", "redis-1.internal:6379"} }, ""},
		{func(c *redisstore.Config) { c.Addresses = nil }, "addresses"},
		{func(c *redisstore.Config) { c.Addresses = []string{"a:1", "b"} }, "addresses[1]"},
		{func(c *redisstore.Config) { c.Addresses = []string{"redis://a:1"} }, "addresses[0]"},
		{func(c *redisstore.Config) { c.Addresses = []string{"a:0"} }, "addresses[0]"},
		{func(c *redisstore.Config) { c.Addresses = []string{"user:secret@a:1"} }, "addresses[0]"},
		{func(c *redisstore.Config) { c.Prefix = "a{b}" }, "prefix"},
		{func(c *redisstore.Config) { c.DB = -1 }, "db"},
		{func(c *redisstore.Config) { c.WaitReplicas = -1 }, "wait_replicas"},
		{func(c *redisstore.Config) { c.Username = "u" }, "password_file"},
		{func(c *redisstore.Config) { c.Sentinel.PasswordFile = "f" }, "sentinel.master"},
		{func(c *redisstore.Config) { c.Sentinel.Master, c.Sentinel.Username = "m", "u" }, "sentinel.password_file"},
		{func(c *redisstore.Config) { c.TLS.CAFile = "f" }, "tls.enabled"},
		{func(c *redisstore.Config) { c.TLS.Enabled, c.TLS.CertFile = true, "f" }, "tls.key_file"},
	} {
		c := good
		test.change(&c)
		err := c.Validate()
		if test.field == "" {
			if err != nil {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		var bad *placement.InvalidError
		if !errors.As(err, &bad) || bad.Field != "store.redis."+test.field || bad.Fix == "" {
			t.Errorf("%+v: %v; want one about %s", c, err, test.field)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}
