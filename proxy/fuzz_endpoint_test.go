package proxy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sluiceproxy/sluice/proxy"
)

// A list says the same after it was read and written, and its text has a line for
// each of its own and one for the header.
func FuzzCat(f *testing.F) {
	f.Add([]byte(`[{"health":"green","index":"acme-1","docs.count":"12","uuid":null},{"health":"red","index":"ü","docs.count":"1","uuid":"x"}]`))
	f.Add([]byte(`[{"a":"1","a":"2"},{"a":"","a":null}]`))
	f.Add([]byte(`[]`))
	f.Add([]byte(`null`))
	f.Add([]byte(`[null,{}]`))
	f.Add([]byte(`[0]`))
	f.Add([]byte(`[[]]`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, text, rows, err := proxy.Cat(raw)
		if err != nil {
			return
		}
		var asked, got []map[string]*string
		if err := json.Unmarshal(raw, &asked); err != nil {
			t.Fatalf("%s was read, and is no list of lines: %v", raw, err)
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%s became %s: %v", raw, out, err)
		}
		if diff := cmp.Diff(asked, got); diff != "" {
			t.Fatalf("%s became %s:\n%s", raw, out, diff)
		}
		lines := 0
		for _, l := range got {
			for k, v := range l {
				if v != nil {
					k += *v
				}
				lines += strings.Count(k, "\n")
			}
		}
		if n := bytes.Count(text, []byte("\n")); lines == 0 && !bytes.Contains(raw, []byte(`\n`)) && n != rows+1 {
			t.Fatalf("%s became %d lines of text: %q", raw, n, text)
		}
	})
}

// The term of an update's body is the one that was shown, of this incarnation, and
// nothing else of the body changes.
func FuzzUpdateTerm(f *testing.F) {
	f.Add([]byte(`{"doc":{"if_primary_term":1},"if_seq_no":0,"if_primary_term":8589934599}`), uint32(2))
	f.Add([]byte(`{"if_primary_term":"4294967297"}`), uint32(1))
	f.Add([]byte(`{"if_primary_term":1,"if_primary_term":2}`), uint32(1))
	f.Add([]byte(`{"if_primary_term":null}`), uint32(1))
	f.Add([]byte(`[{"if_primary_term":1}]`), uint32(1))
	f.Fuzz(func(t *testing.T, body []byte, incarnation uint32) {
		out, err := proxy.UpdateTerm(body, incarnation)
		if incarnation == 0 || !bytes.Contains(body, []byte("if_primary_term")) {
			if err != nil || !bytes.Equal(out, body) {
				t.Fatalf("%s became %s: %v", body, out, err)
			}
			return
		}
		if err != nil {
			return
		}
		if !json.Valid(body) || !json.Valid(out) {
			t.Fatalf("%q became %q", body, out)
		}
		var asked, got map[string]any
		if json.Unmarshal(body, &asked) != nil || json.Unmarshal(out, &got) != nil {
			return // no object
		}
		shown, real := asked["if_primary_term"], got["if_primary_term"]
		delete(asked, "if_primary_term")
		delete(got, "if_primary_term")
		if diff := cmp.Diff(asked, got); diff != "" {
			t.Fatalf("%s became %s:\n%s", body, out, diff)
		}
		if shown == nil {
			return
		}
		s, r := fmt.Sprint(shown), fmt.Sprint(real)
		if f, ok := shown.(float64); ok {
			s = fmt.Sprintf("%.0f", f)
		}
		if f, ok := real.(float64); ok {
			r = fmt.Sprintf("%.0f", f)
		}
		if len(s) > 15 {
			return // floats are not exact there
		}
		if want, ok, err := proxy.RealTerm(s, incarnation); err != nil || !ok || want != r {
			t.Fatalf("%s became %s; the term should be %s (%t, %v)", body, out, want, ok, err)
		}
	})
}
