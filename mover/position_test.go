package mover_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/mover"
)

// written is how many index operations the target has performed.
func (r *rig) written() int64 {
	r.t.Helper()
	var st struct {
		All struct {
			Primaries struct {
				Indexing struct {
					Total int64 `json:"index_total"`
				}
			}
		} `json:"_all"`
	}
	r.call(r.dst, "GET", "/"+r.b+"/_stats/indexing", "", "", &st)
	return st.All.Primaries.Indexing.Total
}

// A copy is killed at random points: nothing is saved or sent after one, and what is on
// its way takes effect. Its successor writes no more documents again than the writers of
// the dead one had in hand.
func TestAKillCostsNoMoreThanABatchOfEachWriter(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	const n, batch, workers, kills = 8000, 100, 2, 8
	r.fill(n)
	rnd := rand.New(rand.NewPCG(7, 11))
	killed := errors.New("killed")
	var cp mover.Checkpoint
	var idx []mover.Index
	midway, again := 0, int64(0)
	for attempt := uint32(1); ; attempt++ {
		r.spec.Attempt = attempt
		ctx, kill := context.WithCancelCause(t.Context())
		// A batch asks its lease twice.
		left, dead := atomic.Int64{}, atomic.Bool{}
		left.Store(int64(10 + rnd.IntN(4*n/batch/kills)))
		die := func() error {
			dead.Store(true)
			kill(killed)
			return killed
		}
		copying := atomic.Bool{}
		m := r.mover(&mover.Options{BatchDocs: batch, Workers: workers, Lease: func() error {
			if attempt <= kills && copying.Load() && left.Add(-1) <= 0 {
				return die()
			}
			return nil
		}})
		if attempt == 1 {
			var err error
			if idx, err = m.Prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		m.Use(idx)
		if err := m.Take(t.Context(), attempt > 1); err != nil { // waits for what the dead one has sent
			t.Fatal(err)
		}
		began := cp.Docs
		if cp.At != nil {
			began += cp.At.Docs
			midway++
		}
		if more := r.written() - began; attempt > 1 && more-again > batch*workers {
			t.Errorf("%d documents are at the target that the checkpoint does not know, %d of them since the last kill; the writers had %d in hand", more, more-again, batch*workers)
		} else {
			again = more
		}
		copying.Store(true)
		err := m.Copy(ctx, cp, func(c mover.Checkpoint) error {
			if dead.Load() {
				return killed
			}
			cp = c
			return nil
		})
		kill(nil)
		if err == nil {
			break
		}
		if !dead.Load() || attempt > kills {
			t.Fatal(err)
		}
	}
	total := r.written()
	t.Logf("%d of %d kills were within a shard; %d of %d documents were written again", midway, kills, total-n, n)
	if midway < kills/2 {
		t.Error("too few kills were within a shard: this shows little")
	}
	if total < n || total-n > kills*batch*workers {
		t.Errorf("%d documents were written again after %d kills, at most %d are allowed", total-n, kills, kills*batch*workers)
	}
	if cp.Docs != n || cp.Scan != "" || cp.At != nil {
		t.Errorf("the last checkpoint: %+v", cp)
	}
	r.equal(r.heir(idx, 100), n)
}

// The point in time is gone with the source's patience: the shard is copied anew.
func TestAPositionWithoutItsScanBeginsAnew(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	const n = 1000
	r.fill(n)
	m := r.taken(&mover.Options{BatchDocs: 50, Workers: 2})
	stop := errors.New("stop")
	var cp mover.Checkpoint
	err := m.Copy(t.Context(), cp, func(c mover.Checkpoint) error {
		if cp.At != nil && cp.At.Docs > n/2 {
			return stop
		}
		cp = c
		return nil
	})
	if !errors.Is(err, stop) || cp.At == nil {
		t.Fatalf("%+v, %v", cp, err)
	}
	m.EndScan(t.Context(), cp)
	m = r.heir(m.Indexes(), 2)
	if err := m.Copy(t.Context(), cp, func(c mover.Checkpoint) error { cp = c; return nil }); err != nil {
		t.Fatal(err)
	}
	if cp.Docs != n {
		t.Errorf("%d documents", cp.Docs)
	}
	r.equal(m, n)
}

// heir is a mover of a later attempt that has taken over.
func (r *rig) heir(idx []mover.Index, attempt uint32, o ...*mover.Options) *mover.Mover {
	r.t.Helper()
	r.spec.Attempt = attempt
	m := r.mover(append(o, nil)[0])
	m.Use(idx)
	if err := m.Take(r.t.Context(), true); err != nil {
		r.t.Fatal(err)
	}
	return m
}
