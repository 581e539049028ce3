package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/internal/fleetfile"
)

// actions are how a diff shows what is to be done.
var actions = map[fleetfile.Action]struct{ sign, what, done string }{
	fleetfile.AddCluster:    {"+", "cluster", "added"},
	fleetfile.ChangeCluster: {"~", "cluster", "changed"},
	fleetfile.AddTenant:     {"+", "tenant", "added"},
	fleetfile.LabelTenant:   {"~", "labels", "changed"},
	fleetfile.MoveTenant:    {">", "move", "requested"},
	fleetfile.RemoveTenant:  {"-", "tenant", "removed; its data is not touched"},
}

// writeDiff shows what is to be done, what is under way, and how much is the same. What is
// in the way is the error that the command ends with.
func writeDiff(c *cobra.Command, p fleetfile.Plan) error {
	w := c.OutOrStdout()
	if forPrograms(c) {
		return writeValue(c, p)
	}
	var rows [][]string
	for _, k := range p.Changes {
		a := actions[k.Action]
		rows = append(rows, []string{a.sign, a.what, k.Name, difference(k), k.At})
	}
	if len(rows) > 0 {
		if err := table(w, []string{" ", "WHAT", "NAME", "DIFFERENCE", "AT"}, rows); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	for _, u := range p.UnderWay {
		if _, err := fmt.Fprintf(w, "tenant %s %s\n", printable(u.Tenant), u.Text); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%s; %d under way, %d as declared\n", tally(p), len(p.UnderWay), p.Same)
	return err
}

// tally counts the changes.
func tally(p fleetfile.Plan) string {
	n := map[fleetfile.Action]int{}
	for _, k := range p.Changes {
		n[k.Action]++
	}
	var out []string
	for _, x := range []struct {
		n    int
		what string
	}{
		{n[fleetfile.AddCluster] + n[fleetfile.AddTenant], "to add"}, {n[fleetfile.ChangeCluster] + n[fleetfile.LabelTenant], "to change"},
		{n[fleetfile.MoveTenant], "to move"}, {n[fleetfile.RemoveTenant], "to remove"},
	} {
		if x.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	if len(out) == 0 {
		return "nothing to change"
	}
	return strings.Join(out, ", ")
}

// difference says what a change changes.
func difference(k fleetfile.Change) string {
	var words []string
	for _, l := range k.Set.Sorted() {
		words = append(words, "+"+l)
	}
	for _, l := range k.Remove {
		words = append(words, "-"+l)
	}
	labels := strings.Join(words, " ")
	switch k.Action {
	case fleetfile.AddCluster:
		return strings.Join(k.Cluster.Endpoints, ",")
	case fleetfile.ChangeCluster:
		return strings.Join(k.Fields, ", ")
	case fleetfile.AddTenant:
		text := k.To.String()
		if k.To.Logical != k.To.Index && k.To.Logical != "*" && k.To.Logical != "" {
			text += " as " + k.To.Logical
		}
		return strings.TrimSpace(text + " " + labels)
	case fleetfile.MoveTenant:
		text := fmt.Sprintf("%s -> %s", k.From, k.To)
		if k.Options != nil {
			given, _ := json.Marshal(k.Options) // of texts and numbers
			text += " " + string(given)
		}
		return text
	case fleetfile.RemoveTenant:
		return k.From.String() + ", whose data stays"
	}
	return labels
}
