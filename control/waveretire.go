package control

import (
	"context"
	"errors"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// RetireState is where the old copy of a tenant of a wave stands.
type RetireState string

// The states of an old copy.
const (
	RetireUnderWay RetireState = "being retired"
	RetireStays    RetireState = "stays"   // nobody has asked for its removal, or that was refused
	RetireLeft     RetireState = "left"    // the move has ended, and left it to the operator
	RetireTrash    RetireState = "trashed" // can be restored for a time
	RetireGone     RetireState = "removed"
)

// RetireStates are all of them.
var RetireStates = []RetireState{RetireGone, RetireTrash, RetireLeft, RetireUnderWay, RetireStays}

// WaveRetire is what comes of one tenant's old copy.
type WaveRetire struct {
	Partition placement.PartitionID `json:"partition"`
	Move      string                `json:"move"`
	State     RetireState           `json:"state"`
	Reason    string                `json:"reason,omitempty"` // why it stays, or what its removal waits for
}

func waveRetireOf(m Move) WaveRetire {
	r := WaveRetire{Partition: m.Partition, Move: m.ID, State: RetireStays, Reason: m.Error}
	switch {
	case m.Kept:
		r.State = RetireLeft
	case m.Stage == StageDone && !m.TrashUntil.IsZero():
		r.State = RetireTrash
	case m.Stage == StageDone:
		r.State = RetireGone
	case m.Stage == StageRetiring || m.RetireRequested:
		r.State, r.Reason = RetireUnderWay, m.Progress.Note
	}
	return r
}

// RequestWaveRetire asks for the removal of the old copies of all moves of a wave that
// have flipped. What is refused for one move is in its Reason, and stops none of the others.
func RequestWaveRetire(ctx context.Context, s *store.Store, wave string, how RetireRequest) ([]WaveRetire, error) {
	moves, err := flippedOf(ctx, s, wave)
	if err != nil {
		return nil, err
	}
	out := make([]WaveRetire, 0, len(moves))
	for _, m := range moves {
		if m.Stage == StageFlipped {
			asked, err := RequestRetireAs(ctx, s, m.ID, how)
			switch {
			case err == nil:
				m = asked
			case refusal(err) || errors.Is(err, ErrKept) || errors.Is(err, ErrSoaking) || errors.Is(err, ErrSettled):
				m = asked // as it is
				r := waveRetireOf(m)
				r.Reason = err.Error()
				if bare := errors.Unwrap(err); bare != nil { // its move is named already
					r.Reason = bare.Error()
				}
				out = append(out, r)
				continue
			default:
				return out, err
			}
		}
		out = append(out, waveRetireOf(m))
	}
	return out, nil
}

// ReadWaveRetire reads where the old copies of a wave stand.
func ReadWaveRetire(ctx context.Context, s *store.Store, wave string) ([]WaveRetire, error) {
	moves, err := flippedOf(ctx, s, wave)
	out := make([]WaveRetire, 0, len(moves))
	for _, m := range moves {
		out = append(out, waveRetireOf(m))
	}
	return out, err
}

// flippedOf are the moves of a wave that have left an old copy, in the wave's order.
func flippedOf(ctx context.Context, s *store.Store, wave string) ([]Move, error) {
	if _, err := ReadWave(ctx, s, wave); err != nil {
		return nil, err
	}
	items, err := itemsOf(ctx, s, wave)
	if err != nil {
		return nil, err
	}
	all, _, err := Moves(s).List(ctx)
	if err != nil {
		return nil, err
	}
	byID := make(map[string]Move, len(all))
	for _, r := range all {
		byID[r.Value.ID] = r.Value
	}
	var out []Move
	for _, i := range items {
		if m, ok := byID[i.Value.Move]; ok && m.Settled() && m.Stage != StageAborted && m.Stage != StageFailed {
			out = append(out, m)
		}
	}
	return out, nil
}
