package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// explained is an entry of the catalogue of errors as it is printed.
type explained struct {
	Code      string `json:"code"`
	Of        string `json:"of"`
	Statuses  []int  `json:"statuses,omitempty"`
	Exit      int    `json:"exit,omitempty"`
	Retryable bool   `json:"retryable"`
	Meaning   string `json:"meaning"`
	Harm      string `json:"harm,omitempty"`
	Action    string `json:"action"`
}

// whose says for people where an error leaves.
var whose = map[catalog.Surface]string{
	catalog.Proxy: "of the proxy", catalog.Operator: "of the HTTP API and the command line",
	catalog.Move: "of a move or a wave", catalog.Doctor: "found by sluice doctor",
}

func explainCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "explain [CODE]",
		Short: "Say what an error's code means, and what to do",
		Long: `Say what an error's code means, and what to do.

A code is in error.type of a proxy's answer, in code of a problem of the HTTP API and of an
error with -o json, in note_code and error_code of a move, and in a finding of the doctor.
Without one, all are listed. It asks nobody, and needs no configuration.`,
		Example: "  sluice explain sluice_outcome_unknown\n  sluice explain drift -o json\n  sluice explain",
		Args:    args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			var all []catalog.Entry
			if len(a) == 1 {
				if all = catalog.Named(a[0]); len(all) == 0 {
					return &usageError{fmt.Errorf("%q is no code; `sluice explain` lists all", a[0])}
				}
			} else {
				for _, of := range catalog.Surfaces {
					all = append(all, catalog.Entries(of)...)
				}
			}
			out, rows, codes := make([]explained, len(all)), make([][]string, len(all)), make([]string, len(all))
			for i, e := range all {
				out[i] = explained{e.Code, string(e.Of), e.Statuses, e.Exit, e.Retryable, e.Meaning, e.Harm, e.Action}
				rows[i], codes[i] = []string{e.Code, whose[e.Of], e.Meaning}, e.Code
			}
			return answer(c, out, func() error {
				if len(a) == 0 {
					return table(c.OutOrStdout(), []string{"CODE", "WHERE", "MEANING"}, rows)
				}
				for i, e := range all {
					if i > 0 {
						fmt.Fprintln(c.OutOrStdout())
					}
					explain(c, e)
				}
				return nil
			}, codes...)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, of := range catalog.Surfaces {
				for _, e := range catalog.Entries(of) {
					codes = append(codes, e.Code)
				}
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
	}
	outputFlag(c, "the codes")
	return c
}

func explain(c *cobra.Command, e catalog.Entry) {
	head := e.Code + ", " + whose[e.Of]
	var facts []string
	if len(e.Statuses) > 0 {
		var s []string
		for _, n := range e.Statuses {
			s = append(s, strconv.Itoa(n))
		}
		facts = append(facts, "HTTP status "+strings.Join(s, ", "))
	}
	if e.Exit != 0 {
		facts = append(facts, fmt.Sprintf("exit code %d", e.Exit))
	}
	if e.Retryable {
		facts = append(facts, "may be repeated as it is")
	}
	fmt.Fprintln(c.OutOrStdout(), head)
	for _, line := range [][2]string{{"", strings.Join(facts, "; ")}, {"meaning", e.Meaning}, {"harm", e.Harm}, {"to do", e.Action}} {
		if line[1] != "" {
			fmt.Fprintf(c.OutOrStdout(), "  %-8s %s\n", line[0], line[1])
		}
	}
}
