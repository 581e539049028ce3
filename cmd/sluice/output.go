package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// outputFlag adds -o to a command.
func outputFlag(c *cobra.Command) {
	c.Flags().StringP("output", "o", "table", "table, or json for programs")
	_ = c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		if o, _ := c.Flags().GetString("output"); o != "table" && o != "json" {
			return &usageError{fmt.Errorf("--output: %q must be table or json", o)}
		}
		return nil
	}
}

func wantJSON(c *cobra.Command) bool {
	o, _ := c.Flags().GetString("output")
	return o == "json"
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
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
	if wantJSON(c) {
		return writeJSON(c.OutOrStdout(), map[string]string{"removed": name})
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s removed\n", what, printable(name))
	return err
}

// writeJSONLine writes one object as one line.
func writeJSONLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
