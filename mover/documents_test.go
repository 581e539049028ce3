package mover_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/mover"
)

// Answers as clusters give them, and whether they are decoded without package json.
var answers = []struct {
	text  string
	plain bool
}{
	{`{"took":1,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"max_score":null,"hits":[{"_index":"i","_id":"1","_version":3,"_score":null,"_source":{"a":"]}\\\"","b":[{},-1.5e+3,true,null]},"sort":[1]}, {"_index":"i","_routing":"r","_id":"2","_source":{"é":"\u00e9\n"}},{"_id":"3"}]}}`, true},
	{`{"hits":{"total":{"value":1,"relation":"eq"},"hits":[{"sort":[9,"x"],"_source": {"a" : 1,` + "\n\t" + `"b" : [ ] } ,"_ignored":["a"],"fields":{"f":[1]},"_version":9223372036854775807,"_seq_no":0,"_primary_term":1,"_id":"a\"é\u0001"}]}}`, true},
	{`{"hits":{"hits":[]}}`, true},
	{`{"hits":{"max_score":1}}`, true},
	{`{"timed_out":true,"_shards":{"total":2,"successful":1,"failed":1,"failures":[{"shard":0,"reason":{"type":"x"}}]},"hits":{"hits":[{"_source":null,"_id":null,"_version":null,"error":null}]}}`, true},
	{`{"docs":[{"_index":"i","_id":"1","_version":1,"_seq_no":4,"_primary_term":1,"found":true,"_source":{"a":1}},{"_index":"i","_id":"2","found":false},{"_index":"j","_id":"3","error":{"root_cause":[{"type":"t"}],"type":"index_not_found_exception","reason":"r"}}]}`, true},
	{`{"error":{"type":"search_phase_execution_exception"},"status":200}`, true},
	{" {} \n", true},
	{`{"hits":{"hits":[{"_source":1,"_source":2,"error":{"type":"a"},"error":{"reason":"b"}}]}}`, true},
	{`{"hits":{"hits":[{"_id":"1"}],"hits":[{"_version":2}]}}`, false},
	{`{"docs":[{"_id":"1"}],"docs":null}`, false},
	{`{"hits":{"hits":[{"_sourc\u0065":5}]}}`, false},
	{`{"hits":{"hits":[{"_SOURCE":5}]}}`, false},
	{`{"hitſ":{"hits":[{"_id":"5"}]}}`, false},
	{`{"Hits":{"hits":[{"_id":"5"}]}}`, false},
	{`{"hits":{"hits":[null]}}`, false},
	{`{"hits":{"hits":null},"docs":[]}`, false},
	{`{"hits":null}`, false},
	{`null`, false},
	// What is refused.
	{`{"hits":[{"_source":{}}]}`, false},
	{`{"hits":{"hits":[{"_id":5}]}}`, false},
	{`{"hits":{"hits":[{"_version":1.5}]}}`, false},
	{`{"hits":{"hits":[{"_version":9223372036854775808}]}}`, false},
	{`{"hits":{"hits":[{"_version":01}]}}`, false},
	{`{"_shards":{"total":"x"},"hits":{"hits":[]}}`, false},
	{``, false},
	{`{"hits":{"hits":[{"_source":{]}}]}}`, false},
	{`{"hits":{"hits":[{"_source":{"a":1]}]}}`, false},
	{`{"hits":{"hits":[{"_source":{"a":1,}}]}}`, false},
	{`{"hits":{"hits":[{"_source":[1,]}]}}`, false},
	{`{"hits":{"hits":[{"_source":{"a":"` + "\n" + `"}}]}}`, false},
	{`{"hits":{"hits":[{"_source":{"a":"\x"}}]}}`, false},
	{`{"hits":{"hits":[{"_source":tru}]}}`, false},
	{`{"hits":{"hits":[{"_source":}]}}`, false},
	{`{"hits":{"hits":[{"_source":1}`, false},
	{`{"hits":{"hits":[{"_source":"1`, false},
	{`{"hits":{"hits":[{"_source":"1\`, false},
	{`{"hits":{"hits":[{"_source":1}]}} x`, false},
	{`{"hits":{"hits":[{"_source":1}]}}` + "\x00", false},
	{`{"hits":{"hits":[{"_source":1}]]}`, false},
	// Comments, which OpenSearch takes for white space, and keeps in a source.
	{`{"hits":{"hits":[{"_id":"1","_source":{"a":1 /* "}}, {"_id":"2","_source":{ */ }}]}}`, false},
	{`{"hits":{"hits":[{"_id":"1","_source":{"a":1} // "` + "\n" + `}]}}`, false},
}

func TestDocuments(t *testing.T) {
	for _, a := range answers {
		asJSON(t, []byte(a.text))
		if plain := mover.DecodedPlainly([]byte(a.text)); plain != a.plain {
			t.Errorf("%s: decoded without package json: %t", a.text, plain)
		}
	}
	deep := func(n int) []byte {
		return []byte(`{"hits":{"hits":[{"_source":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}]}}`)
	}
	asJSON(t, deep(1000))
	asJSON(t, deep(1001))
	asJSON(t, deep(1_000_000)) // the stack is not for whoever answers to fill
}

func TestCommentsAreWhiteSpace(t *testing.T) {
	for _, c := range []struct {
		text, blanked string
		some          bool
	}{
		{`{"a":1}`, "", false},
		{`{"a/*":"//","b\\\"/*":"\\"} `, "", false},
		{`{"a":/* "x" */1}`, `{"a":         1}`, true},
		{`/**/{/***/"a"/*/*/:1/* // */}`, `    {     "a"     :1        }`, true},
		{"{\"a\":1// \"}\r\n,\"b\":\"//\"}//\n", "{\"a\":1     \r\n,\"b\":\"//\"}  \n", true},
		{`{"a":1/* }`, "", false},
		{`{"a":1/*/}`, "", false},
		{`{"a":1} //`, "", false},
		{`{"a":1/}`, "", false},
		{`/`, "", false},
		{`"\\`, "", false},
	} {
		got, some := mover.WithoutComments([]byte(c.text))
		if some != c.some || some && string(got) != c.blanked {
			t.Errorf("%q: %q, %t", c.text, got, some)
		}
	}
}

// asJSON checks that an answer is decoded as package json does it, but for comments, and that nothing of it
// can be written to through a document.
func asJSON(t *testing.T, answer []byte) {
	t.Helper()
	var got, want mover.Documents
	err, werr := got.Decode(answer), json.Unmarshal(answer, &want)
	if werr != nil {
		if blanked, some := mover.WithoutComments(answer); some {
			want = mover.Documents{}
			werr = json.Unmarshal(blanked, &want)
		}
	}
	if (err == nil) != (werr == nil) {
		t.Fatalf("%.500q: %v, and by package json %v", answer, err, werr)
	}
	if err != nil {
		return
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%.500q: %s", answer, d)
	}
	before := string(answer)
	for _, d := range append(got.Hits.Hits, got.Docs...) {
		_, _ = append(d.Source, "x"...), append(d.Sort, "x"...)
	}
	if string(answer) != before {
		t.Fatalf("%.500q became %.500q", before, answer)
	}
}

func FuzzDocuments(f *testing.F) {
	for _, a := range answers {
		f.Add([]byte(a.text))
	}
	f.Fuzz(asJSON)
}

func BenchmarkDocuments(b *testing.B) {
	for _, size := range []int{500, 4096} {
		var hits []string
		for i := range 1000 {
			hits = append(hits, fmt.Sprintf(`{"_index":"docs-0","_id":"%d","_version":1,"_score":null,"_source":{"n":%d,"group":"g%d","text":"%s"},"sort":[%d]}`, i, i, i%97, strings.Repeat("plain17 ", size/8), i))
		}
		answer := []byte(`{"took":3,"timed_out":false,"_shards":{"total":1,"successful":1,"skipped":0,"failed":0},"hits":{"max_score":null,"hits":[` + strings.Join(hits, ",") + `]}}`)
		for name, decode := range map[string]func(*mover.Documents) error{
			"parts": func(d *mover.Documents) error { return d.Decode(answer) },
			"whole": func(d *mover.Documents) error { return json.Unmarshal(answer, d) },
		} {
			b.Run(fmt.Sprintf("%s/size=%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(len(answer)))
				b.ReportAllocs()
				for b.Loop() {
					var d mover.Documents
					if err := decode(&d); err != nil || len(d.Hits.Hits) != 1000 {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
