package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// A transition of the newest entry is one write and no read; and when the write goes
// wrong it is told as much as of one that was read first.
func TestTransitionOfAKnownEntry(t *testing.T) {
	for _, tr := range transitions {
		for _, c := range []struct {
			name          string
			reads, writes []fault
			done, applied bool
		}{
			{"the store cannot be read", []fault{failed}, nil, true, true},
			{"failed", nil, []fault{failed}, false, false},
			{"failed but applied", nil, []fault{failedAfter}, true, true},
			{"failed, and cannot be read back", []fault{failed}, []fault{failed}, false, false},
			{"failed but applied, and cannot be read back", []fault{failed}, []fault{failedAfter}, false, true},
		} {
			t.Run(tr.name+"/"+c.name, func(t *testing.T) {
				s, d := newStore(t)
				before := inPhase(t, s, tr.from)
				d.plan(c.reads, c.writes)
				got, err := s.ApplyTo(t.Context(), before, tr.cmd)
				wrote := d.wrote
				d.plan(nil, nil)
				now := must[placement.Entry](t)(s.State(t.Context(), "acme"))
				if wrote != 1 || c.applied != (now.Epoch > before.Epoch) {
					t.Errorf("%d writes, at epoch %d after %d", wrote, now.Epoch, before.Epoch)
				}
				if c.done && (err != nil || !cmp.Equal(got, now)) || !c.done && !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("%+v, %v; in the store is %+v", got, err, now)
				}
			})
		}
	}
}

// What is decided on an entry that is not the newest is neither written nor told: the
// outcome, and what is in the store afterwards, are those of the entry as it is.
func TestTransitionOfAnOldEntry(t *testing.T) {
	phases := []placement.Phase{placement.Active, placement.Draining, placement.Cutover}
	for _, old := range phases {
		for _, now := range phases {
			for _, tr := range transitions {
				s, d := newStore(t)
				known := inPhase(t, s, old)
				if old != placement.Active {
					must[placement.Entry](t)(s.Apply(t.Context(), "acme", placement.Command{Op: placement.OpAbort}))
				}
				if err := s.Remove(t.Context(), "acme"); err != nil {
					t.Fatal(err)
				}
				current := inPhase(t, s, now)
				want, refused := placement.Step(current, tr.cmd)
				got, err := s.ApplyTo(t.Context(), known, tr.cmd)
				stored := must[placement.Entry](t)(s.State(t.Context(), "acme"))
				want.Epoch = got.Epoch
				if d := cmp.Diff(refused, err) + cmp.Diff(want, got) + cmp.Diff(got, stored); d != "" || (err == nil) != (got.Epoch > current.Epoch) {
					t.Errorf("%s of what was %s and is %s: %s", tr.name, old, now, d)
				}
				// That it was decided on the old one is no reason to take it for the newer.
				cmd := tr.cmd
				cmd.Expect = known.Epoch
				if _, err := s.ApplyTo(t.Context(), known, cmd); !errors.Is(err, placement.ErrStaleEpoch) {
					t.Errorf("%s of what was %s and is %s, expecting the old epoch: %v", tr.name, old, now, err)
				}
				// A refusal that cannot be decided on the newest is none.
				d.plan([]fault{failed}, nil)
				if _, err := s.ApplyTo(t.Context(), known, cmd); !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("%s, expecting the old epoch, of a store that cannot be read: %v", tr.name, err)
				}
			}
		}
	}
}

// What was removed is not created again by a transition of what it was, nor by one whose
// epoch is from before the table was imported.
func TestTransitionOfAnEntryThatIsGone(t *testing.T) {
	s, d := newStore(t)
	known := inPhase(t, s, placement.Active)
	if err := s.Remove(t.Context(), "acme"); err != nil {
		t.Fatal(err)
	}
	begin := placement.Command{Op: placement.OpBegin, To: west, Attempt: move}
	if _, err := s.ApplyTo(t.Context(), known, begin); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("removed: %v", err)
	}
	must[store.Table](t)(store.WriteTable(t.Context(), d, store.Table{State: store.TableOpen, Base: known.Epoch}))
	if _, err := store.New(d, nil).ApplyTo(t.Context(), known, begin); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("from before an import: %v", err)
	}
	if _, err := d.Driver.Get(t.Context(), driver.Key{Space: store.SpaceEntries, Name: "acme"}); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("it is there again: %v", err)
	}
}
