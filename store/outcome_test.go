package store_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// Each transition, each way to fail. The store says "done" only if it is done,
// ErrUnavailable if it does not know, and never a refusal.
func TestUnknownOutcomes(t *testing.T) {
	for _, tr := range transitions {
		for _, c := range []struct {
			name          string
			reads, writes []fault
			done          bool // Apply may say so
			applied       bool // it is in the store afterwards
		}{
			{"cannot be read", []fault{failed}, nil, false, false},
			{"failed", nil, []fault{failed}, false, false},
			{"failed but applied", nil, []fault{failedAfter}, true, true},
			{"failed, and cannot be read back", []fault{none, failed}, []fault{failed}, false, false},
			{"failed but applied, and cannot be read back", []fault{none, failed}, []fault{failedAfter}, false, true},
		} {
			t.Run(tr.name+"/"+c.name, func(t *testing.T) {
				s, d := newStore(t)
				before := inPhase(t, s, tr.from)
				want := must[placement.Entry](t)(placement.Step(before, tr.cmd))
				d.plan(c.reads, c.writes)
				got, err := s.Apply(t.Context(), "acme", tr.cmd)
				d.plan(nil, nil)
				now := must[placement.Entry](t)(s.State(t.Context(), "acme"))
				switch {
				case c.done && (err != nil || !cmp.Equal(got, now)):
					t.Errorf("%+v, %v; want done as %+v", got, err, now)
				case !c.done && (!errors.Is(err, store.ErrUnavailable) || !errors.Is(err, errBroken)):
					t.Errorf("%v, want ErrUnavailable with its cause", err)
				}
				var r *placement.Refusal
				if errors.As(err, &r) {
					t.Errorf("an unknown outcome came back as a refusal: %v", err)
				}
				if !c.applied {
					want = before
				}
				want.Epoch = now.Epoch
				if d := cmp.Diff(want, now); d != "" || c.applied == (now.Epoch == before.Epoch) {
					t.Errorf("in the store (-want +got):\n%s", d)
				}
			})
		}
	}
}

// A write of unknown outcome after which somebody else won is not ours.
func TestUnknownOutcomeThatAnotherOvertook(t *testing.T) {
	s, d := newStore(t)
	e := inPhase(t, s, placement.Cutover)
	d.plan(nil, []fault{failed})
	other := &overtaking{faulty: d, then: func() {
		must[placement.Entry](t)(store.New(d, nil).Apply(t.Context(), "acme", placement.Command{Op: placement.OpAbort}))
	}}
	_, err := store.New(other, nil).Apply(t.Context(), "acme", placement.Command{Op: placement.OpComplete, Expect: e.Epoch})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("complete, while another aborted: %v", err)
	}
	if now := must[placement.Entry](t)(s.State(t.Context(), "acme")); now.State != (placement.State{From: east}) {
		t.Errorf("%+v", now)
	}
}

// overtaking lets somebody act after the first write.
type overtaking struct {
	*faulty
	then func()
}

func (o *overtaking) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	v, err := o.faulty.Write(ctx, w)
	if then := o.then; then != nil {
		o.then = nil
		then()
	}
	return v, err
}

// A conflict is not an outcome of unknown kind: read again and judge.
func TestConflictIsJudgedAnew(t *testing.T) {
	s, d := newStore(t)
	inPhase(t, s, placement.Cutover)
	o := &beforeFirstWrite{faulty: d, do: func() {
		must[placement.Entry](t)(s.Apply(t.Context(), "acme", placement.Command{Op: placement.OpReopen}))
	}}
	_, err := store.New(o, nil).Apply(t.Context(), "acme", placement.Command{Op: placement.OpComplete})
	if !errors.Is(err, placement.ErrNotInCutover) {
		t.Errorf("complete, after another reopened: %v", err)
	}
}

type beforeFirstWrite struct {
	*faulty
	do func()
}

func (o *beforeFirstWrite) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if do := o.do; do != nil {
		o.do = nil
		do()
	}
	return o.faulty.Write(ctx, w)
}

// Absence and failure are never the same value.
func TestFailureIsNeverAbsence(t *testing.T) {
	s, d := newStore(t)
	ctx := t.Context()
	all := func() map[string]error {
		_, state := s.State(ctx, "acme")
		_, apply := s.Apply(ctx, "acme", placement.Command{Op: placement.OpComplete})
		_, cluster := s.Clusters().Get(ctx, "east")
		_, _, list := s.Clusters().List(ctx)
		_, entries := s.Entries(ctx, func(placement.Entry, error) bool { return true })
		_, head := s.Head(ctx)
		return map[string]error{"state": state, "apply": apply, "get": cluster, "list": list, "entries": entries, "head": head}
	}
	d.plan([]fault{failed, failed, failed, failed, failed, failed}, nil)
	for what, err := range all() {
		if !errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrNotFound) || errors.Is(err, placement.ErrUnknownPartition) {
			t.Errorf("unreachable: %s: %v", what, err)
		}
	}
	for what, err := range all() {
		if errors.Is(err, store.ErrUnavailable) {
			t.Errorf("reachable and empty: %s: %v", what, err)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := s.State(cancelled, "acme"); !errors.Is(err, context.Canceled) || errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRegisterUnknownOutcome(t *testing.T) {
	s, d := newStore(t)
	for _, f := range []fault{failed, failedAfter} {
		d.plan(nil, []fault{f})
		if _, err := s.Register(t.Context(), "acme", east); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("fault %d: %v", f, err)
		}
	}
	// It took effect the second time: a repetition learns that, and where it is.
	e, err := s.Register(t.Context(), "acme", east)
	if !errors.Is(err, placement.ErrAlreadyExists) || e.State.From != east {
		t.Errorf("again: %+v, %v", e, err)
	}
}

func TestRecords(t *testing.T) {
	s, d := newStore(t)
	ctx := t.Context()
	clusters := s.Clusters()
	want := placement.Cluster{Name: "east", Endpoints: []string{"http://h:9200"}}
	v := must[driver.Version](t)(clusters.Put(ctx, "east", want, 0))
	if _, err := clusters.Put(ctx, "east", want, 0); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a second creation: %v", err)
	}
	rec := must[store.Record[placement.Cluster]](t)(clusters.Get(ctx, "east"))
	if d := cmp.Diff(store.Record[placement.Cluster]{Name: "east", Version: v, Value: want}, rec); d != "" {
		t.Error(d)
	}
	d.plan(nil, []fault{failedAfter})
	if _, err := clusters.Put(ctx, "east", want, v); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("unknown outcome: %v", err)
	}
	if err := clusters.Delete(ctx, "east", v); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a deletion at the old version: %v", err)
	}
	rec = must[store.Record[placement.Cluster]](t)(clusters.Get(ctx, "east"))
	if err := clusters.Delete(ctx, "east", rec.Version); err != nil {
		t.Error(err)
	}
	if _, err := clusters.Get(ctx, "east"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	must[driver.Version](t)(d.Driver.Write(ctx, driver.Write{Key: driver.Key{Space: store.SpaceClusters, Name: "bad"}, Value: []byte(`[`)}))
	var bad *store.CorruptError
	if _, err := clusters.Get(ctx, "bad"); !errors.As(err, &bad) {
		t.Errorf("corrupt: %v", err)
	}
	if _, _, err := clusters.List(ctx); !errors.As(err, &bad) {
		t.Errorf("a list with a corrupt record: %v", err)
	}
}
