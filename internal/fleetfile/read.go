package fleetfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// At is a place in a file.
type At struct {
	File string
	Line int
}

func (a At) String() string { return a.File + ":" + strconv.Itoa(a.Line) }

// DeclaredCluster is a cluster as a file has it.
type DeclaredCluster struct {
	placement.Cluster
	At At
}

// DeclaredTenant is a tenant as a file has it, and how it moves: as its document and it
// itself say.
type DeclaredTenant struct {
	Tenant
	At At
}

// Declared is what some files say together.
type Declared struct {
	Clusters []DeclaredCluster
	Tenants  []DeclaredTenant

	clusters, tenants map[string]At
}

// Add reads one file. Everything that is wrong with it is in the error, each an *Error;
// then what it says is not to be used.
func (d *Declared) Add(file string, text []byte) error {
	if d.clusters == nil {
		d.clusters, d.tenants = map[string]At{}, map[string]At{}
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return &Error{File: file, Fix: errNothing.Error()}
	}
	in := yaml.NewDecoder(bytes.NewReader(text))
	var errs []error
	documents := 0
	for {
		var n yaml.Node
		err := in.Decode(&n)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil { // where the next document begins is not known
			errs = append(errs, parsed(file, err))
			break
		}
		if n.Kind != yaml.DocumentNode || len(n.Content) != 1 || n.Content[0].Kind == yaml.ScalarNode && n.Content[0].ShortTag() == "!!null" {
			continue // nothing but comments
		}
		documents++
		errs = append(errs, d.document(file, n.Content[0])...)
	}
	if documents == 0 && len(errs) == 0 {
		errs = append(errs, &Error{File: file, Fix: errNothing.Error()})
	}
	return errors.Join(errs...)
}

func (d *Declared) document(file string, root *yaml.Node) []error {
	in := &decoder{file: file}
	var f File
	in.into(root, "", reflect.ValueOf(&f).Elem())
	if root.Kind == yaml.MappingNode && f.Version != Version && len(in.errs) == 0 {
		in.fail(child(root, "version"), "version", "%d must be %d, the version of the format that this program reads", f.Version, Version)
	}
	if len(in.errs) > 0 {
		return in.errs
	}
	// Whether anybody is to move or not: a mistake shows now.
	in.invalid(child(root, "move"), "move", f.Move.Check())
	if len(in.errs) > 0 {
		f.Move = nil // once is enough
	}
	for i, n := range items(root, "clusters") {
		d.cluster(in, f.Clusters[i], n, "clusters["+strconv.Itoa(i)+"]")
	}
	for i, n := range items(root, "tenants") {
		d.tenant(in, f.Move, f.Tenants[i], n, "tenants["+strconv.Itoa(i)+"]")
	}
	return in.errs
}

// child is the value of a key, or the mapping.
func child(n *yaml.Node, name string) *yaml.Node {
	for key, value := range pairs(n) {
		if key.Value == name {
			return value
		}
	}
	return n
}

// items are the nodes of a list, or none.
func items(root *yaml.Node, name string) []*yaml.Node {
	if n := child(root, name); n.Kind == yaml.SequenceNode {
		return n.Content
	}
	return nil
}

func (d *Declared) cluster(in *decoder, c placement.Cluster, n *yaml.Node, path string) {
	at := At{in.file, n.Line}
	in.invalid(n, path, c.Validate())
	if before, twice := d.clusters[c.Name]; twice {
		in.fail(n, path+".name", "cluster %q is there twice, first at %s", c.Name, before)
		return
	}
	d.clusters[c.Name] = at
	d.Clusters = append(d.Clusters, DeclaredCluster{c, at})
}

func (d *Declared) tenant(in *decoder, of *Move, t Tenant, n *yaml.Node, path string) {
	at := At{in.file, n.Line}
	if t.Kind == "" {
		t.Kind = placement.DedicatedIndex
	}
	in.invalid(n, path, t.check())
	in.invalid(n, path, t.Labels.Validate())
	if t.Move = t.Move.over(of); t.Move != of {
		in.invalid(child(n, "move"), path+".move", t.Move.Check())
	}
	if before, twice := d.tenants[t.Name]; twice {
		in.fail(n, path+".name", "tenant %q is there twice, first at %s", t.Name, before)
		return
	}
	d.tenants[t.Name] = at
	d.Tenants = append(d.Tenants, DeclaredTenant{t, at})
}

// place is where the tenant shall live; without an index, wherever it has one.
func (t Tenant) place() placement.Placement {
	return placement.Placement{Kind: t.Kind, Cluster: t.Cluster, Index: t.Index, Logical: t.As, PartitionField: t.PartitionField}
}

// check looks at where the tenant shall live. What is left out is put in for the moment:
// whether it is needed depends on where the tenant is.
func (t Tenant) check() error {
	p := t.place()
	if p.Kind == placement.SharedIndex && p.Index == "" {
		return &placement.InvalidError{Field: "index", Value: "", Fix: "must name the shared index"}
	}
	if p.Kind == placement.SharedIndex && p.PartitionField == "" {
		p.PartitionField = "tenant"
	}
	if p.Kind == placement.DedicatedIndex && p.Index == "" {
		p.Index = "index"
		if p.Logical == "*" { // that of a pattern, or of none
			p.Index = "index-*"
		}
	}
	_, err := control.CompletePlacement(placement.PartitionID(t.Name), p)
	return err
}

// problem is the field that an error of another package is about, as the file calls it,
// and the fix.
func problem(err error) (field, fix string) {
	var invalid *placement.InvalidError
	if !errors.As(err, &invalid) {
		return "", err.Error()
	}
	field = strings.TrimPrefix(invalid.Field, "placement.")
	if own, ok := calledHere[field]; ok {
		field = own
	}
	if key, ok := strings.CutPrefix(field, "label "); ok {
		field = "labels." + key
	}
	return field, fmt.Sprintf("%q %s", invalid.Value, invalid.Fix)
}

// calledHere are the fields that the file has under another name.
var calledHere = map[string]string{"partition": "name", "logical": "as", "label": "labels", "repository": "copy.repository", "snapshot_above": "copy.snapshot_above"}

// Names are the tenants that are declared, in order.
func (d *Declared) Names() []string { return slices.Sorted(maps.Keys(d.tenants)) }
