package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control/checkup"
)

func doctorCommand() *cobra.Command {
	var fix, yes bool
	var only []string
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find what does not belong together in the table and on the clusters, and repair it",
		Long: fmt.Sprintf(`Find what does not belong together in the table and on the clusters: entries, moves, write
blocks, half-made copies, aliases, snapshots, documents, processes, journals, waves, labels.
Of each it says what it is, what it harms, and what repairs it; docs/doctor.md has them all.

Nothing is changed without --fix and --yes; --fix alone says what would be done. What may
lose something is repaired only if it is named with --only. It is safe while moves are
under way: it looks twice, and each repair makes certain that nothing has changed since.

  info     it heals by itself, or only somebody should know
  warning  nothing fails now; something is left over, or will be in the way
  error    a tenant, or every move, suffers

Exit code %d when there is nothing but information, %d with a warning, %d with an error,
%d when the table cannot be read. After a repair, of what is left.`, exitOK, exitWeak, exitBroken, exitUnavailable),
		Example: `  sluice doctor
  sluice doctor --fix                                          # what would be repaired
  sluice doctor --fix --yes
  sluice doctor --fix --only orphan_documents:a/pool/acme --yes
  sluice doctor -o json
  sluice doctor store                                          # what Sluice stands on`,
		Args: noSubcommand,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := checkup.CheckNames(only); err != nil {
				return &usageError{fmt.Errorf("--only: %w", err)}
			}
			if yes && !fix {
				return &usageError{errors.New("--yes: there is nothing to agree to without --fix")}
			}
			fleet, err := openFleet(c)
			if err != nil {
				return err
			}
			defer fleet.close()
			v, err := fleet.examine(c.Context(), fix && yes, only)
			if err != nil {
				return err
			}
			if forPrograms(c) {
				err = writeValue(c, v)
			} else {
				err = writeCheckup(c.OutOrStdout(), v, fix && !yes, only)
			}
			if err != nil {
				return err
			}
			return checkupVerdict(v)
		},
	}
	f := c.Flags()
	f.BoolVar(&fix, "fix", false, "say what would be repaired; with --yes repair it")
	f.BoolVar(&yes, "yes", false, "do what --fix says")
	f.StringSliceVar(&only, "only", nil, "report and repair only findings of this code, or CODE:SUBJECT; may be repeated")
	_ = c.RegisterFlagCompletionFunc("only", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var codes []string
		for _, k := range checkup.Kinds {
			codes = append(codes, k.Code+"\t"+k.What)
		}
		return codes, cobra.ShellCompDirectiveNoFileComp
	})
	fleetFlags(c)
	outputFlag(c)
	c.AddCommand(doctorStoreCommand())
	return c
}

// examine asks for what does not belong together, or has it repaired.
func (f *fleet) examine(ctx context.Context, repair bool, only []string) (checkup.Outcome, error) {
	var names *[]string
	if len(only) > 0 {
		names = &only
	}
	if repair {
		return client.Read[checkup.Outcome](f.RepairFleet(ctx, nil, client.RepairFleetJSONRequestBody{Only: names}))
	}
	return client.Read[checkup.Outcome](f.ExamineFleet(ctx, &client.ExamineFleetParams{Only: names}))
}

// checkupVerdict is the error that a command ends with after what was found; nil: none.
func checkupVerdict(v checkup.Outcome) error {
	counts := map[checkup.Severity]int{}
	for _, f := range v.Findings {
		counts[f.Severity]++
	}
	failed := 0
	for _, d := range v.Repaired {
		if d.Error != "" {
			failed++
		}
	}
	msg := fmt.Sprintf("%d errors, %d warnings", counts[checkup.Error], counts[checkup.Warning])
	if failed > 0 {
		msg += fmt.Sprintf("; %d repairs were not made", failed)
	}
	switch v.Worst {
	case checkup.Error:
		return &verdictError{exitBroken, msg}
	case checkup.Warning:
		return &verdictError{exitWeak, msg}
	}
	return nil
}

func writeCheckup(w io.Writer, v checkup.Outcome, dry bool, only []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "looked at %s tenants and %s moves, and at %s indices of %d clusters\n", count(int64(v.Tenants)), count(int64(v.Moves)), count(int64(v.Indices)), v.Clusters)
	for _, d := range v.Repaired {
		result := d.Result
		if d.Error != "" {
			result = "not repaired: " + d.Error
		}
		fmt.Fprintf(&b, "\nrepaired %s of %s: %s\n", d.Code, printable(d.Subject.String()), printable(result))
	}
	for _, f := range v.Findings {
		fmt.Fprintf(&b, "\n%-8s %s  %s\n", f.Severity, f.Code, printable(f.Subject.String()))
		what := f.What
		if f.Detail != "" {
			what += " Here: " + f.Detail
		}
		repair := f.Repair
		switch {
		case f.Heals():
			repair = "Will heal by itself: " + f.Repair
		case dry && checkup.Chosen(f, only):
			repair = "Would be repaired: " + f.Repair
		case f.ByNaming:
			repair += fmt.Sprintf(" (sluice doctor --fix --only %s --yes)", shellWord(f.Code+":"+f.Subject.Name))
		case f.Repairable:
			repair += " (sluice doctor --fix --yes)"
		}
		for _, line := range [][2]string{{"what", what}, {"harm", f.Harm}, {"repair", repair}} {
			fmt.Fprintf(&b, "         %-6s %s\n", line[0], printable(line[1]))
		}
	}
	if len(v.Findings) == 0 {
		b.WriteString("\nnothing is wrong\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// shellWord quotes a word for a shell if it has to be.
func shellWord(s string) string {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("._-:/", r) {
			return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return s
}
