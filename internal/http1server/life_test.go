package http1server_test

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type anyKey struct{}

// afterFuncs are the two ways to have a function called at the end: by package context, and
// by the context's own method, if it has one.
var afterFuncs = map[string]func(context.Context, func()) func() bool{
	"by package context": context.AfterFunc,
	"by the method": func(ctx context.Context, f func()) func() bool {
		if a, ok := ctx.(interface {
			AfterFunc(func()) func() bool
		}); ok {
			return a.AfterFunc(f)
		}
		return context.AfterFunc(ctx, f)
	},
}

// The context of a request is what package context makes, whatever is asked of it, in
// whatever order, and whether it has ended before or ends afterwards.
func TestContext(t *testing.T) {
	for way, afterFunc := range afterFuncs {
		for end, leaves := range map[string]bool{"the client leaves": true, "the handler returns": false} {
			t.Run(way+", "+end, func(t *testing.T) { testContext(t, afterFunc, leaves) })
		}
	}
}

func testContext(t *testing.T, afterFunc func(context.Context, func()) func() bool, leaves bool) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		contexts := make(chan context.Context, 1)
		var called, stopped atomic.Int32
		var hooks, kept sync.WaitGroup
		children := make(chan context.Context, 3)
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			if ctx.Err() != nil || ctx.Value(http.ServerContextKey) == nil || ctx.Value(anyKey{}) != nil {
				t.Errorf("at the beginning: %v", ctx.Err())
			}
			if _, ok := ctx.Deadline(); ok {
				t.Error("it has a deadline")
			}
			hooks.Add(2)
			afterFunc(ctx, func() { called.Add(1); hooks.Done() })
			stop := afterFunc(ctx, func() { stopped.Add(1) })
			if !stop() || stop() {
				t.Error("what was not called is stopped once")
			}
			// Of a value's context: no goroutine has to wait for the parent.
			before := runtime.NumGoroutine()
			for range 100 {
				_, cancel := context.WithCancel(context.WithValue(ctx, anyKey{}, 1))
				defer cancel()
			}
			if n := runtime.NumGoroutine() - before; n > 50 {
				t.Errorf("%d goroutines more", n)
			}
			afterFunc(ctx, func() { called.Add(1); hooks.Done() })
			child, cancel := context.WithTimeout(ctx, time.Hour)
			children <- child
			kept.Go(func() { <-child.Done(); cancel() })
			contexts <- ctx
			if leaves {
				<-ctx.Done()
			}
		})})
		c := dial(t, addr)
		say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		ctx := <-contexts
		if leaves {
			_ = c.Close()
		} else {
			hear(t, bufio.NewReader(c), "GET")
		}
		<-ctx.Done()
		child := <-children
		<-child.Done()
		for _, ended := range []context.Context{ctx, child} {
			if !errors.Is(ended.Err(), context.Canceled) || !errors.Is(context.Cause(ended), context.Canceled) {
				t.Errorf("it ended with %v, because of %v", ended.Err(), context.Cause(ended))
			}
		}
		hooks.Wait()
		kept.Wait()
		if called.Load() != 2 || stopped.Load() != 0 {
			t.Errorf("%d functions were called, and %d that had been stopped", called.Load(), stopped.Load())
		}
		late := make(chan struct{})
		stop := afterFunc(ctx, func() { close(late) })
		<-late
		if stop() {
			t.Error("what was called was stopped")
		}
		after, cancel := context.WithCancel(ctx)
		defer cancel()
		if after.Err() == nil {
			t.Error("a context of one that has ended has not")
		}
	})
}

// A function is either called or stopped, whoever is first.
func TestContextRaces(t *testing.T) {
	for way, afterFunc := range afterFuncs {
		t.Run(way, func(t *testing.T) { testContextRaces(t, afterFunc) })
	}
}

func testContextRaces(t *testing.T, afterFunc func(context.Context, func()) func() bool) {
	both(t, func(t *testing.T, serve func(*http.Server) server) {
		var called, stopped, all atomic.Int64
		var left sync.WaitGroup
		_, addr := start(t, serve, &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			ctx := r.Context()
			for i := range 8 {
				all.Add(1)
				left.Add(1)
				var once sync.Once
				stop := afterFunc(ctx, func() { called.Add(1); once.Do(left.Done) })
				go func() {
					if i%2 == 0 {
						_ = ctx.Done()
					}
					if stop() {
						stopped.Add(1)
						once.Do(left.Done)
					}
				}()
			}
		})})
		c := dial(t, addr)
		in := bufio.NewReader(c)
		for range 200 {
			say(t, c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
			hear(t, in, "GET")
		}
		left.Wait()
		if called.Load()+stopped.Load() != all.Load() {
			t.Errorf("of %d functions %d were called and %d stopped", all.Load(), called.Load(), stopped.Load())
		}
	})
}
