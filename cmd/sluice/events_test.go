package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/client"
)

// Changes are followed on a store and by the API of a controller: each is told, by its
// kind, and a stream that breaks goes on where it was.
func TestFleetEvents(t *testing.T) {
	withContexts(t)
	onStore, s := newCLI(t)
	a, err := api.New(s, &api.Options{Engine: "etcd", AdminToken: "t0ken"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- a.Run(ctx) }()
	server := httptest.NewServer(a.Handler())
	defer func() {
		cancel()
		<-ran
		server.Close()
		a.Close()
	}()
	byAPI := cli{t, []string{"--api", server.URL, "--api-token-file", write(t, "token", "t0ken")}}
	onStore.ok("cluster", "add", "a", "http://127.0.0.1:1", "--no-check")
	for name, c := range map[string]cli{"store": onStore, "api": byAPI} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			from, to := io.Pipe()
			var stderr bytes.Buffer
			code := make(chan int, 1)
			go func() {
				code <- runContext(t.Context(), append([]string{"fleet", "events", "--kinds", "tenant", "-n", "3", "-o", "json"}, c.flags...), to, &stderr)
				_ = to.Close()
			}()
			lines := bufio.NewScanner(from)
			next := func() (e fleetChange) {
				t.Helper()
				if !lines.Scan() {
					t.Fatalf("it has ended with %d: %s", <-code, stderr.String())
				}
				if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
					t.Fatal(err)
				}
				return e
			}
			if e := next(); e.Event != "ready" {
				t.Fatalf("%+v", e)
			}
			c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs")
			if e := next(); e.Event != "tenant" || e.Name != "acme" || e.Removed || !strings.Contains(string(e.Value), `"acme-docs"`) {
				t.Errorf("%+v", e)
			}
			if name == "api" {
				server.CloseClientConnections()
			}
			c.ok("tenant", "remove", "acme")
			if e := next(); e.Name != "acme" || !e.Removed {
				t.Errorf("%+v", e)
			}
			c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs")
			if e := next(); e.Name != "acme" || e.Removed {
				t.Errorf("%+v", e)
			}
			if got := <-code; got != exitOK || lines.Scan() {
				t.Errorf("exit code %d, and then %q; %s", got, lines.Text(), stderr.String())
			}
			c.ok("tenant", "remove", "acme")
		})
	}
	if r := onStore.run("fleet", "events", "--kinds", "weather"); r.code != exitUsage || !strings.Contains(r.stderr, `--kinds: "weather"`) {
		t.Errorf("%+v", r)
	}
}

// What is told of a change to people.
func TestDescribedChanges(t *testing.T) {
	for _, x := range []struct{ event, value, want string }{
		{"tenant", `{"phase":"draining","placement":{"kind":"dedicated_index","cluster":"a","index":"x"},"moving_to":{"kind":"dedicated_index","cluster":"b","index":"y"}}`, "draining, dedicated_index:a/x to dedicated_index:b/y"},
		{"move", `{"partition":"acme","stage":"copying","progress":{"note":"wait\ting"}}`, `acme: copying, "wait\ting"`},
		{"move", `{"partition":"acme","stage":"failed","error":"no"}`, "acme: failed, no"},
		{"wave", `{"state":"paused"}`, "paused"},
		{"session", `{"kind":"proxy","name":"p1","state":"live"}`, "proxy p1: live"},
		{"tenant", ``, "its record cannot be decoded; sluice doctor says why"},
	} {
		if got, err := described(fleetChange{Event: x.event, Value: json.RawMessage(x.value)}); err != nil || got != x.want {
			t.Errorf("%s %s: %q, %v", x.event, x.value, got, err)
		}
	}
	if _, err := described(fleetChange{Event: "move", Value: json.RawMessage(`{"stage":7}`)}); err == nil {
		t.Error("a stage that is a number")
	}
}

// A line for each cluster of each proxy; what a proxy has under way is told once.
func TestTrafficRows(t *testing.T) {
	load := map[string]client.LoadView{"b": {Requests: 4, Failed: 1, Seconds: 0.01}, "a": {Requests: 0}}
	rows := trafficRows([]client.TrafficView{
		{Name: "p1", ByCluster: &load, UnderWay: 3, Held: 2},
		{Name: "p2", Tenant: &client.LoadView{Requests: 2, Seconds: 1}},
		{Name: "p3", Error: new("it does not answer")},
	}, "acme")
	var got []string
	for _, r := range rows {
		got = append(got, strings.Join(r, "|"))
	}
	want := []string{"p1|cluster a|0|0||3|2", "p1|cluster b|4|1|2.5ms||", "p1|tenant acme is not counted|||||", "p2|tenant acme|2|0|500ms|0|0", "p3|it does not answer|||||"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}
