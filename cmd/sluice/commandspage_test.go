package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/sluiceproxy/sluice/internal/catalog"

	"github.com/sluiceproxy/sluice/internal/config"
)

//go:generate go test -run TestCommandsPage . -update

const commandsHead = `# Commands

<!-- Made from the program's commands by make commands-page. -->

Every command of the program, as its ~--help~ tells it. All of them take ~--config FILE~ (~-c~); without it ~$SLUICE_CONFIG~ is read, then ~sluice.yaml~ in the
present folder. Commands that operate a fleet also take ~--context~ or ~--api~, see [several fleets](contexts.md). Where the table is may also be said by flags, ~--store.kind~ and the others of [the store](configuration.md#store), and a process that is
started takes every key of the [configuration](configuration.md) as a flag. ~sluice completion~ prints completions for bash, zsh, fish and PowerShell.

| exit code | |
| --- | --- |
`

// The manual's page of the commands says what the program says.
func TestCommandsPage(t *testing.T) {
	const file = "../../docs/commands.md"
	want := commandsPage()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("the manual differs (-want +have); run make commands-page:\n%s", diff)
	}
}

func commandsPage() string {
	var b strings.Builder
	b.WriteString(strings.ReplaceAll(commandsHead, "~", "`"))
	for _, c := range catalog.Exits() {
		fmt.Fprintf(&b, "| %d | %s |\n", c.Code, c.Meaning)
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Name() == "help" || c.Name() == "completion" {
			return // cobra's own
		}
		if c.HasParent() {
			writeCommand(&b, c)
		}
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newRoot())
	return b.String()
}

// prose escapes what Markdown, or a site made of it, would take for markup.
var prose = strings.NewReplacer("<", "&lt;", "*", `\*`, "[", `\[`, "|", `\|`, "{", "&#123;")

func writeCommand(b *strings.Builder, c *cobra.Command) {
	c.InitDefaultHelpFlag()
	fmt.Fprintf(b, "\n## %s\n\n", c.CommandPath())
	fmt.Fprintf(b, "```text\nusage: %s\n```\n", c.UseLine())
	long := c.Long
	if long == "" {
		long = c.Short + "."
	}
	for paragraph := range strings.SplitSeq(long, "\n\n") {
		if strings.HasPrefix(paragraph, "  ") {
			fmt.Fprintf(b, "\n```text\n%s\n```\n", paragraph)
			continue
		}
		fmt.Fprintf(b, "\n%s\n", prose.Replace(paragraph))
	}
	var rows strings.Builder
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden || isKey[f.Name] {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		if value != "" {
			name += " " + value
		}
		if d := f.DefValue; d != "" && d != "0" && d != "0s" && d != "false" && d != "[]" && !strings.Contains(usage, "(default ") {
			usage += " (default " + d + ")"
		}
		fmt.Fprintf(&rows, "| `%s` | %s |\n", name, prose.Replace(usage))
	})
	if rows.Len() > 0 {
		fmt.Fprintf(b, "\n| flag | |\n| --- | --- |\n%s", rows.String())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
	}
}

// isKey has the keys of the configuration, which have a page of their own.
var isKey = func() map[string]bool {
	fs, keys := pflag.NewFlagSet("", pflag.ContinueOnError), map[string]bool{}
	config.AddFlags(fs, "name", "store", "proxy", "admin", "api", "fleet", "controller", "telemetry", "log")
	fs.VisitAll(func(f *pflag.Flag) { keys[f.Name] = true })
	return keys
}()
