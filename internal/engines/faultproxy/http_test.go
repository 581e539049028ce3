package faultproxy_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

// A server that has begun to reply, as gRPC servers do long before the result, must be left to finish its work.
func TestDropRepliesLetsTheServerFinish(t *testing.T) {
	finished := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
		case <-time.After(300 * time.Millisecond):
		}
		finished <- r.Context().Err()
	}))
	defer server.Close()
	p := newProxy(t, server.Listener.Addr().String())
	p.DropReplies()
	client := &http.Client{Transport: &http.Transport{}}
	resp, err := client.Post("http://"+p.Addr(), "text/plain", strings.NewReader("x"))
	if err == nil {
		_ = resp.Body.Close()
		t.Fatal("the client got a reply")
	}
	if err := <-finished; err != nil {
		t.Fatalf("the server's work was cut short: %v", err)
	}
	// The lingering side must not hold up the server's end.
	p.Refuse()
}

// Whatever happens when, a reply that arrives is the right one.
func TestFaultsInAnyOrderNeverMixUpReplies(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler) // a whole reply to half a request would be a wrong one
		}
		_, _ = w.Write(body)
	}))
	defer server.Close()
	p := newProxy(t, server.Listener.Addr().String())
	transport := &http.Transport{MaxIdleConnsPerHost: 8}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var workers sync.WaitGroup
	var right, failed atomic.Int64
	for w := range 8 {
		workers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				want := fmt.Sprintf("%d/%d/%s", w, i, strings.Repeat("x", rand.IntN(100_000)))
				got, err := post(ctx, client, p.Addr(), want)
				switch {
				case err != nil:
					failed.Add(1)
				case got != want:
					t.Errorf("reply of %d bytes to a request of %d", len(got), len(want))
				default:
					right.Add(1)
				}
			}
		})
	}
	faults := []func(){p.Refuse, p.Blackhole, p.DropRequests, p.DropReplies, func() { p.Delay(3 * time.Millisecond) }, func() { p.Delay(0) }}
	for began := time.Now(); ctx.Err() == nil && (time.Since(began) < 2*time.Second || right.Load() == 0 || failed.Load() == 0); {
		faults[rand.IntN(len(faults))]()
		time.Sleep(5 * time.Millisecond)
		p.Pass()
		time.Sleep(15 * time.Millisecond)
	}
	cancel()
	workers.Wait()
	if right.Load() == 0 || failed.Load() == 0 {
		t.Fatalf("%d right, %d failed: both were to be seen", right.Load(), failed.Load())
	}
}

func post(ctx context.Context, client *http.Client, addr, body string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	return string(got), err
}

func ExampleProxy() {
	var writes atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { writes.Add(1) }))
	defer server.Close()

	p, err := faultproxy.New(server.Listener.Addr().String())
	if err != nil {
		panic(err)
	}
	defer func() { _ = p.Close() }()

	p.DropReplies()
	_, err = (&http.Client{Transport: &http.Transport{}}).Post("http://"+p.Addr(), "text/plain", strings.NewReader("x"))
	fmt.Println("the client failed:", err != nil)
	fmt.Println("the server wrote:", writes.Load())
	// Output:
	// the client failed: true
	// the server wrote: 1
}
