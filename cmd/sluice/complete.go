package main

import (
	"context"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
)

// Completion of names asks the fleet. One that does not answer gives none: pressing tab
// must not print errors, nor wait for long.

// maxComplete is the most names that are offered.
var maxComplete = new(int64(1000))

// complete returns what names finds in the fleet, nothing when the word is given already.
func complete(c *cobra.Command, given bool, names func(context.Context, *fleet) []string) ([]string, cobra.ShellCompDirective) {
	if given {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), time.Second)
	defer cancel()
	c.SetContext(ctx)
	f, err := openFleet(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer f.close()
	return names(ctx, f), cobra.ShellCompDirectiveNoFileComp
}

// offered are the words of the items of a page.
func offered[T any](word func(T) string) func(*http.Response, error) []string {
	return func(resp *http.Response, err error) (words []string) {
		p, _ := client.Read[client.Page[T]](resp, err)
		for _, i := range p.Items {
			words = append(words, word(i))
		}
		return words
	}
}

func completeClusters(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(c, false, func(ctx context.Context, f *fleet) []string {
		return offered(func(v clusterView) string { return v.Name })(f.ListClusters(ctx, &client.ListClustersParams{Limit: maxComplete}))
	})
}

func completeTenants(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(c, len(a) > 0, func(ctx context.Context, f *fleet) []string {
		return offered(func(v control.TenantView) string { return string(v.Tenant) })(f.ListTenants(ctx, &client.ListTenantsParams{Limit: maxComplete}))
	})
}

func completeMoves(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(c, len(a) > 0, func(ctx context.Context, f *fleet) []string {
		return offered(func(m control.Move) string { return m.ID + "\t" + string(m.Partition) + " " + string(m.Stage) })(f.ListMoves(ctx, &client.ListMovesParams{Limit: maxComplete}))
	})
}

func completeWaves(c *cobra.Command, a []string, _ string) ([]string, cobra.ShellCompDirective) {
	return complete(c, len(a) > 0, func(ctx context.Context, f *fleet) []string {
		return offered(func(w control.Wave) string { return w.ID })(f.ListWaves(ctx, &client.ListWavesParams{Limit: maxComplete}))
	})
}
