package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/placement"
)

// Completion of names asks the store. A store that does not answer gives none:
// pressing tab must not print errors, nor wait for long.

func openForCompletion(c *cobra.Command) (*openedStore, error) {
	ctx, cancel := context.WithTimeout(c.Context(), time.Second)
	c.SetContext(ctx)
	s, err := openStore(c)
	if err != nil {
		cancel()
		return nil, err
	}
	closeStore := s.close
	s.close = func() { closeStore(); cancel() }
	return s, nil
}

func completeClusters(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	s, err := openForCompletion(c)
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
	s, err := openForCompletion(c)
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
