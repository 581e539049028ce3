package drivertest

import (
	"context"
	"errors"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// calls are all that a driver can be asked, each under the given context. The
// session is one that has been opened.
func (s *suite) calls(x driver.Session) map[string]func(context.Context) error {
	calls := map[string]func(context.Context) error{
		"Get":  func(ctx context.Context) error { _, err := s.Driver.Get(ctx, key("k")); return err },
		"List": func(ctx context.Context) error { _, _, err := listed(ctx, s.Driver, entries); return err },
		"Write": func(ctx context.Context) error {
			_, err := s.Driver.Write(ctx, driver.Write{Key: key("new"), Value: []byte("x")})
			return err
		},
		"Delete": func(ctx context.Context) error {
			_, err := s.Driver.Write(ctx, driver.Write{Key: key("new"), Expect: 1, Delete: true})
			return err
		},
		"Open": func(ctx context.Context) error {
			x, err := s.Driver.Open(ctx, session("new"), nil, s.TTL)
			if err == nil {
				err = x.Close(s.ctx)
			}
			return err
		},
		"Renew":  x.Renew,
		"Update": func(ctx context.Context) error { _, err := x.Update(ctx, []byte("x")); return err },
		"Close":  x.Close,
	}
	if h, ok := s.Driver.(driver.Header); ok {
		calls["Head"] = func(ctx context.Context) error { _, err := h.Head(ctx, entries); return err }
	}
	if b, ok := s.Driver.(driver.Batcher); ok {
		calls["Versions"] = func(ctx context.Context) error { _, err := b.Versions(ctx, entries, []string{"k", "none"}); return err }
		calls["Since"] = func(ctx context.Context) error { _, _, err := b.Since(ctx, entries, 0); return err }
	}
	return calls
}

func (s *suite) open(d driver.Driver, k driver.Key, value string, ttl time.Duration) driver.Session {
	s.Helper()
	x, err := d.Open(s.ctx, k, []byte(value), ttl)
	if err != nil {
		s.Fatalf("open session %q: %v", k.Name, err)
	}
	return x
}

// A call under a context that has ended returns at once, with the context's
// error and nothing that could be taken for an answer, and has no effect.
func endedContext(s *suite) {
	v := s.put(s.Driver, key("k"), "x", 0)
	x := s.open(s.Driver, session("s"), "x", 20*s.TTL)
	sv, err := x.Update(s.ctx, []byte("y"))
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	calls := s.calls(x)
	calls["Watch"] = func(ctx context.Context) error {
		return s.Driver.Watch(ctx, entries, v, func([]driver.Event) error { return nil })
	}
	for name, call := range calls {
		began := time.Now()
		err := call(ctx)
		if took := time.Since(began); took > prompt {
			s.Errorf("%s took %v", name, took)
		}
		if !errors.Is(err, context.Canceled) || answer(err) {
			s.Errorf("%s: %v; want the context's error", name, err)
		}
	}
	s.has(key("k"), "x", v)
	s.lacks(key("new"))
	s.lacks(session("new"))
	s.has(session("s"), "y", sv)
}

// A call that waits for an engine which does not answer, or is slow to, returns at
// once when its context ends, with the context's error.
func endingContext(s *suite) {
	v := s.put(s.Driver, key("k"), "x", 0)
	x := s.open(s.Driver, session("s"), "x", 20*s.TTL)
	calls := s.calls(x)
	calls["Watch"] = func(ctx context.Context) error {
		return s.Driver.Watch(ctx, entries, v, func([]driver.Event) error { return nil })
	}
	s.Fault(Silence)
	defer s.Fault(None)
	ctx, cancel := context.WithCancel(s.ctx)
	type result struct {
		name string
		err  error
	}
	results := make(chan result, len(calls))
	for name, call := range calls {
		go func() { results <- result{name, call(ctx)} }()
	}
	// None of them may return before: a short silence is not an answer.
	select {
	case r := <-results:
		s.Errorf("%s returned in the silence: %v", r.name, r.err)
		delete(calls, r.name)
	case <-time.After(200 * time.Millisecond):
	}
	cancel()
	late := time.After(prompt)
	for range calls {
		select {
		case r := <-results:
			if !errors.Is(r.err, context.Canceled) || answer(r.err) {
				s.Errorf("%s: %v; want the context's error", r.name, r.err)
			}
		case <-late:
			s.Fatalf("some calls did not return within %v of their context's end", prompt)
		}
	}
	s.Fault(None)
	s.reachable()
	s.Fault(Slow)
	for name, call := range s.calls(x) {
		ctx, cancel := context.WithTimeout(s.ctx, Lag/2)
		began := time.Now()
		err := call(ctx)
		if took := time.Since(began); err == nil || answer(err) || took > Lag/2+prompt {
			s.Errorf("%s with a quarter of the time that it takes: %v after %v", name, err, took)
		}
		cancel()
	}
}
