package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
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

// plan is the plan that the flags ask for: one from a file, or made by the fleet.
func (p *planFlags) plan(c *cobra.Command, f *fleet) (control.WavePlan, error) {
	if p.planFile != "" {
		return readPlan(p.planFile, c.InOrStdin())
	}
	r, err := p.request(c.InOrStdin())
	if err != nil {
		return control.WavePlan{}, err
	}
	return client.Read[control.WavePlan](f.PlanWave(c.Context(), r))
}

// check refuses flags that do not belong together, before anything is asked.
func (p *planFlags) check() error {
	given := 0
	for _, is := range []bool{p.planFile != "", p.allFrom != "", p.rebalance, p.file != "", len(p.labels) > 0} {
		if is {
			given++
		}
	}
	if err := p.packs.check(p.allFrom != "" || len(p.labels) > 0, p.planFile != "" || p.rebalance || p.file != ""); err != nil {
		return err
	}
	switch {
	case given != 1 && (given != 0 || p.packs.unpack == ""):
		return &usageError{errors.New("say what to move: give one of --all-from, --label, --rebalance, --file and, to run it, --plan")}
	case p.allFrom == "" && len(p.labels) == 0 && p.packs.unpack == "" && len(p.to) > 0:
		return &usageError{errors.New("--to goes with --all-from and --label")}
	case !p.rebalance && len(p.among) > 0:
		return &usageError{errors.New("--among goes with --rebalance")}
	case p.by != "" && !slices.Contains(control.LoadUnits, control.LoadUnit(p.by)):
		return &placement.InvalidError{Field: "--by", Value: p.by, Fix: fmt.Sprintf("must be one of %v", control.LoadUnits)}
	}
	return nil
}

// request is what the flags ask the fleet to plan.
func (p *planFlags) request(stdin io.Reader) (client.PlanRequest, error) {
	labels, err := labelsWanted(p.labels)
	if err != nil {
		return client.PlanRequest{}, err
	}
	r := client.PlanRequest{AllFrom: given(p.allFrom), Rebalance: given(p.rebalance), By: (*client.PlanRequestBy)(given(p.by)),
		Sample: new(int64(p.sample)), Tolerance: &p.tolerance, To: &p.to, Among: &p.among}
	if len(labels) > 0 {
		r.Labels = new(map[string]string(labels))
	}
	if p.file != "" {
		tenants, err := readTenants(p.file, stdin)
		if err != nil {
			return r, err
		}
		r.Items = new(itemRequests(tenants))
	}
	return r, p.packs.into(&r, cmp.Or(control.LoadUnit(p.by), control.LoadDocs), p.allFrom, p.to)
}

// itemRequests are the items of a plan, for a request.
func itemRequests(items []control.WaveItem) []client.WaveItemRequest {
	out := make([]client.WaveItemRequest, 0, len(items))
	for _, i := range items {
		out = append(out, client.WaveItemRequest{Tenant: string(i.Partition), To: i.To, Index: given(i.Index),
			Kind: (*client.WaveItemRequestKind)(given(string(i.Kind))), PartitionField: given(i.Field), Back: given(i.Back)})
	}
	return out
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
func readTenants(name string, stdin io.Reader) ([]control.WaveItem, error) {
	in, done, err := openInput(name, stdin)
	if err != nil {
		return nil, err
	}
	defer done()
	var out []control.WaveItem
	seen := map[placement.PartitionID]bool{}
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
		if err == nil && seen[i.Partition] {
			err = fmt.Errorf("tenant %q is there twice", string(i.Partition))
		}
		if err != nil {
			return nil, &usageError{fmt.Errorf("--file %s, line %d: %w", name, n, err)}
		}
		seen[i.Partition] = true
		out = append(out, i)
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
		if k := j.Kind; k != "" && k != placement.DedicatedIndex && k != placement.DedicatedCluster && k != placement.SharedIndex {
			return control.WaveItem{}, fmt.Errorf("kind: %q must be dedicated_cluster, dedicated_index or shared_index", string(k))
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
