package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/store"
)

func trashCommand() *cobra.Command {
	return group("trash", "Look at old copies that were retired and can be restored; restore or delete them",
		"  sluice trash list\n  sluice trash restore m1k2j3h4g5abcdef --wait\n  sluice trash purge m1k2j3h4g5abcdef",
		trashList(), trashShow(), trashRestore(), trashPurge())
}

func trashList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List what is in the trash, what goes first first",
		Example: "  sluice trash list\n  sluice trash list -o json",
		Args:    args(cobra.NoArgs),
		RunE: onStore(func(c *cobra.Command, s *openedStore, _ []string) error {
			all, _, err := control.TrashRecords(s.Store).List(c.Context())
			if err != nil {
				return err
			}
			slices.SortFunc(all, func(a, b store.Record[control.Trash]) int {
				if n := a.Value.Until.Compare(b.Value.Until); n != 0 {
					return n
				}
				return strings.Compare(a.Name, b.Name)
			})
			out, rows := []control.Trash{}, [][]string(nil)
			for _, r := range all {
				t := r.Value
				out = append(out, t)
				rows = append(rows, []string{t.Move, string(t.Partition), t.At.String(), fmt.Sprint(len(t.Indices)), t.Until.Local().Format(time.DateTime), trashState(t)})
			}
			if forPrograms(c) {
				return writeValue(c, out)
			}
			return table(c.OutOrStdout(), []string{"MOVE", "TENANT", "AT", "INDICES", "UNTIL", "STATE"}, rows)
		}),
	}
	storeFlags(c)
	outputFlag(c)
	return c
}

func trashState(t control.Trash) string {
	text := string(t.State)
	if text == "" {
		text = "kept"
	}
	if t.Error != "" {
		text += ": " + t.Error
	}
	return text
}

func trashShow() *cobra.Command {
	return oneTrash(&cobra.Command{
		Use:     "show MOVE",
		Short:   "Show what a move has left in the trash: its indices, where they are, and until when",
		Example: "  sluice trash show m1k2j3h4g5abcdef\n  sluice trash show m1k2j3h4g5abcdef -o json",
	}, func(c *cobra.Command, s *store.Store, f *fleet, id string) error {
		r, err := control.TrashRecords(s).Get(c.Context(), id)
		if errors.Is(err, store.ErrNotFound) {
			return refused("move %q has left nothing in the trash; `sluice trash list` shows all", id)
		}
		if err != nil {
			return err
		}
		t := r.Value
		if forPrograms(c) {
			return writeValue(c, t)
		}
		rows := [][]string{{"tenant", string(t.Partition)}, {"cluster", t.At.Cluster}, {"was", t.At.String()},
			{"since", t.Since.Local().Format(time.DateTime)}, {"until", t.Until.Local().Format(time.DateTime)}, {"state", trashState(t)}}
		for _, i := range t.Indices {
			rows = append(rows, []string{"index", i.Source + " (" + i.SourceUUID + ")"})
		}
		return table(c.OutOrStdout(), []string{"MOVE", t.Move}, rows)
	})
}

func trashRestore() *cobra.Command {
	var writable, wait bool
	c := oneTrash(&cobra.Command{
		Use:   "restore MOVE",
		Short: "Open an old copy again, beside the tenant, under its old names; where the tenant lives does not change",
		Long: `Open the indices of an old copy again, on the cluster and under the names that they had. They
are yours then: Sluice knows nothing of them any more, and where the tenant lives does not
change. They stay blocked for writes unless --writable is given. To have the tenant use what
is in them, copy it to where the tenant lives, through the proxies.`,
		Example: "  sluice trash restore m1k2j3h4g5abcdef --wait\n  sluice trash restore m1k2j3h4g5abcdef --writable",
	}, func(c *cobra.Command, s *store.Store, f *fleet, id string) error {
		t, err := control.RequestRestore(c.Context(), s, id, writable)
		if err != nil {
			return err
		}
		return leavesTrash(c, s, f, t, wait, "restored")
	})
	c.Flags().BoolVar(&writable, "writable", false, "lift the block on writes, too")
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is open")
	return c
}

func trashPurge() *cobra.Command {
	var wait bool
	c := oneTrash(&cobra.Command{
		Use:     "purge MOVE",
		Short:   "Delete an old copy in the trash now",
		Example: "  sluice trash purge m1k2j3h4g5abcdef\n  sluice trash purge m1k2j3h4g5abcdef --wait",
	}, func(c *cobra.Command, s *store.Store, f *fleet, id string) error {
		t, err := control.RequestPurge(c.Context(), s, id)
		if err != nil {
			return err
		}
		return leavesTrash(c, s, f, t, wait, "purged")
	})
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is gone")
	return c
}

// leavesTrash reports what was asked for, or waits until it is done: the record is gone
// then.
func leavesTrash(c *cobra.Command, s *store.Store, f *fleet, t control.Trash, wait bool, done string) error {
	warnWithoutController(c, f)
	if !wait {
		if forPrograms(c) {
			return writeValue(c, t)
		}
		_, err := fmt.Fprintf(c.OutOrStdout(), "move %s is to be %s; `sluice trash show %s` tells when it is gone from the trash, or why not\n", t.Move, done, t.Move)
		return err
	}
	for said := ""; ; {
		r, err := control.TrashRecords(s).Get(c.Context(), t.Move)
		switch {
		case errors.Is(err, store.ErrNotFound):
			if forPrograms(c) {
				return writeValue(c, t)
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "%s: %d indices on %s\n", done, len(t.Indices), t.At.Cluster)
			return err
		case err != nil && !errors.Is(err, store.ErrUnavailable):
			return err
		case err == nil && r.Value.Error != said:
			said = r.Value.Error
			fmt.Fprintf(c.ErrOrStderr(), "sluice: trying again: %s\n", printable(said))
		}
		select {
		case <-c.Context().Done():
			return context.Cause(c.Context())
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// oneTrash completes a command about what one move has left.
func oneTrash(c *cobra.Command, do func(*cobra.Command, *store.Store, *fleet, string) error) *cobra.Command {
	c.Args = args(cobra.ExactArgs(1))
	c.RunE = onServedStore(func(c *cobra.Command, s *openedStore, f *fleet, a []string) error { return do(c, s.Store, f, a[0]) })
	c.ValidArgsFunction = func(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(a) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(c.Context(), time.Second)
		defer cancel()
		c.SetContext(ctx)
		s, err := openStore(c)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer s.close()
		all, _, _ := control.TrashRecords(s.Store).List(ctx)
		var names []string
		for _, r := range all {
			names = append(names, r.Name+"\t"+string(r.Value.Partition))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	storeFlags(c)
	outputFlag(c)
	return c
}
