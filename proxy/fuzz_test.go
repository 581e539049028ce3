package proxy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/proxy"
)

// readable leaves out what the rewriter refuses, or does not look into, for its
// size alone.
func readable(b []byte) bool { return len(b) <= 1000 }

// The rewriter takes JSON and nothing else, and what it writes is what a program
// that holds the whole text in memory would write.
func FuzzRewrite(f *testing.F) {
	for _, s := range []string{
		`{"_index":"p"}`, `{"a":[1,{"b":"\u00e9"}]}`, `nul`, `{"a":1,}`, `01`, `"\x"`, `{} {}`, "\"\x01\"", `{"error":{"reason":"p"}}`, `{"_primary_term":7}`,
		`{"p":{"_index":"p","_index":"q"}}`, `{"hits":[{"_index":"\u0070","_source":{"_index":"p"}}],"fields":{"index":"p"}}`, `{"index":true,"_primary_term":"7"}`,
		`{"shards":{"id":"x[p]"},"profile":{"id":"p-p p"},"reason":"\ud800 p"}`,
	} {
		f.Add([]byte(s), uint32(1))
	}
	f.Fuzz(func(t *testing.T, b []byte, incarnation uint32) {
		if !readable(b) {
			return
		}
		out, err := proxy.RewriteTop(b, "p", "l", incarnation)
		if valid := json.Valid(b); valid != (err == nil) {
			t.Fatalf("valid JSON: %t, but: %v", valid, err)
		}
		if err != nil {
			if !proxy.IsSyntax(err) {
				t.Fatalf("not an error of the text: %v", err)
			}
			return
		}
		want, err := proxy.Reference(b, "p", "l", incarnation)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := proxy.Canonical(out); err != nil || got != want {
			t.Fatalf("%s became %s (%v)\n got %s\nwant %s", b, out, err, got, want)
		}
		if same, _ := proxy.Rewrite(b, "", "", 0); !bytes.Equal(same, b) {
			t.Fatalf("changed without a reason: %s", same)
		}
	})
}

// No body gets through that OpenSearch would read documents of another index for.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		`{"query":{"terms":{"f":{"index":"other","id":"1"}}}}`, `{"query":{"bool":{"must":[{"terms":{"f":{"index":"l"}}}]}}}`,
		`{"docs":[{"_index":5,"_id":"1"},{"_index":"l"}]}`, `{"docs":[{"_index":true}]}`, "{\"docs\":[{\"\xc1\x9findex\":\"other\"}]}",
		`{"query":{"more_like_this":{"like":[{"_index":"l","doc":{"_index":"x"}}]}}}`, `{"query":{"geo_shape":{"g":{"indexed_shape":{"index":"other"}}}}}`,
		`{"query":{"percolate":{"index":"l","document":{"terms":{"f":{"index":"x"}}}}}}`, `{"query":{"wrapper":{"query":"e30="}}}`,
		`{"query":{"terms":{"f":{"\u0069ndex":"other","index":"l"}}}}`, `{"indices_boost":[{"l":2}],"query":{"term":{"_index":{"value":"l"}}}}`,
		`{"query":{"script":{"script":{"params":{"terms":{"f":{"index":"x"}}}}}}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !readable(b) {
			return
		}
		out, err := proxy.CheckQuery(b, "p", "l")
		if err != nil || len(bytes.TrimSpace(b)) == 0 {
			return
		}
		if !json.Valid(b) || !json.Valid(out) || !utf8.Valid(b) {
			t.Fatalf("let through: %q as %q", b, out)
		}
		if at := foreign(out, "p"); at != "" {
			t.Fatalf("%q became %q, which refers to another index at %s", b, out, at)
		}
		want, err := proxy.ReferenceQuery(b, "p", "l")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := proxy.Canonical(out); err != nil || got != want {
			t.Fatalf("%q became %q (%v)\n got %s\nwant %s", b, out, err, got, want)
		}
	})
}

// foreign looks for a reference to an index other than own, in the places where
// OpenSearch's parsers read one, and returns where it is. own may be a pattern.
func foreign(b []byte, own string) (at string) {
	front, back, many := strings.Cut(own, "*")
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var walk func(path []string)
	end := func(path []string, n int) string {
		if len(path) < n {
			return ""
		}
		return path[len(path)-n]
	}
	opaque := 0
	walk = func(path []string) {
		t, _ := d.Token()
		switch v := t.(type) {
		case json.Delim:
			for d.More() {
				if v == '[' {
					walk(path)
					continue
				}
				k, _ := d.Token()
				key, parent := k.(string), end(path, 1)
				hidden := parent == "script" && key == "params" || parent == "percolate" && (key == "document" || key == "documents") ||
					(parent == "like" || parent == "unlike") && key == "doc"
				if hidden {
					opaque++
				}
				walk(append(slices.Clone(path), key))
				if hidden {
					opaque--
				}
			}
			_, _ = d.Token()
		case nil:
		default:
			parent := end(path, 2)
			lookup := end(path, 1) == "index" && (parent == "percolate" || parent == "indexed_shape" || end(path, 3) == "terms") ||
				end(path, 1) == "_index" && (parent == "like" || parent == "unlike" || parent == "docs")
			if lookup && opaque == 0 {
				name := fmt.Sprint(v)
				if many && !(strings.HasPrefix(name, front) && strings.HasSuffix(name, back) && !strings.ContainsAny(name, "*,<:")) || !many && name != own {
					at = strings.Join(path, ".")
				}
			}
		}
	}
	walk(nil)
	return at
}

// Every search of a multi-search goes to the tenant's index, and to no other.
func FuzzMsearch(f *testing.F) {
	f.Add([]byte("{}\n{\"query\":{\"match_all\":{}}}\n"))
	f.Add([]byte("null\n{}\n{\"index\":[\"l\"],\"indices\":\"l\",\"routing\":\"r\"}\n{}"))
	f.Add([]byte("\n{\"query\":{\"terms\":{\"f\":{\"index\":\"x\"}}}}\n"))
	f.Add([]byte("{\"index\":\"l\",\"index\":\"x\"}\n{}\n"))
	f.Add([]byte("{\"\xc1\xa9ndex\":\"x\"}\n{}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !readable(b) {
			return
		}
		out, err := proxy.Msearch(b, "p", "l")
		if err != nil || len(out) == 0 {
			return
		}
		if !utf8.Valid(out) {
			t.Fatalf("%q became %q, which is not UTF-8", b, out)
		}
		lines := bytes.Split(bytes.TrimSuffix(out, []byte("\n")), []byte("\n"))
		if len(lines)%2 != 0 || len(lines) < bytes.Count(bytes.TrimSpace(b), []byte("\n")) {
			t.Fatalf("%q became %d lines: %q", b, len(lines), out)
		}
		for i, line := range lines {
			var m map[string]any
			if err := json.Unmarshal(line, &m); err != nil && i%2 == 0 || !json.Valid(line) {
				t.Fatalf("%q became %q: line %d is no JSON: %v", b, out, i+1, err)
			}
			if _, more := m["indices"]; i%2 == 0 && (m["index"] != "p" || more || bytes.Count(line, []byte(`"index":`)) != 1) {
				t.Fatalf("%q became %q: the header in line %d does not name p alone", b, out, i+1)
			}
			if at := foreign(line, "p"); i%2 == 1 && at != "" {
				t.Fatalf("%q became %q, which refers to another index at %s", b, out, at)
			}
		}
	})
}

// An action line is what encoding/json finds in it, and what is sent is that again.
func FuzzAction(f *testing.F) {
	for _, s := range []string{
		`{"index":{"_index":"a","_id":"1","routing":"r","if_seq_no":3,"if_primary_term":1}}`, `{"delete":{"_id":5}}`,
		`{"update":{"_id":"1","_source":["a"],"retry_on_conflict":3}} `, `{"index":{}}{}`, `{"index":{"_id":"1","_id":"2"}}`, `{"create":null}`,
		"{\"index\":{\"_id\":\"\xff\"}}", `{"index":{"_id":true,"routing":1.50,"pipeline":null}}`, `{"index":{"_id":"\ud800"}}`, "{\"index\":{\"_source\":{\"a\":\r1}}}",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out, verb, id, index, err := proxy.Action(b)
		if err != nil {
			return
		}
		var whole map[string]map[string]json.RawMessage
		if err := json.Unmarshal(b, &whole); err != nil || len(whole) != 1 || whole[verb] == nil || !utf8.Valid(b) {
			t.Fatalf("%q was taken for %s: %v", b, verb, err)
		}
		want := map[string]string{}
		for k, raw := range whole[verb] {
			if string(raw) == "null" {
				continue
			}
			want[k] = string(raw)
			if known := []string{"_index", "_id", "routing", "pipeline", "if_seq_no", "if_primary_term"}; slices.Contains(known, k) {
				text := string(raw)
				if raw[0] == '"' {
					if err := json.Unmarshal(raw, &text); err != nil {
						t.Fatal(err)
					}
				}
				if want[k] = text; text == "" {
					delete(want, k)
				}
			}
		}
		if want["_id"] != id || want["_index"] != index {
			t.Fatalf("%q was taken for index %q and id %q", b, index, id)
		}
		if bytes.Count(out, []byte("\n")) != 1 {
			t.Fatalf("%q became %q, which is not one line", b, out)
		}
		var sent map[string]map[string]json.RawMessage
		if err := json.Unmarshal(out, &sent); err != nil || len(sent) != 1 {
			t.Fatalf("%q became %q: %v", b, out, err)
		}
		got := map[string]string{}
		for k, raw := range sent[verb] {
			got[k] = string(raw)
			if text := ""; raw[0] == '"' && json.Unmarshal(raw, &text) == nil && want[k] != string(raw) {
				got[k] = text
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%q became %q: %v, want %v", b, out, got, want)
		}
	})
}

// The fast parser of action lines leaves alone what it does not know, and finds in all
// others what the parser of any line finds.
func FuzzPlainAction(f *testing.F) {
	for _, test := range plainActions {
		f.Add([]byte(test.line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, got, want, err := proxy.PlainAction(b)
		if fast && (err != nil || got != want) {
			t.Fatalf("%q was taken for %s, and is %s (%v)", b, got, want, err)
		}
	})
}

// A bulk body has the items that splitting it at its line feeds finds, however it
// arrives.
func FuzzBulk(f *testing.F) {
	f.Add([]byte("{\"index\":{}}\n{}\n{\"delete\":{\"_id\":\"1\"}}\n"))
	f.Add([]byte("\n\n{\"index\":{}}\n{}"))
	f.Add([]byte("{\"update\":{\"_id\":\"1\",\"_index\":\"i\",\"routing\":\"r\"}}\n\n  \r\n{\"create\":{}}\r\n\x00\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		items, chunks, err := proxy.BulkParts(bytes.NewReader(b))
		if chunks > 1 || !utf8.ValidString(fmt.Sprint(err)) {
			t.Fatalf("%d chunks, %v", chunks, err)
		}
		slow, _, serr := proxy.BulkParts(iotest.OneByteReader(bytes.NewReader(b)))
		if !slices.Equal(items, slow) || fmt.Sprint(err) != fmt.Sprint(serr) {
			t.Fatalf("byte by byte %v, %v; at once %v, %v", slow, serr, items, err)
		}
		var want []proxy.BulkItem
		rest := b
		for len(rest) > 0 && err == nil {
			line, after, ended := bytes.Cut(rest, []byte("\n"))
			if rest = after; !ended {
				t.Fatalf("%q was accepted, and its last line has no end", b)
			}
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			_, verb, id, index, err := proxy.Action(line)
			if err != nil {
				t.Fatalf("%q was accepted with the line %q: %v", b, line, err)
			}
			it := proxy.BulkItem{Verb: verb, Index: index, ID: id}
			if verb != "delete" {
				source, after, ended := bytes.Cut(rest, []byte("\n"))
				if rest = after; !ended {
					t.Fatalf("%q was accepted without its last source", b)
				}
				it.Source = string(source) + "\n"
			}
			want = append(want, it)
		}
		for i := range items {
			items[i].Routing = "" // Action does not tell
		}
		if err == nil && !slices.Equal(items, want) {
			t.Fatalf("%q has %v, want %v", b, items, want)
		}
	})
}

// The fast reader of answers to bulks leaves alone what it does not know, and makes of all
// others what the reader of any makes, under all rules.
func FuzzPlainBulkReply(f *testing.F) {
	for _, test := range plainBulkReplies {
		f.Add([]byte(test.text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !readable(raw) {
			return
		}
		for rules := range proxy.BulkRules() {
			fast, got, want, err := proxy.PlainBulkReply(raw, rules)
			if fast && (err != nil || !reflect.DeepEqual(got, want)) {
				t.Fatalf("%s: %q was read as %+v, and is %+v (%v)", rules, raw, got, want, err)
			}
		}
	})
}

// Whatever a cluster answers to a bulk, the client gets one result for each item,
// in its order, or an error.
func FuzzBulkAnswer(f *testing.F) {
	f.Add([]byte(`{"took":1,"ingest_took":2,"errors":false,"items":[{"index":{"status":201}},{"delete":{"status":404}}]}`), uint8(2), uint8(0))
	f.Add([]byte(`{"items":[{"index":{}}]}`), uint8(3), uint8(5))
	f.Add([]byte(`{"took":-1,"items":[null]}`), uint8(1), uint8(0))
	f.Add([]byte(`{"items":{}}`), uint8(1), uint8(1))
	f.Fuzz(func(t *testing.T, raw []byte, n, failed uint8) {
		n %= 8
		verbs := slices.Repeat([]string{"index"}, int(n))
		local := map[int]string{}
		for i := range int(n) {
			if failed&(1<<i) != 0 {
				local[i] = "refused\n<here>"
			}
		}
		out, err := proxy.BulkAnswer(raw, verbs, local)
		var given struct{ Items []json.RawMessage }
		if err != nil {
			if json.Unmarshal(raw, &given) == nil && len(given.Items)+len(local) == int(n) {
				var more struct {
					Took       int64
					IngestTook *int64 `json:"ingest_took"`
					Errors     bool
				}
				if json.Unmarshal(raw, &more) == nil {
					t.Fatalf("%q is an answer to %d items: %v", raw, n, err)
				}
			}
			return
		}
		var got struct {
			Errors bool              `json:"errors"`
			Items  []json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(out, &got); err != nil || len(got.Items) != int(n) || len(local) > 0 && !got.Errors {
			t.Fatalf("%q for %d items became %q: %v", raw, n, out, err)
		}
		if err := json.Unmarshal(raw, &given); err != nil {
			t.Fatal(err)
		}
		for i, it := range got.Items {
			if _, here := local[i]; here {
				if !bytes.Contains(it, []byte("sluice_foreign_index")) {
					t.Fatalf("item %d of %q does not say why it failed", i, out)
				}
				continue
			}
			if !bytes.Equal(it, given.Items[0]) {
				t.Fatalf("item %d of %q is not that of %q", i, out, raw)
			}
			given.Items = given.Items[1:]
		}
	})
}

// What is kept of a text in memory does not grow with it.
func TestRewriterKeepsLittle(t *testing.T) {
	const size = 8 << 20
	long := strings.Repeat("k", size)
	for name, text := range map[string]string{
		"a key": `{"` + long + `":1}`, "a value": `{"a":"` + long + `"}`, "an opaque value": `{"_source":{"` + long + `":"` + long + `"}}`, "white space": strings.Repeat(" ", size) + "1",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := proxy.RewriteTo(io.Discard, strings.NewReader(text), "p", "l"); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		kept := after.TotalAlloc - before.TotalAlloc
		if kept > 256<<10 {
			t.Errorf("%s of %d bytes: %d bytes were allocated", name, size, kept)
		}
	}
}
