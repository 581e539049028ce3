package main

import (
	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/placement"
)

// Completion of names asks the store. A store that does not answer gives none:
// pressing tab must not print errors.

func completeClusters(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	s, err := openStore(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer s.close()
	var names []string
	if all, _, err := s.Clusters().List(c.Context()); err == nil {
		for _, r := range all {
			names = append(names, r.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func completeTenants(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(a) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	s, err := openStore(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer s.close()
	var names []string
	_, _ = s.Entries(c.Context(), func(e placement.Entry, err error) bool {
		if err == nil {
			names = append(names, string(e.Partition))
		}
		return len(names) < 1000
	})
	return names, cobra.ShellCompDirectiveNoFileComp
}
