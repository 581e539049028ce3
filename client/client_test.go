package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/placement"
)

// serve returns the API at a server that h is, and the server's address.
func serve(t *testing.T, o *client.Options, h http.HandlerFunc) *client.API {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		h(w, r)
	}))
	t.Cleanup(s.Close)
	api, err := client.Dial(s.URL, o)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func problem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"type":"urn:sluice:problem:%s","code":%q,"status":%d,"detail":"what is wrong"}`, code, code, status)
}

func TestAsksWithToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	var got []string
	api := serve(t, &client.Options{TokenFile: file, Agent: "test"}, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization")+" "+r.UserAgent()+" "+r.URL.String()+" "+r.Header.Get("Idempotency-Key"))
		fmt.Fprint(w, `{"tenant":"a/b c","phase":"active","placement":{"kind":"dedicated_index","cluster":"a","index":"x"},"epoch":7,"incarnation":0,"from":"a newer version"}`)
	})
	v, err := api.GetTenantWithResponse(t.Context(), "a/b c", nil)
	if err != nil || v.JSON200 == nil || v.JSON200.Epoch != 7 || v.JSON200.Placement.Cluster != "a" {
		t.Fatalf("%+v, %v", v, err)
	}
	write("second")
	if _, err := client.Read[client.TenantView](api.GetTenant(t.Context(), "x", nil)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"Bearer first test /api/v1/tenants/a%2Fb%20c ", "Bearer second test /api/v1/tenants/x "}; strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("asked %q, want %q", got, want)
	}
}

// A change has a key, and is repeated by the same one while its outcome is not known,
// with the same body; whatever else goes wrong is told at once.
func TestRepeats(t *testing.T) {
	for _, tt := range []struct {
		name  string
		first func(http.ResponseWriter)
		asked int64
		code  string
	}{
		{"unknown", func(w http.ResponseWriter) { problem(w, 504, "outcome_unknown") }, 2, ""},
		{"under way", func(w http.ResponseWriter) { problem(w, 409, "in_progress") }, 2, ""},
		{"cut off", func(w http.ResponseWriter) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.Close()
			}
		}, 2, ""},
		{"refused", func(w http.ResponseWriter) { problem(w, 409, "moving") }, 1, "moving"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var n atomic.Int64
			var keys, bodies [2]string
			api := serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				i := n.Add(1)
				if i > 2 {
					t.Error("asked a third time")
					return
				}
				keys[i-1], bodies[i-1] = r.Header.Get("Idempotency-Key"), string(b)
				if i == 1 {
					tt.first(w)
					return
				}
				fmt.Fprint(w, `{"id":"m1"}`)
			})
			m, err := client.Read[client.Move](api.RequestMove(t.Context(), nil, client.MoveRequest{Tenant: "acme", To: "b"}))
			var p *client.Problem
			if tt.code != "" && (!errors.As(err, &p) || p.Code != tt.code || err.Error() != "what is wrong") || tt.code == "" && (err != nil || m.ID != "m1") {
				t.Errorf("%+v, %v", m, err)
			}
			if n.Load() != tt.asked || keys[0] == "" || bodies[0] == "" || tt.asked == 2 && (keys[1] != keys[0] || bodies[1] != bodies[0]) {
				t.Errorf("asked %d times, by %q, with %q", n.Load(), keys, bodies)
			}
		})
	}
	if _, err := client.Dial("http://127.0.0.1:1", nil); err != nil {
		t.Fatal(err)
	}
}

func TestStopsWaiting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	api := serve(t, nil, func(w http.ResponseWriter, _ *http.Request) {
		n.Add(1)
		cancel()
		problem(w, 504, "outcome_unknown")
	})
	if _, err := api.AbortMove(ctx, "m1", nil); err == nil || n.Load() != 1 {
		t.Errorf("asked %d times: %v", n.Load(), err)
	}
}

// What is no answer of the API is never taken for one.
func TestSomethingElse(t *testing.T) {
	for _, h := range []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no such page", 404) },
		func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "{}")
		},
		func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(409)
			_ = json.NewEncoder(w).Encode(map[string]string{"type": "about:blank"})
		},
	} {
		api := serve(t, nil, h)
		_, err := client.Read[client.StoreView](api.GetStore(t.Context()))
		var other *client.NotSluiceError
		if !errors.As(err, &other) || !strings.Contains(err.Error(), "/api/v1/store is no API of Sluice") {
			t.Errorf("%v", err)
		}
	}
}

func TestPages(t *testing.T) {
	answers := map[string]string{"": `{"items":[{"id":"m3"},{"id":"m2"}],"next":"x"}`, "x": `{"items":[],"next":"y","unreadable":1,"unreadable_because":["why"]}`, "y": `{"items":[{"id":"m1"}]}`}
	api := serve(t, nil, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, answers[r.URL.Query().Get("cursor")]) })
	var ids, why []string
	for p, err := range client.Pages[client.Move](func(cursor *string) (*http.Response, error) {
		return api.ListMoves(t.Context(), &client.ListMovesParams{Cursor: cursor})
	}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range p.Items {
			ids = append(ids, m.ID)
		}
		why = append(why, p.UnreadableBecause...)
	}
	if strings.Join(ids, " ") != "m3 m2 m1" || strings.Join(why, " ") != "why" {
		t.Errorf("%q, %q", ids, why)
	}
}

func TestRefuses(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		address string
		o       client.Options
		says    string
	}{
		{"sluice.example.com:9282", client.Options{}, `address: "sluice.example.com:9282" must be the URL`},
		{"https://me:secret@x", client.Options{}, "must not hold credentials"},
		{"http://sluice.example.com:9282", client.Options{TokenFile: empty}, "a token would cross the network in clear"},
		{"http://127.0.0.1:9282", client.Options{CAFile: empty}, "must begin with https"},
		{"https://x", client.Options{CertFile: empty}, "key_file: \"\" must be set"},
		{"https://x", client.Options{CAFile: empty}, "ca_file"},
		{"https://x", client.Options{TokenFile: empty}, "token_file: \"" + empty + "\" must hold a token"},
	} {
		_, err := client.Dial(tt.address, &tt.o)
		var invalid *placement.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v; want %q", tt.address, err, tt.says)
		}
	}
	for _, o := range []client.Options{{TokenFile: "/nowhere/t"}, {CAFile: "/nowhere/ca"}, {CertFile: "/nowhere/c", KeyFile: "/nowhere/k"}} {
		if _, err := client.Dial("https://x", &o); err == nil || !strings.Contains(err.Error(), "/nowhere") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func Example() {
	api, err := client.Dial("http://127.0.0.1:9282", nil) // on the machine of a controller whoever asks may look
	if err != nil {
		fmt.Println(err)
		return
	}
	moves, err := api.ListMovesWithResponse(context.Background(), &client.ListMovesParams{Active: new(true)})
	if err != nil {
		fmt.Println(err) // nobody is there, or a *client.Problem
		return
	}
	for _, m := range moves.JSON200.Items {
		fmt.Println(m.ID, m.Stage)
	}
}
