package mover_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// seedRig is a rig with a snapshot repository, which has a snapshot of somebody else's
// whose name looks like one of the move's.
type seedRig struct {
	*rig
	n      *engines.OpenSearch
	repo   string
	others []string
}

func newSeedRig(t *testing.T, settings string) *seedRig {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	r := &seedRig{rig: newRigOn(t, n, n, settings), n: n}
	r.repo = "repo-" + r.spec.Move
	r.call(r.src, "PUT", "/_snapshot/"+r.repo, "", fmt.Sprintf(`{"type":"fs","settings":{"location":%q}}`, filepath.Join(n.SnapshotDir(), r.repo)), nil)
	r.others = []string{"nightly", "sluice-" + r.spec.Move + "-x-1-1"}
	for _, o := range r.others {
		r.call(r.src, "PUT", "/_snapshot/"+r.repo+"/"+o, "wait_for_completion=true", fmt.Sprintf(`{"indices":%q,"include_global_state":false}`, r.a), nil)
	}
	return r
}

func (r *seedRig) options() *mover.Options {
	return &mover.Options{Copy: mover.CopyOptions{Method: mover.CopySnapshot, Repository: r.repo}}
}

// begun is a mover that has prepared the target, and takes it without having written.
func (r *seedRig) begun(o *mover.Options) *mover.Mover {
	r.t.Helper()
	m := r.mover(o)
	m.Unwritten()
	if _, err := m.Prepare(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	if err := m.Take(r.t.Context(), false); err != nil {
		r.t.Fatal(err)
	}
	if err := errors.Join(m.NoteBase(r.t.Context()), m.RefreshSource(r.t.Context())); err != nil {
		r.t.Fatal(err)
	}
	return m
}

// next is a mover of the next attempt.
func (r *seedRig) next(m *mover.Mover, o *mover.Options) *mover.Mover {
	r.t.Helper()
	r.spec.Attempt++
	idx := m.Indexes()
	m = r.mover(o)
	m.Use(idx)
	m.Unwritten()
	if err := m.Take(r.t.Context(), true); err != nil {
		r.t.Fatal(err)
	}
	return m
}

func free() error { return nil }

// seed runs a seed to its end and returns what it saved last.
func (r *seedRig) seed(m *mover.Mover, from mover.Seed) mover.Seed {
	r.t.Helper()
	if err := m.Seed(r.t.Context(), from, func(s mover.Seed) error { from = s; return nil }, free); err != nil {
		r.t.Fatal(err)
	}
	return from
}

// clean fails the test if a snapshot of the move is left, or somebody else's is not.
func (r *seedRig) clean() {
	r.t.Helper()
	if got := r.snapshots(); strings.Join(got, " ") != strings.Join(r.others, " ") {
		r.t.Errorf("snapshots in the repository: %v, want %v", got, r.others)
	}
}

func (r *seedRig) snapshots() (names []string) {
	r.t.Helper()
	var ans struct {
		Snapshots []struct{ Snapshot string }
	}
	r.call(r.src, "GET", "/_snapshot/"+r.repo+"/_all", "verbose=false", "", &ans)
	for _, s := range ans.Snapshots {
		names = append(names, s.Snapshot)
	}
	return names
}

// What was written after the snapshot, in every way that is different, arrives over what
// was restored.
func TestSeedIsCaughtUp(t *testing.T) {
	r := newSeedRig(t, `{"settings":{"number_of_shards":3,"number_of_replicas":0,"gc_deletes":"0s","refresh_interval":"7s","final_pipeline":"_none","index.routing.allocation.exclude._ip":"10.9.9.9"},"mappings":{"_meta":{"of":"the tenant"}}}`)
	const n = 900
	r.fill(n)
	r.call(r.src, "DELETE", "/"+r.a+"/_doc/d1", "", "", nil) // before the snapshot, and created again after it
	var seen []string
	o := r.options()
	o.Progress = func(p mover.Progress) { seen = append(seen, p.Step) }
	m := r.begun(o)
	uuid := m.Indexes()[0].TargetUUID
	last := mover.Seed{}
	var refs []gate.DocRef
	err := m.Seed(t.Context(), mover.Seed{Repository: r.repo}, func(s mover.Seed) error {
		if last = s; s.Step != mover.SeedRestoring {
			return nil
		}
		put := func(id, routing, body string) {
			refs = append(refs, ref(id, routing))
			r.call(r.src, "PUT", "/"+r.a+"/_doc/"+id, "routing="+routing, body, nil)
		}
		put("d1", "", `{"n":1,"again":1}`)
		put("d2", "", `{"n":2,"later":1.5}`)
		put("new", "r9", `{"n":5}`)
		r.call(r.src, "DELETE", "/"+r.a+"/_doc/d4", "", "", nil)
		refs = append(refs, ref("d4", ""))
		// At version 2 in the snapshot; deleted, forgotten and created again it starts at 1.
		for v := int64(0); v != 1; {
			r.call(r.src, "DELETE", "/"+r.a+"/_doc/d5", "", "", nil)
			r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
			put("d5", "", `{"n":5,"again":2}`)
			v = r.get(r.src, r.a, "d5", "").Version
		}
		return nil
	}, free)
	if err != nil {
		t.Fatal(err)
	}
	if last.Step != mover.SeedRestored || last.Docs != n-1 || last.Bytes < 10_000 || last.Failed != 0 || len(refs) == 0 {
		t.Errorf("saved last: %+v", last)
	}
	r.clean()
	if got := m.Indexes()[0].TargetUUID; got != uuid || m.CheckSource(t.Context()) != nil {
		t.Errorf("the target is %s, and was %s", got, uuid)
	}
	if b := r.get(r.dst, r.b, "d5", ""); b.Version != 2 {
		t.Fatalf("d5 was restored at version %d: this does not show what it should", b.Version)
	}
	r.apply(m, refs...)
	r.equal(m, n) // one of those that were deleted is back, one more is gone, and one is new
	if d, err := m.Resync(t.Context()); err != nil || !d.Empty() {
		t.Errorf("resync: %+v, %v", d, err)
	}
	if err := m.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.flip(m)
	var have map[string]struct {
		Aliases, Mappings, Settings map[string]any
	}
	r.call(r.dst, "GET", "/"+r.b, "flat_settings=true", "", &have)
	got := have[r.b]
	if len(got.Aliases) != 0 || fmt.Sprint(got.Mappings["_meta"]) != "map[of:the tenant]" {
		t.Errorf("aliases %v, mappings %v", got.Aliases, got.Mappings)
	}
	for k, want := range map[string]any{"index.refresh_interval": "7s", "index.gc_deletes": "0s", "index.final_pipeline": "_none", "index.number_of_replicas": "0",
		"index.auto_expand_replicas": nil, "index.routing.allocation.exclude._name": nil, "index.routing.allocation.exclude._ip": nil, "index.blocks.write": nil} {
		if got.Settings[k] != want {
			t.Errorf("%s is %v, want %v", k, got.Settings[k], want)
		}
	}
	t.Logf("progress: %v", seen)
}

// The mover dies at each of its saves in turn, which fails, or takes effect and seems to
// fail. The next one goes on from there, and takes no second snapshot where there is a
// whole one.
func TestSeedIsKilledAtEverySave(t *testing.T) {
	dead := errors.New("dead")
	for at := 1; at <= 3; at++ {
		for _, persisted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d %v", at, persisted), func(t *testing.T) {
				r := newSeedRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
				r.fill(200)
				m := r.begun(r.options())
				kept, calls := mover.Seed{Repository: r.repo}, 0
				err := m.Seed(t.Context(), kept, func(s mover.Seed) error {
					if calls++; calls < at || calls == at && persisted {
						kept = s
					}
					if calls >= at {
						return dead
					}
					return nil
				}, free)
				if !errors.Is(err, dead) {
					t.Fatal(err)
				}
				took := kept.Snapshot
				m = r.next(m, r.options())
				end := r.seed(m, kept)
				if at > 1 && end.Snapshot != took {
					t.Errorf("the snapshot was taken again: %s, then %s", took, end.Snapshot)
				}
				r.clean()
				r.equal(m, 200)
				r.call(r.dst, "PUT", "/"+r.b+"/_doc/probe", "", `{}`, nil) // neither closed nor blocked
			})
		}
	}
}

// cutter makes a network fault of one request, and tells when it has.
type cutter struct {
	http.RoundTripper
	p              *faultproxy.Proxy
	method, suffix string
	drop           func()
	effect         func() // returns when the request has had its effect
	once           sync.Once
	done           chan struct{}
}

func (c *cutter) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Method == c.method && strings.HasSuffix(q.URL.Path, c.suffix) {
		first := false
		c.once.Do(func() { first = true })
		if first {
			c.drop()
			defer close(c.done)
			defer c.p.Pass()
			a, err := c.RoundTripper.RoundTrip(q)
			if err != nil {
				c.effect()
			}
			return a, err
		}
	}
	return c.RoundTripper.RoundTrip(q)
}

// The outcome of asking for the snapshot, of the restore and of the deletion is unknown:
// it failed, or failed but took effect. Whoever takes over goes on.
func TestSeedOfUnknownOutcome(t *testing.T) {
	for _, tt := range []struct {
		what, method string
		suffix       func(r *seedRig) string
		asked        func(r *seedRig) bool
	}{
		{"snapshot", "PUT", func(r *seedRig) string { return "/sluice-" + r.spec.Move + "-1-1" }, func(r *seedRig) bool { return len(r.snapshots()) > len(r.others) }},
		{"restore", "POST", func(*seedRig) string { return "/_restore" }, func(r *seedRig) bool { return r.restored() }},
		{"delete", "DELETE", func(r *seedRig) string { return "/sluice-" + r.spec.Move + "-1-1" }, func(r *seedRig) bool { return len(r.snapshots()) == len(r.others) }},
	} {
		for _, fault := range []string{"failed", "took effect"} {
			t.Run(tt.what+" "+fault, func(t *testing.T) {
				r := newSeedRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
				r.fill(200)
				client, cut := r.cut(tt.method, tt.suffix(r), fault == "took effect", func() bool { return tt.asked(r) })
				idx := r.begun(r.options()).Indexes()
				m, err := mover.New(r.spec, client, client, r.options())
				if err != nil {
					t.Fatal(err)
				}
				m.Use(idx)
				m.Unwritten()
				if err := m.Take(t.Context(), true); err != nil {
					t.Fatal(err)
				}
				kept := mover.Seed{Repository: r.repo}
				err = m.Seed(t.Context(), kept, func(s mover.Seed) error { kept = s; return nil }, free)
				select {
				case <-cut.done:
				default:
					t.Fatalf("the fault did not happen: %v", err)
				}
				if err != nil {
					t.Logf("the first: %v", err)
					if unsure := m.Creating(); unsure != (tt.what != "delete") {
						t.Errorf("that something may come later is known: %v", unsure)
					}
					m = r.next(m, r.options())
					r.seed(m, kept)
				}
				r.clean()
				r.equal(m, 200)
			})
		}
	}
}

// restored reports whether the target is, or is being, restored.
func (r *seedRig) restored() bool {
	r.t.Helper()
	var have map[string]struct{ Settings map[string]any }
	r.call(r.dst, "GET", "/"+r.b+"/_settings", "flat_settings=true&expand_wildcards=open,closed", "", &have)
	return have[r.b].Settings["index.routing.allocation.exclude._name"] != nil
}

// cut is a client of the node whose first request of a kind meets a fault.
func (r *seedRig) cut(method, suffix string, takes bool, effect func() bool) (*upstream.Client, *cutter) {
	r.t.Helper()
	u, err := url.Parse(r.n.URL())
	if err != nil {
		r.t.Fatal(err)
	}
	p, err := faultproxy.New(u.Host)
	if err != nil {
		r.t.Fatal(err)
	}
	tr := &http.Transport{DisableKeepAlives: true}
	r.t.Cleanup(func() { tr.CloseIdleConnections(); _ = p.Close() })
	c := &cutter{RoundTripper: tr, p: p, method: method, suffix: suffix, drop: p.DropRequests, effect: func() {}, done: make(chan struct{})}
	if takes {
		c.drop = p.DropReplies
		c.effect = func() {
			for deadline := time.Now().Add(time.Minute); !effect() && time.Now().Before(deadline); {
				time.Sleep(20 * time.Millisecond) // polls the node
			}
		}
	}
	client, err := upstream.New(placement.Cluster{Name: "a", Endpoints: []string{"http://" + p.Addr()}}, &upstream.Options{Transport: c})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(client.Close)
	return client, c
}

// A move that is discarded in the middle leaves no index and no snapshot, and what was
// sent before makes none later.
func TestSeedIsDiscarded(t *testing.T) {
	stop := errors.New("stop")
	for step, times := range map[string][]string{mover.SeedTaking: {"after"}, mover.SeedRestoring: {"", "before", "after"}, mover.SeedRestored: {"after"}} {
		for _, late := range times { // when a restore comes that was sent before
			t.Run(step+" "+late, func(t *testing.T) {
				r := newSeedRig(t, `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
				r.fill(200)
				m := r.begun(r.options())
				kept := mover.Seed{Repository: r.repo}
				if err := m.Seed(t.Context(), kept, func(s mover.Seed) error {
					if kept = s; s.Step == step {
						return stop
					}
					return nil
				}, free); !errors.Is(err, stop) {
					t.Fatal(err)
				}
				restore := func() int {
					return r.try(r.dst, "POST", "/_snapshot/"+r.repo+"/"+kept.Snapshot+"/_restore",
						fmt.Sprintf(`{"indices":%q,"include_aliases":false,"rename_pattern":".+","rename_replacement":%q,"index_settings":{"index.routing.allocation.exclude._name":%q}}`, r.a, r.b, kept.Snapshot))
				}
				m = r.next(m, r.options())
				if err := m.Discard(t.Context()); err != nil {
					t.Fatal(err)
				}
				if late == "before" {
					if code := restore(); code != http.StatusOK {
						t.Fatalf("the late restore was answered %d: it shows nothing", code)
					}
				}
				for range 2 {
					if err := m.DiscardSeed(t.Context(), r.repo); err != nil {
						t.Fatal(err)
					}
				}
				if late == "after" {
					if code := restore(); code < 400 {
						t.Errorf("a restore that came after all was answered %d", code)
					}
				}
				if got := r.try(r.dst, "GET", "/"+r.b, ""); got != http.StatusNotFound {
					t.Errorf("the target after all: %d", got)
				}
				r.clean()
			})
		}
	}
}

// A mover that was replaced while it slept closes nothing that its heir has restored.
func TestAStaleSeedClosesNothing(t *testing.T) {
	r := newSeedRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(100)
	stale := r.begun(r.options())
	var heir *mover.Mover
	err := stale.Seed(t.Context(), mover.Seed{Repository: r.repo}, func(s mover.Seed) error {
		if s.Step == mover.SeedRestoring {
			heir = r.next(stale, r.options())
			r.seed(heir, s)
			r.call(r.dst, "PUT", "/"+r.b+"/_doc/alive", "", `{}`, nil)
		}
		return nil
	}, free)
	if heir == nil || !errors.Is(err, mover.ErrFenced) {
		t.Fatalf("the stale seed: %v", err)
	}
	if !r.get(r.dst, r.b, "alive", "").Found {
		t.Error("what was written after the restore is gone")
	}
	r.clean()
}

// A repository that loses what it was given: the restore fails, a new attempt takes a new
// snapshot, and after some the move is refused.
func TestSeedFromADamagedRepository(t *testing.T) {
	r := newSeedRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(100)
	data := filepath.Join(r.n.SnapshotDir(), r.repo, "indices")
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	m := r.begun(r.options())
	kept := mover.Seed{Repository: r.repo}
	fail := func(want int) error {
		t.Helper()
		err := m.Seed(t.Context(), kept, func(s mover.Seed) error {
			if kept = s; s.Step == mover.SeedRestoring {
				move(data, data+"-hidden")
			}
			return nil
		}, free)
		if rerr := os.RemoveAll(data); rerr != nil { // a cluster that looks for a file may make its folder
			t.Fatal(rerr)
		}
		move(data+"-hidden", data)
		if err == nil || kept.Failed != want {
			t.Fatalf("%+v, %v", kept, err)
		}
		return err
	}
	var refused *mover.RefusedError
	if err := fail(1); errors.As(err, &refused) {
		t.Errorf("refused at once: %v", err)
	}
	m = r.next(m, r.options())
	end := r.seed(m, kept)
	r.equal(m, 100)
	r.clean()
	if end.Failed != 1 {
		t.Errorf("%+v", end)
	}

	r2 := newSeedRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r2.fill(100)
	data = filepath.Join(r2.n.SnapshotDir(), r2.repo, "indices")
	m, kept = r2.begun(r2.options()), mover.Seed{Repository: r2.repo, Failed: 2}
	if err := fail(3); !errors.As(err, &refused) || refused.Code != mover.CodeSnapshot {
		t.Errorf("after the third failure: %v", err)
	}
	m = r2.next(m, r2.options())
	if err := errors.Join(m.Discard(t.Context()), m.DiscardSeed(t.Context(), r2.repo)); err != nil {
		t.Error(err)
	}
	r2.clean()
	if got := r2.try(r2.dst, "GET", "/"+r2.b, ""); got != http.StatusNotFound {
		t.Errorf("the target after all: %d", got)
	}
}

func TestChooseCopy(t *testing.T) {
	r := newSeedRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(2000)
	r.call(r.src, "POST", "/"+r.a+"/_flush", "", "", nil)
	readonly := r.repo + "-readonly"
	r.call(r.src, "PUT", "/_snapshot/"+readonly, "", fmt.Sprintf(`{"type":"fs","settings":{"location":%q,"readonly":true}}`, filepath.Join(r.n.SnapshotDir(), r.repo)), nil)
	for name, tt := range map[string]struct {
		o       mover.CopyOptions
		method  mover.CopyMethod
		reason  string
		refused string
	}{
		"scan":               {mover.CopyOptions{Method: mover.CopyScan}, "", "", ""},
		"nothing said":       {mover.CopyOptions{}, "", "", ""},
		"snapshot":           {mover.CopyOptions{Method: mover.CopySnapshot, Repository: r.repo}, mover.CopySnapshot, "asked for", ""},
		"small":              {mover.CopyOptions{Method: mover.CopyAuto, Repository: r.repo}, mover.CopyScan, "a snapshot is taken above 10240 MiB", ""},
		"large":              {mover.CopyOptions{Method: mover.CopyAuto, Repository: r.repo, SnapshotAbove: 10}, mover.CopySnapshot, "above 0 MiB", ""},
		"large, impossible":  {mover.CopyOptions{Method: mover.CopyAuto, Repository: "nowhere", SnapshotAbove: 10}, mover.CopyScan, "a has no snapshot repository", ""},
		"missing":            {mover.CopyOptions{Method: mover.CopySnapshot, Repository: "nowhere"}, "", "", mover.CodeRepository},
		"read-only at A":     {mover.CopyOptions{Method: mover.CopySnapshot, Repository: readonly}, "", "", mover.CodeRepository},
		"large, read-only A": {mover.CopyOptions{Method: mover.CopyAuto, Repository: readonly, SnapshotAbove: 10}, mover.CopyScan, "is read-only on a", ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := r.mover(&mover.Options{Copy: tt.o})
			c, err := m.Choose(t.Context())
			rep, perr := m.Precheck(t.Context())
			if perr != nil {
				t.Fatal(perr)
			}
			var refused *mover.RefusedError
			switch {
			case tt.refused != "":
				if !errors.As(err, &refused) || refused.Code != tt.refused || !rep.Failed() {
					t.Errorf("%+v, %v, %+v", c, err, rep.Checks)
				}
			case err != nil:
				t.Error(err)
			case tt.method == "":
				if c != nil || rep.Copy != nil {
					t.Errorf("%+v, %+v", c, rep.Copy)
				}
			case c == nil || c.Method != tt.method || !strings.Contains(c.Reason, tt.reason) || rep.Copy == nil || *rep.Copy != *c || rep.Failed():
				t.Errorf("%+v, and in the dry run %+v of %+v", c, rep.Copy, rep.Checks)
			}
		})
	}
	r.clean() // nothing was changed
}

func TestCopyOptionsAreChecked(t *testing.T) {
	for _, o := range []mover.CopyOptions{
		{Method: "tape"}, {Method: mover.CopySnapshot}, {Method: mover.CopyAuto}, {Repository: "r"}, {Method: mover.CopyScan, Repository: "r"},
		{Method: mover.CopySnapshot, Repository: "r", SnapshotAbove: 1}, {Method: mover.CopyAuto, Repository: "r", SnapshotAbove: -1}, {Method: mover.CopyAuto, Repository: strings.Repeat("r", 256)},
	} {
		var invalid *placement.InvalidError
		if err := o.Validate(); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, o := range []mover.CopyOptions{{}, {Method: mover.CopyScan}, {Method: mover.CopySnapshot, Repository: "r"}, {Method: mover.CopyAuto, Repository: "r", SnapshotAbove: 1}} {
		if err := o.Validate(); err != nil {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// What a version writes about itself into its indices.
func TestCreatedMajor(t *testing.T) {
	for setting, want := range map[string]int{"136408427": 2, "137307827": 3, "135248027": 1, "7100299": 1, "6082399": 1, "": 1, "x": 1} {
		if got := mover.CreatedMajor(setting); got != want {
			t.Errorf("%q: %d, want %d", setting, got, want)
		}
	}
}

// answered is a cluster that answers by path.
type answered map[string]string

func (a answered) RoundTrip(q *http.Request) (*http.Response, error) {
	body, ok := a[q.URL.Path]
	code := http.StatusOK
	if !ok {
		code, body = http.StatusNotFound, `{"error":{"type":"index_not_found_exception"},"status":404}`
	}
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(body))), Request: q}, nil
}

// A tenant's cluster that has no index yet: nothing is asked for, which would be all.
func TestSeedOfNothing(t *testing.T) {
	c, err := upstream.New(placement.Cluster{Name: "c", Endpoints: []string{"http://x"}}, &upstream.Options{Transport: answered{}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := mover.New(mover.Spec{Move: "m", Partition: "t", From: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"}, To: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "b"}}, c, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := errors.New("a step was begun")
	if err := m.Seed(t.Context(), mover.Seed{Repository: "r"}, func(mover.Seed) error { return asked }, func() error { return asked }); err != nil {
		t.Error(err)
	}
}

// Versions that a restore does not bridge.
func TestSnapshotOfAnOldIndexIsRefused(t *testing.T) {
	for name, tt := range map[string]struct{ from, to, created, refused string }{
		"created by the last major":        {"2.19.6", "3.9.0", "136408427", ""},
		"created by the major before that": {"2.19.6", "3.9.0", "135248027", "before 2.0"},
		"an older minor":                   {"2.19.6", "2.11.0", "136408427", "restores no snapshot of 2.19.6"},
	} {
		t.Run(name, func(t *testing.T) {
			cluster := func(version string) *upstream.Client {
				index := fmt.Sprintf(`{"docs":{"aliases":{},"mappings":{},"settings":{"index.uuid":"u","index.number_of_shards":"1","index.version.created":%q}}}`, tt.created)
				c, err := upstream.New(placement.Cluster{Name: "c" + version[:1], Endpoints: []string{"http://x"}}, &upstream.Options{Transport: answered{
					"/": fmt.Sprintf(`{"cluster_uuid":%q,"version":{"distribution":"opensearch","number":%q}}`, version, version), "/docs": index,
					"/_snapshot/r": `{"r":{"type":"fs","settings":{}}}`, "/_snapshot/r/_verify": `{}`, "/_snapshot/r/_all": `{"snapshots":[]}`,
				}})
				if err != nil {
					t.Fatal(err)
				}
				return c
			}
			m, err := mover.New(mover.Spec{Move: "m", Partition: "t",
				From: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "a", Index: "docs", Logical: "docs"},
				To:   placement.Placement{Kind: placement.DedicatedIndex, Cluster: "b", Index: "docs", Logical: "docs"},
			}, cluster(tt.from), cluster(tt.to), &mover.Options{Copy: mover.CopyOptions{Method: mover.CopySnapshot, Repository: "r"}})
			if err != nil {
				t.Fatal(err)
			}
			c, err := m.Choose(t.Context())
			if tt.refused == "" && (err != nil || c.Method != mover.CopySnapshot) || tt.refused != "" && (err == nil || !strings.Contains(err.Error(), tt.refused)) {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
}
