package control

import (
	"context"
	"fmt"
	"slices"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// PlanWaveRollback is the plan of a wave that takes back the tenants of another which have
// flipped and whose old copies are still there, the one that was moved last first. Those
// that cannot go back stay, with the reason. The wave must not be beginning moves: it
// would go on beside its rollback.
func PlanWaveRollback(ctx context.Context, s *store.Store, id string) (Wave, WavePlan, error) {
	st, err := ReadWave(ctx, s, id)
	if err != nil {
		return Wave{}, WavePlan{}, err
	}
	if w := st.Wave; w.State == WaveRunning || w.State == WaveAborting || st.Counts[ItemMoving] > 0 {
		return w, WavePlan{}, fmt.Errorf("roll wave %s back: %w: it is %s, with %d moves under way; pause or abort it, and wait for those", id, ErrWaveBusy, w.State, st.Counts[ItemMoving])
	}
	moves, err := flippedOf(ctx, s, id)
	if err != nil {
		return st.Wave, WavePlan{}, err
	}
	mine := map[placement.PartitionID]bool{}
	for _, m := range moves {
		mine[m.Partition] = true
	}
	entries := map[placement.PartitionID]placement.Entry{}
	if _, err := s.Entries(ctx, func(e placement.Entry, err error) bool {
		if err == nil && mine[e.Partition] {
			entries[e.Partition] = e
		}
		return true
	}); err != nil {
		return st.Wave, WavePlan{}, err
	}
	var p WavePlan
	for _, m := range slices.Backward(moves) {
		if err := WayBack(m, entries[m.Partition]); err != nil {
			p.Stay = append(p.Stay, TenantLoad{Partition: m.Partition, Cluster: m.To.Cluster, Stays: err.Error()})
			continue
		}
		p.Items = append(p.Items, WaveItem{N: len(p.Items), Partition: m.Partition, From: m.To.Cluster, To: m.From.Cluster, Back: m.ID, State: ItemWaiting})
	}
	return st.Wave, p, nil
}

// plan makes the move of an item.
func (st *waveStep) plan(ctx context.Context, i WaveItem) (Move, error) {
	s, o := st.t.c.s, st.wave.Value.Options
	if i.Back != "" {
		m, err := planRollback(ctx, s, i.Back, i.Move, o, st.t.openMoves)
		if err == nil && m.Partition != i.Partition {
			err = &placement.InvalidError{Field: "back", Value: i.Back, Fix: fmt.Sprintf("must be a move of tenant %q", string(i.Partition))}
		}
		return m, err
	}
	m, _, _, err := planMove(ctx, s, Request{Partition: i.Partition, Cluster: i.To, Kind: i.Kind, Index: i.Index, Field: i.Field, Options: o, ID: i.Move, others: st.t.openMoves})
	return m, err
}

// create writes the record of an item's move, if its place is free. ErrConflict: it is there.
func (st *waveStep) create(ctx context.Context, m Move) error {
	if m.RollbackOf == "" {
		return enlist(ctx, st.t.c.s, m)
	}
	_, err := Moves(st.t.c.s).Put(ctx, m.ID, m, 0) // the place is its own
	return err
}
