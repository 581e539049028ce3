package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
)

func fleetTraffic() *cobra.Command {
	var tenant string
	c := &cobra.Command{
		Use:   "traffic",
		Short: "Show what each proxy has served since it started, and to which cluster",
		Long: `Show what each proxy has served since it started, and to which cluster. A tenant's own requests
are counted only where telemetry.metrics_tenants says so. sluice top shows rates.`,
		Example: `  sluice fleet traffic
  sluice fleet traffic --tenant acme -o json`,
		Args: args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			v, err := client.Read[client.TrafficOutputBody](f.GetTraffic(c.Context(), &client.GetTrafficParams{Tenant: given(tenant)}))
			if err != nil {
				return err
			}
			ids := []string(nil)
			for _, t := range v.Items {
				ids = append(ids, t.Session)
			}
			return answer(c, v.Items, func() error {
				return table(c.OutOrStdout(), []string{"PROXY", "OF", "REQUESTS", "FAILED", "MEAN TIME", "UNDER WAY", "HELD"}, trafficRows(v.Items, tenant))
			}, ids...)
		}),
	}
	c.Flags().StringVar(&tenant, "tenant", "", "also what this tenant has asked for, where the proxies count it")
	fleetFlags(c)
	outputFlag(c, "the ids of the proxies' sessions")
	return c
}

// trafficRows are a line for each cluster of each proxy, and for the tenant.
func trafficRows(all []client.TrafficView, tenant string) (rows [][]string) {
	for _, t := range all {
		if t.Error != nil {
			rows = append(rows, []string{t.Name, *t.Error})
			continue
		}
		first := len(rows)
		add := func(of string, l client.LoadView) {
			mean := ""
			if l.Requests > 0 {
				mean = time.Duration(l.Seconds / float64(l.Requests) * float64(time.Second)).Round(10 * time.Microsecond).String()
			}
			rows = append(rows, []string{t.Name, of, strconv.FormatInt(l.Requests, 10), strconv.FormatInt(l.Failed, 10), mean, "", ""})
		}
		if t.ByCluster != nil {
			for _, name := range slices.Sorted(maps.Keys(*t.ByCluster)) {
				add("cluster "+name, (*t.ByCluster)[name])
			}
		}
		switch {
		case t.Tenant != nil:
			add("tenant "+tenant, *t.Tenant)
		case tenant != "":
			rows = append(rows, []string{t.Name, fmt.Sprintf("tenant %s is not counted", tenant)})
		}
		if first == len(rows) {
			add("nothing yet", client.LoadView{})
		}
		if row := rows[first]; len(row) == 7 {
			row[5], row[6] = strconv.FormatInt(t.UnderWay, 10), strconv.FormatInt(t.Held, 10)
		}
	}
	for i, row := range rows {
		rows[i] = append(row, make([]string, 7-len(row))...)
	}
	return rows
}
