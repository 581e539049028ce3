package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/control"
)

// listener is a client that follows events.
type listener struct {
	t    *testing.T
	resp *http.Response
	in   *bufio.Scanner
}

// heard is one event.
type heard struct{ id, kind, data string }

func listen(t *testing.T, base, query, last string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	r, _ := http.NewRequestWithContext(ctx, "GET", base+api.Prefix+"/events"+query, nil)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	return newListener(t, resp)
}

func newListener(t *testing.T, resp *http.Response) *listener {
	return &listener{t, resp, bufio.NewScanner(resp.Body)}
}

// next is the next event; its kind is empty when the stream has ended.
func (l *listener) next() (e heard) {
	l.t.Helper()
	for l.in.Scan() {
		key, value, _ := strings.Cut(l.in.Text(), ": ")
		switch key {
		case "id":
			e.id = value
		case "event":
			e.kind = value
		case "data":
			e.data = value
		case "":
			if e.kind != "" {
				return e
			}
		}
	}
	return heard{}
}

func (l *listener) hears(kind, says string) heard {
	l.t.Helper()
	e := l.next()
	if e.kind != kind || !strings.Contains(e.data, says) {
		l.t.Fatalf("heard %+v, want %s with %s", e, kind, says)
	}
	return e
}

func TestEvents(t *testing.T) {
	w := newWorld(t, nil)
	w.cluster("a", "b")
	server := httptest.NewServer(w.a.Handler())
	defer server.Close()
	w.get("/events").fails(api.CodeStoreUnavailable) // nobody follows the table
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- w.a.Run(ctx) }()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		resp, err := http.Get(server.URL + api.Prefix + "/events?kinds=lost")
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != 422 {
			t.Fatalf("a kind that there is not: %d", resp.StatusCode)
		}
		resp, err = http.Get(server.URL + api.Prefix + "/events")
		if err != nil {
			t.Fatal(err)
		}
		if _ = resp.Body.Close(); resp.StatusCode == 200 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("nobody follows the table: %d", resp.StatusCode)
		}
	}
	l, moves := listen(t, server.URL, "", ""), listen(t, server.URL, "?kinds=move,wave", "")
	l.hears("ready", "{}")
	moves.hears("ready", "{}")
	w.tenant("acme", "a")
	first := l.hears("tenant", `"name":"acme","value":{"tenant":"acme","phase":"active"`)
	m, err := control.RequestMove(ctx, w.s, control.Request{Partition: "acme", Cluster: "b"})
	if err != nil {
		t.Fatal(err)
	}
	l.hears("move", `"id":"`+m.ID+`"`)
	moves.hears("move", m.ID)
	if _, err := control.RequestAbort(ctx, w.s, m.ID); err != nil {
		t.Fatal(err)
	}
	l.hears("move", `"abort_requested":true`)
	w.tenant("other", "b")
	if err := w.s.Remove(ctx, "other"); err != nil {
		t.Fatal(err)
	}
	l.hears("tenant", `"other"`)
	l.hears("tenant", `{"name":"other","removed":true}`)
	// Whoever comes back hears what he has missed, and nothing twice.
	back := listen(t, server.URL, "", first.id)
	back.hears("move", m.ID)
	back.hears("move", `"abort_requested":true`)
	back.hears("tenant", `"other"`)
	back.hears("tenant", `"removed":true`)
	// Of another process, or from too long ago, he is told that he cannot.
	listen(t, server.URL, "", "another-1").hears("reset", "{}")
	listen(t, server.URL, "", first.id+"000").hears("reset", "{}")
	// At a stop the streams end.
	stop()
	for _, x := range []*listener{l, moves, back} {
		for x.next().kind != "" {
		}
	}
	<-ended
}

// Whoever does not read is dropped, and delays nobody.
func TestSlowReader(t *testing.T) {
	h := api.NewHub()
	slow, fast := h.Join(), h.Join()
	for range 1000 {
		h.Publish()
		<-fast
	}
	n := 0
	for range slow {
		n++
	}
	if n == 0 || n >= 1000 {
		t.Errorf("%d events reached whoever did not read", n)
	}
}
