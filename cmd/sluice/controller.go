package main

import "github.com/spf13/cobra"

func controllerCommand() *cobra.Command {
	return nodeCommand(roles{controller: true}, &cobra.Command{
		Use:   "controller",
		Short: "Run a controller, which drives the moves; any number may run, and take over from each other",
		Long: `Run a controller, which drives the moves and resumes what another one left. Without
store.etcd.endpoints it runs an etcd member inside, which then is the only one.`,
		Example: `  sluice controller
  sluice controller --store.etcd.endpoints https://etcd-1:2379,https://etcd-2:2379 --fleet.secret_file /etc/sluice/fleet.secret`,
	})
}
