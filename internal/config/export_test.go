package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Texts are the values of a configuration as the environment would give them, by
// variable. A list whose items hold commas or spaces cannot be given there: false.
func Texts(c *Config) (map[string]string, bool) {
	out := map[string]string{}
	for _, k := range c.keys() {
		v := reflect.ValueOf(k.target).Elem().Interface()
		if list, ok := v.([]string); ok {
			for _, s := range list {
				if s == "" || strings.Contains(s, ",") || strings.TrimSpace(s) != s {
					return nil, false
				}
			}
			v = strings.Join(list, ",")
		}
		out[EnvName(k.path)] = fmt.Sprint(v)
	}
	return out, true
}

// Paths are the keys.
func Paths() (paths []string) {
	for _, k := range Default().keys() {
		paths = append(paths, k.path)
	}
	return paths
}

// Nearest is the key that was meant.
func Nearest(name string) string {
	known := map[string]bool{}
	for _, p := range Paths() {
		known[p] = true
	}
	return nearest(name, known)
}
