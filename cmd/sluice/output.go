package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/fleetfile"
)

// outputFlag adds -o to a command and, where it has names or ids to print, -q; names
// says for people what those are.
func outputFlag(c *cobra.Command, names ...string) {
	formats := []string{"table", "json", "yaml"}
	c.Flags().StringP("output", "o", "table", "table, or json or yaml for programs")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	if len(names) > 0 {
		c.Flags().BoolP("quiet", "q", false, "print only "+names[0]+", for scripts")
	}
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		o := output(c)
		if !slices.Contains(formats, o) {
			return &usageError{fmt.Errorf("--output: %q must be table, json or yaml", o)}
		}
		if quiet(c) && o != "table" {
			return &usageError{errors.New("--quiet: give it without --output, which prints more")}
		}
		return nil
	}
}

func output(c *cobra.Command) string {
	o, _ := c.Flags().GetString("output")
	return o
}

// forPrograms reports whether what is printed is for programs: JSON or YAML.
func forPrograms(c *cobra.Command) bool { o := output(c); return o == "json" || o == "yaml" }

// quiet reports whether only names are to be printed.
func quiet(c *cobra.Command) bool {
	q, _ := c.Flags().GetBool("quiet")
	return q
}

// answer prints what a command has to say: v for programs, names for scripts, each on
// a line, and for people what people writes.
func answer(c *cobra.Command, v any, people func() error, names ...string) error {
	switch {
	case forPrograms(c):
		return writeValue(c, v)
	case quiet(c):
		for _, n := range names {
			if _, err := fmt.Fprintln(c.OutOrStdout(), printable(n)); err != nil {
				return err
			}
		}
		return nil
	}
	return people()
}

// writeValue writes a value in the format that was asked for, JSON unless YAML.
func writeValue(c *cobra.Command, v any) error {
	if output(c) == "yaml" {
		return fleetfile.WriteYAML(c.OutOrStdout(), v)
	}
	e := json.NewEncoder(c.OutOrStdout())
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// writeState writes one of many values: JSON as one line, YAML as a document of its own.
func writeState(c *cobra.Command, v any) error {
	if output(c) == "yaml" {
		if _, err := fmt.Fprintln(c.OutOrStdout(), "---"); err != nil {
			return err
		}
		return fleetfile.WriteYAML(c.OutOrStdout(), v)
	}
	e := json.NewEncoder(c.OutOrStdout())
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table prints rows under a header, columns aligned. Control characters of a
// cell are shown, not sent to the terminal: tenant ids may hold any.
func table(w io.Writer, header []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 2, 4, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = printable(c)
		}
		if _, err := fmt.Fprintln(t, strings.TrimRight(strings.Join(cells, "\t"), "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

func printable(s string) string {
	if s == "" {
		return "-"
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0xfffd {
			return fmt.Sprintf("%q", s)
		}
	}
	return s
}

// writeRemoved reports that a named thing is gone.
func writeRemoved(c *cobra.Command, what, name string) error {
	return answer(c, map[string]string{"removed": name}, func() error {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s removed\n", what, printable(name))
		return err
	}, name)
}
