package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/placement"
)

// Completion of names asks the store. A store that does not answer gives none:
// pressing tab must not print errors, nor wait for long.

// complete returns what names finds in the store, nothing when the word is given already.
func complete(c *cobra.Command, given bool, names func(*openedStore) []string) ([]string, cobra.ShellCompDirective) {
	if given {
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
	return names(s), cobra.ShellCompDirectiveNoFileComp
}

func completeClusters(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(c, false, func(s *openedStore) (names []string) {
		all, _, _ := s.Clusters().List(c.Context())
		for _, r := range all {
			names = append(names, r.Name)
		}
		return names
	})
}

func completeTenants(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(c, len(a) > 0, func(s *openedStore) (names []string) {
		_, _ = s.Entries(c.Context(), func(e placement.Entry, err error) bool {
			if err == nil {
				names = append(names, string(e.Partition))
			}
			return len(names) < 1000
		})
		return names
	})
}
