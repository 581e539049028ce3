package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

func moveCommand() *cobra.Command {
	var req control.Request
	var limits copyBoundFlags
	var dryRun, wait bool
	var shadow func()
	var ifEpoch func() *string
	c := &cobra.Command{
		Use:   "move TENANT --to CLUSTER",
		Short: "Move a tenant to another cluster while it keeps reading and writing",
		Long: `Move a tenant to another cluster while it keeps reading and writing. A controller does
the work; this command asks for it and, with --wait, watches until the tenant has
flipped. Interrupting it does not stop the move: sluice moves abort does.

The old copy is kept, blocked for writes, until sluice moves retire removes it, or until
--retire-after has passed. With --trash, or controller.trash, it can be restored for a
time after that. As long as it is there, sluice moves rollback takes the tenant
back to it.

A tenant of a shared index moves with --kind dedicated_index into an index of its own, on
the same cluster or another. The shared index is not blocked, for others write to it; retire
deletes the tenant's documents there, unless somebody has written to them since.

With --kind shared_index --index POOL a tenant with one index moves into a shared index that
exists, beside its other tenants. Fields that it lacks are added; those that it has
otherwise are in the way.

With --shadow-reads the proxies sample the tenant's searches while it moves, and compare
what both sides answer before the flip: totals, hits and their order, documents, aggregations
and times. The receipt has the result.`,
		Example: `  sluice move acme --to b --dry-run     # what it would do, and what is in its way
  sluice move acme --to b --wait
  sluice move acme --to b --index acme-2026 --wait -o json
  sluice move acme --to b --retire-after 24h --trash 7d   # the old copy goes by itself, in two steps
  sluice move tiny --to b --kind dedicated_index --wait   # out of a shared index
  sluice move tiny --to b --kind shared_index --index pool --wait   # into one
  sluice move acme --to c --kind dedicated_cluster --wait           # to a cluster of its own
  sluice move acme --to b --kind dedicated_index --index 'acme-*'   # from there, all of its indices
  sluice move acme --to b --copy auto --repository backups --snapshot-above 50GiB --dry-run
  sluice move acme --to b --copy snapshot --repository backups --wait   # see docs/moves.md
  sluice move acme --to b --shadow-reads 200 --shadow-max-differences 0 --wait`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if req.Cluster == "" {
				return &placement.InvalidError{Field: "--to", Value: "", Fix: "must name the cluster to move to; `sluice cluster list` shows them"}
			}
			if err := req.Options.Copy.Validate(); err != nil {
				return err
			}
			if err := checkVerify(req.Options.Verify); err != nil {
				return err
			}
			if k := req.Kind; k != "" && k != placement.DedicatedIndex && k != placement.DedicatedCluster && k != placement.SharedIndex {
				return &placement.InvalidError{Field: "--kind", Value: string(k), Fix: "must be dedicated_index, dedicated_cluster or shared_index"}
			}
			if dryRun && wait {
				return &usageError{errors.New("--wait: there is nothing to wait for with --dry-run")}
			}
			if err := limits.into(c, &req.Options); err != nil {
				return err
			}
			if err := placement.PartitionID(a[0]).Validate(); err != nil {
				return err
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			shadow()
			body := client.MoveRequest{Tenant: a[0], To: req.Cluster, Index: given(req.Index), PartitionField: given(req.Field),
				Kind: (*client.MoveRequestKind)(given(string(req.Kind))), Options: givenOptions(req.Options)}
			if dryRun {
				return precheck(c, f, body)
			}
			m, err := client.Read[control.Move](f.RequestMove(c.Context(), &client.RequestMoveParams{IfMatch: ifEpoch()}, body))
			if err != nil {
				return moveRefusal(body, err)
			}
			warnWithoutController(c, f)
			if wait {
				return watchMove(c, f, m.ID)
			}
			return answer(c, m, func() error {
				_, err := fmt.Fprintf(c.OutOrStdout(), "move %s requested: %s from %s to %s\nwatch it with: sluice moves watch %s\n", m.ID, printable(a[0]), m.From, m.To, m.ID)
				return err
			}, m.ID)
		},
	}
	c.ValidArgsFunction = completeTenants
	f := c.Flags()
	f.StringVar(&req.Cluster, "to", "", "the cluster to move to")
	f.StringVar((*string)(&req.Kind), "kind", "", "kind of placement at the target: dedicated_index, dedicated_cluster or shared_index (default: the same as now)")
	f.StringVar(&req.Index, "index", "", "name of the index at the target; must not exist (default: the clients' name, a dash and the move's id). Of a tenant with a pattern, the pattern there (default: the same). With --kind shared_index, an index that exists")
	f.StringVar(&req.Field, "partition-field", "", "with --kind shared_index: the field that tells the tenants of the index apart (default: that of those which are there)")
	f.BoolVar(&dryRun, "dry-run", false, "check what is in the way and estimate; change nothing")
	f.BoolVar(&wait, "wait", false, "watch until the tenant has flipped, print the receipt, and exit by the outcome")
	f.DurationVar(&req.Options.PauseBudget, "pause-budget", 0, "hold writes only when the predicted pause is at most this (default controller.pause_budget)")
	f.DurationVar(&req.Options.CutoverDeadline, "cutover-deadline", 0, "undo a cutover that takes longer, and try again (default controller.cutover_deadline)")
	afterwardsFlags(c, &req.Options.Afterwards)
	limits.add(c)
	verifyFlags(c, &req.Options)
	copyFlags(c, &req.Options.Copy)
	shadow = shadowFlags(f, &req.Options)
	_ = c.RegisterFlagCompletionFunc("to", completeClusters)
	_ = c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"dedicated_index", "dedicated_cluster", "shared_index"}, cobra.ShellCompDirectiveNoFileComp))
	ifEpoch = ifEpochFlag(c)
	fleetFlags(c)
	outputFlag(c, "the move's id")
	return c
}

// given is what a flag says, nil where it says nothing.
func given[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// givenOptions are the options that flags have set, for a request: the fleet has defaults
// for the others.
func givenOptions(o control.MoveOptions) *client.GivenOptions {
	g := as[client.GivenOptions](o)
	// What is 0 or false was not given, or is the default in any case.
	g.PauseBudget, g.CutoverDeadline = given(int64(o.PauseBudget)), given(int64(o.CutoverDeadline))
	g.CopyRate, g.CopyBytes = given(o.CopyRate), given(o.CopyBytes)
	g.Verify = (*client.GivenOptionsVerify)(given(string(o.Verify)))
	return &g
}

// moveRefusal says by which flags a refusal is avoided.
func moveRefusal(r client.MoveRequest, err error) error {
	if isCode(err, api.CodeSamePlace) {
		return refused("tenant %q is at cluster %s already; --to must name another cluster, or --index another index there", r.Tenant, r.To)
	}
	return err
}

// warnWithoutController tells a person why nothing will happen yet. Not being
// able to tell is no reason to say anything.
func warnWithoutController(c *cobra.Command, f *fleet) {
	all, err := client.Read[client.Page[client.InstanceView]](f.ListSessions(c.Context(), &client.ListSessionsParams{Kind: new(client.ListSessionsParamsKind(store.KindController)), Limit: pageLimit}))
	if err != nil || slices.ContainsFunc(all.Items, func(i client.InstanceView) bool { return i.State != "vanished" }) {
		return
	}
	fmt.Fprintln(c.ErrOrStderr(), "sluice: warning: no controller is running; the move begins when one does (`sluice serve` or `sluice controller`)")
}
