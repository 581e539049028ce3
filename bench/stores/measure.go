package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

// bench is one store under measurement.
type bench struct {
	*server
	backend
	plan
	proxy    *faultproxy.Proxy // counts; nil where there is no wire
	res      *result
	progress io.Writer
	failed   []error
}

// measure starts a server, measures, and stops it. The result is nil only when
// there was nothing to measure.
func measure(ctx context.Context, b backend, p plan, progress io.Writer) (_ *result, err error) {
	x := &bench{backend: b, plan: p, progress: progress, res: &result{Store: b.name, When: time.Now().UTC().Format(time.RFC3339), Machine: thisMachine()}}
	x.say("starting the server")
	starting, cancel := context.WithTimeout(ctx, 20*time.Minute) // the first time it is built
	x.server, err = b.start(starting)
	cancel()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, x.server.stop()) }()
	if x.addr != "" {
		if x.proxy, err = faultproxy.New(x.addr); err != nil {
			return nil, err
		}
		defer func() { _ = x.proxy.Close() }()
	}
	x.res.Version, x.res.Setup = x.version, x.setup
	x.modes(ctx)
	x.table(ctx)
	return x.res, errors.Join(x.failed...)
}

func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.progress, "%s %-10s %s\n", time.Now().Format("15:04:05"), b.name, fmt.Sprintf(format, args...))
}

// step runs one phase within its bound, and reports whether it worked.
func (b *bench) step(ctx context.Context, name string, limit time.Duration, f func(context.Context) error) bool {
	b.say("%s", name)
	bound, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	began := time.Now()
	err := f(bound)
	p := phase{Name: name, Seconds: round(time.Since(began).Seconds(), 2)}
	if err != nil {
		if bound.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("not done within %v: %w", limit, err)
		}
		p.Error = err.Error()
		b.failed = append(b.failed, fmt.Errorf("%s: %w", name, err))
		b.say("%s: %v", name, err)
	}
	b.res.Phases = append(b.res.Phases, p)
	return err == nil
}

// direct and counted connect to a table; what counted does goes through the proxy.
func (b *bench) direct(ctx context.Context, table string) (store, error) {
	return b.open(ctx, b.addr, table)
}

func (b *bench) counted(ctx context.Context, table string) (store, error) {
	if b.proxy == nil {
		return b.direct(ctx, table)
	}
	return b.open(ctx, b.proxy.Addr(), table)
}

// wire is what went through the proxy so far.
func (b *bench) wire() faultproxy.Stats {
	if b.proxy == nil {
		return faultproxy.Stats{}
	}
	return b.proxy.Stats()
}

// flow is the bytes since before, both ways.
func (b *bench) flow(before faultproxy.Stats) int64 {
	now := b.wire()
	return now.ToClient - before.ToClient + now.ToServer - before.ToServer
}

// pause waits that long; false when the context ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
