package shared_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

func tenant(t testing.TB, id string) *shared.Tenant {
	t.Helper()
	x, err := shared.New(placement.PartitionID(id), "tenant")
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestIDs(t *testing.T) {
	names := []string{"a", "a:", "a:b", "a~", "a~3a", "a~3ab", "A", " a", "a ", "a,b", "a/b", "ä", "\x00", "\x00\x01", "~", ":", "::", "a\nb", "*", "日本"}
	ids := []string{"1", ":", "b:1", "~3a1", ",", "", " ", "ü", "a:1"}
	seen := map[string]string{}
	for _, n := range names {
		x := tenant(t, n)
		for _, id := range ids {
			phys, err := x.ID(id)
			if id == "" {
				if err == nil {
					t.Errorf("%q: an empty id became %q", n, phys)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if who, taken := seen[phys]; taken {
				t.Errorf("%q of %q is also of %s", phys, n, who)
			}
			seen[phys] = fmt.Sprintf("%q, id %q", n, id)
			for _, m := range names {
				got, ok := tenant(t, m).ClientID(phys)
				if ok != (m == n) || ok && got != id {
					t.Errorf("%q of %q: %q takes it for its %q, %t", phys, n, m, got, ok)
				}
			}
			if got, ok := x.ClientRouting(x.Routing(id)); !ok || got != id {
				t.Errorf("routing %q of %q came back as %q, %t", id, n, got, ok)
			}
		}
	}
	if got := tenant(t, "a").Routings(" x , ,y,"); got != "a:x,a:y" {
		t.Errorf("routings %q", got)
	}
	if got := tenant(t, "a").Routings(" ,"); got != "" {
		t.Errorf("routings %q of none", got)
	}
	x := tenant(t, strings.Repeat("x", 255))
	if _, err := x.ID(strings.Repeat("i", 256)); err != nil {
		t.Error(err)
	}
	if _, err := x.ID(strings.Repeat("i", 257)); err == nil {
		t.Error("an id of 513 bytes was taken")
	}
	if _, err := x.ID("\xff"); err == nil {
		t.Error("an id that is not UTF-8 was taken")
	}
	var inv *placement.InvalidError
	if _, err := shared.New(placement.PartitionID(strings.Repeat(":", 100)), "tenant"); !errors.As(err, &inv) {
		t.Errorf("a prefix of 301 bytes: %v", err)
	}
}

func TestDocument(t *testing.T) {
	x := tenant(t, `a"b`)
	const in = `"tenant":"a\"b"`
	for _, c := range []struct{ doc, want string }{
		{`{}`, `{` + in + `}`},
		{` {  } `, ` {` + in + `  } `},
		{`{"n":1.50,"a":[{"b":null}],"o":{"tenant":"x"}}`, `{` + in + `,"n":1.50,"a":[{"b":null}],"o":{"tenant":"x"}}`},
		{`{"tenants":1,"Tenant":2,"a.tenant":3}`, `{` + in + `,"tenants":1,"Tenant":2,"a.tenant":3}`},
	} {
		got, err := x.Document([]byte("head "), []byte(c.doc))
		if err != nil || string(got) != "head "+c.want {
			t.Errorf("%s: %s, %v", c.doc, got, err)
		}
	}
	var refused *shared.RefusedError
	for _, doc := range []string{
		`{"tenant":"x"}`, `{"tenant":{"a":1}}`, `{"tenant.a":1}`, `{"ten\u0061nt":"x"}`, `{"n":1,"tenant":null}`, `{".tenant":1}`, `{" tenant":1}`, `{"tenant .x":1}`,
	} {
		if got, err := x.Document(nil, []byte(doc)); !errors.As(err, &refused) {
			t.Errorf("%s: %s, %v", doc, got, err)
		}
	}
	for _, doc := range []string{
		``, ` `, `1`, `[]`, `null`, `{`, `{}x`, `{}{}`, `{"a":1,}`, `{"a":01}`, `{"a":1 "b":2}`, `{a:1}`, `{'a':1}`, `{"a":"` + "\n" + `"}`, `{"a":"\x"}`, `{"a":tru}`, `{"a"}`,
		`{"a":1,"a":2}`, `{"o":{"a":1,"\u0061":2}}`, "{\"\xc1\xb4enant\":1}", "{\"a\":\"\xff\"}", `// {}`, `{"a":1}/**/`, "\ufeff{}", `{"a":NaN}`,
		strings.Repeat(`{"a":`, 1100) + "1" + strings.Repeat("}", 1100), manyKeys(40, 3), `{"a":"\`,
	} {
		if got, err := x.Document(nil, []byte(doc)); !errors.Is(err, shared.ErrSyntax) {
			t.Errorf("%.60q: %.60q, %v", doc, got, err)
		}
	}
	if _, err := x.Document(nil, []byte(manyKeys(40, -1))); err != nil {
		t.Error(err)
	}
}

// manyKeys is an object of n members, the last named like the one at twice.
func manyKeys(n, twice int) string {
	var b strings.Builder
	for i := range n {
		if i == n-1 && twice >= 0 {
			i = twice
		}
		fmt.Fprintf(&b, `,"k%d":{"a":1}`, i)
	}
	return "{" + b.String()[1:] + "}"
}

func TestUpdate(t *testing.T) {
	x := tenant(t, "acme")
	for _, c := range []struct{ body, want string }{
		{`{"doc":{"n":1}}`, `{"doc":{"tenant":"acme","n":1}}`},
		{`{"doc":{},"upsert":{"n":1},"detect_noop":false,"_source":["n"]}`, `{"doc":{"tenant":"acme"},"upsert":{"tenant":"acme","n":1},"detect_noop":false,"_source":["n"]}`},
		{`{"doc":{"n":1},"doc_as_upsert":true}`, `{"doc":{"tenant":"acme","n":1},"doc_as_upsert":true}`},
		{`{"if_seq_no":1,"if_primary_term":"2","doc":{}}`, `{"if_seq_no":1,"if_primary_term":"2","doc":{"tenant":"acme"}}`},
		{`{}`, `{}`},
	} {
		got, err := x.Update(nil, []byte(c.body))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v", c.body, got, err)
		}
	}
	for _, body := range []string{
		`{"script":"ctx._source.n=1"}`, `{"script":{"source":"x"},"upsert":{}}`, `{"scripted_upsert":true}`, `{"doc":{"tenant":"x"}}`, `{"doc":{},"upsert":{"tenant.a":1}}`,
		`{"doc":{"n":1},"doc":{"tenant":"x"}}`, `{"doc":[]}`, `{"doc":"x"}`, `{"nope":1}`, `{"doc_as_upsert":{"a":1}}`, `[]`, ``, `{"if_seq_no":[1]}`,
	} {
		if got, err := x.Update(nil, []byte(body)); err == nil {
			t.Errorf("%s became %s", body, got)
		}
	}
}

// The splice says the same as parsing, setting the field and writing it again; and
// it takes no text that two parsers could read differently.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1}`, `{"tenant":1}`, `{"a":{"b":[1,"x",null,true]}}`, `{"a":1,"a":2}`, ` { "t\u0065nant" : 1 } `, `{"a":1.5e-7}`, "{\"\xc1\xb4enant\":1}", `{"a":"\ud800"}`, `{"":{"":{}}}`, `[{}]`,
	} {
		f.Add([]byte(s))
	}
	x := tenant(f, "acme")
	f.Fuzz(func(t *testing.T, doc []byte) {
		got, err := x.Document(nil, doc)
		parsed, unique, perr := reference(doc)
		object, isObject := parsed.(map[string]any)
		if err != nil {
			var refused *shared.RefusedError
			if !errors.As(err, &refused) {
				return // strict: more is refused than the reference refuses
			}
			for k := range object {
				if strings.Contains(k, "tenant") {
					return
				}
			}
			t.Fatalf("%q carries no partition field and was refused: %v", doc, err)
		}
		if perr != nil || !unique || !isObject {
			t.Fatalf("%q was taken; the reference says %v, keys once: %t, an object: %t", doc, perr, unique, isObject)
		}
		if _, has := object["tenant"]; has {
			t.Fatalf("%q carries the partition field", doc)
		}
		object["tenant"] = "acme"
		want, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		reparsed, unique, err := reference(got)
		if err != nil || !unique {
			t.Fatalf("%q became %q: %v", doc, got, err)
		}
		again, _ := json.Marshal(reparsed)
		if !bytes.Equal(again, want) {
			t.Fatalf("%q became %q, want %s", doc, got, want)
		}
	})
}

// reference parses with the standard library, and says whether each object has
// each key once.
func reference(b []byte) (v any, unique bool, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, false, err
	}
	if !json.Valid(b) {
		return nil, false, errors.New("more than one value")
	}
	d = json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	twice, err := repeated(d)
	return v, !twice, err
}

func repeated(d *json.Decoder) (bool, error) {
	tok, err := d.Token()
	if err != nil {
		return false, err
	}
	open, ok := tok.(json.Delim)
	if !ok {
		return false, nil
	}
	seen, twice := map[any]bool{}, false
	for d.More() {
		if open == '{' {
			key, err := d.Token()
			if err != nil {
				return false, err
			}
			twice = twice || seen[key]
			seen[key] = true
		}
		inner, err := repeated(d)
		if err != nil {
			return false, err
		}
		twice = twice || inner
	}
	_, err = d.Token()
	return twice, err
}

// Prefixes of two tenants never begin one another, and what is put on comes off.
func FuzzIDs(f *testing.F) {
	f.Add("a", "a:", "1")
	f.Add("a~3a", "a:", ":")
	f.Fuzz(func(t *testing.T, one, two, id string) {
		a, err := shared.New(placement.PartitionID(one), "tenant")
		if err != nil {
			t.Skip()
		}
		b, err := shared.New(placement.PartitionID(two), "tenant")
		if err != nil || one == two {
			t.Skip()
		}
		phys, err := a.ID(id)
		if err != nil {
			t.Skip()
		}
		if got, ok := a.ClientID(phys); !ok || got != id {
			t.Fatalf("%q came back as %q", id, got)
		}
		if got, ok := b.ClientID(phys); ok {
			t.Fatalf("%q of %q is %q of %q", phys, one, got, two)
		}
		if r := a.Routings(id); !strings.Contains(id, ",") && r != "" && !reflect.DeepEqual(strings.Split(r, ","), []string{a.Routing(strings.TrimFunc(id, func(c rune) bool { return c <= ' ' }))}) {
			t.Fatalf("routing %q became %q", id, r)
		}
	})
}

func Example() {
	t, err := shared.New("acme", "tenant")
	if err != nil {
		panic(err)
	}
	id, err := t.ID("42")
	if err != nil {
		panic(err)
	}
	doc, err := t.Document(nil, []byte(`{"title":"Sluices"}`))
	fmt.Println(id, string(doc), err)
	_, err = t.Document(nil, []byte(`{"tenant":"someone-else"}`))
	fmt.Println(err)
	// Output:
	// acme:42 {"tenant":"acme","title":"Sluices"} <nil>
	// the field [tenant] belongs to the shared index; a document must not carry it
}
