package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/docs"
	"github.com/sluiceproxy/sluice/internal/fleetfile"
	"github.com/sluiceproxy/sluice/placement"
)

// applyFlags are the flags of sluice apply.
type applyFlags struct {
	files, selector, move, windows []string
	zone                           string
	dryRun, yes, prune, noCheck    bool
	wait                           bool
	limits                         control.WaveLimits

	over  *fleetfile.Move  // of move
	hours []control.Window // of windows
}

func applyCommand() *cobra.Command {
	var x applyFlags
	c := &cobra.Command{
		Use:   "apply -f FILE...",
		Short: "Make the fleet what files say: clusters, tenants, their labels, and where they live",
		Long: `Make the fleet what files say: clusters, tenants, their labels, and where they live. What
differs is shown first, and asked for on a terminal; --yes asks nothing, and --dry-run changes
nothing. docs/apply.md has the format.

A tenant that is new is registered; one that is declared at another place is moved there. What
is the same is left alone, and a move that leads there already is not asked for again: applied
a second time, or after an interruption, a file does only what is left. Nothing at a cluster is
deleted, and no cluster is removed. A tenant that no file has is left alone, too, unless
--prune removes it from the table: those that --selector matches, and never their data.

One tenant moves by itself; several move as waves, one for each set of options.`,
		Example: `  sluice apply -f fleet.yaml --dry-run            # what differs; exits with 10 if something does
  sluice apply -f clusters.yaml -f tenants/ --yes --wait
  sluice apply export | sluice apply -f - --dry-run
  sluice apply -f fleet.yaml --at-once 1 --window 22:00-06:00 --zone Europe/Berlin
  sluice apply -f fleet.yaml --move pause_budget=500ms --move retire_after=24h
  sluice apply -f free.yaml --prune --selector tier=free`,
		Args: noSubcommand,
		RunE: func(c *cobra.Command, _ []string) error { return x.run(c) },
	}
	f := c.Flags()
	f.StringArrayVarP(&x.files, "file", "f", nil, "a file, a folder of files (.yaml, .yml and .json, not those of folders in it), or - for standard input; may be given several times")
	f.BoolVar(&x.dryRun, "dry-run", false, "show what differs, change nothing, and exit with 10 if something does")
	f.BoolVarP(&x.yes, "yes", "y", false, "change it without asking")
	f.BoolVar(&x.prune, "prune", false, "remove tenants that no file has from the table; their data is not touched. Needs --selector")
	f.StringArrayVar(&x.selector, "selector", nil, "with --prune: only tenants with this label, KEY=VALUE; given several times, with all of them")
	f.StringArrayVar(&x.move, "move", nil, "an option of moves, KEY=VALUE, as the file has it under move, and over what the file says; may be given several times")
	limitFlags(c, &x.limits, true)
	f.StringArrayVar(&x.windows, "window", nil, "begin moves only between these times of the day, such as 22:00-06:00; may be given several times")
	f.StringVar(&x.zone, "zone", "", "time zone of the windows (default UTC)")
	f.BoolVar(&x.noCheck, "no-check", false, "do not ask clusters that are added or changed for their version")
	f.BoolVar(&x.wait, "wait", false, "watch the moves until they have ended, those that were under way before among them, and exit by the outcome")
	fleetFlags(c)
	outputFlag(c)
	c.AddCommand(applyExport(), applySchema())
	return c
}

func applyExport() *cobra.Command {
	var cluster string
	var selector []string
	c := &cobra.Command{
		Use:   "export",
		Short: "Print the fleet as a file that sluice apply takes, and finds no difference to",
		Long: `Print the fleet as a file that sluice apply takes, and finds no difference to. A tenant that
is moving is printed at the place that it is on its way to. With --cluster or --selector only
those tenants are in it, and with --cluster no other cluster.`,
		Example: "  sluice apply export > fleet.yaml\n  sluice apply export --selector tier=free > free.yaml",
		Args:    args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, fl *fleet, _ []string) error {
			want, err := labelsWanted(selector)
			if err != nil {
				return err
			}
			p, err := presentFleet(c.Context(), fl)
			if err != nil {
				return err
			}
			f := fleetfile.Of(p)
			of := map[string]control.Labels{}
			for _, v := range p.Tenants {
				of[string(v.Tenant)] = v.Labels
			}
			f.Tenants = slices.DeleteFunc(f.Tenants, func(t fleetfile.Tenant) bool {
				return cluster != "" && t.Cluster != cluster || !of[t.Name].Matches(want)
			})
			if cluster != "" {
				f.Clusters = slices.DeleteFunc(f.Clusters, func(p placement.Cluster) bool { return p.Name != cluster })
			}
			return fleetfile.Write(c.OutOrStdout(), f)
		}),
	}
	c.Flags().StringVar(&cluster, "cluster", "", "only this cluster, and the tenants that live there or are on their way to it")
	c.Flags().StringArrayVar(&selector, "selector", nil, "only tenants with this label, KEY=VALUE; given several times, with all of them")
	_ = c.RegisterFlagCompletionFunc("cluster", completeClusters)
	fleetFlags(c)
	return c
}

func applySchema() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON schema of the files, for editors",
		Example: "  sluice apply schema > fleet.schema.json",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := c.OutOrStdout().Write(docs.FleetSchema)
			return err
		},
	}
}

// pendingError is a dry run that has found something to do.
type pendingError struct{ changes int }

func (e *pendingError) Error() string {
	return fmt.Sprintf("%d changes are to be made; nothing was changed", e.changes)
}

func (e *pendingError) ErrorCode() string { return "changes_pending" }

func (x *applyFlags) run(c *cobra.Command) error {
	declared, err := x.declared(c)
	if err != nil {
		return err
	}
	prune, err := labelsWanted(x.selector)
	if err != nil {
		return err
	}
	f, err := openFleet(c)
	if err != nil {
		return err
	}
	defer f.close()
	present, err := presentFleet(c.Context(), f)
	if err != nil {
		return err
	}
	plan, err := fleetfile.Diff(present, declared, fleetfile.Options{Move: x.over, Prune: prune})
	if err != nil {
		return err
	}
	if !forPrograms(c) || x.dryRun || len(plan.Conflicts) > 0 {
		if err := writeDiff(c, plan); err != nil {
			return err
		}
	}
	switch n := len(plan.Changes); {
	case len(plan.Conflicts) > 0:
		return conflicts(plan)
	case x.dryRun && n > 0:
		return &pendingError{n}
	case x.dryRun:
		return nil
	case n > 0 && !x.yes:
		if err := x.confirm(c); err != nil {
			return err
		}
	}
	made := &applying{f: f, flags: x, plan: &plan, c: c}
	if err := made.all(c.Context()); err != nil {
		return err
	}
	if forPrograms(c) {
		if err := writeValue(c, plan); err != nil {
			return err
		}
	}
	if x.wait {
		return made.watch()
	}
	return nil
}

// conflicts is the refusal of a plan, a line for each.
func conflicts(p fleetfile.Plan) error {
	var errs []error
	for _, k := range p.Conflicts {
		errs = append(errs, refused("%s", k))
	}
	return errors.Join(append(errs, refused("nothing was changed"))...)
}

// declared reads the flags and the files, before any store is asked.
func (x *applyFlags) declared(c *cobra.Command) (*fleetfile.Declared, error) {
	switch {
	case len(x.files) == 0:
		return nil, &usageError{errors.New("-f: name a file, a folder, or - for standard input; `sluice apply export` prints one")}
	case x.prune && len(x.selector) == 0:
		return nil, &usageError{errors.New("--prune: --selector must say among which tenants, such as --selector tier=free")}
	case !x.prune && len(x.selector) > 0:
		return nil, &usageError{errors.New("--selector goes with --prune")}
	case x.dryRun && (x.wait || x.yes):
		return nil, &usageError{errors.New("--dry-run changes nothing: it goes with neither --yes nor --wait")}
	case forPrograms(c) && !x.yes && !x.dryRun:
		return nil, &usageError{errors.New("--output asks nothing: give --yes or --dry-run")}
	case x.zone != "" && len(x.windows) == 0:
		return nil, &usageError{errors.New("--zone: there is no --window that is in it")}
	}
	for _, w := range x.windows {
		h, err := control.ParseWindow(w, x.zone)
		if err != nil {
			return nil, err
		}
		x.hours = append(x.hours, h)
	}
	var err error
	if x.over, err = fleetfile.ParseMove(x.move); err != nil {
		return nil, err
	}
	d := &fleetfile.Declared{}
	var errs []error
	for _, name := range x.files {
		errs = append(errs, readFleetFiles(c.InOrStdin(), name, d))
	}
	return d, errors.Join(errs...)
}

// mostFleetFile is how large a file may be, in bytes: some millions of tenants.
const mostFleetFile = 512 << 20

// readFleetFiles reads a file, or those of a folder.
func readFleetFiles(stdin io.Reader, name string, d *fleetfile.Declared) error {
	if info, err := os.Stat(name); name != "-" && err == nil && info.IsDir() {
		entries, err := os.ReadDir(name) // in order
		if err != nil {
			return &usageError{err}
		}
		var errs []error
		read := 0
		for _, e := range entries {
			switch strings.ToLower(filepath.Ext(e.Name())) {
			case ".yaml", ".yml", ".json":
			default:
				continue
			}
			if e.IsDir() {
				continue
			}
			read++
			errs = append(errs, readFleetFiles(nil, filepath.Join(name, e.Name()), d))
		}
		if read == 0 {
			return &usageError{fmt.Errorf("-f %s: the folder has no file that ends in .yaml, .yml or .json", name)}
		}
		return errors.Join(errs...)
	}
	in, done, err := openInput(name, stdin)
	if err != nil {
		return err
	}
	defer done()
	text, err := io.ReadAll(io.LimitReader(in, mostFleetFile+1))
	switch {
	case err != nil:
		return &usageError{fmt.Errorf("-f %s: %w", name, err)}
	case len(text) > mostFleetFile:
		return &usageError{fmt.Errorf("-f %s: is larger than %s: split it", name, size(mostFleetFile))}
	case name == "-":
		name = "standard input"
	}
	return d.Add(name, text)
}

// confirm asks on a terminal; elsewhere nobody can answer.
func (x *applyFlags) confirm(c *cobra.Command) error {
	in, ok := c.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) || slices.Contains(x.files, "-") {
		return &usageError{errors.New("nobody can be asked, for standard input is no terminal: give --yes to change it, or --dry-run")}
	}
	if err := ask(c.Context(), in, c.OutOrStdout(), "Change it?"); err != nil {
		return err
	}
	return nil
}

// ask is nil if the answer is yes. Whoever reads is left behind when ctx ends: a terminal
// cannot be made to return.
func ask(ctx context.Context, in io.Reader, out io.Writer, question string) error {
	if _, err := fmt.Fprintf(out, "\n%s [y/N] ", question); err != nil {
		return err
	}
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n') // no answer is no
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case a := <-answer:
		if a != "y" && a != "yes" {
			return refused("not confirmed; nothing was changed")
		}
		return nil
	}
}
