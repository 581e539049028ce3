package config

import (
	"fmt"
	"reflect"
	"regexp"
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

const pageHead = `# Configuration

<!-- Made from the table of keys in internal/config by make config-page. -->

Every key of the configuration, its default and its meaning. ~sluice config example~ prints the same as a file to begin with, and ~sluice config check~
says what is wrong with one. An environment variable goes over the file, and a flag over both: ~proxy.hold_deadline~ is ~%s~, and
~--proxy.hold_deadline~ where a process is started. A key that does not exist is refused, and so is a combination that could lose a write. Secrets are never
values of the configuration, only names of files.
`

var pageName = regexp.MustCompile(`docs/((?:stores/)?[a-z]+)\.md`)

// Page is the manual's page of the configuration: a table of keys for each section.
func Page() string {
	var b strings.Builder
	fmt.Fprintf(&b, strings.ReplaceAll(pageHead, "~", "`"), EnvName("proxy.hold_deadline"))
	text := func(s string) string {
		s = strings.NewReplacer("<", "&lt;", "|", `\|`, "{", "&#123;", "docs/stores ", "[stores](stores/README.md) ").Replace(s)
		return pageName.ReplaceAllString(s, "[$1]($1.md)")
	}
	code := func(s string) string {
		if s = strings.Trim(s, `"`); s == "" || s == "[]" {
			return ""
		}
		return "`" + s + "`"
	}
	rows, order := map[string]string{}, []string{} // by section; keys of one may stand apart
	for _, k := range Default().keys() {
		group := k.path[:max(strings.LastIndex(k.path, "."), 0)]
		if rows[group] == "" {
			order = append(order, group)
		}
		doc := text(k.doc)
		if len(k.oneOf) > 0 {
			doc += " One of " + code(strings.Join(k.oneOf, "`, `")) + "."
		}
		if k.sample != "" {
			doc += " Such as " + code(k.sample) + "."
		}
		rows[group] += fmt.Sprintf("| `%s` | %s | %s |\n", k.path, code(yamlOf(k.def)), doc)
	}
	for _, group := range order {
		title := group
		if group == "" {
			title = "At the top"
		}
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		if what := section(group); what != "" {
			b.WriteString(text(what) + "\n\n")
		}
		b.WriteString("| key | default | meaning |\n| --- | --- | --- |\n" + rows[group])
	}
	return b.String()
}
