package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
)

func TestParse(t *testing.T) {
	got, err := parse("Running 1s test\nRESULT 1000 2000000 0 0 700 9000\n")
	if want := (turn{Requests: 1000, Took: 2 * time.Second, P50: 700 * time.Microsecond, P99: 9 * time.Millisecond}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if got.CPU = 50 * time.Millisecond; got.rate() != 500 || got.perRequest() != 50 {
		t.Errorf("%v requests a second, %v us each", got.rate(), got.perRequest())
	}
	for _, out := range []string{"", "RESULT 10 x", "RESULT 1000 2000000 0 1 700 9000\n", "RESULT 1000 2000000 1 0 700 9000\n", "RESULT 0 2000000 0 0 0 0\n"} {
		if got, err := parse(out); err == nil {
			t.Errorf("%q is %+v", out, got)
		}
	}
}

// The stub has an answer to every kind of request, also behind a body of chunks.
func TestStub(t *testing.T) {
	text, err := answers()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s := newStub(text)
	go func() { _ = s.serve(l) }()
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	ask := func(method, path string, body io.Reader) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || len(b) == 0 {
			t.Errorf("%s %s: %s %.200s, %v", method, path, resp.Status, b, err)
		}
	}
	for _, r := range requests() {
		for _, index := range []string{indexWhole, indexShared} {
			path := strings.Replace(r.path, "docs", index, 1)
			ask(r.method, path+"?routing=x", strings.NewReader(r.body))
			ask(r.method, path, io.MultiReader(strings.NewReader(r.body))) // of no known length
		}
	}
	if n := s.bulks.Load(); n != 4 {
		t.Errorf("%d bulks were counted, want 4", n)
	}
}

// Each row is judged against its own target.
func TestReport(t *testing.T) {
	p := plan{Rounds: 1, Slice: time.Second, Connections: []int{16}}
	r := &results{plan: p, memory: &memory{Idle: 31, Connections: 50, Before: 40, Up: 41, Down: 60}, bulks: 1}
	add := func(subject, tenant, request string, rate int64, cpu time.Duration) {
		r.cells = append(r.cells, &cell{Subject: subject, Tenant: tenant, Request: request, Connections: 16, Turns: []turn{{Requests: rate, Took: time.Second, P99: time.Millisecond, CPU: cpu}}})
	}
	for _, q := range requests() {
		for s, rate := range map[string]int64{direct: 20_000, nginx: 10_000, haproxy: 11_000, reverse: 5000, sluice: 9000, leased: 9000} {
			add(s, tenantWhole, q.name, rate, time.Second/2)
		}
		add(sluice, tenantShared, q.name, 7000, 3*time.Second)
		if q.name == "GET" {
			add(engineOwn, tenantWhole, q.name, 10_000, time.Second/4)
			add(engineNetHTTP, tenantWhole, q.name, 8000, time.Second/2)
		}
	}
	for _, q := range requestsReal() {
		for s, rate := range map[string]int64{direct: 2000, nginx: 2000, reverse: 2000, sluice: 1500} {
			add(s, tenantReal, q.name, rate, time.Second/2)
		}
	}
	want := map[string]bool{
		"GET, 16 connections, requests a second/nginx":                          true,  // 0.9 of 0.8
		"GET, 16 connections, requests a second/ReverseProxy":                   false, // 1.8 of 2
		"search, 16 connections, p99/nginx":                                     true,
		"shared, GET, 16 connections, requests a second/pass-through":           false, // 0.78 of 0.85
		"shared, _bulk of 100, 16 connections, bulks a second/pass-through":     true,
		"shared, _bulk of 100, requests to clusters for each/":                  true,
		"before OpenSearch, PUT 256 B, 16 connections, requests a second/nginx": false, // 0.75 of 0.8
		"before OpenSearch, search, 16 connections, p99/nginx":                  true,
		"memory of `sluice proxy`, idle/":                                       false,
		"memory with 1,000 idle connections of clients/":                        true,
		"growth while a document of 64 MB is streamed/":                         true,
		"growth while an answer of 64 MB is streamed/":                          false,
		// 429 us where ReverseProxy takes 100, and 79 allow 45.
		"shared, GET, 16 connections, processor time of a request/ReverseProxy's GET": false,
	}
	engines := 0
	for _, row := range r.report(report.Machine{}).Rows {
		if strings.HasPrefix(row.What, "engine alone, GET") && row.Met == nil {
			engines++
		}
		name := row.What + "/" + row.Against
		if met, ok := want[name]; ok {
			if row.Met == nil || *row.Met != met {
				t.Errorf("%s: %+v, want met: %t", name, row, met)
			}
			delete(want, name)
		}
	}
	if engines != 2 {
		t.Errorf("%d rows about engines", engines)
	}
	if len(want) > 0 {
		t.Errorf("no rows: %v", want)
	}
}
