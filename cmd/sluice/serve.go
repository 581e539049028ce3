package main

import (
	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/config"
)

func serveCommand() *cobra.Command {
	return nodeCommand(roles{proxy: true, controller: true}, &cobra.Command{
		Use:   "serve",
		Short: "Run the controller and a proxy in one process, with an embedded etcd unless endpoints are configured",
		Long: `Run the controller and a proxy in one process. Without store.etcd.endpoints the
placement table is in an etcd member inside this process, durable in its data
directory; other proxies on this machine may share it.`,
		Example: `  sluice serve
  sluice serve --config /etc/sluice/sluice.yaml
  sluice serve --proxy.listen :9280 --store.etcd.embedded.data_dir /var/lib/sluice`,
	})
}

// nodeCommand completes a command that runs a node.
func nodeCommand(r roles, c *cobra.Command) *cobra.Command {
	c.Args = args(cobra.NoArgs)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, warnings, err := loadConfig(c)
		if err != nil {
			return err
		}
		if err := needSecret(cfg); err != nil {
			return err
		}
		log := newLogger(c.ErrOrStderr(), cfg.Log)
		for _, w := range warnings {
			log.Warn(w)
		}
		return runNode(c.Context(), cfg, r, log, c.OutOrStdout())
	}
	sections := []string{"name", "store", "admin", "fleet", "telemetry", "log"}
	if r.proxy {
		sections = append(sections, "proxy")
	}
	if r.controller {
		sections = append(sections, "controller", "api")
	}
	config.AddFlags(c.Flags(), sections...)
	return c
}
