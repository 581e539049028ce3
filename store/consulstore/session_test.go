package consulstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/consul/api"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/consulstore"
	"github.com/sluiceproxy/sluice/store/driver"
)

// A Consul with its defaults grants 10 s and refuses less, and more than a day,
// with the field and the fix; its session ends between once and twice the TTL.
func TestSessionsOfTheDefaultTTL(t *testing.T) {
	t.Parallel()
	s := connect(t, prefix(), enginetest.Consul(t).URL())
	for _, ttl := range []time.Duration{time.Second, 10*time.Second - 1, 24*time.Hour + time.Second} {
		_, err := s.Open(t.Context(), session("refused"), nil, ttl)
		var invalid *placement.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "session_ttl" || !strings.Contains(err.Error(), "session_ttl_min") {
			t.Errorf("a session of %v: %v; want an error that names the field and the fix", ttl, err)
		}
	}
	if _, err := s.Get(t.Context(), session("refused")); !errors.Is(err, driver.ErrNotFound) {
		t.Errorf("the record of a session that was refused: %v", err)
	}
	const ttl = 10 * time.Second
	began := time.Now()
	if _, err := s.Open(t.Context(), session("s"), nil, ttl); err != nil {
		t.Fatal(err)
	}
	if lived := lifetime(t, s, began); lived < ttl || lived > 2*ttl+10*time.Second {
		t.Errorf("a session of %v ended after %v", ttl, lived)
	}
}

// lifetime waits for the end of the session "s".
func lifetime(t *testing.T, s *consulstore.Store, began time.Time) time.Duration {
	t.Helper()
	kv, err := s.Get(t.Context(), session("s"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := errors.New("ended")
	err = s.Watch(ctx, "sessions", kv.Version, func(evs []driver.Event) error {
		if evs[0].Deleted && evs[0].Name == "s" {
			return ended
		}
		return nil
	})
	if err != ended {
		t.Fatalf("the session's end was not seen: %v", err)
	}
	return time.Since(began)
}

// A session outlives the agent that it was opened through, for its whole TTL,
// whether the agent leaves in order or is killed: its owner may have changed over to
// another.
func TestSessionOutlivesItsAgent(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*engines.Consul) error{
		"leaves": func(m *engines.Consul) error {
			transport := api.DefaultConfig().Transport
			defer transport.CloseIdleConnections()
			c, err := api.NewClient(&api.Config{Address: m.URL(), Transport: transport})
			if err != nil {
				return err
			}
			return c.Agent().Leave()
		},
		"is killed": (*engines.Consul).Kill,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := enginetest.ConsulCluster(t, 3, &engines.ConsulOptions{Settings: quick})
			ns := prefix()
			leader, err := cluster.Leader(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var through, other *engines.Consul // the first is not the leader
			for _, m := range cluster.Members() {
				if through == nil && m != leader {
					through = m
				} else {
					other = m
				}
			}
			s := connect(t, ns, other.URL())
			const ttl = 6 * time.Second
			began := time.Now()
			x, err := connect(t, ns, through.URL()).Open(t.Context(), session("s"), nil, ttl)
			if err != nil {
				t.Fatal(err)
			}
			if err := stop(through); err != nil {
				t.Fatal(err)
			}
			if lived := lifetime(t, s, began); lived < ttl {
				t.Errorf("the session of %v ended after %v, with its agent", ttl, lived)
			}
			_ = x
		})
	}
}

// Every session of Consul that was made for nothing, or is not needed any more, is
// destroyed.
func TestNoSessionIsLeftBehind(t *testing.T) {
	t.Parallel()
	server := enginetest.ConsulWith(t, &engines.ConsulOptions{Settings: quick})
	s := connect(t, prefix(), server.URL())
	x, err := s.Open(t.Context(), session("s"), nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), session("s"), nil, time.Hour); !errors.Is(err, driver.ErrConflict) {
		t.Fatalf("opened twice: %v", err)
	}
	if err := x.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	y, err := s.Open(t.Context(), session("s"), nil, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := s.Get(t.Context(), session("s"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write(t.Context(), driver.Write{Key: session("s"), Expect: kv.Version, Delete: true}); err != nil {
		t.Fatal(err)
	}
	if err := y.Renew(t.Context()); !errors.Is(err, driver.ErrSessionLost) {
		t.Fatalf("renew: %v", err)
	}
	transport := api.DefaultConfig().Transport
	defer transport.CloseIdleConnections()
	c, err := api.NewClient(&api.Config{Address: server.URL(), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; <-time.After(20 * time.Millisecond) {
		left, _, err := c.Session().List(nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d sessions are left", len(left))
		}
	}
}
