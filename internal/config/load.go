package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/providers/rawbytes"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/sluiceproxy/sluice/placement"
)

// Options of Load. The zero value is useful.
type Options struct {
	// File is the YAML file to read; empty: none. A file that does not exist is
	// an error.
	File string
	// Flags were registered by AddFlags and parsed; nil: none.
	Flags *pflag.FlagSet
	// Environ returns the environment (default os.Environ).
	Environ func() []string
}

// Load reads the configuration and validates it. Bad input is a
// *placement.InvalidError; all of them are reported at once (errors.Join). The
// warnings are for the log: environment variables that look like a key's and
// are none.
func Load(o *Options) (c *Config, warnings []string, err error) {
	if o == nil {
		o = &Options{}
	}
	c = Default()
	keys := c.keys()
	k := koanf.New(".")
	if err := loadFile(k, keys, o.File); err != nil {
		return nil, nil, err
	}
	byEnv := make(map[string]string, len(keys))
	for _, key := range keys {
		byEnv[EnvName(key.path)] = key.path
	}
	opt := env.Opt{Prefix: EnvPrefix, EnvironFunc: o.Environ, TransformFunc: func(name, v string) (string, any) {
		if path := byEnv[name]; path != "" {
			return path, v
		}
		if near := nearest(name, byEnv); near != "" {
			warnings = append(warnings, fmt.Sprintf("environment variable %s is no key of the configuration; did you mean %s?", name, near))
		}
		return "", nil
	}}
	if err := k.Load(env.Provider(".", opt), nil); err != nil {
		return nil, nil, fmt.Errorf("read the environment: %w", err)
	}
	if o.Flags != nil {
		// Only flags that were given: an untouched flag must not go over the file.
		if err := k.Load(posflag.ProviderWithFlag(o.Flags, ".", nil, changedOnly(keys)), nil); err != nil {
			return nil, nil, fmt.Errorf("read the flags: %w", err)
		}
	}
	var errs []error
	for _, key := range keys {
		if !k.Exists(key.path) {
			continue
		}
		v := k.Get(key.path)
		if v == nil {
			continue // "key:" with nothing after it is the default
		}
		errs = append(errs, key.set(v))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, warnings, err
	}
	if err := c.validate(); err != nil {
		return nil, warnings, err
	}
	// "store.kind:" with nothing after it chooses nothing.
	unused, err := c.otherStores(k.Exists("store.kind") && k.Get("store.kind") != nil)
	if err != nil {
		return nil, warnings, err
	}
	return c, append(append(warnings, unused...), c.cleartext()...), nil
}

func changedOnly(keys []key) func(*pflag.Flag) (string, any) {
	known := make(map[string]bool, len(keys))
	for _, k := range keys {
		known[k.path] = true
	}
	return func(f *pflag.Flag) (string, any) {
		if !f.Changed || !known[f.Name] {
			return "", nil
		}
		return f.Name, f.Value.String()
	}
}

// loadFile reads the file into k and refuses keys that the table has not.
func loadFile(k *koanf.Koanf, keys []key, file string) error {
	if file == "" {
		return nil
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &placement.InvalidError{Field: "--config", Value: file, Fix: "does not exist; `sluice config example` prints one to begin with"}
	}
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	in := koanf.New(".")
	if err := in.Load(rawbytes.Provider(b), yaml.Parser()); err != nil {
		return &placement.InvalidError{Field: "--config", Value: file, Fix: "must be YAML: " + err.Error()}
	}
	known, groups := map[string]string{}, map[string]bool{}
	for _, key := range keys {
		known[key.path] = key.path
		for i, c := range key.path {
			if c == '.' {
				groups[key.path[:i]] = true
			}
		}
	}
	if path := twice(in.Raw(), "", map[string]bool{}); path != "" {
		return &placement.InvalidError{Field: path, Value: file, Fix: "is given twice, with dots and as a group; give it once"}
	}
	flat := in.All()
	names := make([]string, 0, len(flat))
	for path := range flat {
		names = append(names, path)
	}
	sort.Strings(names)
	var errs []error
	for _, path := range names {
		switch v := flat[path]; {
		case known[path] != "":
		case groups[path]:
			if m, isMap := v.(map[string]any); v != nil && (!isMap || len(m) > 0) {
				errs = append(errs, &placement.InvalidError{Field: path, Value: placement.HideUser(fmt.Sprint(v)), Fix: "must be a group of keys, see `sluice config example`"})
			}
			delete(flat, path) // an empty group says nothing, and must not hide the keys below it
		default:
			fix := "is a key that sluice does not know; `sluice config example` lists all"
			if near := nearest(path, known); near != "" {
				fix = "is a key that sluice does not know; did you mean " + near + "?"
			}
			errs = append(errs, &placement.InvalidError{Field: file, Value: path, Fix: fix})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return k.Load(confmap.Provider(flat, "."), nil)
}

// twice returns a path that two members of the file lead to, such as proxy.mode as
// a member of the file and mode as one of its member proxy: which of them counts would
// be chance. Empty if there is none.
func twice(m map[string]any, prefix string, seen map[string]bool) string {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		path := prefix + k
		if group, ok := m[k].(map[string]any); ok && len(group) > 0 {
			if p := twice(group, path+".", seen); p != "" {
				return p
			}
			continue
		}
		if seen[path] {
			return path
		}
		seen[path] = true
	}
	return ""
}

// AddFlags registers a flag for each key under one of the prefixes; the flag is
// named like the key.
func AddFlags(fs *pflag.FlagSet, prefixes ...string) {
	for _, f := range flags() {
		for _, p := range prefixes {
			if f.name == p || strings.HasPrefix(f.name, p+".") {
				fs.String(f.name, "", f.usage)
			}
		}
	}
}

// flags are those of all keys. Every command has some of them, so they are made once.
var flags = sync.OnceValue(func() (all []struct{ name, usage string }) {
	for _, k := range Default().keys() {
		// Quoted words in a usage string would name the value.
		usage := strings.ReplaceAll(k.doc+defaultNote(k), "`", "'")
		all = append(all, struct{ name, usage string }{k.path, usage})
	}
	return all
})

func defaultNote(k key) string {
	s := strings.Trim(yamlOf(k.def), `"[]`)
	if s == "" {
		return ""
	}
	return " (default " + s + ")"
}
