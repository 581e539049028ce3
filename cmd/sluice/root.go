package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/demo"
)

func newRoot() *cobra.Command {
	var long strings.Builder
	long.WriteString(`Sluice moves one tenant's data between OpenSearch clusters while the tenant keeps reading and writing.

A fleet of proxies routes each tenant's requests to the cluster where it lives; a
controller moves a tenant and pauses its writes for milliseconds; the table of who
lives where is in etcd, embedded or your own, or in Consul, Redis or an OpenSearch index.

Exit codes:
`)
	for _, x := range catalog.Exits() {
		fmt.Fprintf(&long, "  %3d  %s\n", x.Code, x.Meaning)
	}
	root := &cobra.Command{
		Use:   "sluice",
		Short: "Live tenant moves between OpenSearch clusters",
		Long:  long.String(),
		Example: `  sluice demo                                     # watch a move between two real clusters
  sluice serve                                    # controller, proxy and embedded etcd in one process
  sluice cluster add a http://search-a:9200
  sluice cluster add b http://search-b:9200
  sluice tenant add acme --cluster a --index acme-docs --as docs
  sluice move acme --to b --wait`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().StringP("config", "c", "", "configuration file (default $SLUICE_CONFIG, then sluice.yaml here if there is one)")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; see `%s --help`", err, c.CommandPath())}
	})
	root.AddCommand(serveCommand(), controllerCommand(), proxyCommand(), contextCommand(), fleetCommand(), auditCommand(), clusterCommand(), tenantCommand(), moveCommand(), movesCommand(), verifyCommand(), waveCommand(), applyCommand(), topCommand(), trashCommand(), storeCommand(), doctorCommand(), explainCommand(), configCommand(), demo.Command(), versionCommand())

	root.Args = noSubcommand
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	return root
}

// group is a command that only has subcommands.
func group(use, short, example string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Example: example, Args: noSubcommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(children...)
	return c
}

// noSubcommand refuses a word that is no subcommand; cobra alone would print the
// help of a nested group and report success.
func noSubcommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	c.SuggestionsMinimumDistance = 2
	msg := fmt.Sprintf("unknown command %q for %q", args[0], c.CommandPath())
	if s := c.SuggestionsFor(args[0]); len(s) > 0 {
		msg += "; did you mean " + strings.Join(s, " or ") + "?"
	}
	return &usageError{errors.New(msg)}
}

// args makes a complaint about the arguments a usage error that shows the usage.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, a []string) error {
		if err := check(c, a); err != nil {
			return &usageError{fmt.Errorf("%w; usage: %s", err, c.UseLine())}
		}
		return nil
	}
}
