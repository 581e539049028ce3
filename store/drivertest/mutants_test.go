package drivertest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// mutant is a driver with one mistake; what it does not override is right. It has no
// Head, so that the suite looks at what takes its place.
type mutant struct {
	driver.Driver
	driver.Batcher
	versions func(ctx context.Context, space string, names []string) ([]driver.Sight, error)
	since    func(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error)

	write func(context.Context, driver.Write) (driver.Version, error)
	get   func(context.Context, driver.Key) (driver.KV, error)
	watch func(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error
	open  func(context.Context, driver.Key, []byte, time.Duration) (driver.Session, error)
}

func (m *mutant) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if m.write != nil {
		return m.write(ctx, w)
	}
	return m.Driver.Write(ctx, w)
}

func (m *mutant) Get(ctx context.Context, k driver.Key) (driver.KV, error) {
	if m.get != nil {
		return m.get(ctx, k)
	}
	return m.Driver.Get(ctx, k)
}

func (m *mutant) Watch(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
	if m.watch != nil {
		return m.watch(ctx, space, from, apply)
	}
	return m.Driver.Watch(ctx, space, from, apply)
}

func (m *mutant) Open(ctx context.Context, k driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	if m.open != nil {
		return m.open(ctx, k, value, ttl)
	}
	return m.Driver.Open(ctx, k, value, ttl)
}

func (m *mutant) Versions(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
	if m.versions != nil {
		return m.versions(ctx, space, names)
	}
	return m.Batcher.Versions(ctx, space, names)
}

func (m *mutant) Since(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
	if m.since != nil {
		return m.since(ctx, space, from)
	}
	return m.Batcher.Since(ctx, space, from)
}

func (m *mutant) Weaknesses(ctx context.Context) ([]driver.Weakness, error) {
	return m.Driver.(driver.Weak).Weaknesses(ctx)
}

// immortal is a session that says that it lives when it does not.
type immortal struct{ driver.Session }

func (x immortal) Renew(ctx context.Context) error {
	if err := x.Session.Renew(ctx); !errors.Is(err, driver.ErrSessionLost) {
		return err
	}
	return nil
}

// oldVersions tells for ever the first version that it saw of keys with a prefix.
func oldVersions(d driver.Driver, prefix string) *mutant {
	var first sync.Map
	return &mutant{versions: func(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
		seen, err := d.(driver.Batcher).Versions(ctx, space, names)
		for i := range seen {
			if strings.HasPrefix(names[i], prefix) && seen[i].Version != 0 {
				was, _ := first.LoadOrStore(names[i], seen[i])
				seen[i] = was.(driver.Sight)
			}
		}
		return seen, err
	}}
}

// mutants are mistakes, the subtest that must find each, and a word of what it
// must say.
var mutants = map[string]struct {
	finder, says string
	make         func(d driver.Driver) *mutant
	harness      func(h *drivertest.Harness)
}{
	"ignores the expected version": {"WriteNeedsTheVersion", "want ErrConflict", func(d driver.Driver) *mutant {
		return &mutant{write: func(ctx context.Context, w driver.Write) (driver.Version, error) {
			v, err := d.Write(ctx, w)
			if errors.Is(err, driver.ErrConflict) {
				kv, _ := d.Get(ctx, w.Key)
				w.Expect = kv.Version
				return d.Write(ctx, w)
			}
			return v, err
		}}
	}, nil},
	"calls any failure a conflict": {"FailedWriteThatTookEffect", "an error that is no answer", func(d driver.Driver) *mutant {
		return &mutant{write: func(ctx context.Context, w driver.Write) (driver.Version, error) {
			v, err := d.Write(ctx, w)
			if err != nil {
				err = driver.ErrConflict
			}
			return v, err
		}}
	}, nil},
	"calls any failure absence": {"UnreachableIsNotAnAnswer", "an error that is no answer", func(d driver.Driver) *mutant {
		return &mutant{get: func(ctx context.Context, k driver.Key) (driver.KV, error) {
			kv, err := d.Get(ctx, k)
			if err != nil {
				err = driver.ErrNotFound
			}
			return kv, err
		}}
	}, nil},
	"drops a change": {"WatchGoesBack", "were acknowledged", func(d driver.Driver) *mutant {
		return &mutant{watch: func(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
			n := 0
			return d.Watch(ctx, space, from, func(evs []driver.Event) error {
				if n++; n == 1 && len(evs) > 1 {
					evs = evs[1:]
				}
				return apply(evs)
			})
		}}
	}, nil},
	"repeats a change": {"WatchGoesBack", "was reported after", func(d driver.Driver) *mutant {
		return &mutant{watch: func(ctx context.Context, space string, from driver.Version, apply func([]driver.Event) error) error {
			return d.Watch(ctx, space, from, func(evs []driver.Event) error {
				return errors.Join(apply(evs), apply(evs))
			})
		}}
	}, nil},
	"takes an old version for the newest": {"VersionsSeeEveryAcknowledgedWrite", "was acknowledged", func(d driver.Driver) *mutant {
		return oldVersions(d, "hot")
	}, nil},
	"forgets in which order it was asked": {"VersionsSeeEveryAcknowledgedWrite", "the versions are", func(d driver.Driver) *mutant {
		return &mutant{versions: func(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
			return d.(driver.Batcher).Versions(ctx, space, slices.Sorted(slices.Values(names)))
		}}
	}, nil},
	"tells of all but the newest change": {"SinceIsTheWatchUpToNow", "had been acknowledged", func(d driver.Driver) *mutant {
		return &mutant{since: func(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
			evs, v, err := d.(driver.Batcher).Since(ctx, space, from)
			if n := len(evs); n > 0 {
				return evs[:n-1], evs[n-1].Version - 1, err
			}
			return evs, v, err
		}}
	}, nil},
	"leaves a change out": {"SinceIsTheWatchUpToNow", "were acknowledged", func(d driver.Driver) *mutant {
		return &mutant{since: func(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
			evs, v, err := d.(driver.Batcher).Since(ctx, space, from)
			return evs[min(1, len(evs)):], v, err
		}}
	}, nil},
	"has a reader that misses a change under load": {"SurvivesFreeze", "or others", func(d driver.Driver) *mutant {
		return &mutant{since: func(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
			evs, v, err := d.(driver.Batcher).Since(ctx, space, from)
			return evs[min(1, len(evs)):], v, err
		}}
	}, nil},
	"reads an old version under load": {"SurvivesFreeze", "which had been replaced", func(d driver.Driver) *mutant {
		return oldVersions(d, "own")
	}, nil},
	"says that a dead session lives": {"UpdateDoesNotRenewAndTheLostStayLost", "want ErrSessionLost", func(d driver.Driver) *mutant {
		return &mutant{open: func(ctx context.Context, k driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
			x, err := d.Open(ctx, k, value, ttl)
			return immortal{x}, err
		}}
	}, nil},
	// What is lost was acknowledged itself, or another write that was asked for after it
	// takes its version: whichever the judge meets first.
	"loses an acknowledged write": {"SurvivesFreeze", " was acknowledged a", func(d driver.Driver) *mutant {
		var n atomic.Int64
		return &mutant{write: func(ctx context.Context, w driver.Write) (driver.Version, error) {
			if kv, err := d.Get(ctx, w.Key); w.Key.Space == "entries" && err == nil && kv.Version == w.Expect && n.Add(1) == 20 {
				return w.Expect + 1, nil
			}
			return d.Write(ctx, w)
		}}
	}, nil},
	"ends sessions early": {"SurvivesFreeze", "its holder may still act on it", func(d driver.Driver) *mutant {
		return &mutant{open: func(ctx context.Context, k driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
			return d.Open(ctx, k, value, ttl/8)
		}}
	}, nil},
	"has a weakness that does not show": {"Weak/SurvivesKill", "that did not show", nil, func(h *drivertest.Harness) {
		h.Shows = map[string]func(*testing.T) string{"SurvivesKill": func(*testing.T) string { return "" }}
	}},
	"has a weakness that nothing demonstrates": {"Weak/SurvivesKill", "nothing to demonstrate it", nil, func(h *drivertest.Harness) { h.Shows = nil }},
	"does not say why an outage is missing": {"SurvivesFullDisk", "no reason for that in Cannot", nil, func(h *drivertest.Harness) {
		h.Cannot = nil
	}},
	"demonstrates what it does not declare": {"MissingKeyIsNotFound", "does not declare", nil, func(h *drivertest.Harness) {
		h.Shows["WatchGoesBack"] = h.Shows["SurvivesKill"]
	}},
}

// mutantVariable names the mutant that TestMutant is about.
const mutantVariable = "SLUICE_TEST_MUTANT"

// TestMutant runs the suite on one mutant; TestTheSuiteFindsMutants runs it, in a
// process of its own, because it is right when it fails.
func TestMutant(t *testing.T) {
	m, ok := mutants[os.Getenv(mutantVariable)]
	if !ok {
		return // nothing was asked for
	}
	const bound = 5 * time.Second
	fresh := func(t *testing.T) drivertest.Victim {
		mem := memstore.New(nil)
		t.Cleanup(func() { _ = mem.Close() })
		s := drivertest.NewHeadless(mem)
		d, fault := drivertest.NewFlaky(s, bound)
		peer, silence := drivertest.NewFlaky(s, bound)
		both := func(f drivertest.Fault) func() { return func() { fault(f); silence(f) } }
		if m.make != nil {
			broken := m.make(d)
			broken.Driver, broken.Batcher = d, d.(driver.Batcher)
			d = broken
		}
		return drivertest.Victim{Driver: d, Peer: peer, Fault: fault, Strike: both(drivertest.Silence), Heal: both(drivertest.None)}
	}
	h := drivertest.Harness{
		New: func(t *testing.T) drivertest.Engine {
			v := fresh(t)
			return drivertest.Engine{Driver: v.Driver, Peer: v.Peer, Fault: v.Fault}
		},
		TTL: time.Second, Late: time.Millisecond, Bound: bound + time.Millisecond, Bubble: true,
		Outages: map[drivertest.Outage]func(*testing.T) drivertest.Victim{drivertest.Freeze: fresh},
		Shows:   map[string]func(*testing.T) string{"SurvivesKill": func(*testing.T) string { return "it forgets" }},
		Cannot:  map[drivertest.Outage]string{drivertest.FullDisk: "it has none"},
	}
	if m.harness != nil {
		m.harness(&h)
	}
	drivertest.Run(t, h)
}

// Each mutant is found, by the subtest whose guarantee it breaks.
func TestTheSuiteFindsMutants(t *testing.T) {
	for name, m := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMutant$/^"+strings.ReplaceAll(m.finder, "/", "$/^")+"$", "-test.timeout=2m")
			cmd.Env = append(os.Environ(), mutantVariable+"="+name)
			out, err := cmd.CombinedOutput()
			failed := "--- FAIL: TestMutant/" + m.finder
			if m.finder == "MissingKeyIsNotFound" { // it is right; the suite as a whole fails
				failed = "--- FAIL: TestMutant "
			}
			if err == nil || !strings.Contains(string(out), failed) || !strings.Contains(string(out), m.says) {
				t.Errorf("want %q and %q; %v\n%s", failed, m.says, err, out)
			}
		})
	}
}
