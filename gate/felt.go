package gate

import (
	"maps"
	"slices"

	"github.com/sluiceproxy/sluice/placement"
)

// maxErrorKinds bounds the kinds of errors that are told apart for one move; the
// others are one kind together.
const maxErrorKinds = 64

// otherErrors is the kind of those.
const otherErrors = "other"

// NoteErrors counts n errors of a kind that clients of the partition were answered
// with, if it is moving: a move's receipt tells them. under is the entry that the
// request was decided on; without one, or with one from before the move, the present
// entry tells. Nothing is kept of a partition that does not move.
func (g *Gate) NoteErrors(id placement.PartitionID, under placement.Entry, kind string, n int) {
	if !under.State.Migrating() {
		v := g.rep.lookup(id)
		if v == nil || v.corrupt != nil || !v.migrating() {
			return
		}
		g.holds.failed(v.entry.Move(), kind, n)
		return
	}
	g.holds.failed(under.Attempt.Move, kind, n)
}

func (h *holds) failed(move, kind string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.statsOf(move)
	if s.Errors == nil {
		s.Errors = map[string]int{}
	}
	if _, known := s.Errors[kind]; !known && len(s.Errors) >= maxErrorKinds {
		kind = otherErrors
	}
	s.Errors[kind] += n
}

// statsOf are the numbers of a move. The caller holds mu.
func (h *holds) statsOf(move string) *HoldStats {
	s := h.moves[move]
	if s == nil {
		s = &HoldStats{}
		h.moves[move] = s
		h.order = append(h.order, move)
		if len(h.order) > maxHoldMoves {
			delete(h.moves, h.order[0])
			h.order = h.order[1:]
		}
	}
	return s
}

// clone is a copy that later events do not change.
func (s HoldStats) clone() HoldStats {
	s.Samples, s.Errors = slices.Clone(s.Samples), maps.Clone(s.Errors)
	return s
}
