package shared_test

import (
	"errors"
	"testing"

	"github.com/sluiceproxy/sluice/tenancy/shared"
)

func TestOriginal(t *testing.T) {
	tn := tenant(t, "acme")
	for in, want := range map[string]string{
		`{"tenant":"acme"}`:                                `{}`,
		`{"tenant":"acme" }`:                               `{ }`,
		`{"tenant":"acme","a":1}`:                          `{"a":1}`,
		`{"tenant":"acme", "a" : 1 }`:                      `{ "a" : 1 }`,
		`{"tenant":"acme" , "a":1}`:                        `{ "a":1}`,
		`{"a":{"tenant":"x"},"tenant":"acme"}`:             `{"a":{"tenant":"x"}}`,
		`{"a":1 , "tenant" : "acme" , "b":[{"tenant":2}]}`: `{"a":1 , "b":[{"tenant":2}]}`,
		" {\n\"tenant\":\"acme\",\"a\":\"\\u00e9\\/\"}\n":  " {\"a\":\"\\u00e9\\/\"}\n",
	} {
		if got, err := tn.Original([]byte("x"), []byte(in)); err != nil || string(got) != "x"+want {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
	}
	for _, in := range []string{`{"a":1}`, `{"tenant":"other","a":1}`, `{"tenant":["acme"]}`, `{"tenant":"acme","tenant.x":1}`, `{"tenant.x":"acme"}`, `{}`, `{"tenant":null}`} {
		var refused *shared.RefusedError
		if got, err := tn.Original(nil, []byte(in)); !errors.As(err, &refused) {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
	for _, in := range []string{``, `[]`, `{"tenant":"acme","tenant":"acme"}`, `{"tenant":"acme"} x`, `{"tenant":"acme",}`} {
		if got, err := tn.Original(nil, []byte(in)); !errors.Is(err, shared.ErrSyntax) {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

// FuzzOriginal: whatever Document takes comes back byte by byte.
func FuzzOriginal(f *testing.F) {
	for _, s := range []string{`{}`, ` { } `, `{"a":1}`, "{\n\"a\":\"\\ud83d\\ude00\",\"b\":{\"tenant\":1}}", `{"a.tenant":[1,2,{"x":null}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		tn := tenant(t, "acme")
		marked, err := tn.Document(nil, []byte(source))
		if err != nil {
			return
		}
		if got, err := tn.Original(nil, marked); err != nil || string(got) != source {
			t.Errorf("%q became %q, and then %q, %v", source, marked, got, err)
		}
	})
}
