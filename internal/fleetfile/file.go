package fleetfile

import (
	"cmp"
	"errors"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// Version is the version of the format. A file of another one is refused.
const Version = 1

// File is one document of a file.
type File struct {
	Version  int                 `json:"version" jsonschema:"enum=1,description=Of the format."`
	Clusters []placement.Cluster `json:"clusters,omitempty" jsonschema:"description=Added if they are new and changed if they are otherwise; none is ever removed."`
	Move     *Move               `json:"move,omitempty" jsonschema:"description=How the tenants of this document move."`
	Tenants  []Tenant            `json:"tenants,omitempty"`
}

// Tenant is where one tenant shall live.
type Tenant struct {
	Name           string         `json:"name" jsonschema:"minLength=1,maxLength=256"`
	Cluster        string         `json:"cluster" jsonschema:"description=Where it lives. Another than it is on: it moves."`
	Kind           placement.Kind `json:"kind,omitempty" jsonschema:"enum=dedicated_index,enum=dedicated_cluster,enum=shared_index,description=dedicated_index unless given."`
	Index          string         `json:"index,omitempty" jsonschema:"description=Its index at the cluster or a pattern with one star. Left out: whichever it has. One that is new needs it."`
	As             string         `json:"as,omitempty" jsonschema:"description=The name that clients use for the index; of a new tenant the same unless given. A move does not change it."`
	PartitionField string         `json:"partition_field,omitempty" jsonschema:"description=Of a shared_index: the keyword field that holds the tenant of each document."`
	Labels         control.Labels `json:"labels,omitempty" jsonschema:"description=All that it has. Left out: whatever it has."`
	Move           *Move          `json:"move,omitempty" jsonschema:"description=How it moves; over what the document says."`
}

// Move are options of moves, as control.MoveOptions has them: what is left out is as the
// document says, then as the configuration does.
type Move struct {
	PauseBudget          *Duration   `json:"pause_budget,omitempty" jsonschema:"description=Writes are not held while a longer pause is predicted."`
	CutoverDeadline      *Duration   `json:"cutover_deadline,omitempty" jsonschema:"description=A longer cutover is left again."`
	CopyRate             *float64    `json:"copy_rate,omitempty" jsonschema:"description=Documents a second; 0: no limit."`
	CopyBytes            *Size       `json:"copy_bytes,omitempty" jsonschema:"description=Of documents a second; 0: no limit."`
	CopyHours            []Hours     `json:"copy_hours,omitempty" jsonschema:"description=When the copy may run; none: always."`
	CopyZone             string      `json:"copy_zone,omitempty" jsonschema:"description=Time zone of copy_hours; UTC unless given."`
	CopyEager            *bool       `json:"copy_eager,omitempty" jsonschema:"description=Leave the pressure of the clusters unheeded."`
	RetireAfter          *Duration   `json:"retire_after,omitempty" jsonschema:"description=The old copy is retired by itself so long after the flip; 0s: when somebody asks."`
	Keep                 *bool       `json:"keep,omitempty" jsonschema:"description=The old copy is never deleted by Sluice."`
	Trash                *Duration   `json:"trash,omitempty" jsonschema:"description=For how long a retired copy can be restored; 0s: it is deleted at once."`
	Verify               *VerifyMode `json:"verify,omitempty" jsonschema:"enum=versions,enum=content"`
	AcceptDrift          *bool       `json:"accept_drift,omitempty" jsonschema:"description=Take over what somebody has written around the proxies."`
	Copy                 *Copy       `json:"copy,omitempty"`
	ShadowReads          *int        `json:"shadow_reads,omitempty" jsonschema:"description=Searches that are compared before the flip; 0: none."`
	ShadowTime           *Duration   `json:"shadow_time,omitempty" jsonschema:"description=That they may add to the move."`
	ShadowMaxDifferences *int        `json:"shadow_max_differences,omitempty" jsonschema:"description=How many may differ; over it no cutover begins."`
}

// VerifyMode is what is compared before the cutover.
type VerifyMode string

// Copy says how to copy.
type Copy struct {
	Method        mover.CopyMethod `json:"method,omitempty" jsonschema:"enum=scan,enum=snapshot,enum=auto"`
	Repository    string           `json:"repository,omitempty" jsonschema:"description=Of snapshots; registered under that name on both clusters."`
	SnapshotAbove *Size            `json:"snapshot_above,omitempty" jsonschema:"description=Size above which auto takes a snapshot."`
}

// over returns what m gives, and of the rest what base gives; nil: neither gives any.
func (m *Move) over(base *Move) *Move {
	if m == nil || base == nil {
		return cmp.Or(m, base)
	}
	out := *base
	if len(m.CopyHours) > 0 { // the zone is of its hours
		out.CopyZone = ""
	}
	to, from := reflect.ValueOf(&out).Elem(), reflect.ValueOf(*m)
	for i := range from.NumField() {
		if f := from.Field(i); !f.IsZero() {
			to.Field(i).Set(f)
		}
	}
	return &out
}

// Check returns a *placement.InvalidError unless a move can be asked for with what m
// gives, whatever the defaults are.
func (m *Move) Check() error {
	o, err := m.Over(control.MoveOptions{})
	if err != nil {
		return err
	}
	// One of them alone is held against a default that is not known here.
	if o.PauseBudget == 0 || o.CutoverDeadline == 0 {
		o.PauseBudget, o.CutoverDeadline = 0, 0
	}
	return o.Validate()
}

// Over returns the options with what m gives in the place of what they are. The error is
// a *placement.InvalidError.
func (m *Move) Over(o control.MoveOptions) (control.MoveOptions, error) {
	if m == nil {
		return o, nil
	}
	give(&o.PauseBudget, m.PauseBudget.std())
	give(&o.CutoverDeadline, m.CutoverDeadline.std())
	give(&o.CopyRate, m.CopyRate)
	if m.CopyBytes != nil {
		o.CopyBytes = float64(*m.CopyBytes)
	}
	if m.CopyZone != "" && len(m.CopyHours) == 0 {
		return o, &placement.InvalidError{Field: "copy_zone", Value: m.CopyZone, Fix: "must come with copy_hours, which are in it"}
	}
	if m.CopyHours != nil {
		o.CopyHours = nil
	}
	for _, h := range m.CopyHours {
		w, err := control.ParseWindow(string(h), m.CopyZone)
		if err != nil {
			return o, copyHours(err)
		}
		o.CopyHours = append(o.CopyHours, w)
	}
	give(&o.CopyEager, m.CopyEager)
	give(&o.RetireAfter, m.RetireAfter.std())
	give(&o.Keep, m.Keep)
	if m.Trash != nil {
		o.Trash = m.Trash.std()
	}
	if m.Verify != nil {
		o.Verify = control.Verify(*m.Verify)
	}
	give(&o.AcceptDrift, m.AcceptDrift)
	if c := m.Copy; c != nil {
		o.Copy = mover.CopyOptions{Method: c.Method, Repository: c.Repository}
		if c.SnapshotAbove != nil {
			o.Copy.SnapshotAbove = int64(*c.SnapshotAbove)
		}
	}
	give(&o.ShadowReads, m.ShadowReads)
	give(&o.ShadowTime, m.ShadowTime.std())
	if m.ShadowMaxDifferences != nil {
		o.ShadowMaxDifferences = m.ShadowMaxDifferences
	}
	return o, nil
}

func give[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// ParseMove reads options that are given one by one, as KEY=VALUE, by the names that the
// file has for them. Lists are separated by commas; copy.method is the method of copy.
func ParseMove(words []string) (*Move, error) {
	if len(words) == 0 {
		return nil, nil
	}
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, w := range words {
		name, value, ok := strings.Cut(w, "=")
		if !ok {
			return nil, &placement.InvalidError{Field: "--move", Value: w, Fix: "must be KEY=VALUE, such as pause_budget=500ms"}
		}
		at := root
		if outer, inner, nested := strings.Cut(name, "."); nested {
			if at = child(root, outer); at == root {
				at = &yaml.Node{Kind: yaml.MappingNode}
				root.Content = append(root.Content, word(outer), at)
			}
			name = inner
		}
		node := word(value)
		if name == "copy_hours" {
			node = &yaml.Node{Kind: yaml.SequenceNode}
			for h := range strings.SplitSeq(value, ",") {
				node.Content = append(node.Content, word(h))
			}
		}
		at.Content = append(at.Content, word(name), node)
	}
	d := &decoder{file: "--move"}
	var m Move
	d.into(root, "", reflect.ValueOf(&m).Elem())
	if len(d.errs) == 0 {
		d.invalid(root, "", m.Check())
	}
	return &m, errors.Join(d.errs...)
}

// word is a scalar as it stands in a file, without quotes.
func word(text string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: text} }
