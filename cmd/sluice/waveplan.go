package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// planFlags say what a wave is made from.
type planFlags struct {
	file, allFrom, planFile string
	to, among, labels       []string
	rebalance               bool
	by                      string
	tolerance               float64
	sample                  time.Duration
	packs                   packFlags
}

func (p *planFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&p.allFrom, "all-from", "", "every tenant of this cluster")
	f.StringSliceVar(&p.to, "to", nil, "with --all-from, --label and --unpack: the clusters to move to; the one with the least gets the next")
	f.StringArrayVar(&p.labels, "label", nil, "every tenant with this label, KEY=VALUE; given several times, with all of them")
	f.BoolVar(&p.rebalance, "rebalance", false, "even the clusters out with few moves")
	f.StringSliceVar(&p.among, "among", nil, "with --rebalance: these clusters only (default all)")
	f.StringVar(&p.file, "file", "", "tenants and clusters from a file, - for standard input")
	f.StringVar(&p.by, "by", "", "what clusters are compared by: docs, bytes or requests (default docs; with --file, no cluster is asked)")
	f.DurationVar(&p.sample, "sample", 10*time.Second, "with --by requests: how long to count")
	f.Float64Var(&p.tolerance, "tolerance", 0.05, "with --rebalance: how far from the mean is even enough, 0.05 is 5 %")
	p.packs.add(c)
	_ = c.RegisterFlagCompletionFunc("all-from", completeClusters)
	_ = c.RegisterFlagCompletionFunc("to", completeClusters)
	_ = c.RegisterFlagCompletionFunc("among", completeClusters)
	_ = c.RegisterFlagCompletionFunc("by", cobra.FixedCompletions([]string{"docs", "bytes", "requests"}, cobra.ShellCompDirectiveNoFileComp))
}

func (p *planFlags) addPlan(c *cobra.Command) {
	c.Flags().StringVar(&p.planFile, "plan", "", "a plan of sluice wave plan -o json, - for standard input")
}

// String is the plan's origin in a few words.
func (p *planFlags) String() string {
	switch {
	case p.planFile != "":
		return "plan " + p.planFile
	case p.packs.is():
		return p.packs.describe(p)
	case p.allFrom != "":
		return "all from " + p.allFrom + " to " + strings.Join(p.to, ", ")
	case len(p.labels) > 0:
		return strings.Join(p.labels, " ") + " to " + strings.Join(p.to, ", ")
	case p.rebalance:
		return strings.TrimSuffix("rebalance by "+p.by, " by ")
	}
	return "file " + p.file
}

// plan makes the plan that the flags ask for.
func (p *planFlags) plan(ctx context.Context, stdin io.Reader, s *store.Store) (control.WavePlan, error) {
	given := 0
	for _, is := range []bool{p.planFile != "", p.allFrom != "", p.rebalance, p.file != "", len(p.labels) > 0} {
		if is {
			given++
		}
	}
	if err := p.packs.check(p.allFrom != "" || len(p.labels) > 0, p.planFile != "" || p.rebalance || p.file != ""); err != nil {
		return control.WavePlan{}, err
	}
	switch {
	case given != 1 && (given != 0 || p.packs.unpack == ""):
		return control.WavePlan{}, &usageError{errors.New("say what to move: give one of --all-from, --label, --rebalance, --file and, to run it, --plan")}
	case p.allFrom == "" && len(p.labels) == 0 && p.packs.unpack == "" && len(p.to) > 0:
		return control.WavePlan{}, &usageError{errors.New("--to goes with --all-from and --label")}
	case !p.rebalance && len(p.among) > 0:
		return control.WavePlan{}, &usageError{errors.New("--among goes with --rebalance")}
	case p.planFile != "":
		return readPlan(p.planFile, stdin)
	}
	want, err := labelsWanted(p.labels)
	if err != nil {
		return control.WavePlan{}, err
	}
	var to map[placement.PartitionID]control.WaveItem
	if p.file != "" {
		if to, err = readTenants(p.file, stdin); err != nil {
			return control.WavePlan{}, err
		}
	}
	unit := control.LoadUnit(p.by)
	if unit == "" && p.file == "" {
		unit = control.LoadDocs
	}
	l, err := control.ReadLoads(ctx, s, unit, p.sample)
	if err != nil {
		return control.WavePlan{}, err
	}
	chosen := func(t control.TenantLoad) bool { return p.allFrom == "" || t.Cluster == p.allFrom }
	if len(p.labels) > 0 {
		of, err := control.AllLabels(ctx, s)
		if err != nil {
			return control.WavePlan{}, err
		}
		chosen = func(t control.TenantLoad) bool { return of[t.Partition].Matches(want) }
	}
	switch {
	case p.packs.is():
		return p.packs.plan(l, chosen, p.allFrom, p.to)
	case p.allFrom != "":
		return control.PlanAllFrom(l, p.allFrom, p.to)
	case len(p.labels) > 0:
		return control.PlanChosen(l, chosen, p.to)
	case p.rebalance:
		return control.PlanRebalance(l, p.among, p.tolerance)
	}
	return control.PlanMoves(l, to)
}

func openInput(name string, stdin io.Reader) (io.Reader, func(), error) {
	if name == "-" {
		return stdin, func() {}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, &usageError{err}
	}
	return f, func() { _ = f.Close() }, nil
}

// readPlan reads what sluice wave plan -o json has written.
func readPlan(name string, stdin io.Reader) (control.WavePlan, error) {
	in, done, err := openInput(name, stdin)
	if err != nil {
		return control.WavePlan{}, err
	}
	defer done()
	d := json.NewDecoder(in)
	d.DisallowUnknownFields()
	var p control.WavePlan
	if err := d.Decode(&p); err != nil {
		return p, &usageError{fmt.Errorf("--plan %s: %w; it must be what sluice wave plan -o json prints", name, err)}
	}
	return p, nil
}

// readTenants reads lines of TENANT CLUSTER [INDEX], or JSON objects.
func readTenants(name string, stdin io.Reader) (map[placement.PartitionID]control.WaveItem, error) {
	in, done, err := openInput(name, stdin)
	if err != nil {
		return nil, err
	}
	defer done()
	out := map[placement.PartitionID]control.WaveItem{}
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 1<<20)
	for n := 1; sc.Scan(); n++ {
		line := bytes.TrimSpace(sc.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		i, err := parseTenant(line)
		if err == nil {
			err = i.Partition.Validate()
		}
		if _, twice := out[i.Partition]; err == nil && twice {
			err = fmt.Errorf("tenant %q is there twice", string(i.Partition))
		}
		if err != nil {
			return nil, &usageError{fmt.Errorf("--file %s, line %d: %w", name, n, err)}
		}
		i.N = len(out)
		out[i.Partition] = i
	}
	if err := sc.Err(); err != nil {
		return nil, &usageError{fmt.Errorf("--file %s: %w", name, err)}
	}
	if len(out) == 0 {
		return nil, &usageError{fmt.Errorf("--file %s: it names no tenant", name)}
	}
	return out, nil
}

func parseTenant(line []byte) (control.WaveItem, error) {
	if line[0] == '{' {
		var j struct {
			Partition placement.PartitionID `json:"partition"`
			To        string                `json:"to"`
			Index     string                `json:"index"`
			Kind      placement.Kind        `json:"kind"`
			Field     string                `json:"field"`
		}
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&j); err != nil {
			return control.WaveItem{}, err
		}
		if j.To == "" {
			return control.WaveItem{}, errors.New("to: must name a cluster")
		}
		return control.WaveItem{Partition: j.Partition, To: j.To, Index: j.Index, Kind: j.Kind, Field: j.Field}, nil
	}
	f := strings.Fields(string(line))
	if len(f) != 2 && len(f) != 3 {
		return control.WaveItem{}, errors.New("must be TENANT CLUSTER, TENANT CLUSTER INDEX, or a JSON object")
	}
	i := control.WaveItem{Partition: placement.PartitionID(f[0]), To: f[1]}
	if len(f) == 3 {
		i.Index = f[2]
	}
	return i, nil
}
