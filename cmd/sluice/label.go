package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

func tenantLabel() *cobra.Command {
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
			s, err := openStore(c)
			if err != nil {
				return err
			}
			defer s.close()
			id := placement.PartitionID(a[0])
			if len(a) == 1 {
				_, err = s.State(c.Context(), id)
				if err == nil {
					set, err = control.ReadLabels(c.Context(), s.Store, id)
				}
			} else {
				set, err = control.ChangeLabels(c.Context(), s.Store, id, set, remove)
			}
			if err != nil {
				return control.UnknownTenant(a[0], err)
			}
			if wantJSON(c) {
				return writeJSON(c.OutOrStdout(), set)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "tenant %s: %s\n", printable(a[0]), printable(strings.Join(set.Sorted(), " ")))
			return err
		},
	}
	c.ValidArgsFunction = completeTenants
	storeFlags(c)
	outputFlag(c)
	return c
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
