package gate_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// scripted is a Shadow that says what it is told to.
type scripted struct {
	sample  gate.ShadowSample
	results []gate.ShadowResult
	err     error
	calls   int
}

func (s *scripted) Sample(placement.PartitionID, string, int) gate.ShadowSample {
	s.calls++
	return s.sample
}

func (s *scripted) Compare(context.Context, placement.PartitionID, string, []int) ([]gate.ShadowResult, error) {
	s.calls++
	return s.results, s.err
}

func TestShadowEndpoints(t *testing.T) {
	secret := []byte("a secret of the fleet")
	g, err := gate.New(store.New(memstore.New(nil), nil), &gate.Options{FleetSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g.FleetHandler())
	defer srv.Close()
	info, peers := store.Info{Name: "p", Address: srv.URL}, gate.NewPeers(secret, srv.Client())
	ctx := t.Context()
	if _, err := peers.Sample(ctx, info, "acme", "m", 1); !errors.Is(err, gate.ErrNoShadow) {
		t.Errorf("an instance without: %v", err)
	}
	if _, err := peers.Compare(ctx, info, "acme", "m", []int{0}); !errors.Is(err, gate.ErrNoShadow) {
		t.Errorf("an instance without: %v", err)
	}
	s := &scripted{}
	g.SetShadow(s)

	// Nobody but the fleet is answered, and what makes no sense is not passed on.
	if _, err := gate.NewPeers([]byte("wrong"), srv.Client()).Sample(ctx, info, "acme", "m", 1); err == nil || errors.Is(err, gate.ErrNoShadow) {
		t.Errorf("with another secret: %v", err)
	}
	for path, want := range map[string]int{"shadow/sample?n=1": http.StatusUnauthorized, "shadow/compare": http.StatusUnauthorized} {
		resp, err := srv.Client().Post(srv.URL+"/-/fleet/v1/"+path, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s without the secret: %d", path, resp.StatusCode)
		}
	}
	for _, n := range []int{-1, gate.MaxShadowReads + 1} {
		if _, err := peers.Sample(ctx, info, "acme", "m", n); err == nil {
			t.Errorf("%d samples", n)
		}
	}
	if s.calls != 0 {
		t.Errorf("%d calls came through", s.calls)
	}

	s.sample = gate.ShadowSample{Kept: 2, Seen: 9}
	if got, err := peers.Sample(ctx, info, "acme", "m", 5); err != nil || got != s.sample {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []gate.ShadowSample{{Kept: 6, Seen: 9}, {Kept: -1}, {Kept: 2, Seen: 1}} {
		s.sample = bad
		if _, err := peers.Sample(ctx, info, "acme", "m", 5); err == nil {
			t.Errorf("believed %+v", bad)
		}
	}
	s.results = []gate.ShadowResult{{Sample: 3, Outcome: gate.ShadowEqual}}
	if got, err := peers.Compare(ctx, info, "acme", "m", []int{2, 3}); err != nil || len(got) != 1 || got[0].Outcome != gate.ShadowEqual {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := peers.Compare(ctx, info, "acme", "m", []int{2}); err == nil {
		t.Error("believed what was not asked")
	}
	s.results = append(s.results, s.results[0])
	if _, err := peers.Compare(ctx, info, "acme", "m", []int{2, 3}); err == nil {
		t.Error("believed two results of one sample")
	}
	for _, err := range []error{gate.ErrNoShadow, errors.New("the store is away")} {
		s.err = err
		if _, got := peers.Compare(ctx, info, "acme", "m", []int{3}); got == nil || errors.Is(got, gate.ErrNoShadow) != errors.Is(err, gate.ErrNoShadow) {
			t.Errorf("%v became %v", err, got)
		}
	}
}
