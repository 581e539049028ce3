package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
)

// packFlags say which tenants a wave packs into a shared index, or takes out of one.
type packFlags struct {
	pack, unpack, field    string
	tenantLimit, poolLimit string
}

func (p *packFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.pack, "pack", "", "with --all-from or --label: move the small tenants among them into this shared index, of the cluster --to (default that of --all-from)")
	f.StringVar(&p.unpack, "unpack", "", "move tenants that have outgrown this shared index into indices of their own, on the clusters --to (default: each on its own)")
	f.StringVar(&p.tenantLimit, "tenant-limit", "", "documents, or bytes such as 1GiB with --by bytes: with --pack a tenant with more is left alone, with --unpack one with no more (default of that: all leave)")
	f.StringVar(&p.poolLimit, "pool-limit", "", "with --pack: what the shared index may hold in all (default no limit)")
	f.StringVar(&p.field, "partition-field", "", "with --pack: the field that tells the tenants of the index apart (default: that of those which are there)")
}

func (p *packFlags) is() bool { return p.pack != "" || p.unpack != "" }

// describe is the plan's origin in a few words.
func (p *packFlags) describe(from *planFlags) string {
	text, of := "unpack "+p.unpack, ""
	if p.pack != "" {
		text = "pack into " + p.pack
	}
	switch {
	case from.allFrom != "":
		of = ", of " + from.allFrom
	case len(from.labels) > 0:
		of = ", of " + strings.Join(from.labels, " ")
	}
	return text + of
}

// check refuses flags that do not belong together; from says that a choice was made
// among the tenants.
func (p *packFlags) check(from, other bool) error {
	bad := func(text string) error { return &usageError{errors.New(text)} }
	switch {
	case p.pack != "" && p.unpack != "":
		return bad("give one of --pack and --unpack")
	case !p.is() && (p.tenantLimit != "" || p.poolLimit != "" || p.field != ""):
		return bad("--tenant-limit, --pool-limit and --partition-field go with --pack and --unpack")
	case p.unpack != "" && (p.poolLimit != "" || p.field != ""):
		return bad("--pool-limit and --partition-field go with --pack")
	case p.is() && other:
		return bad("--pack and --unpack choose among tenants of --all-from or --label, and go with nothing else")
	case p.pack != "" && !from:
		return bad("--pack: say among which tenants, by --all-from or --label")
	case p.pack != "" && p.tenantLimit == "":
		return bad("--pack: say by --tenant-limit how large a tenant may be to be packed")
	}
	return nil
}

// limit reads an amount of the unit.
func limit(flag, text string, unit control.LoadUnit) (float64, error) {
	if unit == control.LoadBytes {
		size, ok := config.ParseSize(text)
		if !ok {
			return 0, &placement.InvalidError{Field: flag, Value: text, Fix: "must be a size such as 512MiB or 10GiB"}
		}
		return float64(size), nil
	}
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil {
		return 0, &placement.InvalidError{Field: flag, Value: text, Fix: "must be a number of documents"}
	}
	return float64(n), nil
}

// into adds to a request what the flags say of shared indices.
func (p *packFlags) into(r *client.PlanRequest, unit control.LoadUnit, allFrom string, to []string) error {
	var each, all *float64
	for _, f := range []struct {
		flag, text string
		to         **float64
	}{{"--tenant-limit", p.tenantLimit, &each}, {"--pool-limit", p.poolLimit, &all}} {
		if f.text == "" {
			continue
		}
		n, err := limit(f.flag, f.text, unit)
		if err != nil {
			return err
		}
		*f.to = &n
	}
	switch {
	case p.unpack != "":
		r.Unpack = &client.UnpackRequest{Index: p.unpack, TenantLimit: each}
	case p.pack != "" && len(to) != 1 && (len(to) != 0 || allFrom == ""):
		return &usageError{errors.New("--pack: --to must name the one cluster that has the shared index")}
	case p.pack != "":
		r.Pack = &client.PackRequest{Index: p.pack, PartitionField: given(p.field), TenantLimit: *each, PoolLimit: all}
	}
	return nil
}

// writePools shows the shared indices before and after a plan.
func writePools(c *cobra.Command, p control.WavePlan) error {
	if len(p.Pools) == 0 {
		return nil
	}
	var rows [][]string
	for _, l := range p.Pools {
		rows = append(rows, []string{l.Cluster + "/" + l.Index, fmt.Sprint(l.TenantsBefore), fmt.Sprint(l.TenantsAfter), load(p.Unit, l.Before), load(p.Unit, l.After)})
	}
	unit := "DOCS"
	if p.Unit == control.LoadBytes {
		unit = "BYTES"
	}
	fmt.Fprintln(c.OutOrStdout())
	return table(c.OutOrStdout(), []string{"SHARED INDEX", "TENANTS", "THEN", unit, "THEN"}, rows)
}

// itemTarget is where an item goes, for people.
func itemTarget(i control.WaveItem) string {
	switch {
	case i.Back != "":
		return i.To + ", its old copy"
	case i.Index != "":
		return i.To + "/" + i.Index
	case i.Kind == placement.DedicatedIndex:
		return i.To + ", an index of its own"
	case i.Kind == placement.DedicatedCluster:
		return i.To + ", a cluster of its own"
	}
	return i.To
}

func waveRollback() *cobra.Command {
	var l control.WaveLimits
	var paused, wait, dryRun bool
	var budget, deadline time.Duration
	c := oneWave(&cobra.Command{
		Use:   "rollback WAVE",
		Short: "Take the tenants of a wave back to their old copies, the last first, by a wave",
		Long: `Take the tenants of a wave that have flipped, and whose old copies are still there, back to
those copies, with all that was written since. The one that moved last goes first. It is a
wave of its own, with the limits of the first unless others are given, so that it is shown,
paused and aborted as any. What sluice moves rollback refuses stays, and is named. A wave that
runs is to be paused or aborted before.`,
		Example: `  sluice wave rollback w1k2j3h4g5abcdef --dry-run
  sluice wave rollback w1k2j3h4g5abcdef --at-once 8 --wait`,
	}, func(c *cobra.Command, f *fleet, id string) error {
		p, err := client.Read[control.WavePlan](f.PlanWaveRollback(c.Context(), id))
		switch {
		case err != nil:
			return err
		case dryRun:
			return answer(c, p, func() error { return writePlan(c, p) }, planned(p)...)
		case len(p.Items) == 0:
			return refused("no tenant of wave %s can go back; `sluice wave rollback %s --dry-run` says why", id, id)
		}
		back, err := client.Read[control.Wave](f.RollbackWave(c.Context(), id, nil, client.RollbackWaveJSONRequestBody{
			Limits: new(givenLimits(l)), PauseBudget: given(int64(budget)), CutoverDeadline: given(int64(deadline)), Paused: &paused}))
		if err != nil {
			return err
		}
		warnWithoutController(c, f)
		if wait {
			return watchWave(c, f, back.ID)
		}
		return answer(c, back, func() error {
			_, err := fmt.Fprintf(c.OutOrStdout(), "wave %s requested: it takes %d tenants back, %d stay\nwatch it with: sluice wave watch %s\n", back.ID, back.Items, len(p.Stay), back.ID)
			return err
		}, back.ID)
	})
	limitFlags(c, &l, false)
	f := c.Flags()
	f.BoolVar(&dryRun, "dry-run", false, "say who would go back, and who would not and why; change nothing")
	f.BoolVar(&paused, "paused", false, "begin nothing until sluice wave resume")
	f.BoolVar(&wait, "wait", false, "watch until it has ended or stopped, and exit by the outcome")
	f.DurationVar(&budget, "pause-budget", 0, "of each move (default that of the wave)")
	f.DurationVar(&deadline, "cutover-deadline", 0, "of each move (default that of the wave)")
	return c
}
