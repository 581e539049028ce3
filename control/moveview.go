package control

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/sluiceproxy/sluice/store"
)

// relist is every how many scans all moves are read from the store, whatever the watch
// has told: what it should ever miss waits for no longer.
const relist = 30

// known are the moves as the watch tells of them, so that nobody lists thousands for
// each decision. Those that have ended are left out, but for those of which somebody
// has to look whether their entry has heard of it.
type known struct {
	mu    sync.Mutex
	live  bool // the watch is under way
	moves map[string]store.Record[Move]
}

func (k *known) reset(all []store.Record[Move]) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.live, k.moves = true, make(map[string]store.Record[Move], len(all))
	for _, r := range all {
		k.put(r)
	}
}

// put notes one record; k.mu is held.
func (k *known) put(r store.Record[Move]) {
	if r.Value.Stage == StageDone {
		delete(k.moves, r.Name)
		return
	}
	k.moves[r.Name] = r
}

func (k *known) apply(changes []store.RecordChange[Move]) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range changes {
		switch {
		case c.Removed, c.Err != nil: // what cannot be read is found by the next list, which says so
			delete(k.moves, c.Name)
		default:
			k.put(c.Record)
		}
	}
}

// lose notes that the watch has ended.
func (k *known) lose() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.live = false
}

// open are the moves that are known; false: the store has to be asked.
func (k *known) open() ([]store.Record[Move], bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.live {
		return nil, false
	}
	out := make([]store.Record[Move], 0, len(k.moves))
	for _, name := range slices.Sorted(maps.Keys(k.moves)) { // the oldest first
		out = append(out, k.moves[name])
	}
	return out, true
}

// openMoves are the moves that have not ended, as the watch tells of them, or as they
// are listed in the store if it has ended or fresh is asked for. A view may be behind.
func (t *tenancy) openMoves(ctx context.Context, fresh bool) ([]store.Record[Move], error) {
	if !fresh {
		if moves, ok := t.known.open(); ok {
			return moves, nil
		}
	}
	return listMoves(t.c.s)(ctx, true)
}

// listMoves lists all moves, ended ones included.
func listMoves(s *store.Store) func(context.Context, bool) ([]store.Record[Move], error) {
	return func(ctx context.Context, _ bool) ([]store.Record[Move], error) {
		all, _, err := Moves(s).List(ctx)
		return all, err
	}
}
