package demo

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// config is what the configuration files of a fleet's processes differ in.
type config struct {
	name   string
	listen string // of a proxy, host:port
	admin  string // host:port; empty for commands
	// advertise is the address of admin for others, host:port.
	advertise string
	etcd      string   // URL of the store
	data      string   // directory of the embedded store; empty for whoever connects to it
	store     []string // lines of the section, in place of etcd and data
	secret    string   // path
	extra     map[string][]string
}

func (c config) write(file string) error {
	if err := os.WriteFile(file, []byte(c.yaml()), 0o600); err != nil {
		return fmt.Errorf("write a configuration: %w", err)
	}
	return nil
}

// yaml returns the file. Strings are quoted as Go does, which YAML reads the same way.
func (c config) yaml() string {
	q := strconv.Quote
	sections := map[string][]string{
		"fleet": {"secret_file: " + q(c.secret)},
		"api":   {"listen: " + q("")}, // its default is one address, and fleets run beside each other
	}
	if c.store != nil {
		sections["store"] = slices.Clone(c.store)
	} else if c.data != "" {
		sections["store"] = []string{"etcd:", "  embedded:", "    data_dir: " + q(c.data), "    client_url: " + q(c.etcd)}
	} else {
		sections["store"] = []string{"etcd:", "  endpoints: [" + q(c.etcd) + "]"}
	}
	if c.listen != "" {
		sections["proxy"] = []string{"listen: " + q(c.listen), "tenant:", "  header: " + q(TenantHeader)}
	}
	if c.admin != "" {
		sections["admin"] = []string{"listen: " + q(c.admin), "advertise: " + q("http://"+c.advertise)}
	}
	for name, lines := range c.extra {
		sections[name] = append(sections[name], lines...)
	}
	var b strings.Builder
	if c.name != "" {
		b.WriteString("name: " + q(c.name) + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		b.WriteString(name + ":\n")
		for _, line := range sections[name] {
			b.WriteString("  " + line + "\n")
		}
	}
	return b.String()
}
