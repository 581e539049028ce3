package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
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
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			all, unreadable, err := every[control.Trash](func(cursor *string) (*http.Response, error) {
				return f.ListTrash(c.Context(), &client.ListTrashParams{Limit: pageLimit, Cursor: cursor})
			})
			if err != nil {
				return err
			}
			slices.SortFunc(all, func(a, b control.Trash) int {
				if n := a.Until.Compare(b.Until); n != 0 {
					return n
				}
				return strings.Compare(a.Move, b.Move)
			})
			rows, ids := [][]string(nil), []string(nil)
			for _, t := range all {
				ids = append(ids, t.Move)
				rows = append(rows, []string{t.Move, string(t.Partition), t.At.String(), fmt.Sprint(len(t.Indices)), t.Until.Local().Format(time.DateTime), trashState(t)})
			}
			return errors.Join(append(unreadable, answer(c, all, func() error {
				return table(c.OutOrStdout(), []string{"MOVE", "TENANT", "AT", "INDICES", "UNTIL", "STATE"}, rows)
			}, ids...))...)
		}),
	}
	fleetFlags(c)
	outputFlag(c, "the ids of the moves that left it")
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
	}, func(c *cobra.Command, f *fleet, id string) error {
		t, err := client.Read[control.Trash](f.GetTrash(c.Context(), id))
		if isCode(err, api.CodeNotInTrash) {
			return refused("move %q has left nothing in the trash; `sluice trash list` shows all", id)
		}
		if err != nil {
			return err
		}
		rows := [][]string{{"tenant", string(t.Partition)}, {"cluster", t.At.Cluster}, {"was", t.At.String()},
			{"since", t.Since.Local().Format(time.DateTime)}, {"until", t.Until.Local().Format(time.DateTime)}, {"state", trashState(t)}}
		for _, i := range t.Indices {
			rows = append(rows, []string{"index", i.Source + " (" + i.SourceUUID + ")"})
		}
		return answer(c, t, func() error { return table(c.OutOrStdout(), []string{"MOVE", t.Move}, rows) }, t.Move)
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
	}, func(c *cobra.Command, f *fleet, id string) error {
		t, err := client.Read[control.Trash](f.RestoreTrash(c.Context(), id, nil, client.RestoreTrashJSONRequestBody{Writable: &writable}))
		if err != nil {
			return err
		}
		return leavesTrash(c, f, t, wait, "restored")
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
	}, func(c *cobra.Command, f *fleet, id string) error {
		t, err := client.Read[control.Trash](f.PurgeTrash(c.Context(), id, nil))
		if err != nil {
			return err
		}
		return leavesTrash(c, f, t, wait, "purged")
	})
	c.Flags().BoolVar(&wait, "wait", false, "wait until it is gone")
	return c
}

// leavesTrash reports what was asked for, or waits until it is done: the record is gone
// then.
func leavesTrash(c *cobra.Command, f *fleet, t control.Trash, wait bool, done string) error {
	warnWithoutController(c, f)
	if !wait {
		return answer(c, t, func() error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "move %s is to be %s; `sluice trash show %s` tells when it is gone from the trash, or why not\n", t.Move, done, t.Move)
			return err
		}, t.Move)
	}
	said := ""
	if err := poll(c.Context(), 300*time.Millisecond, func(ctx context.Context) (bool, error) {
		now, err := client.Read[control.Trash](f.GetTrash(ctx, t.Move))
		if isCode(err, api.CodeNotInTrash) {
			return true, nil
		}
		if err == nil && now.Error != said {
			said = now.Error
			fmt.Fprintf(c.ErrOrStderr(), "sluice: trying again: %s\n", printable(said))
		}
		return false, err
	}); err != nil {
		return err
	}
	return answer(c, t, func() error {
		_, err := fmt.Fprintf(c.OutOrStdout(), "%s: %d indices on %s\n", done, len(t.Indices), t.At.Cluster)
		return err
	}, t.Move)
}

// oneTrash completes a command about what one move has left.
func oneTrash(c *cobra.Command, do func(*cobra.Command, *fleet, string) error) *cobra.Command {
	c.Args = args(cobra.ExactArgs(1))
	c.RunE = onFleet(func(c *cobra.Command, f *fleet, a []string) error {
		if a[0] == "" || len(a[0]) > maxID {
			return refused("move %q has left nothing in the trash; `sluice trash list` shows all", a[0])
		}
		return do(c, f, a[0])
	})
	c.ValidArgsFunction = func(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
		return complete(c, len(a) > 0, func(ctx context.Context, f *fleet) []string {
			return offered(func(t control.Trash) string { return t.Move + "\t" + string(t.Partition) })(f.ListTrash(ctx, &client.ListTrashParams{Limit: maxComplete}))
		})
	}
	fleetFlags(c)
	outputFlag(c, "the move's id")
	return c
}
