package mover_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/mover"
)

// A sample tells how large the documents are, by reading few of them, and changes nothing.
func TestSample(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		r := newRigOn(t, n, n, `{"settings":{"number_of_shards":2,"number_of_replicas":0,"max_result_window":200}}`)
		sample := func() mover.Sample {
			t.Helper()
			s, err := r.mover(nil).Sample(t.Context())
			if err != nil || s.SourceTrip <= 0 || s.TargetTrip <= 0 {
				t.Fatalf("%+v, %v", s, err)
			}
			return s
		}
		if s := sample(); s.Docs != 0 || s.ReadRate != 0 || s.DocBytes != 0 {
			t.Errorf("of nothing: %+v", s)
		}
		r.fill(1000)
		r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
		want := float64(len(`{"n":100,"v":0,"text":"some text"}`))
		if s := sample(); s.Docs != 400 || s.Shards != 2 || math.Abs(s.DocBytes-want) > 2 || s.ReadRate <= 0 {
			t.Errorf("%+v; want about %v bytes a document", s, want)
		}
		// Large ones: few are read.
		for i := range 20 {
			r.call(r.src, "PUT", "/"+r.a+fmt.Sprintf("/_doc/large%d", i), "", `{"text":"`+strings.Repeat("x", 200_000)+`"}`, nil)
		}
		r.call(r.src, "POST", "/"+r.a+"/_delete_by_query", "refresh=true&scroll_size=200&conflicts=proceed", `{"query":{"match":{"text":"some"}}}`, nil)
		if s := sample(); s.Docs == 0 || s.Bytes > 4<<20 || math.Abs(s.DocBytes-200_011) > 1 {
			t.Errorf("of large documents: %+v", s)
		}
		if got := r.try(r.dst, "GET", "/"+r.b, ""); got != 404 {
			t.Errorf("the target: %d", got)
		}
	})
}
