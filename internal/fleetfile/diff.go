package fleetfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// Present is a fleet as it is. Whoever reads it reads the moves and the waves first, and
// the tenants after them: a move that ends between the two is then seen as under way, or
// as made, and never as neither.
type Present struct {
	Clusters []placement.Cluster
	Tenants  []control.TenantView
	Moves    []control.Move     // those that have not settled
	Items    []control.WaveItem // of waves that have not ended
	Waves    map[string]control.WaveState
}

// Action is what a change does.
type Action string

// The actions, in the order in which they are done.
const (
	AddCluster    Action = "add_cluster"
	ChangeCluster Action = "change_cluster"
	AddTenant     Action = "add_tenant"
	LabelTenant   Action = "label_tenant"
	MoveTenant    Action = "move_tenant"
	RemoveTenant  Action = "remove_tenant" // from the table; its data stays
)

var order = []Action{AddCluster, ChangeCluster, AddTenant, LabelTenant, MoveTenant, RemoveTenant}

// Change is one thing that is to be done.
type Change struct {
	Action Action `json:"action"`
	Name   string `json:"name"`         // of the cluster or the tenant
	At     string `json:"at,omitempty"` // file and line

	Cluster *placement.Cluster `json:"cluster,omitempty"` // of add_cluster and change_cluster
	Fields  []string           `json:"fields,omitempty"`  // of change_cluster: those that differ

	From *placement.Placement `json:"from,omitempty"`
	// To may have no index: the move then chooses its name.
	To     *placement.Placement `json:"to,omitempty"`
	Set    control.Labels       `json:"set,omitempty"`    // labels
	Remove []string             `json:"remove,omitempty"` // keys of labels
	// Epoch is the tenant's when it was looked at: a change of another one is refused.
	Epoch   placement.Epoch `json:"epoch,omitempty"`
	Options *Move           `json:"options,omitempty"` // of a move, as they are given

	Move string `json:"move,omitempty"` // that was asked for
	Wave string `json:"wave,omitempty"` // likewise
}

// UnderWay is a tenant that is on its way to where it shall be, so that nothing is asked.
type UnderWay struct {
	Tenant string `json:"tenant"`
	Move   string `json:"move,omitempty"`
	Wave   string `json:"wave,omitempty"`
	Text   string `json:"text"`
}

// Conflict is why a file cannot be applied as things are.
type Conflict struct {
	At     string `json:"at,omitempty"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
	Fix    string `json:"fix"`
}

func (c Conflict) String() string {
	at := c.At
	if at != "" {
		at += ": "
	}
	return at + c.Reason + "; " + c.Fix
}

// Plan is what there is to do.
type Plan struct {
	Changes   []Change   `json:"changes"`
	UnderWay  []UnderWay `json:"under_way"`
	Conflicts []Conflict `json:"conflicts"`
	Same      int        `json:"same"` // clusters and tenants that are as declared
}

// Options of Diff.
type Options struct {
	Move *Move // given over what the files say of moves
	// Prune are labels: a tenant that has all of them, and is not declared, is removed.
	// None: nobody is.
	Prune control.Labels
}

// Diff compares what is declared with a fleet as it is. The error is of options of moves
// that do not fit together, or of a prune that would remove all.
func Diff(p Present, d *Declared, o Options) (Plan, error) {
	x := differ{present: p, o: o, clusters: map[string]placement.Cluster{}, tenants: map[placement.PartitionID]control.TenantView{}, way: p.underWay(), declared: d,
		plan: Plan{Changes: []Change{}, UnderWay: []UnderWay{}, Conflicts: []Conflict{}}}
	for _, c := range p.Clusters {
		x.clusters[c.Name] = c
	}
	for _, v := range p.Tenants {
		x.tenants[v.Tenant] = v
	}
	for _, c := range d.Clusters {
		x.cluster(c)
	}
	var errs []error
	for _, t := range d.Tenants {
		errs = append(errs, x.tenant(t))
	}
	x.crowded()
	errs = append(errs, x.prune())
	slices.SortStableFunc(x.plan.Changes, func(a, b Change) int { return slices.Index(order, a.Action) - slices.Index(order, b.Action) })
	return x.plan, errors.Join(errs...)
}

type differ struct {
	present  Present
	declared *Declared
	o        Options
	clusters map[string]placement.Cluster
	tenants  map[placement.PartitionID]control.TenantView
	way      map[placement.PartitionID]way
	plan     Plan
}

func (x *differ) change(c Change) { x.plan.Changes = append(x.plan.Changes, c) }

func (x *differ) conflict(at At, name, fix, reason string, a ...any) {
	c := Conflict{Name: name, Reason: fmt.Sprintf(reason, a...), Fix: fix}
	if at.File != "" {
		c.At = at.String()
	}
	x.plan.Conflicts = append(x.plan.Conflicts, c)
}

func (x *differ) cluster(c DeclaredCluster) {
	old, known := x.clusters[c.Name]
	if !known {
		x.change(Change{Action: AddCluster, Name: c.Name, At: c.At.String(), Cluster: &c.Cluster})
		x.clusters[c.Name] = c.Cluster
		return
	}
	if fields := differences(old, c.Cluster); len(fields) > 0 {
		x.change(Change{Action: ChangeCluster, Name: c.Name, At: c.At.String(), Cluster: &c.Cluster, Fields: fields})
		return
	}
	x.plan.Same++
}

// differences are the fields of two clusters that differ, by their names.
func differences(a, b placement.Cluster) (out []string) {
	fields := func(c placement.Cluster) (m map[string]any) {
		text, _ := json.Marshal(c) // of texts alone
		_ = json.Unmarshal(text, &m)
		return m
	}
	old, now := fields(a), fields(b)
	for name := range now {
		if !reflect.DeepEqual(old[name], now[name]) {
			out = append(out, name)
		}
	}
	for name := range old {
		if _, there := now[name]; !there {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func (x *differ) tenant(t DeclaredTenant) error {
	if _, known := x.clusters[t.Cluster]; !known {
		x.conflict(t.At, t.Name, fmt.Sprintf("declare it under clusters, or `sluice cluster add %s`", t.Cluster), "tenant %q: there is no cluster %q", t.Name, t.Cluster)
		return nil
	}
	v, known := x.tenants[placement.PartitionID(t.Name)]
	if !known {
		x.add(t)
		return nil
	}
	set, remove := relabel(v.Labels, t.Labels)
	labeled := len(set)+len(remove) > 0
	if labeled {
		x.change(Change{Action: LabelTenant, Name: t.Name, At: t.At.String(), Set: set, Remove: remove, Epoch: v.Epoch})
	}
	if w, moving := x.way[v.Tenant]; moving {
		x.moving(t, v, w)
		return nil
	}
	if t.has(v.Placement) {
		if !labeled {
			x.plan.Same++
		}
		return nil
	}
	return x.move(t, v)
}

// relabel is what makes some labels others; nil leaves them.
func relabel(has, want control.Labels) (set control.Labels, remove []string) {
	if want == nil {
		return nil, nil
	}
	set = control.Labels{}
	for k, v := range want {
		if old, there := has[k]; !there || old != v {
			set[k] = v
		}
	}
	for k := range has {
		if _, there := want[k]; !there {
			remove = append(remove, k)
		}
	}
	slices.Sort(remove)
	return set, remove
}

func (x *differ) add(t DeclaredTenant) {
	p := t.place()
	switch {
	case p.Kind != placement.DedicatedCluster && p.Index == "":
		x.conflict(t.At, t.Name, "give index: the name of its index at the cluster", "tenant %q is new, and nothing says which index is its own", t.Name)
		return
	case p.Kind == placement.SharedIndex && p.PartitionField == "":
		x.conflict(t.At, t.Name, "give partition_field: the field of the shared index that tells its tenants apart", "tenant %q is new", t.Name)
		return
	}
	p, err := control.CompletePlacement(placement.PartitionID(t.Name), p)
	if err != nil {
		_, fix := problem(err)
		x.conflict(t.At, t.Name, fix, "tenant %q cannot be at %s", t.Name, t.place())
		return
	}
	x.change(Change{Action: AddTenant, Name: t.Name, At: t.At.String(), To: &p, Set: t.Labels})
}

// has reports whether a place is what is declared. A field that is left out is as it is.
func (t DeclaredTenant) has(p placement.Placement) bool {
	return p.Kind == t.Kind && p.Cluster == t.Cluster && (t.Index == "" || p.Index == t.Index) &&
		(t.PartitionField == "" || p.PartitionField == "" || p.PartitionField == t.PartitionField) && t.called(p)
}

// called reports whether clients use the name that is declared. It is not told of a place
// where they use the cluster's own names.
func (t DeclaredTenant) called(p placement.Placement) bool {
	return t.As == "" || p.Logical == "" || p.Logical == t.As
}

// moving is a tenant that is on its way somewhere.
func (x *differ) moving(t DeclaredTenant, v control.TenantView, w way) {
	note := UnderWay{Tenant: t.Name, Move: w.move, Wave: w.wave}
	what, abort := fmt.Sprintf("move %s (%s)", w.move, w.stage), "sluice moves abort "+w.move
	if w.move == "" {
		what, abort = fmt.Sprintf("wave %s (%s)", w.wave, w.state), "sluice wave abort "+w.wave
	}
	switch {
	case w.back && t.has(w.from):
		note.Text = fmt.Sprintf("is being taken back to %s by the abort of %s", w.from, what)
	case w.back:
		x.conflict(t.At, t.Name, "apply again when that has ended", "tenant %q is being taken back to %s by the abort of %s", t.Name, w.from, what)
		return
	case !t.has(w.to):
		wanted := "the file wants it at " + t.place().String()
		if t.has(v.Placement) {
			wanted = "the file has it stay at " + v.Placement.String()
		}
		x.conflict(t.At, t.Name, fmt.Sprintf("wait for it, or `%s`, and apply again", abort), "tenant %q is on its way to %s by %s, and %s", t.Name, w.to, what, wanted)
		return
	case w.move == "":
		note.Text = fmt.Sprintf("waits to move to %s in %s", w.to, what)
		if w.state != control.WaveRunning {
			note.Text += "; `sluice wave resume " + w.wave + "` lets it go on"
		}
	default:
		note.Text = fmt.Sprintf("is moving to %s by %s", w.to, what)
		if w.paused {
			note.Text += ", which is paused; `sluice moves resume " + w.move + "` lets it go on"
		}
	}
	x.plan.UnderWay = append(x.plan.UnderWay, note)
}

// move is a tenant that is to be moved, if a move can do that.
func (x *differ) move(t DeclaredTenant, v control.TenantView) error {
	from, to := v.Placement, t.place()
	if !t.called(from) {
		x.conflict(t.At, t.Name, fmt.Sprintf("write as: %s, or leave it out", from.Logical), "tenant %q: its clients say %q, and a move does not change that to %q", t.Name, from.Logical, t.As)
		return nil
	}
	if to.Kind != placement.DedicatedCluster {
		to.Logical = from.Logical
	}
	switch {
	case from.Kind == placement.DedicatedCluster && to.Kind == placement.DedicatedIndex && to.Index == "":
		x.conflict(t.At, t.Name, fmt.Sprintf("give index: a pattern such as %s-*", t.Name), "tenant %q leaves a cluster of its own, and may have any number of indices", t.Name)
		return nil
	case (to.Index != "" || to.Kind == placement.DedicatedCluster) && to.Overlaps(from):
		x.conflict(t.At, t.Name, "give another index or another cluster, or write what is", "tenant %q is at %s, and %s has an index in common with that: no move leads there", t.Name, from, to)
		return nil
	}
	m := x.o.Move.over(t.Move)
	err := m.Check() // together with those of the flags
	if err == nil && m != nil && m.Copy != nil {
		err = mover.CopyOptions{Method: m.Copy.Method}.ByShared(from.Kind, to.Kind)
	}
	if err != nil {
		field, fix := problem(err)
		return &Error{t.At.File, t.At.Line, "move." + field, fix}
	}
	x.change(Change{Action: MoveTenant, Name: t.Name, At: t.At.String(), From: &from, To: &to, Epoch: v.Epoch, Options: m})
	return nil
}

// crowded finds two who are declared in one place.
func (x *differ) crowded() {
	plain := map[placement.Placement]DeclaredTenant{} // one index each
	wide := map[string][]DeclaredTenant{}             // a pattern, or a cluster
	all := map[string][]DeclaredTenant{}
	tell := func(a, b DeclaredTenant) {
		x.conflict(b.At, b.Name, "give one of them another place", "tenant %q and tenant %q (%s) would have an index in common: %s and %s", b.Name, a.Name, a.At, b.place(), a.place())
	}
	for _, t := range x.declared.Tenants {
		p := t.place()
		switch {
		case p.Many() || p.Kind == placement.DedicatedCluster:
			wide[p.Cluster] = append(wide[p.Cluster], t)
		case p.Index != "":
			key := placement.Placement{Cluster: p.Cluster, Index: p.Index}
			if first, taken := plain[key]; !taken {
				plain[key] = t
			} else if !together(first.place(), p) {
				tell(first, t)
			}
		default:
			continue
		}
		all[p.Cluster] = append(all[p.Cluster], t)
	}
	for _, cluster := range slices.Sorted(maps.Keys(wide)) {
		for i, t := range wide[cluster] {
			for _, other := range all[cluster] {
				later := !other.place().Many() && other.Kind != placement.DedicatedCluster || slices.ContainsFunc(wide[cluster][i+1:], func(w DeclaredTenant) bool { return w.Name == other.Name })
				if later && t.place().Overlaps(other.place()) {
					tell(other, t)
				}
			}
		}
	}
}

// together reports whether two share an index by the same field.
func together(p, q placement.Placement) bool {
	return p.Kind == placement.SharedIndex && q.Kind == placement.SharedIndex && (p.PartitionField == "" || q.PartitionField == "" || p.PartitionField == q.PartitionField)
}

// prune removes who is not declared and has some labels.
func (x *differ) prune() error {
	if len(x.o.Prune) == 0 {
		return nil
	}
	if len(x.declared.Tenants) == 0 {
		return &placement.InvalidError{Field: "--prune", Value: strings.Join(x.o.Prune.Sorted(), ","), Fix: "would remove every tenant with these labels, since the files declare no tenant; `sluice tenant remove` removes one"}
	}
	for _, v := range x.present.Tenants {
		name := string(v.Tenant)
		if _, declared := x.declared.tenants[name]; declared || !v.Labels.Matches(x.o.Prune) {
			continue
		}
		w, moving := x.way[v.Tenant]
		switch {
		case moving && w.move != "":
			x.conflict(At{}, name, fmt.Sprintf("wait for it, or `sluice moves abort %s`, and apply again", w.move), "tenant %q is not declared and is to be removed, and is moving to %s by move %s", name, w.to, w.move)
		case moving:
			x.conflict(At{}, name, fmt.Sprintf("wait for it, or `sluice wave abort %s`, and apply again", w.wave), "tenant %q is not declared and is to be removed, and waits to move in wave %s", name, w.wave)
		case v.Previous != nil:
			x.conflict(At{}, name, fmt.Sprintf("`sluice moves retire %s` removes that, then apply again", v.PreviousBy), "tenant %q is not declared and is to be removed, and still has its old copy at %s", name, v.Previous)
		default:
			at := v.Placement
			x.change(Change{Action: RemoveTenant, Name: name, From: &at, Epoch: v.Epoch})
		}
	}
	return nil
}
