package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

func tenantLabel() *cobra.Command {
	var ifEpoch func() *string
	c := &cobra.Command{
		Use:   "label TENANT [KEY=VALUE]... [KEY-]...",
		Short: "Set, remove or show labels of a tenant, by which lists and waves can be chosen",
		Example: `  sluice tenant label acme tier=small region=eu
  sluice tenant label acme region-
  sluice tenant label acme
  sluice wave plan --label tier=small --to b`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			set, remove := control.Labels{}, []string{}
			for _, word := range a[1:] {
				if k, v, ok := strings.Cut(word, "="); ok {
					set[k] = v
				} else if k, ok := strings.CutSuffix(word, "-"); ok && k != "" {
					remove = append(remove, k)
				} else {
					return &usageError{fmt.Errorf("%q must be KEY=VALUE, or KEY- to remove it", word)}
				}
			}
			if err := set.Validate(); err != nil {
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
			labels, err := changeLabels(c, f, a[0], set, remove, ifEpoch())
			if err != nil {
				return err
			}
			return answer(c, labels, func() error {
				_, err := fmt.Fprintf(c.OutOrStdout(), "tenant %s: %s\n", printable(a[0]), printable(strings.Join(labels.Sorted(), " ")))
				return err
			}, labels.Sorted()...)
		},
	}
	c.ValidArgsFunction = completeTenants
	ifEpoch = ifEpochFlag(c)
	fleetFlags(c)
	outputFlag(c, "its labels")
	return c
}

// changeLabels changes the labels of a tenant, and returns them; without a change it
// reads them.
func changeLabels(c *cobra.Command, f *fleet, name string, set control.Labels, remove []string, ifMatch *string) (control.Labels, error) {
	if len(set)+len(remove) > 0 {
		return client.Read[control.Labels](f.LabelTenant(c.Context(), name, &client.LabelTenantParams{IfMatch: ifMatch}, client.LabelTenantInputBody{Set: new(map[string]string(set)), Remove: &remove}))
	}
	v, err := readTenant(c, f, name)
	if v.Labels == nil {
		v.Labels = control.Labels{}
	}
	return v.Labels, err
}

// labelsWanted reads the values of a --label flag.
func labelsWanted(words []string) (control.Labels, error) {
	out := control.Labels{}
	for _, w := range words {
		k, v, ok := strings.Cut(w, "=")
		if !ok {
			return nil, &usageError{fmt.Errorf("--label: %q must be KEY=VALUE", w)}
		}
		out[k] = v
	}
	return out, out.Validate()
}
