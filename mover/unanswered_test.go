package mover_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// unanswered fails the first change of aliases, as a timeout does, and keeps it:
// deliver brings it to the cluster, when nobody waits for it any more.
type unanswered struct {
	*http.Transport
	once sync.Once
	kept *http.Request
}

func newUnanswered(t *testing.T, n *engines.OpenSearch) (*unanswered, *upstream.Client) {
	u := &unanswered{Transport: &http.Transport{}}
	t.Cleanup(u.CloseIdleConnections)
	c, err := upstream.New(placement.Cluster{Name: "b", Endpoints: []string{n.URL()}}, &upstream.Options{Transport: u})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return u, c
}

func (u *unanswered) RoundTrip(q *http.Request) (*http.Response, error) {
	first := false
	if q.Method == http.MethodPost && strings.HasSuffix(q.URL.Path, "/_aliases") {
		u.once.Do(func() { first = true })
	}
	if !first {
		return u.Transport.RoundTrip(q)
	}
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, err
	}
	u.kept = q.Clone(context.WithoutCancel(q.Context()))
	u.kept.Body = io.NopCloser(bytes.NewReader(body))
	return nil, errors.New("no answer")
}

func (u *unanswered) deliver(t *testing.T) {
	t.Helper()
	a, err := u.Transport.RoundTrip(u.kept)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	if a.StatusCode != http.StatusOK {
		t.Fatalf("the kept request was answered %d: it shows nothing", a.StatusCode)
	}
}

// sluiceAliases are those of the target that a move has given it.
func (r *rig) sluiceAliases() map[string]bool {
	r.t.Helper()
	var have map[string]struct{ Aliases map[string]any }
	r.call(r.dst, "GET", "/"+r.b, "", "", &have)
	out := map[string]bool{}
	for a := range have[r.b].Aliases {
		if strings.HasPrefix(a, "sluice-") {
			out[a] = true
		}
	}
	return out
}

// A take that failed may give its alias to the target at any time later. It must
// not be one through which a later take has let something be written, and has
// drained since.
func TestATakeThatFailedGivesNoNameThatWasUsed(t *testing.T) {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(20)
	u, c := newUnanswered(t, n)
	m, err := mover.New(r.spec, r.src, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := m.Take(t.Context(), false); err == nil {
		t.Fatal("the first take has got an answer")
	}
	if err := m.Take(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	r.copyAll(m)
	used := r.sluiceAliases()
	if err := m.Take(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	now := r.sluiceAliases()
	u.deliver(t)
	for a := range r.sluiceAliases() {
		if used[a] && !now[a] {
			t.Errorf("%s is back: what was sent through it can be applied again", a)
		}
	}
}

// What a replaced mover has sent adds its alias while the target is being sealed,
// after the seal has listed what there is. It must be gone when the target is the
// tenant's.
func TestReleaseRemovesWhatCameWhileSealing(t *testing.T) {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0}}`)
	r.fill(20)
	u, c := newUnanswered(t, n)
	first, err := mover.New(r.spec, r.src, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := first.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := first.Take(t.Context(), false); err == nil {
		t.Fatal("the first take has got an answer")
	}
	r.spec.Attempt = 2
	sealing := false
	heir := r.mover(&mover.Options{Lease: func() error {
		if sealing { // between the listing and the seal
			sealing = false
			u.deliver(t)
		}
		return nil
	}})
	heir.Use(first.Indexes())
	if err := heir.Take(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	r.copyAll(heir)
	sealing = true
	r.flip(heir)
	if sealing {
		t.Fatal("the seal did not look at its lease: this shows nothing")
	}
	if left := r.sluiceAliases(); len(left) != 0 {
		t.Errorf("aliases are left on the live target: %v", left)
	}
}
