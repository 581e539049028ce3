package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

func TestRegister(t *testing.T) {
	s, _ := newStore(t)
	ctx := t.Context()
	e := must[placement.Entry](t)(s.Register(ctx, "acme", east))
	if got := must[placement.Entry](t)(s.State(ctx, "acme")); got != e || e.Epoch == 0 || e.State != (placement.State{From: east}) {
		t.Errorf("registered %+v, read %+v", e, got)
	}
	for _, p := range []placement.Placement{east, west} {
		got, err := s.Register(ctx, "acme", p)
		if !errors.Is(err, placement.ErrAlreadyExists) || got != e {
			t.Errorf("again at %s: %v, with %+v", p, err, got)
		}
	}
	var bad *placement.InvalidError
	if _, err := s.Register(ctx, "", east); !errors.As(err, &bad) {
		t.Errorf("no id: %v", err)
	}
	if _, err := s.Register(ctx, "other", placement.Placement{}); !errors.As(err, &bad) {
		t.Errorf("no placement: %v", err)
	}
	if _, err := s.State(ctx, "other"); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("what was refused is there: %v", err)
	}
}

// Registration never replaces: in Cutover that would be a flip.
func TestRegisterRefusesAMigratingEntry(t *testing.T) {
	for _, phase := range []placement.Phase{placement.Draining, placement.Cutover} {
		s, _ := newStore(t)
		e := inPhase(t, s, phase)
		if _, err := s.Register(t.Context(), "acme", west); !errors.Is(err, placement.ErrAlreadyExists) {
			t.Errorf("%s: %v", phase, err)
		}
		if got := must[placement.Entry](t)(s.State(t.Context(), "acme")); !cmp.Equal(e, got) {
			t.Errorf("%s: changed to %+v", phase, got)
		}
		if err := s.Remove(t.Context(), "acme"); !errors.Is(err, placement.ErrAlreadyMigrating) {
			t.Errorf("%s: remove: %v", phase, err)
		}
	}
}

func TestRemove(t *testing.T) {
	s, d := newStore(t)
	ctx := t.Context()
	if err := s.Remove(ctx, "acme"); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("nobody: %v", err)
	}
	first := inPhase(t, s, placement.Active)
	d.plan([]fault{failed}, nil)
	if err := s.Remove(ctx, "acme"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("unreadable: %v", err)
	}
	if err := s.Remove(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	again := must[placement.Entry](t)(s.Register(ctx, "acme", west))
	if again.Epoch <= first.Epoch {
		t.Errorf("a new partition of an old name went back to epoch %d, after %d", again.Epoch, first.Epoch)
	}
}

// Every transition: the entry that Apply returns is what Step says, and what is
// in the store, at a greater epoch.
func TestApply(t *testing.T) {
	for _, tr := range transitions {
		t.Run(tr.name, func(t *testing.T) {
			s, _ := newStore(t)
			e := inPhase(t, s, tr.from)
			want := must[placement.Entry](t)(placement.Step(e, tr.cmd))
			got := must[placement.Entry](t)(s.Apply(t.Context(), "acme", tr.cmd))
			if got.Epoch <= e.Epoch {
				t.Errorf("epoch %d after %d", got.Epoch, e.Epoch)
			}
			want.Epoch = got.Epoch
			stored := must[placement.Entry](t)(s.State(t.Context(), "acme"))
			if d := cmp.Diff(want, got) + cmp.Diff(want, stored); d != "" {
				t.Error(d)
			}
		})
	}
}

// Every refusal is Step's, and writes nothing.
func TestApplyRefusals(t *testing.T) {
	for _, phase := range []placement.Phase{placement.Active, placement.Draining, placement.Cutover} {
		for _, op := range []placement.Op{placement.OpBegin, placement.OpCutover, placement.OpReopen, placement.OpComplete, placement.OpAbort, placement.OpRetire} {
			for _, expect := range []placement.Epoch{0, 1 << 40} {
				s, d := newStore(t)
				e := inPhase(t, s, phase)
				cmd := placement.Command{Op: op, To: west, Expect: expect}
				_, want := placement.Step(e, cmd)
				if want == nil {
					continue
				}
				d.plan(nil, nil)
				got, err := s.Apply(t.Context(), "acme", cmd)
				if d := cmp.Diff(want, err) + cmp.Diff(e, got); d != "" {
					t.Errorf("%s from %s: %s", op, phase, d)
				}
				if d.wrote != 0 {
					t.Errorf("%s from %s wrote, and was refused", op, phase)
				}
			}
		}
	}
	s, _ := newStore(t)
	_, err := s.Apply(t.Context(), "nobody", placement.Command{Op: placement.OpAbort})
	var r *placement.Refusal
	if !errors.As(err, &r) || r.Code != placement.CodeUnknownPartition || r.Op != placement.OpAbort || r.Partition != "nobody" {
		t.Errorf("a partition that is not there: %v", err)
	}
}

// Of N controllers that complete, reopen or abort the same cutover exactly one
// wins, and the others get a refusal.
func TestControllersRace(t *testing.T) {
	for round := range 30 {
		s, _ := newStore(t)
		e := inPhase(t, s, placement.Cutover)
		var won atomic.Pointer[placement.Entry]
		var wins atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				op := []placement.Op{placement.OpComplete, placement.OpReopen, placement.OpAbort}[(i+round)%3]
				got, err := s.Apply(t.Context(), "acme", placement.Command{Op: op, Expect: e.Epoch})
				switch {
				case err == nil:
					wins.Add(1)
					won.Store(&got)
				case !errors.Is(err, placement.ErrStaleEpoch):
					t.Errorf("%s: %v", op, err)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Fatalf("round %d: %d winners", round, wins.Load())
		}
		if got := must[placement.Entry](t)(s.State(t.Context(), "acme")); !cmp.Equal(*won.Load(), got) {
			t.Fatalf("round %d: the winner has %+v, the store %+v", round, *won.Load(), got)
		}
	}
}

// Without an expected epoch the losers read again and are judged by the new
// state: one begin, one completion, never two.
func TestControllersRaceWithoutAnEpoch(t *testing.T) {
	s, _ := newStore(t)
	inPhase(t, s, placement.Active)
	var wg sync.WaitGroup
	counts := map[placement.Op]*atomic.Int32{placement.OpBegin: {}, placement.OpComplete: {}, placement.OpAbort: {}}
	for i := range 6 {
		wg.Go(func() {
			for n := range 60 {
				ops := []placement.Op{placement.OpBegin, placement.OpCutover, placement.OpComplete, placement.OpAbort}
				op := ops[(i+n)%4]
				to := []placement.Placement{west, east}[n%2]
				_, err := s.Apply(t.Context(), "acme", placement.Command{Op: op, To: to, Attempt: placement.Attempt{}})
				var r *placement.Refusal
				if err == nil && counts[op] != nil {
					counts[op].Add(1)
				} else if err != nil && !errors.As(err, &r) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	e := must[placement.Entry](t)(s.State(t.Context(), "acme"))
	begun, done, aborted := counts[placement.OpBegin].Load(), counts[placement.OpComplete].Load(), counts[placement.OpAbort].Load()
	open := int32(0)
	if e.State.Migrating() {
		open = 1
	}
	if begun != done+aborted+open || uint32(done) != e.Incarnation {
		t.Errorf("begun %d, completed %d, aborted %d, open %d, incarnation %d", begun, done, aborted, open, e.Incarnation)
	}
}

func TestRegisterRace(t *testing.T) {
	s, _ := newStore(t)
	var won atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			p := east
			p.Index = fmt.Sprint("acme-", i)
			if _, err := s.Register(t.Context(), "acme", p); err == nil {
				won.Add(1)
			} else if !errors.Is(err, placement.ErrAlreadyExists) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d winners", won.Load())
	}
}

// A record that cannot be decoded is reported and left alone by everything.
func TestCorruptEntryIsLeftAlone(t *testing.T) {
	s, d := newStore(t)
	ctx := t.Context()
	key := driver.Key{Space: store.SpaceEntries, Name: "acme"}
	v := must[driver.Version](t)(d.Driver.Write(ctx, driver.Write{Key: key, Value: []byte(`{"v":99}`)}))
	_, stateErr := s.State(ctx, "acme")
	_, applyErr := s.Apply(ctx, "acme", placement.Command{Op: placement.OpAbort})
	_, registerErr := s.Register(ctx, "acme", east)
	for what, err := range map[string]error{"state": stateErr, "apply": applyErr, "register": registerErr, "remove": s.Remove(ctx, "acme")} {
		var bad *store.CorruptError
		if !errors.As(err, &bad) || errors.Is(err, placement.ErrUnknownPartition) {
			t.Errorf("%s: %v, want a *CorruptError", what, err)
		}
	}
	if kv := must[driver.KV](t)(d.Driver.Get(ctx, key)); kv.Version != v {
		t.Errorf("it was changed: %s", kv.Value)
	}
	must[placement.Entry](t)(s.Register(ctx, "other", east))
	good, corrupt := 0, 0
	must[placement.Epoch](t)(s.Entries(ctx, func(e placement.Entry, err error) bool {
		if err != nil {
			corrupt++
		} else {
			good++
		}
		return true
	}))
	if good != 1 || corrupt != 1 {
		t.Errorf("the list has %d good and %d corrupt entries", good, corrupt)
	}
}

// What was listed and what is watched afterwards is everything, once.
func TestEntriesThenWatch(t *testing.T) {
	s, _ := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	inPhase(t, s, placement.Active)
	listed := 0
	from := must[placement.Epoch](t)(s.Entries(ctx, func(placement.Entry, error) bool { listed++; return true }))
	e := must[placement.Entry](t)(s.Apply(ctx, "acme", placement.Command{Op: placement.OpBegin, To: west, Attempt: move}))
	e2 := must[placement.Entry](t)(s.Apply(ctx, "acme", placement.Command{Op: placement.OpAbort}))
	if err := s.Remove(ctx, "acme"); err != nil {
		t.Fatal(err)
	}
	head, err := s.Head(ctx)
	if err != nil || head <= e2.Epoch {
		t.Fatalf("head %d, %v", head, err)
	}
	var got []store.Change
	err = s.Watch(ctx, from, func(c []store.Change) error {
		if got = append(got, c...); len(got) >= 3 {
			return errBroken // enough
		}
		return nil
	})
	if !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	want := []store.Change{{Entry: e}, {Entry: e2}, {Entry: placement.Entry{Partition: "acme", Epoch: head}, Removed: true}}
	if d := cmp.Diff(want, got); d != "" || listed != 1 {
		t.Errorf("listed %d, watched (-want +got):\n%s", listed, d)
	}
}
