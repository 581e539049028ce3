package demo

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/placement"
)

// Command returns `sluice demo`.
func Command() *cobra.Command {
	o := Defaults()
	var output string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Move a tenant between two real OpenSearch clusters, under load, and check every write",
		Long: `Move a tenant between two real OpenSearch clusters, under load, and check every write.

It starts two OpenSearch clusters, a controller and two proxies on this machine, loads the
declarations of the Go standard library, lets clients write and read through both proxies,
moves the tenant to the other cluster and back, and reads everything back. It ends with a
receipt, and with an exit code other than 0 when anything is off.

Its copies take what the machine has, so that it ends in minutes; with --copy-throttle auto
they are as gentle as those of other moves, which on two processors is 200 documents a second.
A move that has waited for 45 seconds, because this machine is too busy for a pause as short as
moves have by default, is given a wider budget by sluice moves set, and the receipt says so.

It needs Go, a JDK and Maven, and about 1.5 GB of memory; --store redis needs redis-server. The first run downloads about 75 MB.`,
		Example: `  sluice demo
  sluice demo --docs 2000 --rate 80 --placement dedicated_cluster --opensearch 2.19.6,3.9.0  # to a newer version, and rolled back
  sluice demo --docs 2000 --rate 80 --copy-throttle auto --store redis --keep --data-dir ./demo -o json > receipt.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if output != "text" && output != "json" {
				return &placement.InvalidError{Field: "--output", Value: output, Fix: "must be text or json"}
			}
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("find this program: %w", err)
			}
			// In JSON the story goes where it does not mix with the result.
			story := c.OutOrStdout()
			if output == "json" {
				story = c.ErrOrStderr()
			}
			res, failed := Run(c.Context(), program, o, story)
			if res == nil || len(res.Legs) == 0 {
				return failed
			}
			if output == "json" {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", "  ")
				err = e.Encode(res)
			} else if _, err = fmt.Fprintln(story); err == nil {
				err = res.write(story)
			}
			if failed != nil {
				return failed
			}
			return err
		},
	}
	f := c.Flags()
	f.IntVar(&o.Docs, "docs", o.Docs, "documents that the tenant has before the first move")
	f.Float64Var(&o.Rate, "rate", o.Rate, "operations a second of all clients together")
	f.IntVar(&o.Workers, "clients", o.Workers, "independent clients")
	f.DurationVar(&o.Settle, "settle", o.Settle, "how long the clients work before, between and after the moves")
	f.StringSliceVar(&o.OpenSearch, "opensearch", o.OpenSearch, "versions of the clusters: source,target")
	f.StringVar((*string)(&o.Placement), "placement", string(o.Placement), "dedicated_index, or dedicated_cluster: all indices of a cluster that is the tenant's")
	f.IntVar(&o.Moves, "moves", o.Moves, "how many moves: there, back, there, ...; with two versions back is a rollback")
	f.StringVar(&o.Throttle, "copy-throttle", o.Throttle, "of the moves: auto slows a copy down when the clusters are under pressure; off does not")
	f.StringVar(&o.Store, "store", o.Store, "where the placement table is: etcd (inside the controller), consul, redis or opensearch (a third cluster)")
	f.BoolVar(&o.Keep, "keep", false, "leave data, configuration and logs behind, and the clients' log of every write")
	f.StringVar(&o.DataDir, "data-dir", "", "directory for data and logs, must be empty (default: a temporary one)")
	f.StringVarP(&output, "output", "o", "text", "text or json")
	c.AddCommand(clustersCommand())
	c.PreRun = func(*cobra.Command, []string) { o.LogFile = o.Keep }
	return c
}
