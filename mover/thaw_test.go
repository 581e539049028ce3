package mover_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// mappings counts the mappings that are put, and loses what fault says: the next of them,
// or its answer.
type mappings struct {
	*http.Transport
	mu    sync.Mutex
	n     int
	fault string
}

func (c *mappings) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Method == http.MethodGet || !strings.HasSuffix(q.URL.Path, "/_mapping") {
		return c.Transport.RoundTrip(q)
	}
	c.mu.Lock()
	c.n++
	fault := c.fault
	c.fault = ""
	c.mu.Unlock()
	if fault == "request" {
		return nil, errors.New("lost")
	}
	resp, err := c.Transport.RoundTrip(q)
	if fault == "answer" && err == nil {
		resp.Body.Close()
		return nil, errors.New("lost")
	}
	return resp, err
}

func (c *mappings) lose(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = what
}

// since returns how many there were since the last call.
func (c *mappings) since() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.n
	c.n = 0
	return n
}

// counting has the rig reach its target through one.
func (r *rig) counting(n *engines.OpenSearch) *mappings {
	r.t.Helper()
	c := &mappings{Transport: &http.Transport{}}
	r.t.Cleanup(c.CloseIdleConnections)
	dst, err := upstream.New(placement.Cluster{Name: "b", Endpoints: []string{n.URL()}}, &upstream.Options{Transport: c})
	if err != nil {
		r.t.Fatal(err)
	}
	r.dst = dst
	return c
}

const explicit = `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":false,"properties":{"n":{"type":"long"},"o":{"properties":{"k":{"type":"keyword"}}}}}}`

// A cutover of documents that have no unmapped field puts no mapping while writes are
// held, though the mapping says something of dynamic; one with such a field has the target
// frozen before it is written, and thawed by the seal.
func TestSealPutsNoMappingUnlessADocumentNeedsIt(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		r := newRigOn(t, n, n, explicit)
		c := r.counting(n)
		r.call(r.src, "PUT", "/"+r.a+"/_doc/1", "", `{"n":1,"day":"2024-01-01"}`, nil) // day is not mapped
		r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", `{"dynamic":true}`, nil)
		r.fill(20)
		m := r.taken(nil)
		r.copyAll(m)
		c.since()
		if err := m.Ready(t.Context()); err != nil || c.since() != 1 {
			t.Fatalf("ready: %v", err)
		}
		if err := m.Ready(t.Context()); err != nil || c.since() != 0 {
			t.Fatalf("ready again: %v, or it put a mapping", err)
		}
		r.call(r.src, "PUT", "/"+r.a+"/_doc/d1", "", `{"n":5,"o":{"k":"x"}}`, nil)
		r.apply(m, ref("d1", ""))
		if err := m.Seal(t.Context(), nil); err != nil || c.since() != 0 {
			t.Fatalf("seal: %v, or it put a mapping", err)
		}
		r.sameMappings(m, 21)

		if err := m.Take(t.Context(), false); err != nil { // opened again
			t.Fatal(err)
		}
		r.apply(m, ref("d1", ""), ref("1", ""))
		if c.since() != 1 {
			t.Error("a document with an unmapped field was written to a target that maps it")
		}
		r.apply(m, ref("1", ""))
		if c.since() != 0 {
			t.Error("it was frozen twice")
		}
		if err := m.Seal(t.Context(), nil); err != nil || c.since() != 1 {
			t.Fatalf("seal: %v, or it put no mapping", err)
		}
		r.sameMappings(m, 21)
		r.call(r.dst, "PUT", "/"+r.b+"/_doc/after", "", `{"new":1.5}`, nil)
		if mp := r.mapping(r.dst, r.b); !strings.Contains(mp, `"new":{"type":"float"}`) {
			t.Errorf("dynamic is not what it is at the source: %s", mp)
		}
	})
}

// The mapping that a target is given before the cutover may be lost, or its answer; it is
// the same for the one that freezes it again. And whoever takes over knows of neither.
func TestThawAndFreezeAreLost(t *testing.T) {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	for _, step := range []string{"thaw", "freeze"} {
		for _, fault := range []string{"request", "answer"} {
			for _, heir := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/heir=%t", step, fault, heir), func(t *testing.T) {
					r := newRigOn(t, n, n, explicit)
					c := r.counting(n)
					r.call(r.src, "PUT", "/"+r.a+"/_doc/1", "", `{"n":1,"day":"2024-01-01"}`, nil)
					r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", `{"dynamic":true}`, nil)
					r.fill(20)
					m := r.taken(nil)
					r.copyAll(m)
					apply := func() error {
						_, err := m.Apply(t.Context(), []gate.DocRef{ref("1", "")})
						return err
					}
					failing := apply
					if step == "thaw" {
						failing = func() error { return m.Ready(t.Context()) }
					} else if err := m.Ready(t.Context()); err != nil {
						t.Fatal(err)
					}
					c.lose(fault)
					if err := failing(); err == nil {
						t.Fatal("the fault did not happen")
					}
					if heir {
						m = r.heir(m.Indexes(), 2)
					}
					if err := apply(); err != nil {
						t.Fatal(err)
					}
					if mp := r.mapping(r.dst, r.b); strings.Contains(mp, "day") {
						t.Errorf("the target has mapped what the source has not: %s", mp)
					}
					r.sealed(m)
					r.sameMappings(m, 21)
				})
			}
		}
	}
}

// A mapping or a setting that a mover sends when it has been replaced, and the move has
// flipped, changes nothing of what is the tenant's by then.
func TestStaleMetadataIsRefused(t *testing.T) {
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	for _, suffix := range []string{"/_mapping", "/_settings"} {
		t.Run(suffix, func(t *testing.T) {
			r := newRigOn(t, n, n, explicit)
			r.fill(20)
			method := http.MethodPut
			if suffix == "/_mapping" {
				method = http.MethodPost
			}
			s, slow := newSleeper(t, n, method, "not yet")
			first := r.taken(nil)
			r.copyAll(first)
			fast := r.dst
			r.dst = slow
			stale := r.heir(first.Indexes(), 2)
			r.dst = fast
			s.suffix = suffix // a Take changes settings, too
			r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", `{"properties":{"more":{"type":"keyword"}}}`, nil)
			r.call(r.src, "PUT", "/"+r.a+"/_settings", "", `{"index.max_result_window":4321}`, nil)
			ended := make(chan error, 1)
			go func() {
				_, err := stale.SyncMeta(context.WithoutCancel(t.Context()))
				ended <- err
			}()
			<-s.asleep
			heir := r.heir(first.Indexes(), 3)
			r.sealed(heir)
			if err := heir.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.call(r.dst, "PUT", "/"+r.b+"/_mapping", "", `{"dynamic":"strict"}`, nil) // the tenant's
			r.call(r.dst, "PUT", "/"+r.b+"/_settings", "", `{"index.max_result_window":1234}`, nil)
			close(s.awake)
			if err := <-ended; !errors.Is(err, mover.ErrFenced) {
				t.Errorf("the stale mover's change: %v", err)
			}
			var set map[string]struct{ Settings map[string]string }
			r.call(r.dst, "GET", "/"+r.b+"/_settings", "flat_settings=true", "", &set)
			if mp := r.mapping(r.dst, r.b); !strings.Contains(mp, `"dynamic":"strict"`) || set[r.b].Settings["index.max_result_window"] != "1234" {
				t.Errorf("the tenant's metadata was changed: %s, %v", mp, set)
			}
		})
	}
}

// Which documents have the target frozen, and that the target maps nothing by those that
// do not: OpenSearch says so.
func TestWhichDocumentsMapNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, n *engines.OpenSearch) {
		r := newRigOn(t, n, n, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":"false","properties":{
			"n":{"type":"long","fields":{"raw":{"type":"keyword"}}},
			"where":{"type":"geo_point"},
			"o":{"dynamic":"false","properties":{"k":{"type":"keyword"},"deep":{"dynamic":"false","properties":{"x":{"type":"text"}}}}},
			"in":{"type":"nested","properties":{"k":{"type":"keyword"}}},
			"off":{"type":"object","enabled":false},
			"properties":{"properties":{"dynamic":{"type":"long"}}}}}}`)
		c := r.counting(n)
		cases := []struct {
			source string
			maps   bool // it may: the target is frozen first
		}{
			{`{}`, false}, {`{"n":1}`, false}, {`{"n":[1,2,null]}`, false}, {`{"where":{"lat":1,"lon":2}}`, false}, {`{"where":[1,2]}`, false},
			{`{"m":1}`, true}, {`{"m":null}`, true}, {`{"m":{}}`, true}, {`{"m":{"a":1}}`, true},
			{`{"o":{"k":"x"}}`, false}, {`{"o":{"z":"x"}}`, false}, {`{"o":{"z":{"a":1}}}`, false}, {`{"o.k":"x"}`, false}, {`{"o.z":1}`, false}, {`{"o.z.y":1}`, false},
			{`{"o":{"deep":{"x":1}}}`, false}, {`{"o":{"deep":{"y":1}}}`, true}, {`{"o.deep.y":1}`, true}, {`{"o":{"deep.x":1}}`, false}, {`{"o":[{"deep":[{"x":1},{"y":1}]}]}`, true},
			{`{"in":[{"k":1},{"k":2}]}`, false}, {`{"in":[{"k":1},{"j":2}]}`, true}, {`{"in":null}`, false}, {`{"in":[[{"k":1}]]}`, false},
			{`{"off":{"a":{"b":1}}}`, false}, {`{"properties":{"dynamic":1}}`, false}, {`{"properties":{"n":1}}`, true},
			{`{"n":1 /* what OpenSearch takes for white space */}`, false},
		}
		for k, x := range cases {
			r.call(r.src, "PUT", fmt.Sprintf("/%s/_doc/%d", r.a, k), "", x.source, nil)
		}
		r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", `{"dynamic":"true","properties":{"o":{"type":"object","properties":{"deep":{"type":"object","dynamic":"true"}}},"in":{"type":"nested","dynamic":"true"}}}`, nil)
		r.call(r.src, "POST", "/"+r.a+"/_refresh", "", "", nil)
		m := r.taken(nil)
		r.copyAll(m)
		for k, x := range cases {
			if err := m.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.since()
			r.apply(m, ref(fmt.Sprint(k), ""))
			if froze := c.since() != 0; froze != x.maps {
				t.Errorf("%s: frozen %t", x.source, froze)
			}
		}
		r.sealed(m)
		r.sameMappings(m, int64(len(cases)))
	})
}

// A mapping by which a value may map what it does not name is left to the seal.
func TestMappingsThatAreNotThawed(t *testing.T) {
	r := newRig(t, `{"settings":{"number_of_shards":1,"number_of_replicas":0},"mappings":{"dynamic":false,"properties":{"n":{"type":"long"},"to":{"type":"text"},"a":{"type":"text","copy_to":["to","nowhere"]}}}}`)
	n := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	c := r.counting(n)
	r.call(r.src, "PUT", "/"+r.a+"/_doc/1", "refresh=true", `{"a":"x"}`, nil)
	r.call(r.src, "PUT", "/"+r.a+"/_mapping", "", `{"dynamic":true}`, nil)
	m := r.taken(nil)
	r.copyAll(m)
	c.since()
	if err := m.Ready(t.Context()); err != nil || c.since() != 0 {
		t.Fatalf("ready: %v, or it put a mapping", err)
	}
	r.apply(m, ref("1", ""))
	if err := m.Seal(t.Context(), nil); err != nil || c.since() != 1 {
		t.Fatalf("seal: %v, or it put no mapping", err)
	}
	r.sameMappings(m, 1)
}
