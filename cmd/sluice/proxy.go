package main

import "github.com/spf13/cobra"

func proxyCommand() *cobra.Command {
	return nodeCommand(roles{proxy: true}, &cobra.Command{
		Use:   "proxy",
		Short: "Run a proxy that joins the fleet; run as many as the load needs",
		Long: `Run a proxy that joins the fleet. It stops cleanly on SIGTERM and SIGINT: it answers what
it has admitted, waits until the movers have its journals, and leaves the fleet; a
second signal exits at once, which a move under way then makes up for.`,
		Example: `  sluice proxy --store.etcd.endpoints https://etcd-1:2379 --fleet.secret_file /etc/sluice/fleet.secret
  sluice proxy --proxy.listen 127.0.0.1:9290 --admin.listen 127.0.0.1:9291   # a second one beside sluice serve`,
	})
}
