package doctor_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/store/doctor"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// empty fails unless nothing of a run is left.
func empty(t *testing.T, d driver.Driver) {
	t.Helper()
	if _, err := d.List(t.Context(), doctor.Space, func(kv driver.KV) bool {
		t.Errorf("left: %q", kv.Name)
		return true
	}); err != nil {
		t.Error(err)
	}
}

func find(t *testing.T, r *doctor.Report, guarantee string) doctor.Finding {
	t.Helper()
	for _, f := range r.Findings {
		if f.Guarantee == guarantee {
			return f
		}
	}
	t.Fatalf("the report has no finding on %s", guarantee)
	return doctor.Finding{}
}

func TestGoodStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := memstore.New(nil)
		defer m.Close()
		// Of a run that was killed long ago, and of one that may be at work.
		for _, name := range []string{"86400-OLD/x", "99999999999-NEW/x"} {
			if _, err := m.Write(t.Context(), driver.Write{Key: driver.Key{Space: doctor.Space, Name: name}, Value: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		r, err := doctor.Examine(t.Context(), noWeakness{m}, &doctor.Options{Slow: true})
		if err != nil {
			t.Fatal(err)
		}
		owed := 0
		for _, g := range driver.Guarantees() {
			if g.Binds(m) {
				owed++
			}
		}
		if r.Worst != doctor.Holds || len(r.Findings) != owed || len(r.Left) > 0 {
			t.Errorf("%+v", r)
		}
		if !find(t, r, "SessionEndsWhenNotRenewed").Probed || find(t, r, "SurvivesKill").Probed {
			t.Error("what was probed is not told")
		}
		if f := find(t, r, "SurvivesClockBack"); f.Verdict != doctor.Holds || f.Reason != "nobody asks the clock" {
			t.Errorf("the driver's reason is not told: %+v", f)
		}
		if f := find(t, r, "CreateHasExactlyOneWinner"); !f.Probed || f.Reason != "" {
			t.Errorf("it was probed, and is told to hold for a reason: %+v", f)
		}
		if _, err := m.Get(t.Context(), driver.Key{Space: doctor.Space, Name: "99999999999-NEW/x"}); err != nil {
			t.Errorf("a run at work lost its record: %v", err)
		}
		n := 0
		if _, err := m.List(t.Context(), doctor.Space, func(driver.KV) bool { n++; return true }); err != nil || n != 1 {
			t.Errorf("%d records left, %v", n, err)
		}
	})
}

// noWeakness hides what memstore declares.
type noWeakness struct{ *memstore.Store }

func (noWeakness) Weaknesses(context.Context) ([]driver.Weakness, error) { return nil, nil }

func (noWeakness) Reasons() map[string]string {
	return map[string]string{"SurvivesClockBack": "nobody asks the clock", "CreateHasExactlyOneWinner": "it is probed all the same"}
}

type weak struct {
	*memstore.Store
	err error
}

func (w weak) Weaknesses(context.Context) ([]driver.Weakness, error) {
	return []driver.Weakness{{Guarantee: "SurvivesKill", Why: "why", Risk: "risk", Remedy: "remedy"}}, w.err
}

func TestWeakness(t *testing.T) {
	m := memstore.New(nil)
	defer m.Close()
	r, err := doctor.Examine(t.Context(), weak{Store: m}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := find(t, r, "SurvivesKill")
	if r.Worst != doctor.Weak || f.Verdict != doctor.Weak || f.Why != "why" || f.Risk != "risk" || f.Remedy != "remedy" {
		t.Errorf("%s, %+v", r.Worst, f)
	}
	if find(t, r, "SessionEndsWhenNotRenewed").Probed {
		t.Error("a slow probe was run")
	}
	failure := errors.New("forbidden")
	if r, err = doctor.Examine(t.Context(), weak{m, failure}, nil); !errors.Is(err, failure) || r == nil {
		t.Errorf("%v, %v", r, err)
	}
	empty(t, m)
}

// liar is a store that breaks one promise.
type liar struct {
	noWeakness
	write func(*memstore.Store, context.Context, driver.Write) (driver.Version, error)
	get   func(*memstore.Store, context.Context, driver.Key) (driver.KV, error)
	watch func([]driver.Event) []driver.Event
	head  func(driver.Version) driver.Version
	open  func(*memstore.Store, context.Context, driver.Key, []byte, time.Duration) (driver.Session, error)
}

func (l liar) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if l.write != nil {
		return l.write(l.Store, ctx, w)
	}
	return l.Store.Write(ctx, w)
}

func (l liar) Get(ctx context.Context, k driver.Key) (driver.KV, error) {
	if l.get != nil {
		return l.get(l.Store, ctx, k)
	}
	return l.Store.Get(ctx, k)
}

func (l liar) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	return l.Store.Watch(ctx, space, from, func(evs []driver.Event) error {
		if l.watch != nil {
			if evs = l.watch(evs); len(evs) == 0 {
				return nil
			}
		}
		return apply(evs)
	})
}

func (l liar) Head(ctx context.Context, space string) (driver.Version, error) {
	v, err := l.Store.Head(ctx, space)
	if l.head != nil {
		v = l.head(v)
	}
	return v, err
}

func (l liar) Open(ctx context.Context, k driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	if l.open != nil {
		return l.open(l.Store, ctx, k, value, ttl)
	}
	return l.Store.Open(ctx, k, value, ttl)
}

// Each probe finds the fault that it is there for, and nothing is left.
func TestLiars(t *testing.T) {
	// blind writes whatever the version, in the cases that pick chooses.
	blind := func(pick func(driver.Write) bool) func(*memstore.Store, context.Context, driver.Write) (driver.Version, error) {
		return func(m *memstore.Store, ctx context.Context, w driver.Write) (driver.Version, error) {
			if ctx.Err() == nil && pick(w) {
				kv, _ := m.Get(ctx, w.Key)
				w.Expect = kv.Version
			}
			return m.Write(ctx, w)
		}
	}
	has := func(w driver.Write, name string) bool { return strings.HasSuffix(w.Key.Name, name) }
	for _, tt := range []struct {
		guarantee string
		liar      liar
	}{
		{"CreateHasExactlyOneWinner", liar{write: blind(func(w driver.Write) bool { return has(w, "/race") })}},
		{"WriteNeedsTheVersion", liar{write: blind(func(w driver.Write) bool { return has(w, "/version") && w.Expect > 0 })}},
		{"NoUpdateIsLost", liar{write: func(m *memstore.Store, ctx context.Context, w driver.Write) (driver.Version, error) {
			if has(w, "/count") && string(w.Value) == "7" {
				w.Value = []byte("6") // acknowledged, and forgotten
			}
			return m.Write(ctx, w)
		}}},
		{"DeleteNeedsTheVersion", liar{write: blind(func(w driver.Write) bool { return w.Delete })}},
		{"SameValueIsAChange", liar{write: func(m *memstore.Store, ctx context.Context, w driver.Write) (driver.Version, error) {
			kv, err := m.Get(ctx, w.Key)
			if err == nil && kv.Version == w.Expect && !w.Delete && string(kv.Value) == string(w.Value) {
				return kv.Version, nil // as Consul would have it
			}
			return m.Write(ctx, w)
		}}},
		{"GetSeesEveryAcknowledgedWrite", liar{get: func(m *memstore.Store, ctx context.Context, k driver.Key) (driver.KV, error) {
			kv, err := m.Get(ctx, k)
			if strings.HasSuffix(k.Name, "/get") && kv.Version%3 == 0 {
				kv.Version--
			}
			return kv, err
		}}},
		{"MissingKeyIsNotFound", liar{get: func(m *memstore.Store, ctx context.Context, k driver.Key) (driver.KV, error) {
			if strings.HasSuffix(k.Name, "/missing") {
				return driver.KV{}, nil
			}
			return m.Get(ctx, k)
		}}},
		{"NamesAndValuesAreAnyBytes", liar{get: func(m *memstore.Store, ctx context.Context, k driver.Key) (driver.KV, error) {
			kv, err := m.Get(ctx, k)
			kv.Value = []byte(strings.ToValidUTF8(string(kv.Value), "?"))
			return kv, err
		}}},
		{"ListThenWatchHasNoGapAndNoRepetition", liar{watch: func(evs []driver.Event) []driver.Event {
			if strings.HasSuffix(evs[0].Name, "/watch") && evs[0].Version%2 == 0 {
				return evs[1:]
			}
			return evs
		}}},
		{"WatchGoesBack", liar{watch: func(evs []driver.Event) []driver.Event {
			if len(evs) > 1 {
				return evs[1:]
			}
			return evs
		}}},
		{"HeadCoversEveryAcknowledgedWriteAndAWatchReachesIt", liar{head: func(v driver.Version) driver.Version { return v - 1 }}},
		{"HeadCoversEveryAcknowledgedWriteAndAWatchReachesIt", liar{head: func(v driver.Version) driver.Version { return v + 1 }}},
		{"EndedContextIsHonouredAtOnce", liar{write: func(m *memstore.Store, ctx context.Context, w driver.Write) (driver.Version, error) {
			return m.Write(context.WithoutCancel(ctx), w)
		}}},
		{"SessionNeedsAFreeKey", liar{open: func(m *memstore.Store, ctx context.Context, k driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
			if kv, err := m.Get(ctx, k); err == nil {
				_, _ = m.Write(ctx, driver.Write{Key: k, Expect: kv.Version, Delete: true})
			}
			return m.Open(ctx, k, value, ttl)
		}}},
		{"SessionEndsWhenNotRenewed", liar{open: func(m *memstore.Store, ctx context.Context, k driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
			return m.Open(ctx, k, value, ttl/2)
		}}},
		{"SessionEndsWhenNotRenewed", liar{open: func(m *memstore.Store, ctx context.Context, k driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
			return m.Open(ctx, k, value, 10*ttl)
		}}},
	} {
		t.Run(tt.guarantee, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := memstore.New(nil)
				defer m.Close()
				tt.liar.Store = m
				r, err := doctor.Examine(t.Context(), tt.liar, &doctor.Options{Slow: true})
				if err != nil {
					t.Fatal(err)
				}
				if f := find(t, r, tt.guarantee); f.Verdict != doctor.Broken || f.Why == "" || r.Worst != doctor.Broken {
					t.Errorf("%+v", f)
				}
			})
		})
	}
}

// dim is a store without a Head that breaks a promise of what it has instead.
type dim struct {
	*drivertest.Headless
	versions func([]driver.Sight)
	since    func([]driver.Event) []driver.Event
}

func (dim) Weaknesses(context.Context) ([]driver.Weakness, error) { return nil, nil }

func (d dim) Versions(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
	seen, err := d.Headless.Versions(ctx, space, names)
	if err == nil && d.versions != nil {
		d.versions(seen)
	}
	return seen, err
}

func (d dim) Since(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
	evs, v, err := d.Headless.Since(ctx, space, from)
	if d.since != nil {
		evs = d.since(evs)
	}
	return evs, v, err
}

// What a store has in the place of a Head is examined, and the Head is not.
func TestStoreWithoutAHead(t *testing.T) {
	for _, tt := range []struct {
		name, guarantee string
		store           dim
		want            doctor.Verdict
	}{
		{"a good one", "VersionsSeeEveryAcknowledgedWrite", dim{}, doctor.Holds},
		{"a good one", "SinceIsTheWatchUpToNow", dim{}, doctor.Holds},
		{"an old version", "VersionsSeeEveryAcknowledgedWrite", dim{versions: func(s []driver.Sight) { s[2].Version-- }}, doctor.Broken},
		{"a key that is not there", "VersionsSeeEveryAcknowledgedWrite", dim{versions: func(s []driver.Sight) { s[1].Version = 7 }}, doctor.Broken},
		{"one that cannot be told", "VersionsSeeEveryAcknowledgedWrite", dim{versions: func(s []driver.Sight) { s[0].Err = errors.New("damaged") }}, doctor.Unknown},
		{"nothing changed", "SinceIsTheWatchUpToNow", dim{since: func([]driver.Event) []driver.Event { return nil }}, doctor.Broken},
		{"a change twice", "SinceIsTheWatchUpToNow", dim{since: func(e []driver.Event) []driver.Event { return append(e, e...) }}, doctor.Broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := memstore.New(nil)
			defer m.Close()
			tt.store.Headless = drivertest.NewHeadless(m)
			r, err := doctor.Examine(t.Context(), tt.store, nil)
			if err != nil {
				t.Fatal(err)
			}
			if f := find(t, r, tt.guarantee); f.Verdict != tt.want || !f.Probed || r.Worst != tt.want {
				t.Errorf("%+v", f)
			}
			for _, f := range r.Findings {
				if strings.HasPrefix(f.Guarantee, "Head") {
					t.Errorf("it has no head, and there is a finding on %s", f.Guarantee)
				}
			}
			empty(t, m)
		})
	}
}

// A store that does not answer is unknown, not broken, and not whole.
func TestNoAnswer(t *testing.T) {
	m := memstore.New(nil)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := doctor.Examine(t.Context(), noWeakness{m}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if f := find(t, r, "CreateHasExactlyOneWinner"); r.Worst != doctor.Unknown || f.Verdict != doctor.Unknown || len(r.Left) == 0 {
		t.Errorf("%+v, left %q", f, r.Left)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := doctor.Examine(ended, noWeakness{m}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
