package jsontext_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// What is taken for plain, for a number and for a string is what encoding/json takes for it.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"", "plain", `say "so"`, `a\b`, "tab\t", "12345678\x1f", "1234567\"", "1234567\x80\"", strings.Repeat("\xff\x7f ", 20) + "\n", "!\"", "\x00", "é \u2028<&>", "\x7f",
		"0", "-0", "-", "01", "1.", "1.5e+10", "1e", ".5", "+1", "1E-2", "-1.25e3x", "00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want := bytes.IndexFunc(b, func(r rune) bool { return r == '"' || r == '\\' || r < ' ' })
		if want < 0 {
			want = len(b)
		}
		if got := jsontext.Plain(b); got != want {
			t.Errorf("%d bytes of %q are plain, want %d", got, b, want)
		}
		number := json.Valid(b) && bytes.ContainsAny(b[:1], "-0123456789") && !bytes.ContainsAny(b[len(b)-1:], " \t\r\n")
		if got := jsontext.IsNumber(b); got != number {
			t.Errorf("%q is a number: %t, want %t", b, got, number)
		}
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(string(b)); err != nil {
			t.Fatal(err)
		}
		if out := jsontext.AppendString([]byte("before "), string(b)); "before "+strings.TrimSuffix(text.String(), "\n") != string(out) {
			t.Errorf("%q was written as %s, want %s", b, out, text.Bytes())
		}
	})
}
