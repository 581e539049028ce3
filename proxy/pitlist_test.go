package proxy_test

import (
	"encoding/base64"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/proxy"
)

// A tenant lists and closes the points in time of its own index and no others, on
// both versions of OpenSearch, whose ids are read.
func TestAllPointsInTime(t *testing.T) {
	for _, version := range []string{engines.OpenSearch2, engines.OpenSearch3} {
		t.Run(version, func(t *testing.T) {
			u := enginetest.SharedOpenSearch(t, version).URL()
			indices := []string{placeA.Index, placeB.Index, "acme-1x", "ünïcode-索引"}
			for _, i := range indices {
				send(t, u, "DELETE", "/"+i, "")
				send(t, u, "PUT", "/"+i, `{"settings":{"number_of_shards":3,"number_of_replicas":0}}`).want(t, 200)
			}
			send(t, u, "DELETE", "/_search/point_in_time/_all", "")
			r := newRig(t, u, u, nil)
			r.register(acme, placeA)
			r.register("whole", placement.Placement{Kind: placement.DedicatedCluster, Cluster: "a"})
			for _, names := range [][]string{{"acme-1x"}, {"acme-1", "acme-1x"}, {"ünïcode-索引", "acme-2"}} {
				pit := send(t, u, "POST", "/"+strings.Join(names, ",")+"/_search/point_in_time?keep_alive=5m", "").want(t, 200).str("pit_id")
				got, err := proxy.PITIndices(pit)
				slices.Sort(got)
				slices.Sort(names)
				if err != nil || len(got) != 3*len(names) || !slices.Equal(slices.Compact(got), names) {
					t.Fatalf("the id of a point in time of %v is read as one of %v: %v", names, got, err)
				}
			}
			r.do("GET", "/_search/point_in_time/_all", "").want(t, 200, "pits/0", nil)
			r.do("DELETE", "/_search/point_in_time/_all", "").want(t, 200, "pits/0", nil)
			r.do("PUT", "/docs/_doc/1?refresh=true", `{}`).want(t, 201)
			for range 2 {
				r.do("POST", "/docs/_search/point_in_time?keep_alive=7m", "").want(t, 200)
			}
			list := r.do("GET", "/_search/point_in_time/_all", "").want(t, 200, "pits/1/keep_alive", "420000", "pits/2", nil)
			r.do("POST", "/_search", `{"pit":{"id":"`+list.str("pits/0/pit_id")+`"}}`).want(t, 200, "hits/hits/0/_index", "docs")
			if all := r.as("whole", "GET", "/_search/point_in_time/_all", "").want(t, 200, "pits/5", nil); all.str("pits/4/pit_id") == "" {
				t.Errorf("a cluster's tenant does not see all five: %s", all.raw)
			}
			closed := r.do("DELETE", "/_search/point_in_time/_all", "").want(t, 200, "pits/0/successful", true, "pits/1/successful", true, "pits/2", nil)
			if closed.str("pits/0/pit_id") == "" {
				t.Errorf("%s", closed.raw)
			}
			r.do("POST", "/_search", `{"pit":{"id":"`+list.str("pits/0/pit_id")+`"}}`).want(t, 404)
			r.as("whole", "GET", "/_search/point_in_time/_all", "").want(t, 200, "pits/2/keep_alive", "300000", "pits/3", nil)
			r.step(placement.OpBegin)
			r.do("GET", "/_search/point_in_time/_all", "").want(t, 409, "error/type", "sluice_moving")
			r.do("DELETE", "/_search/point_in_time/_all", "").want(t, 409, "error/type", "sluice_moving")
			r.as("whole", "DELETE", "/_search/point_in_time/_all", "").want(t, 200, "pits/2/successful", true)
			send(t, u, "GET", "/_search/point_in_time/_all", "").want(t, 200, "pits/0", nil)
		})
	}
}

// An id that is not read does not become one of the tenant's.
func TestAllPointsInTimeOfAnotherKind(t *testing.T) {
	for _, body := range []string{`{"pits":[{"pit_id":"AAAA"},{"pit_id":"AgE"}]}`, `{"pits":[{"pit_id":"?"}]}`, `[]`, `{"pits":[{"pit_id":"`} {
		r, sent := canned(t, 200, body)
		r.register("own", placeA)
		r.as("own", "DELETE", "/_search/point_in_time/_all", "").want(t, 502, "error/type", proxy.TypeUpstream)
		if path, _ := sent(); !strings.HasSuffix(path, "/_search/point_in_time/_all") {
			t.Errorf("after %s it went on to %s", body, path)
		}
	}
}

// Names that were written are read again, and whatever else is no id.
func FuzzPITID(f *testing.F) {
	f.Add([]byte("acme-1"), "docs", uint8(2))
	f.Add([]byte{0xff, 0x80, 1}, "ü索😀", uint8(200))
	f.Fuzz(func(t *testing.T, other []byte, name string, shards uint8) {
		if names, err := proxy.PITIndices(base64.URLEncoding.EncodeToString(other)); err != nil && names != nil {
			t.Fatalf("%x: %v and %v", other, names, err)
		}
		if !utf8.ValidString(name) {
			return
		}
		b := binary.AppendUvarint(nil, 137000000)
		b = binary.AppendUvarint(b, uint64(shards))
		for i := range shards {
			b = wireText(wireText(b, name), "uuid")
			b = wireText(binary.AppendUvarint(b, uint64(i)), "node")
			if i%2 == 1 {
				b = wireText(append(b, 1), "remote")
			} else {
				b = append(b, 0)
			}
			b = wireText(binary.BigEndian.AppendUint64(b, 77), "session")
		}
		names, err := proxy.PITIndices(base64.URLEncoding.EncodeToString(append(b, other...)))
		if err != nil || len(names) != int(shards) || shards > 0 && names[shards-1] != name {
			t.Fatalf("%d shards of %q are read as %q: %v", shards, name, names, err)
		}
		if shards > 0 {
			if _, err := proxy.PITIndices(base64.URLEncoding.EncodeToString(b[:len(b)-1])); err == nil {
				t.Fatalf("a part of an id of %q passes for one", name)
			}
		}
	})
}

// wireText writes a text as OpenSearch's nodes do.
func wireText(b []byte, s string) []byte {
	units := []rune{}
	for _, c := range s {
		if c > 0xffff {
			c -= 0x10000
			units = append(units, 0xd800+c>>10, 0xdc00+c&0x3ff)
			continue
		}
		units = append(units, c)
	}
	b = binary.AppendUvarint(b, uint64(len(units)))
	for _, c := range units {
		switch {
		case c > 0 && c < 0x80:
			b = append(b, byte(c))
		case c < 0x800:
			b = append(b, 0xc0|byte(c>>6), 0x80|byte(c&0x3f))
		default:
			b = append(b, 0xe0|byte(c>>12), 0x80|byte(c>>6&0x3f), 0x80|byte(c&0x3f))
		}
	}
	return b
}
