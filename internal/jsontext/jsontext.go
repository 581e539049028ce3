// Package jsontext has what the strict readers and writers of JSON texts share, which each
// keep to a part of a text, or to a stream: where a string's plain part ends, what a number
// is, and how a string is written. It refuses to be a parser.
package jsontext

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	"unicode/utf8"
)

// Plain is how many bytes of b come before the first one that means something in a string:
// a quote, a backslash or a control character. It looks at eight bytes at once: a byte is
// zero, or less than n, where subtracting one, or n, from each borrows and its highest bit
// was not set. A borrow may reach into bytes above the first such one, and the first one
// is all that counts.
func Plain(b []byte) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; n+8 <= len(b); n += 8 {
		w := binary.LittleEndian.Uint64(b[n:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		if found := ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w) & high; found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for ; n < len(b); n++ {
		if c := b[n]; c == '"' || c == '\\' || c < ' ' {
			return n
		}
	}
	return n
}

// IsNumber reports whether b is a number of JSON.
func IsNumber(b []byte) bool {
	digits := func() bool {
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
		b = b[n:]
		return n > 0
	}
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == '0' && b[1] >= '0' && b[1] <= '9' || !digits() {
		return false
	}
	if len(b) > 0 && b[0] == '.' {
		if b = b[1:]; !digits() {
			return false
		}
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		if b = b[1:]; len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		if !digits() {
			return false
		}
	}
	return len(b) == 0
}

// AppendString appends s as a string of JSON to b, without the escapes that encoding/json
// adds for HTML.
func AppendString(b []byte, s string) []byte {
	simple := true
	for i := 0; i < len(s) && simple; i++ {
		simple = s[i] >= ' ' && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' && s[i] != 0x7f
	}
	if simple {
		return append(append(append(b, '"'), s...), '"')
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("encode a string: " + err.Error()) // strings always encode
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}
