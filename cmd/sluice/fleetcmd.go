package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
)

func fleetCommand() *cobra.Command {
	return group("fleet", "Look at the processes of a fleet, at what changes, at its store, and at who you are to it",
		"  sluice fleet list\n  sluice fleet events\n  sluice fleet traffic\n  sluice fleet store\n  sluice fleet whoami --context production",
		fleetList(), fleetEvents(), fleetTraffic(), fleetStore(), fleetWhoami())
}

func fleetList() *cobra.Command {
	var kind string
	c := &cobra.Command{
		Use:   "list",
		Short: "List the proxies and controllers, and those that vanished and are still accounted for",
		Example: `  sluice fleet list
  sluice fleet list --kind proxy -o json
  sluice fleet list -q              # ids of their sessions`,
		Args: args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			p := client.ListSessionsParams{Limit: pageLimit, Kind: (*client.ListSessionsParamsKind)(given(kind))}
			all, unreadable, err := every[client.InstanceView](func(cursor *string) (*http.Response, error) {
				p.Cursor = cursor
				return f.ListSessions(c.Context(), &p)
			})
			if err != nil {
				return err
			}
			rows, ids := [][]string(nil), []string(nil)
			for _, i := range all {
				ids = append(ids, i.ID)
				rows = append(rows, []string{i.ID, string(i.Kind), i.Name, string(i.State), i.Address, i.Build, underWay(i)})
			}
			return errors.Join(append(unreadable, answer(c, all, func() error {
				return table(c.OutOrStdout(), []string{"SESSION", "KIND", "NAME", "STATE", "ADDRESS", "BUILD", "UNDER WAY"}, rows)
			}, ids...))...)
		}),
	}
	c.Flags().StringVar(&kind, "kind", "", "only processes of this kind: proxy or controller")
	_ = c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"proxy", "controller"}, cobra.ShellCompDirectiveNoFileComp))
	fleetFlags(c)
	outputFlag(c, "the ids of their sessions")
	return c
}

// underWay is what a process has to do before a move can pass it, for people.
func underWay(i client.InstanceView) string {
	var text []string
	for _, x := range []struct {
		of   *[]string
		what string
	}{{i.Pending, "tenants with older writes"}, {i.Unresolved, "with writes of unknown outcome"}, {i.OldReads, "with reads at an older place"}} {
		if x.of != nil && len(*x.of) > 0 {
			text = append(text, fmt.Sprintf("%d %s", len(*x.of), x.what))
		}
	}
	if i.Tasks != nil && *i.Tasks > 0 {
		text = append(text, fmt.Sprintf("%d tasks", *i.Tasks))
	}
	return strings.Join(text, ", ")
}

func fleetStore() *cobra.Command {
	c := &cobra.Command{
		Use:     "store",
		Short:   "Say whether the store answers, as whoever serves the API sees it",
		Example: "  sluice fleet store\n  sluice fleet store --context production -o json",
		Args:    args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			v, err := client.Read[client.StoreView](f.GetStore(c.Context()))
			if err != nil {
				return err
			}
			if err := answer(c, v, func() error {
				rows := [][]string{{"kind", v.Kind}, {"build", v.Build}, {"answered in", fmt.Sprintf("%.1f ms", v.LatencyMs)}}
				if v.Epoch != nil {
					rows = append(rows, []string{"epoch", strconv.FormatInt(*v.Epoch, 10)})
				}
				return table(c.OutOrStdout(), []string{"STORE", v.Where}, rows)
			}); err != nil {
				return err
			}
			if !v.Healthy {
				return &unreachableError{What: "the store does not answer", Err: errors.New(text(v.Error))}
			}
			return nil
		}),
	}
	fleetFlags(c)
	outputFlag(c)
	return c
}

func fleetWhoami() *cobra.Command {
	c := &cobra.Command{
		Use:     "whoami",
		Short:   "Say who you are to the fleet, and in which role: what the audit log will say",
		Example: "  sluice fleet whoami\n  sluice fleet whoami -q",
		Args:    args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			v, err := client.Read[client.CallerView](f.Whoami(c.Context()))
			if err != nil {
				return err
			}
			return answer(c, v, func() error {
				_, err := fmt.Fprintf(c.OutOrStdout(), "%s, %s\n", printable(v.Name), v.Role)
				return err
			}, v.Name)
		}),
	}
	fleetFlags(c)
	outputFlag(c, "the name")
	return c
}

func auditCommand() *cobra.Command {
	var who, target, outcome string
	var most int
	c := &cobra.Command{
		Use:   "audit",
		Short: "Show who has asked for which changes, newest first",
		Long: `Show who has asked for which changes, newest first: by a token, a certificate, or as a user of
the operating system on a store. It needs the role admin.`,
		Example: `  sluice audit
  sluice audit --target tenant/acme -n 0
  sluice audit --who token:ci --outcome unknown -o json`,
		Args: args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			p := client.ListAuditParams{Limit: pageLimit, Who: given(who), Target: given(target), Outcome: (*client.ListAuditParamsOutcome)(given(outcome))}
			if most > 0 && int64(most) < *pageLimit {
				p.Limit = new(int64(most))
			}
			all := []client.AuditEntry{}
			for page, err := range client.Pages[client.AuditEntry](func(cursor *string) (*http.Response, error) {
				p.Cursor = cursor
				return f.ListAudit(c.Context(), &p)
			}) {
				if err != nil {
					return err
				}
				all = append(all, page.Items...)
				if most > 0 && len(all) >= most {
					all = all[:most]
					break
				}
			}
			rows, ids := [][]string(nil), []string(nil)
			for _, e := range all {
				ids = append(ids, e.ID)
				rows = append(rows, []string{e.Time.Local().Format(time.DateTime), e.Who, e.Operation, text(e.Target), strings.TrimSpace(string(e.Outcome) + " " + text(e.Code))})
			}
			return answer(c, all, func() error {
				return table(c.OutOrStdout(), []string{"TIME", "WHO", "OPERATION", "TARGET", "OUTCOME"}, rows)
			}, ids...)
		}),
	}
	f := c.Flags()
	f.StringVar(&who, "who", "", "only what this one asked for, as sluice fleet whoami names him")
	f.StringVar(&target, "target", "", "only what was about this, such as tenant/acme, move/m1k2j3h4g5abcdef or cluster/a")
	f.StringVar(&outcome, "outcome", "", "only changes with this outcome: intended, done, refused or unknown")
	f.IntVarP(&most, "number", "n", 50, "show so many at most, 0 for all")
	_ = c.RegisterFlagCompletionFunc("outcome", cobra.FixedCompletions([]string{"intended", "done", "refused", "unknown"}, cobra.ShellCompDirectiveNoFileComp))
	fleetFlags(c)
	outputFlag(c, "the entries' ids")
	return c
}

// text is what an optional member of an answer says.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
