package mover

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// restoreState is how far the restore of one index is.
type restoreState struct {
	mark   string // the snapshot that it was, or is, restored from; empty: it was not begun
	whole  bool   // every primary has started
	failed bool   // it was begun, has ended, and is not whole
	absent bool   // a primary is missing, which is not the restore's doing
}

// begun reports whether the index was, or is, restored from a snapshot of the move that
// will do: the present one, or an earlier one that was restored whole.
func (s restoreState) begun(w *seeding) bool {
	return s.mark == w.s.Snapshot || s.whole && w.m.ownSnapshot(s.mark)
}

// states reads, in one moment of B, how far each index is.
func (w *seeding) states(ctx context.Context) (map[string]restoreState, error) {
	m, out := w.m, map[string]restoreState{}
	for part := range lists(names(w.idx, targetName)) {
		var st struct {
			Blocks struct {
				Global map[string]json.RawMessage `json:"global"`
			} `json:"blocks"`
			Metadata struct {
				Indices map[string]struct {
					Settings struct {
						Index struct {
							Routing struct {
								Allocation struct {
									Exclude struct {
										Name string `json:"_name"`
									} `json:"exclude"`
								} `json:"allocation"`
							} `json:"routing"`
						} `json:"index"`
					} `json:"settings"`
				} `json:"indices"`
			} `json:"metadata"`
			Routing struct {
				Indices map[string]struct {
					Shards map[string][]struct {
						State   string `json:"state"`
						Primary bool   `json:"primary"`
						Source  struct {
							Type string `json:"type"`
						} `json:"recovery_source"`
					} `json:"shards"`
				} `json:"indices"`
			} `json:"routing_table"`
			Restore struct {
				Snapshots []struct {
					Snapshot string   `json:"snapshot"`
					Indices  []string `json:"indices"`
				} `json:"snapshots"`
			} `json:"restore"`
		}
		q := query("ignore_unavailable", "true", "expand_wildcards", "open,closed", "filter_path", "blocks.global,metadata.indices.*.settings,routing_table.indices.*.shards,restore.snapshots")
		if err := m.read(ctx, m.dst, http.MethodGet, "/_cluster/state/blocks,metadata,routing_table,customs/"+joined(part), q, nil, &st); err != nil {
			return nil, fmt.Errorf("read the state of the restore on %s: %w", m.dst.Name(), err)
		}
		for _, id := range []string{blockNotRecovered, blockNoManager} {
			if _, ok := st.Blocks.Global[id]; ok {
				return nil, fmt.Errorf("read the state of the restore: %s does not know its indices yet", m.dst.Name())
			}
		}
		for _, name := range part {
			meta, ok := st.Metadata.Indices[name]
			if !ok {
				return nil, fmt.Errorf("index %s on %s: %w", name, m.dst.Name(), ErrTargetChanged)
			}
			s := restoreState{mark: meta.Settings.Index.Routing.Allocation.Exclude.Name, whole: len(st.Routing.Indices[name].Shards) > 0}
			running := slices.ContainsFunc(st.Restore.Snapshots, func(r struct {
				Snapshot string   `json:"snapshot"`
				Indices  []string `json:"indices"`
			}) bool {
				return slices.Contains(r.Indices, name)
			})
			for _, copies := range st.Routing.Indices[name].Shards {
				for _, c := range copies {
					if !c.Primary || c.State == "STARTED" || c.State == "RELOCATING" {
						continue
					}
					s.whole = false
					if c.State == "UNASSIGNED" && !running {
						s.failed = s.failed || c.Source.Type == "SNAPSHOT"
						s.absent = true
					}
				}
			}
			out[name] = s
		}
	}
	return out, nil
}

// awaitRestore waits until every index is whole.
func (w *seeding) awaitRestore(ctx context.Context) error {
	m := w.m
	var absent time.Time
	for n := 0; ; n++ {
		if err := m.opt.Lease(); err != nil {
			return err
		}
		states, err := w.states(ctx)
		if err != nil {
			return err
		}
		whole, missing := true, false
		for name, s := range states {
			if !m.ownSnapshot(s.mark) {
				return fmt.Errorf("index %s on %s is not what was restored: %w", name, m.dst.Name(), ErrTargetChanged)
			}
			if s.failed {
				return fmt.Errorf("the restore of %s on %s: %w", name, m.dst.Name(), errSeedFailed)
			}
			whole, missing = whole && s.whole, missing || s.absent
		}
		if whole {
			return nil
		}
		// A node that went away takes a restore with it when its cluster restarts as a whole.
		switch {
		case !missing:
			absent = time.Time{}
		case absent.IsZero():
			absent = time.Now()
		case time.Since(absent) > m.opt.Patience:
			return fmt.Errorf("shards of what is restored on %s are missing: %w", m.dst.Name(), errSeedFailed)
		}
		if err := w.watchRestore(ctx); err != nil {
			return err
		}
		if err := pause(ctx, min(n, 4)); err != nil {
			return err
		}
	}
}

// snapshotStats is what a cluster says of a snapshot's files.
type snapshotStats struct {
	Incremental snapshotSize  `json:"incremental"` // those that the repository did not have
	Processed   *snapshotSize `json:"processed"`   // of them; left out when it is all
	Total       snapshotSize  `json:"total"`
	Millis      int64         `json:"time_in_millis"`
}

type snapshotSize struct {
	Bytes int64 `json:"size_in_bytes"`
}

// stats are those of the step's snapshot; false if the cluster does not tell. The work
// does not depend on them.
func (w *seeding) stats(ctx context.Context) (snapshotStats, bool) {
	var ans struct {
		Snapshots []struct {
			Stats snapshotStats `json:"stats"`
		} `json:"snapshots"`
	}
	err := w.m.read(ctx, w.m.src, http.MethodGet, w.path("/_status"), nil, nil, &ans)
	if err != nil || len(ans.Snapshots) != 1 {
		return snapshotStats{}, false
	}
	return ans.Snapshots[0].Stats, true
}

// bytes is the size of a whole snapshot, or what was estimated when it began.
func (w *seeding) bytes(ctx context.Context) int64 {
	if st, ok := w.stats(ctx); ok && st.Total.Bytes > 0 {
		return st.Total.Bytes
	}
	return w.s.Bytes
}

// watchSnapshot tells how much of the snapshot is written.
func (w *seeding) watchSnapshot(ctx context.Context) error {
	if err := w.m.opt.Lease(); err != nil {
		return err
	}
	st, ok := w.stats(ctx)
	if !ok {
		return ctx.Err()
	}
	done := st.Incremental.Bytes
	if st.Processed != nil {
		done = st.Processed.Bytes
	}
	w.tell(StepSnapshot, done, st.Incremental.Bytes, time.Duration(st.Millis)*time.Millisecond)
	return nil
}

// watchRestore tells how much of the snapshot is restored.
func (w *seeding) watchRestore(ctx context.Context) error {
	var done, total, took int64
	for part := range lists(names(w.idx, targetName)) {
		var ans map[string]struct {
			Shards []struct {
				Primary bool   `json:"primary"`
				Type    string `json:"type"`
				Millis  int64  `json:"total_time_in_millis"`
				Index   struct {
					Size struct {
						Total int64 `json:"total_in_bytes"`
						Done  int64 `json:"recovered_in_bytes"`
					} `json:"size"`
				} `json:"index"`
			} `json:"shards"`
		}
		if err := w.m.read(ctx, w.m.dst, http.MethodGet, "/"+joined(part)+"/_recovery", nil, nil, &ans); err != nil {
			return ctx.Err()
		}
		for _, i := range ans {
			for _, s := range i.Shards {
				if s.Primary && s.Type == "SNAPSHOT" {
					done, total, took = done+s.Index.Size.Done, total+s.Index.Size.Total, max(took, s.Millis)
				}
			}
		}
	}
	w.tell(StepRestore, done, max(total, w.s.Bytes), time.Duration(took)*time.Millisecond)
	return nil
}

// tell reports a step's progress, and the time that the rest of it takes if it goes on so.
func (w *seeding) tell(step string, done, total int64, took time.Duration) {
	if w.m.opt.Progress == nil {
		return
	}
	p := Progress{Step: step, Bytes: done, TotalBytes: max(done, total), Total: w.s.Docs}
	if done > 0 && total > done {
		p.ETA = time.Duration(float64(took) * float64(total-done) / float64(done))
	}
	w.m.opt.Progress(p)
}
