package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// moves show tells whether a move can be rolled back; the command takes the tenant for
// the move that has left its old copy, and says why it refuses.
func TestMovesShowTellsOfTheWayBack(t *testing.T) {
	t.Parallel()
	c, s := newMoveCLI(t)
	m, err := control.RequestMove(t.Context(), s, control.Request{Partition: "acme", Cluster: "b"})
	if err != nil {
		t.Fatal(err)
	}
	if out := c.ok("moves", "show", m.ID); strings.Contains(out, "rollback") {
		t.Errorf("of a move that has not flipped:\n%s", out)
	}
	if r := c.run("moves", "rollback", m.ID); r.code != exitRefused || !strings.Contains(r.stderr, "has not flipped") {
		t.Errorf("a rollback of it: %+v", r)
	}
	for _, cmd := range []placement.Command{
		{Op: placement.OpBegin, To: m.To, Attempt: placement.Attempt{Move: m.ID, Number: 1}}, {Op: placement.OpCutover}, {Op: placement.OpComplete},
	} {
		if _, err := s.Apply(t.Context(), "acme", cmd); err != nil {
			t.Fatal(err)
		}
	}
	e, err := s.State(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(time.Hour)
	change(t, s, m.ID, func(m *control.Move) {
		m.Stage, m.CompleteEpoch, m.RetireAt, m.Receipt = control.StageFlipped, e.Epoch, at, &control.Receipt{Fence: control.FenceClean}
	})
	if out := c.ok("moves", "show", m.ID); !strings.Contains(out, "possible until the old copy is retired at "+at.Local().Format(time.DateTime)+": sluice moves rollback "+m.ID) {
		t.Errorf("of a move that has flipped:\n%s", out)
	}
	var shown struct {
		ID       string
		Rollback struct {
			Possible bool
			Until    time.Time
		}
	}
	if err := json.Unmarshal([]byte(c.ok("moves", "show", "acme", "-o", "json")), &shown); err != nil || shown.ID != m.ID || !shown.Rollback.Possible || !shown.Rollback.Until.Equal(at) {
		t.Errorf("as JSON: %+v, %v", shown, err)
	}
	if r := c.run("moves", "rollback", "acme"); r.code != exitOK || !strings.Contains(r.stdout, "takes acme back from "+m.To.String()+" to "+m.From.String()) {
		t.Errorf("a rollback of the tenant: %+v", r)
	}
	if r := c.run("moves", "rollback", "acme"); r.code != exitRefused || !strings.Contains(r.stderr, "moving already") {
		t.Errorf("and another: %+v", r)
	}
	change(t, s, m.ID, func(m *control.Move) { m.RetireRequested = true })
	if r := c.run("moves", "rollback", m.ID); r.code != exitRefused || !strings.Contains(r.stderr, "there is no way back: its old copy is being retired") {
		t.Errorf("of a move that is being retired: %+v", r)
	}
	if out := c.ok("moves", "show", m.ID); !strings.Contains(out, "its old copy is being retired") {
		t.Errorf("of a move that is being retired:\n%s", out)
	}
}
