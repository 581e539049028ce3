package fleetfile

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// Of is the file that says what a fleet is. A tenant that is moving is written as living
// where it is on its way to, so that whoever applies the file changes nothing.
func Of(p Present) File {
	f := File{Version: Version, Clusters: slices.Clone(p.Clusters)}
	slices.SortFunc(f.Clusters, func(a, b placement.Cluster) int { return cmp.Compare(a.Name, b.Name) })
	way := p.underWay()
	for _, v := range p.Tenants {
		at := v.Placement
		if w, ok := way[v.Tenant]; ok {
			at = w.to
			if w.back {
				at = w.from
			}
		}
		t := Tenant{Name: string(v.Tenant), Cluster: at.Cluster, Kind: at.Kind, Index: at.Index, PartitionField: at.PartitionField}
		if len(v.Labels) > 0 {
			t.Labels = v.Labels
		}
		// The rest follows from the index, as it does for a new tenant.
		if at.Logical != at.Index && !at.Many() && at.Kind != placement.DedicatedCluster {
			t.As = at.Logical
		}
		if at.Kind == placement.DedicatedIndex {
			t.Kind = ""
		}
		f.Tenants = append(f.Tenants, t)
	}
	slices.SortFunc(f.Tenants, func(a, b Tenant) int { return cmp.Compare(a.Name, b.Name) })
	return f
}

// Write writes the file as YAML.
func Write(w io.Writer, f File) error { return WriteYAML(w, f) }

// WriteYAML writes what JSON would have of a value, by the same names and in the same
// order, as YAML. Reading JSON as YAML would not do: that folds the line breaks of Unicode
// which JSON leaves as they are.
func WriteYAML(w io.Writer, v any) error {
	n, err := node(v)
	if err != nil {
		return err
	}
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(n); err != nil {
		return err
	}
	return e.Close()
}

// node makes YAML of a value by the names and in the order that JSON has.
func node(v any) (*yaml.Node, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	return next(in)
}

// next reads one value.
func next(in *json.Decoder) (*yaml.Node, error) {
	t, err := in.Token()
	if err != nil {
		return nil, err
	}
	n := &yaml.Node{Kind: yaml.ScalarNode}
	switch t := t.(type) {
	case json.Delim:
		n.Kind = yaml.SequenceNode
		if t == '{' {
			n.Kind = yaml.MappingNode // a key is a value, too
		}
		for in.More() {
			item, err := next(in)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, item)
		}
		_, err = in.Token()
		return n, err
	case string:
		n.Tag, n.Value = "!!str", t
		if quoted(t) {
			n.Style = yaml.DoubleQuotedStyle
		}
	case nil:
		n.Value = "null"
	default:
		n.Value = fmt.Sprint(t)
	}
	return n, nil
}

// quoted reports whether a word needs quotes that the encoder would not give it: what
// older YAML takes for a boolean, and line breaks of Unicode, which are folded without.
func quoted(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off":
		return true
	}
	return strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) && r != ' ' || r == utf8.RuneError
	})
}

// underWay are the tenants that are moving, or wait in a wave to move.
func (p Present) underWay() map[placement.PartitionID]way {
	out := map[placement.PartitionID]way{}
	at := map[placement.PartitionID]placement.Placement{}
	for _, v := range p.Tenants {
		at[v.Tenant] = v.Placement
		if v.MovingTo != nil {
			out[v.Tenant] = way{move: v.Move, from: v.Placement, to: *v.MovingTo, stage: v.Phase}
		}
	}
	for _, i := range p.Items {
		from, known := at[i.Partition]
		if _, moving := out[i.Partition]; moving || !known || i.State.Ended() {
			continue
		}
		to := placement.Placement{Kind: cmp.Or(i.Kind, from.Kind), Cluster: i.To, Index: i.Index, Logical: from.Logical, PartitionField: i.Field}
		if to.Kind == placement.SharedIndex && to.Index == "" { // the index of that name there
			to.Index, to.PartitionField = from.Index, cmp.Or(to.PartitionField, from.PartitionField)
		}
		if to.Kind == placement.DedicatedIndex && to.Index == "" && from.Many() {
			to.Index = from.Index
		}
		if to.Kind == placement.DedicatedCluster {
			to.Logical = ""
		}
		out[i.Partition] = way{wave: i.Wave, state: p.Waves[i.Wave], from: from, to: to, stage: string(i.State)}
	}
	for _, m := range p.Moves {
		if m.Settled() {
			continue
		}
		out[m.Partition] = way{move: m.ID, wave: m.Wave, from: m.From, to: m.To, stage: string(m.Stage), paused: m.Paused,
			back: m.AbortRequested || m.Stage == control.StageAborting}
	}
	return out
}

// way is where a tenant is on its way to.
type way struct {
	move, wave string
	state      control.WaveState // of the wave, of a tenant that waits in it
	from, to   placement.Placement
	stage      string
	paused     bool
	back       bool // it is being aborted
}
