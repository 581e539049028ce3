package main

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

func tenantCommand() *cobra.Command {
	return group("tenant", "Say who lives where",
		"  sluice tenant add acme --cluster a --index acme-docs --as docs\n  sluice tenant list\n  sluice tenant show acme\n  sluice tenant remove acme",
		tenantAdd(), tenantList(), tenantShow(), tenantLabel(), tenantRemove())
}

func tenantAdd() *cobra.Command {
	var p placement.Placement
	var kind string
	c := &cobra.Command{
		Use:   "add TENANT --cluster NAME",
		Short: "Register a tenant whose data is on a cluster",
		Long: `Register a tenant whose data is on a cluster already, or will be written there.
Nothing at the cluster is created or changed.

With a * in --index the tenant has any number of indices: the name that clients use, put in
the place of the *, is the name at the cluster. They create and remove indices themselves. No
other tenant of the cluster may have an index that the pattern could match.

Several tenants may share one index (--kind shared_index). Each document then holds its
tenant in the field --partition-field, which the proxies write and clients never see; the
index must have it as a plain keyword. sluice move --kind dedicated_index gives such a
tenant an index of its own.`,
		Example: `  sluice tenant add acme --cluster a --index acme-docs --as docs   # clients say docs, cluster a has acme-docs
  sluice tenant add initech --cluster a --index initech
  sluice tenant add umbrella --cluster a --index 'umbrella-*'       # clients say orders, cluster a has umbrella-orders
  sluice tenant add hooli --cluster hooli-1 --kind dedicated_cluster
  sluice tenant add tiny --cluster a --kind shared_index --index pool --partition-field tenant --as docs`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			id := placement.PartitionID(a[0])
			if err := id.ValidateNew(); err != nil {
				return err
			}
			if p.Cluster == "" {
				return &placement.InvalidError{Field: "--cluster", Value: "", Fix: "must name the cluster that holds the tenant's data"}
			}
			p.Kind = placement.Kind(kind)
			if p.Kind == placement.SharedIndex && p.PartitionField == "" {
				return &placement.InvalidError{Field: "--partition-field", Value: "", Fix: "must name the field of the shared index that tells its tenants apart"}
			}
			if p.Kind != placement.DedicatedCluster && p.Index == "" {
				return &placement.InvalidError{Field: "--index", Value: "", Fix: "must name the tenant's index at the cluster (or give --kind dedicated_cluster)"}
			}
			var err error
			if p, err = control.CompletePlacement(id, p); err != nil {
				return err
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			body := as[client.AddTenantInputBody](p)
			body.Tenant = a[0]
			v, err := client.Read[control.TenantView](f.AddTenant(c.Context(), nil, body))
			if err != nil {
				return err
			}
			return answer(c, v, func() error {
				_, err := fmt.Fprintf(c.OutOrStdout(), "tenant %s added at %s\n", printable(a[0]), v.Placement)
				return err
			}, a[0])
		},
	}
	f := c.Flags()
	f.StringVar(&p.Cluster, "cluster", "", "the cluster that holds the tenant's data")
	f.StringVar(&kind, "kind", string(placement.DedicatedIndex), "dedicated_index, dedicated_cluster or shared_index")
	f.StringVar(&p.Index, "index", "", "the tenant's index at the cluster, or a pattern of them with one *")
	f.StringVar(&p.PartitionField, "partition-field", "", "with --kind shared_index: the keyword field that holds the tenant of each document")
	f.StringVar(&p.Logical, "as", "", "the name that clients use for the index (default: the same)")
	_ = c.RegisterFlagCompletionFunc("cluster", completeClusters)
	_ = c.RegisterFlagCompletionFunc("kind", cobra.FixedCompletions([]string{"dedicated_index", "dedicated_cluster", "shared_index"}, cobra.ShellCompDirectiveNoFileComp))
	fleetFlags(c)
	outputFlag(c, "its name")
	return c
}

func tenantList() *cobra.Command {
	var cluster string
	var labels []string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the tenants",
		Example: "  sluice tenant list\n  sluice tenant list --label tier=small\n  sluice tenant list --cluster a -o json",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			if _, err := labelsWanted(labels); err != nil {
				return err
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			p := client.ListTenantsParams{Limit: pageLimit}
			if len(labels) > 0 {
				p.Label = &labels
			}
			if cluster != "" {
				p.Cluster = &cluster
			}
			views, unreadable, err := every[control.TenantView](func(cursor *string) (*http.Response, error) {
				p.Cursor = cursor
				return f.ListTenants(c.Context(), &p)
			})
			if err != nil {
				return err
			}
			rows, names := [][]string(nil), []string(nil)
			for _, v := range views {
				to := ""
				if v.MovingTo != nil {
					to = v.MovingTo.String()
				}
				names = append(names, string(v.Tenant))
				rows = append(rows, []string{string(v.Tenant), v.Placement.String(), v.Placement.Logical, v.Phase, to, strconv.FormatUint(uint64(v.Epoch), 10), strings.Join(v.Labels.Sorted(), " ")})
			}
			return errors.Join(append(unreadable, answer(c, views, func() error {
				return table(c.OutOrStdout(), []string{"TENANT", "PLACEMENT", "AS", "PHASE", "MOVING TO", "EPOCH", "LABELS"}, rows)
			}, names...))...)
		},
	}
	c.Flags().StringVar(&cluster, "cluster", "", "only tenants on, or moving to, this cluster")
	c.Flags().StringArrayVar(&labels, "label", nil, "only tenants with this label, KEY=VALUE; may be given several times")
	_ = c.RegisterFlagCompletionFunc("cluster", completeClusters)
	fleetFlags(c)
	outputFlag(c, "the tenants' names")
	return c
}

// readTenant asks for one tenant.
func readTenant(c *cobra.Command, f *fleet, name string) (control.TenantView, error) {
	if err := placement.PartitionID(name).Validate(); err != nil {
		return control.TenantView{}, err
	}
	return client.Read[control.TenantView](f.GetTenant(c.Context(), name, nil))
}

func tenantShow() *cobra.Command {
	c := &cobra.Command{
		Use:     "show TENANT",
		Short:   "Show where a tenant lives, and its move if it has one",
		Example: "  sluice tenant show acme\n  sluice tenant show acme -o json",
		Args:    args(cobra.ExactArgs(1)),
		RunE: onFleet(func(c *cobra.Command, f *fleet, a []string) error {
			v, err := readTenant(c, f, a[0])
			if err != nil {
				return err
			}
			rows := [][]string{
				{"phase", v.Phase}, {"placement", v.Placement.String()}, {"clients say", v.Placement.Logical},
				{"epoch", strconv.FormatUint(uint64(v.Epoch), 10)}, {"incarnation", strconv.FormatUint(uint64(v.Incarnation), 10)},
			}
			if f := v.Placement.PartitionField; f != "" {
				rows = append(rows, []string{"partition field", f})
			}
			if v.MovingTo != nil {
				rows = append(rows, []string{"moving to", v.MovingTo.String()}, []string{"move", v.Move})
			}
			if v.Previous != nil {
				rows = append(rows, []string{"kept copy", v.Previous.String()}, []string{"left by move", v.PreviousBy})
			}
			if len(v.Labels) > 0 {
				rows = append(rows, []string{"labels", strings.Join(v.Labels.Sorted(), " ")})
			}
			return answer(c, v, func() error { return table(c.OutOrStdout(), []string{"TENANT", a[0]}, rows) }, a[0])
		}),
	}
	c.ValidArgsFunction = completeTenants
	fleetFlags(c)
	outputFlag(c, "its name")
	return c
}

func tenantRemove() *cobra.Command {
	var ifEpoch func() *string
	c := &cobra.Command{
		Use:     "remove TENANT",
		Aliases: []string{"rm"},
		Short:   "Forget a tenant that is not moving; its data is not touched, its requests get 404",
		Example: "  sluice tenant remove acme",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if err := placement.PartitionID(a[0]).Validate(); err != nil {
				return err
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			if _, err := client.Read[client.Removed](f.RemoveTenant(c.Context(), a[0], &client.RemoveTenantParams{IfMatch: ifEpoch()})); err != nil {
				return err
			}
			return writeRemoved(c, "tenant", a[0])
		},
	}
	ifEpoch = ifEpochFlag(c)
	c.ValidArgsFunction = completeTenants
	fleetFlags(c)
	outputFlag(c, "its name")
	return c
}
