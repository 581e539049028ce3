package mover_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// A mover that sleeps between looking at its lease and blocking the target, in
// either place where it drains, must not block one that has flipped meanwhile.
func TestStaleTakeDoesNotBlockALiveTarget(t *testing.T) {
	for _, v := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(v, func(t *testing.T) {
			n := enginetest.SharedOpenSearch(t, v)
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
			r.fill(20)
			first := r.taken(nil)
			r.copyAll(first)
			looks, asleep, awake := 0, make(chan struct{}), make(chan struct{})
			r.spec.Attempt = 2
			stale := r.mover(&mover.Options{Lease: func() error {
				if looks++; looks == 2 { // after the aliases of others were dropped, before the block
					close(asleep)
					<-awake
				}
				return nil // as it was when it was looked at
			}})
			stale.Use(first.Indexes())
			ended := make(chan error, 1)
			go func() { ended <- stale.Take(t.Context(), true) }()
			<-asleep
			heir := r.heir(first.Indexes(), 3)
			r.flip(heir)
			close(awake)
			if err := <-ended; !errors.Is(err, mover.ErrFenced) {
				t.Errorf("the stale mover took the target: %v", err)
			}
			var settings map[string]any
			r.call(r.dst, "GET", "/"+r.b+"/_settings", "flat_settings=true", "", &settings)
			if b := strings.Contains(fmt.Sprint(settings), "index.blocks.write"); b {
				t.Errorf("the live target is blocked: %v", settings)
			}
			if code := r.try(r.dst, "PUT", "/"+r.b+"/_doc/live", `{"n":1}`); code/100 != 2 {
				t.Errorf("a live write was answered %d", code)
			}
			var aliases map[string]any
			r.call(r.dst, "GET", "/"+r.b+"/_alias", "", "", &aliases)
			if strings.Contains(fmt.Sprint(aliases), "sluice-") {
				t.Errorf("aliases are left: %v", aliases)
			}
		})
	}
}

// noBlocks refuses to set a write block.
type noBlocks struct {
	*http.Transport
	asked atomic.Bool
}

func (b *noBlocks) RoundTrip(q *http.Request) (*http.Response, error) {
	if strings.HasSuffix(q.URL.Path, "/_block/write") {
		b.asked.Store(true)
		return nil, errors.New("refused")
	}
	return b.Transport.RoundTrip(q)
}

// The lease is looked at once more when the drain alias is there: a taker that had
// listed the aliases before would not remove it.
func TestNothingIsBlockedWithoutTheLease(t *testing.T) {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(20)
	first := r.taken(nil)
	b := &noBlocks{Transport: &http.Transport{}}
	t.Cleanup(b.CloseIdleConnections)
	c, err := upstream.New(placement.Cluster{Name: "b", Endpoints: []string{n.URL()}}, &upstream.Options{Transport: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	lost, looks := errors.New("the lease is lost"), 0
	r.spec.Attempt = 2
	m, err := mover.New(r.spec, r.src, c, &mover.Options{Lease: func() error {
		if looks++; looks == 2 {
			return lost
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	m.Use(first.Indexes())
	if err := m.Take(t.Context(), true); !errors.Is(err, lost) {
		t.Errorf("the take ended with %v", err)
	}
	if b.asked.Load() {
		t.Error("a write block was sent")
	}
}

// losing loses the lease while the source tells how an index is sharded, which is the
// last that is read before one is created.
type losing struct {
	*http.Transport
	lost atomic.Bool
}

func (l *losing) RoundTrip(q *http.Request) (*http.Response, error) {
	resp, err := l.Transport.RoundTrip(q)
	if strings.HasPrefix(q.URL.Path, "/_cluster/state/metadata/") {
		l.lost.Store(true)
	}
	return resp, err
}

// A driver that was stopped between its reading and the creation of the target creates
// nothing: another may have used that name since, and removed what was under it.
func TestNothingIsCreatedWithoutTheLease(t *testing.T) {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	l := &losing{Transport: &http.Transport{}}
	t.Cleanup(l.CloseIdleConnections)
	c, err := upstream.New(placement.Cluster{Name: "a", Endpoints: []string{n.URL()}}, &upstream.Options{Transport: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	lost := errors.New("the lease is lost")
	m, err := mover.New(r.spec, c, r.dst, &mover.Options{Lease: func() error {
		if l.lost.Load() {
			return lost
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Prepare(t.Context()); !errors.Is(err, lost) || m.Creating() {
		t.Errorf("it ended with %v, and says that it may have created something: %t", err, m.Creating())
	}
	if got := r.try(r.dst, "GET", "/"+r.b, ""); got != http.StatusNotFound {
		t.Errorf("the target answers %d", got)
	}
}

// flip is what follows the last round: Seal, complete, and Release.
func (r *rig) flip(m *mover.Mover) {
	r.t.Helper()
	seal := func(ctx context.Context) error { return m.Seal(ctx, nil) }
	for _, step := range []func(context.Context) error{seal, m.Release} {
		if err := step(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
	}
}

// sleeper is a process that is stopped before its first request of a kind, or the
// network that is slow with it.
type sleeper struct {
	*http.Transport
	method, suffix string
	once           sync.Once
	asleep, awake  chan struct{}
}

// newSleeper returns one and the client of the target that goes through it.
func newSleeper(t *testing.T, n *engines.OpenSearch, method, suffix string) (*sleeper, *upstream.Client) {
	s := &sleeper{Transport: &http.Transport{}, method: method, suffix: suffix, asleep: make(chan struct{}), awake: make(chan struct{})}
	t.Cleanup(s.CloseIdleConnections)
	slow, err := upstream.New(placement.Cluster{Name: "b", Endpoints: []string{n.URL()}}, &upstream.Options{Transport: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(slow.Close)
	return s, slow
}

func (s *sleeper) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Method == s.method && strings.HasSuffix(q.URL.Path, s.suffix) {
		s.once.Do(func() { close(s.asleep); <-s.awake })
	}
	return s.Transport.RoundTrip(q)
}

// A mover that sleeps before it looks at the target, while another takes over,
// seals and flips, finds a target without aliases of any move. It must not take
// that for one that is being opened again: it leaves alone what is the tenant's.
func TestStaleMoverChangesNothingOfALiveTarget(t *testing.T) {
	lost := errors.New("the lease is lost")
	for name, step := range map[string]func(*mover.Mover, *testing.T) error{
		"take": func(m *mover.Mover, t *testing.T) error { return m.Take(t.Context(), true) },
		"seal": func(m *mover.Mover, t *testing.T) error { return m.Seal(t.Context(), nil) },
	} {
		looks := func(r *rig) string { // what it reads of the target
			if name == "seal" {
				return "/" + r.b
			}
			return "/_alias"
		}
		t.Run(name, func(t *testing.T) {
			n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
			r.fill(20)
			first := r.taken(nil)
			r.call(r.src, "PUT", "/"+r.a+"/_alias/nick-of-"+r.a, "", "", nil)
			r.copyAll(first)
			s, slow := newSleeper(t, n, http.MethodGet, looks(r))
			var over atomic.Bool
			r.spec.Attempt = 2
			stale, err := mover.New(r.spec, r.src, slow, &mover.Options{Lease: func() error {
				if over.Load() {
					return lost
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			stale.Use(first.Indexes())
			ended := make(chan error, 1)
			go func() { ended <- step(stale, t) }()
			<-s.asleep
			over.Store(true)
			heir := r.heir(first.Indexes(), 3)
			r.flip(heir)
			// It has flipped, and the tenant administers its index.
			r.call(r.dst, "DELETE", "/"+r.b+"/_alias/nick-of-"+r.a, "", "", nil)
			r.call(r.dst, "PUT", "/"+r.b+"/_settings", "", `{"index.gc_deletes":"9m"}`, nil)
			close(s.awake)
			if err := <-ended; !errors.Is(err, lost) {
				t.Errorf("the stale mover ended with %v", err)
			}
			var left map[string]struct {
				Aliases  map[string]any
				Settings map[string]any
			}
			r.call(r.dst, "GET", "/"+r.b, "flat_settings=true", "", &left)
			if got := left[r.b]; len(got.Aliases) != 0 || got.Settings["index.gc_deletes"] != "9m" {
				t.Errorf("the live target was changed: aliases %v, gc_deletes %v", got.Aliases, got.Settings["index.gc_deletes"])
			}
		})
	}
}

// A sealed target is opened again, and the change of aliases that does so is
// answered late: after another has taken over, sealed and flipped. It must change
// nothing then.
func TestTakeThatComesAfterTheFlip(t *testing.T) {
	for _, drain := range []bool{false, true} {
		t.Run(fmt.Sprintf("drain=%t", drain), func(t *testing.T) {
			n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
			r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
			r.fill(20)
			first := r.taken(nil)
			r.copyAll(first)
			if err := first.Seal(t.Context(), nil); err != nil {
				t.Fatal(err)
			}
			s, slow := newSleeper(t, n, http.MethodPost, "/_aliases")
			r.spec.Attempt = 2
			late, err := mover.New(r.spec, r.src, slow, nil)
			if err != nil {
				t.Fatal(err)
			}
			late.Use(first.Indexes())
			ended := make(chan error, 1)
			go func() { ended <- late.Take(t.Context(), drain) }()
			<-s.asleep
			heir := r.heir(first.Indexes(), 3)
			r.flip(heir)
			close(s.awake)
			if err := <-ended; !errors.Is(err, mover.ErrFenced) {
				t.Errorf("the late mover took the target: %v", err)
			}
			var left map[string]struct{ Aliases map[string]any }
			r.call(r.dst, "GET", "/"+r.b, "", "", &left)
			if len(left[r.b].Aliases) != 0 {
				t.Errorf("aliases are left: %v", left[r.b].Aliases)
			}
			// Nor does whoever comes when it has flipped.
			if err := late.Take(t.Context(), drain); !errors.Is(err, mover.ErrFenced) {
				t.Errorf("a take of a target that has flipped: %v", err)
			}
		})
	}
}
