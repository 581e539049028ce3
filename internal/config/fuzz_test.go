package config_test

import (
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
)

// named checks that every one of the joined errors names a field and what it must be.
func named(t *testing.T, text string, err error) {
	t.Helper()
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			named(t, text, e)
		}
		return
	}
	var bad *placement.InvalidError
	if !errors.As(err, &bad) || bad.Field == "" || bad.Fix == "" {
		t.Fatalf("%q: %v does not say which field, and what it must be", text, err)
	}
}

// A file gives the same configuration every time, and the environment the same as
// the file; or every error names its field.
func FuzzLoad(f *testing.F) {
	for _, s := range []string{
		"proxy:\n  hold_bytes: 1GiB\n", "a: &x {b: *x}\n", "? [a]\n: b\n", "proxy.mode: leased\nproxy:\n  mode: fresh\n", "proxy: {mode: leased}\nproxy: {mode: fresh}\n",
		"proxy:\n  hold_requests: 0x10\n  hold_deadline: 1h\n", "store:\n  etcd:\n    endpoints: [\"http://a:1\", 'http://b:2']\n", "name: 0777\n", "name: ~\n", "proxy:\n  hold_requests: 1e4\n",
		"store:\n  kind: redis\n  redis: {addresses: \"a:1, b:2\", db: -1}\n", "1: 2\n", "\xff", "name: \"\\0\"\n", "- a\n", "log:\n  <<: {level: debug}\n", "controller: {barrier: time, pause_budget: 1m, cutover_deadline: 2m}\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		file := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, warnings, err := config.Load(&config.Options{File: file, Environ: noEnv})
		for range 3 {
			again, more, err2 := config.Load(&config.Options{File: file, Environ: noEnv})
			if !cmp.Equal(c, again) || !slices.Equal(warnings, more) || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
				t.Fatalf("%q gives (%v, %v), and then:\n%s", text, err, err2, cmp.Diff(c, again))
			}
		}
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v and error %v", c, err)
		}
		if err != nil {
			named(t, text, err)
			return
		}
		texts, ok := config.Texts(c)
		if !ok {
			return
		}
		got, _, err := config.Load(&config.Options{Environ: func() (env []string) {
			for name, v := range texts {
				env = append(env, name+"="+v)
			}
			return env
		}})
		if err != nil || !cmp.Equal(c, got) {
			t.Fatalf("%q in the environment is %v (-file +environment):\n%s", text, err, cmp.Diff(c, got))
		}
	})
}

// Whatever is given for an address, no message shows the password in it.
func FuzzAddress(f *testing.F) {
	f.Add("http://u:", "@h:1")
	f.Add("u:", "@")
	f.Add("etcd://", "@h")
	f.Add("http://u:12#", "@h/x?y")
	f.Add("[http://a, http://u:", "@b]")
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "s3cr3t"
		value := before + secret + after
		if !strings.HasPrefix(after, "@") || strings.Contains(before+after, secret) || strings.ContainsAny(value, "\x00,") {
			return
		}
		for _, path := range config.Paths() {
			if !regexp.MustCompile(`endpoints|addresses|_url|advertise|listen`).MatchString(path) {
				continue
			}
			_, _, err := config.Load(&config.Options{Environ: func() []string { return []string{config.EnvName(path) + "=" + value} }})
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Fatalf("%s=%q: %v", path, value, err)
			}
		}
	})
}

var size = regexp.MustCompile(`^\s*(\+?[0-9]+(?:\.[0-9]*)?)\s*(KiB|MiB|GiB|kB|KB|MB|GB|B|)\s*$`)

// A size is its digits times its unit, to the precision of the digits that are given.
func FuzzSize(f *testing.F) {
	for _, s := range []string{"256MiB", "1.5 GB", "0", "-1", "1e3kB", "9223372036854775807", "9007199254740993", "0x1p4B", "NaN", "Inf", "8589934592GiB", " 7 B ", "MiB", "1_0"} {
		f.Add(s)
	}
	unit := map[string]int64{"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "B": 1, "": 1}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := config.ParseSize(s)
		if ok && got < 0 {
			t.Fatalf("%q is %d", s, got)
		}
		m := size.FindStringSubmatch(s)
		if m == nil || len(s) > 100 {
			return
		}
		want, _ := new(big.Rat).SetString(m[1])
		want.Mul(want, new(big.Rat).SetInt64(unit[m[2]]))
		n := new(big.Int).Quo(want.Num(), want.Denom())
		if small := n.IsInt64() && n.Int64() < 1<<53; small != ok && small {
			t.Fatalf("%q is refused", s)
		} else if small && new(big.Int).Sub(n, big.NewInt(got)).CmpAbs(big.NewInt(1)) > 0 {
			t.Fatalf("%q is %d, want %d", s, got, n)
		}
		if ok && !n.IsInt64() {
			t.Fatalf("%q is %d, which it is not", s, got)
		}
	})
}

// What is suggested for a key that is none is a key, and a key is nearest to itself.
func FuzzNearest(f *testing.F) {
	f.Add("hold_deadlin")
	f.Add("proxy.hold_deadline")
	f.Add("\xff..")
	f.Fuzz(func(t *testing.T, name string) {
		near := config.Nearest(name)
		if paths := config.Paths(); near != "" && !slices.Contains(paths, near) || slices.Contains(paths, name) && near != name {
			t.Fatalf("%q is nearest to %q", name, near)
		}
	})
}
