package mover_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/mover"
)

// A bulk body says, line by line and to any reader of JSON, what the operations are.
func FuzzEncode(f *testing.F) {
	f.Add("1", "r", []byte(`{"a": 1}`), int64(3), int64(9), int64(1), uint8(0))
	f.Add("\n\"\u2028<", "", []byte("{\r\n \"a\":\n\"\\n\"}"), int64(1<<62), int64(0), int64(1), uint8(5))
	f.Fuzz(func(t *testing.T, id, routing string, source []byte, version, seqNo, term int64, shape uint8) {
		if !json.Valid(source) || !utf8.ValidString(id) || !utf8.ValidString(routing) {
			return // neither comes out of a cluster's answer
		}
		ops := []mover.Op{
			{ID: id, Routing: routing, Version: version, Source: source, Index: int(shape >> 4)},
			{ID: id, Routing: routing, Delete: true, SeqNo: seqNo, Term: term},
			{ID: routing, Version: seqNo, Source: source},
		}
		ops = ops[:shape%4]
		rest := mover.Encode(ops)
		line := func() (l []byte) {
			l, after, ok := bytes.Cut(rest, []byte("\n"))
			if rest = after; !ok {
				t.Fatalf("%+v: a line is missing", ops)
			}
			return l
		}
		for _, o := range ops {
			type meta struct {
				Index       string `json:"_index"`
				ID          string `json:"_id"`
				Routing     string `json:"routing"`
				Version     int64  `json:"version"`
				VersionType string `json:"version_type"`
				SeqNo       int64  `json:"if_seq_no"`
				Term        int64  `json:"if_primary_term"`
			}
			var got map[string]meta
			if err := json.Unmarshal(line(), &got); err != nil {
				t.Fatal(err)
			}
			want := map[string]meta{"index": {Index: fmt.Sprintf("sluice-m-3-7-%d", o.Index), ID: o.ID, Routing: o.Routing, Version: o.Version, VersionType: "external_gte"}}
			if o.Delete {
				want = map[string]meta{"delete": {Index: fmt.Sprintf("sluice-m-3-7-%d", o.Index), ID: o.ID, Routing: o.Routing, SeqNo: o.SeqNo, Term: o.Term}}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Fatal(d)
			}
			if o.Delete {
				continue
			}
			var a, b bytes.Buffer
			if json.Compact(&a, line()) != nil || json.Compact(&b, o.Source) != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
				t.Fatalf("%q was sent as %q", b.Bytes(), a.Bytes())
			}
		}
		if len(rest) > 0 {
			t.Fatalf("%q is left", rest)
		}
	})
}

// An operation counts as applied only if its own status says so; what is not
// understood is unknown, and the whole answer is an error if its length is.
func FuzzDecodeBulk(f *testing.F) {
	f.Add([]byte(`{"items":[{"index":{"status":201}},{"delete":{"status":404,"error":{"type":"t","reason":"r"}}}]}`), 2)
	f.Add([]byte(`{"items":[{"index":{"status":409},"delete":{"status":200}},{},null,{"index":{"status":429}},{"index":{"status":503}}]}`), 5)
	f.Add([]byte(`{"items":[{"index":{"status":2000}},{"delete":{"status":404}},{"index":{"status":-200}}]}`), 3)
	f.Add([]byte(`{"items":[{"index":{"status":201}},{"index":{"status":200}}]}`), 2)
	f.Fuzz(func(t *testing.T, raw []byte, n int) {
		if n < 0 || n > 100 {
			return
		}
		got, err := mover.Outcomes(raw, n)
		if err != nil {
			return
		}
		var ans struct{ Items []map[string]map[string]any }
		if len(got) != n || json.Unmarshal(raw, &ans) != nil || len(ans.Items) != n {
			t.Fatalf("%q: %d outcomes of %d operations", raw, len(got), n)
		}
		for i, item := range ans.Items {
			if len(item) != 1 {
				if got[i] != "unknown" {
					t.Fatalf("%q: item %d is %s", raw, i, got[i])
				}
				continue
			}
			for _, r := range item {
				if len(r) != len(keys(r)) {
					return // one member written in two ways: either may count
				}
				r = folded(r)
				status, _ := r["status"].(float64)
				done := status >= 200 && status < 300 || status == 404 && r["error"] == nil
				if (got[i] == "applied") != done || got[i] == "" || got[i] == "again" && status != 429 || got[i] == "conflict" && status != 409 || got[i] == "rejected" && (status < 400 || status > 499) {
					t.Fatalf("%q: item %d is %s", raw, i, got[i])
				}
			}
		}
	})
}

// folded is an object with its members' names in lower case.
func folded(r map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range r {
		out[strings.ToLower(k)] = v
	}
	return out
}

// keys are an object's members as encoding/json takes them, in any case.
func keys(r map[string]any) map[string]bool {
	out := map[string]bool{}
	for k := range r {
		out[strings.ToLower(k)] = true
	}
	return out
}

// What SyncMeta sets at the target makes it what the source is, and nothing that
// belongs to a cluster is carried over.
func FuzzSettings(f *testing.F) {
	f.Add(`{"index.uuid":"1","index.max_result_window":"5","index.query.default_field":["a","b"],"index.version.created":"7"}`, `{"index.uuid":"2","index.max_ngram_diff":"3"}`)
	f.Add(`{"index.blocks.write":"true","index.hidden":"false","index.priority":"1"}`, `{}`)
	f.Fuzz(func(t *testing.T, source, target string) {
		read := func(text string) map[string]string {
			var raw map[string]json.RawMessage
			if json.Unmarshal([]byte(text), &raw) != nil {
				return nil
			}
			out := map[string]string{}
			for k, v := range raw {
				var s string
				var list []string
				if json.Unmarshal(v, &s) != nil && (json.Unmarshal(v, &list) != nil || !utf8.Valid(v)) || string(v) == "null" {
					return nil // a cluster's settings are text and lists of it
				}
				out[k] = mover.SettingText(v)
				if back, err := json.Marshal(mover.SettingValue(out[k])); err != nil || list != nil && !equalJSON(back, v) || list == nil && !strings.HasPrefix(s, "[") && !equalJSON(back, v) {
					t.Fatalf("%s becomes %q and then %s, %v", v, out[k], back, err)
				}
			}
			return out
		}
		src, dst := read(source), read(target)
		if src == nil || dst == nil {
			return
		}
		set := mover.Different(src, dst)
		for k, v := range set {
			for _, own := range []string{"index.uuid", "index.blocks.", "index.version.", "index.creation_date", "index.routing.allocation."} {
				if strings.HasPrefix(k, own) && (strings.HasSuffix(own, ".") || k == own) {
					t.Fatalf("%s is set", k)
				}
			}
			if v == nil {
				delete(dst, k)
				continue
			}
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			dst[k] = mover.SettingText(b)
		}
		want, got := mover.Carried(src), mover.Carried(dst)
		for k, v := range got {
			if strings.HasPrefix(v, "[") && equalJSON([]byte(v), []byte(want[k])) {
				got[k] = want[k] // white space in a list
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("after %v the target differs (-source +target):\n%s", set, d)
		}
	})
}

func equalJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && cmp.Equal(x, y)
}

// A task that names one of the indices is never overlooked, whatever else its
// description says.
func FuzzTouches(f *testing.F) {
	f.Add("update-by-query ", "other", "docs")
	f.Add("reindex from [x] updated with Script{[", "]to", "größe")
	f.Fuzz(func(t *testing.T, before, other, ours string) {
		if strings.ContainsAny(ours+other, "[],*?<") || strings.TrimSpace(ours) != ours || ours == "" || strings.Contains(before, "[") {
			return
		}
		for _, d := range []string{before, before + "[" + ours + "]", before + "[" + other + ", " + ours + "] tail", before + "[" + other + "][" + ours, before + "[" + other + "*]"} {
			if !mover.Touches(d, ours) {
				t.Fatalf("%q does not touch %q", d, ours)
			}
		}
		if d := "x [" + other + "x]"; other+"x" != ours && strings.TrimSpace(other) == other && mover.Touches(d, ours) && other+"x" != "_all" {
			t.Fatalf("%q touches %q", d, ours)
		}
	})
}

// The lists of names in paths are the names, each once and in order, and no path is
// too long for a cluster.
func FuzzLists(f *testing.F) {
	f.Add("a b größe", 3)
	f.Add(strings.Repeat("x", 255)+" y", 40)
	f.Fuzz(func(t *testing.T, text string, n int) {
		names := strings.Fields(strings.ReplaceAll(text, ",", "x"))
		if n < 0 || n > 50 || len(text) > 2000 {
			return
		}
		for _, name := range names {
			if len(name) > 255 {
				return // no index has such a name
			}
		}
		names = slices.Repeat(names, n)
		var got []string
		for _, path := range mover.Lists(names) {
			if len(path) > 4000 {
				t.Fatalf("a path of %d bytes", len(path))
			}
			for p := range strings.SplitSeq(path, ",") {
				name, err := url.PathUnescape(p)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, name)
			}
		}
		if !slices.Equal(names, got) {
			t.Fatalf("%q became %q", names, got)
		}
	})
}

// A pipeline that holds a script anywhere may change ids.
func FuzzPipeline(f *testing.F) {
	f.Add([]byte(`{"processors":[{"set":{"field":"a","value":1}}],"on_failure":[{"pipeline":{"name":"p"}}]}`), "set")
	f.Add([]byte(`{"processors":[{"foreach":{"field":"a","processor":{"set":{"field":"_id"}}}},{"set":null},{}]}`), "foreach")
	f.Fuzz(func(t *testing.T, raw []byte, kind string) {
		if _, _, err := mover.Rewrites(raw); err != nil {
			return
		}
		var p map[string]any
		if json.Unmarshal(raw, &p) != nil || p == nil || len(p) != len(keys(p)) {
			return
		}
		script := map[string]any{"script": map[string]any{"source": "ctx._id = 'x'"}}
		for name, add := range map[string]any{
			"processors": script,
			"on_failure": map[string]any{kind: map[string]any{"field": "a", "on_failure": []any{script}}},
		} {
			old := p[name]
			list, _ := old.([]any)
			p[name] = append(slices.Clone(list), add)
			b, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			if rewrites, _, err := mover.Rewrites(b); err != nil || !rewrites {
				t.Fatalf("%s is taken for harmless: %v", b, err)
			}
			p[name] = old
		}
	})
}

// Documents that a cluster answers with are as many as were asked for, and a page of
// a scan is whole and of one index, or there is an error: it would pass for the end.
func FuzzDocs(f *testing.F) {
	f.Add([]byte(`{"docs":[{"_index":"i","_id":"1","found":true,"_version":3},{"_id":"2","error":{"type":"routing_missing_exception"}}]}`), uint8(2))
	f.Add([]byte(`{"docs":[null]}`), uint8(1))
	f.Add([]byte(`{"timed_out":false,"_shards":{"total":1,"successful":1},"hits":{"hits":[{"_index":"i","_id":"1","sort":[1]}]}}`), uint8(0))
	f.Add([]byte(`{"_shards":{"total":2,"successful":1,"failed":1},"hits":{"hits":[]}}`), uint8(0))
	f.Add([]byte(`{"_shards":{"successful":1},"hits":{"hits":[{"_index":"other"}]}}`), uint8(0))
	f.Fuzz(func(t *testing.T, raw []byte, n uint8) {
		n %= 6
		if found, err := mover.Fetch(raw, int(n)); err == nil {
			var ans struct {
				Docs []struct {
					Found bool
					Error any
				}
			}
			if len(found) != int(n) || json.Unmarshal(raw, &ans) != nil || len(ans.Docs) != int(n) {
				t.Fatalf("%q: %d documents of %d", raw, len(found), n)
			}
			for i, d := range ans.Docs {
				if d.Error != nil && found[i] {
					t.Fatalf("%q: a document that could not be read is there", raw)
				}
			}
		}
		ids, err := mover.Hits(raw)
		if err != nil {
			return
		}
		var ans struct {
			TimedOut bool `json:"timed_out"`
			Shards   struct{ Successful, Failed int }
			Under    struct{ Successful, Failed int } `json:"_shards"`
			Hits     struct {
				Hits []struct {
					Index string `json:"_index"`
				}
			}
		}
		if json.Unmarshal(raw, &ans) != nil || ans.TimedOut || ans.Under.Failed > 0 || ans.Under.Successful != 1 || len(ids) != len(ans.Hits.Hits) {
			t.Fatalf("%q is taken for a page", raw)
		}
		for _, h := range ans.Hits.Hits {
			if h.Index != "i" {
				t.Fatalf("%q is taken for a page of i", raw)
			}
		}
	})
}
