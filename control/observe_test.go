package control_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// shown are the gauges and counters of a registry, as NAME{LABEL=VALUE,...}.
func shown(t *testing.T, reg prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			var labels []string
			for _, l := range m.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			name := f.GetName()
			if len(labels) > 0 {
				name += "{" + strings.Join(labels, ",") + "}"
			}
			out[name] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	return out
}

// TestMetricsOfTheTable: what a controller shows of others' work, and that it shows none
// of it without a place in the fleet.
func TestMetricsOfTheTable(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	// Another controller has the moves and the waves, so this one only looks.
	other, err := s.OpenSession(ctx, store.Info{Kind: store.KindController, Name: "other"}, store.Report{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	open(t, s, "p1", store.Report{Unresolved: []placement.PartitionID{"acme", "umbrella"}})
	open(t, s, "p2", store.Report{Unresolved: []placement.PartitionID{"acme"}, Tasks: map[placement.PartitionID][]store.Task{"initech": {{}}}})
	if err := open(t, s, "gone", store.Report{}).Close(ctx, false); err != nil {
		t.Fatal(err)
	}
	hourAgo := time.Now().Add(-time.Hour)
	for _, m := range []control.Move{
		{ID: "m1", Stage: control.StageCatchingUp, Timeline: []control.StageTime{{Stage: control.StageCatchingUp, Started: hourAgo}},
			Progress: control.Progress{Laggards: []control.Laggard{{Name: "p1"}, {Name: "p2"}}}},
		{ID: "m2", Stage: control.StageCatchingUp, Timeline: []control.StageTime{{Stage: control.StageCatchingUp, Started: time.Now()}},
			Progress: control.Progress{Laggards: []control.Laggard{{Name: "p1"}}}},
		{ID: "m3", Stage: control.StagePreparing, Created: time.Now()},
		{ID: "m4", Stage: control.StageAborted, Timeline: []control.StageTime{{Stage: control.StageAborted, Started: hourAgo}}},
	} {
		m.Partition, m.Owner = placement.PartitionID("t-"+m.ID), other.ID()
		if _, err := control.Moves(s).Put(ctx, m.ID, m, 0); err != nil {
			t.Fatal(err)
		}
	}
	for id, state := range map[string]control.WaveState{"w1": control.WaveRunning, "w2": control.WaveStopped, "w3": control.WaveDone} {
		if _, err := control.Waves(s).Put(ctx, id, control.Wave{ID: id, State: state, Owner: other.ID()}, 0); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := control.TrashRecords(s).Put(ctx, "m0", control.Trash{Move: "m0", Until: time.Now().Add(time.Hour)}, 0); err != nil {
		t.Fatal(err)
	}
	m, reg := control.NewMetrics(1), prometheus.NewPedanticRegistry()
	reg.MustRegister(m)
	stop := run(t, control.NewController(s, gate.NewPeers(secret, nil), &control.ControllerOptions{Scan: 10 * time.Millisecond, Waves: true, Trash: true, Metrics: m}))
	want := map[string]float64{
		"sluice_moves{stage=catching_up}": 2, "sluice_moves{stage=preparing}": 1, "sluice_moves{stage=aborting}": 0,
		"sluice_move_laggards{proxy=p1}": 2, "sluice_move_laggards{proxy=p2}": 1,
		"sluice_fleet_sessions{kind=proxy}": 2, "sluice_fleet_sessions{kind=controller}": 2, "sluice_fleet_vanished_proxies": 1, "sluice_fleet_unresolved_partitions": 3,
		"sluice_waves{state=running}": 1, "sluice_waves{state=stopped}": 1, "sluice_trash_copies{state=kept}": 1, "sluice_trash_copies{state=purging}": 0,
		"sluice_controller_moves": 0,
	}
	var got map[string]float64
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		got = shown(t, reg)
		wrong := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(k string) bool { v, ok := got[k]; return ok && v == want[k] })
		if len(wrong) == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %v of %v", wrong[0], got[wrong[0]], got)
		}
	}
	if d := got["sluice_moves_longest_seconds{stage=catching_up}"]; d < 3600 || d > 7200 {
		t.Errorf("the longest in catching_up: %v s", d)
	}
	stop()
	for name := range shown(t, reg) {
		if strings.HasPrefix(name, "sluice_fleet_") || strings.HasPrefix(name, "sluice_moves{") || strings.HasPrefix(name, "sluice_waves") || strings.HasPrefix(name, "sluice_trash") {
			t.Errorf("without a place in the fleet it shows %s", name)
		}
	}
}
