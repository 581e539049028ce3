package shared

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// ErrSyntax: the text is not strict JSON, in valid UTF-8, with each key of an
// object once. Overlong UTF-8, which some parsers decode, would be a second way to
// write a key.
var ErrSyntax = catalog.New("parsing_exception", "not strict JSON")

// maxDepth is as deep as OpenSearch's own parser goes.
const maxDepth = 1000

// scanner reads one JSON value in memory and checks it.
type scanner struct {
	b    []byte
	i    int
	keys [][]byte // decoded keys of the open objects, the innermost last
}

func (s *scanner) bad(what string) error {
	return fmt.Errorf("%w: %s at byte %d", ErrSyntax, what, s.i)
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\n', '\r', '\t':
			s.i++
		default:
			return
		}
	}
}

// peek returns the next byte that is no space, or 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.i == len(s.b) {
		return 0
	}
	return s.b[s.i]
}

// scanners are kept for the next text. Nothing of one is anybody else's: what it returned
// are parts of the text, or copies.
var scanners = sync.Pool{New: func() any { return new(scanner) }}

// begin checks what holds for the whole text. Whoever gets a scanner frees it.
func begin(b []byte) (*scanner, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: it is not UTF-8", ErrSyntax)
	}
	s := scanners.Get().(*scanner)
	s.b = b
	return s, nil
}

// free gives a scanner back, with nothing of the text but room for as many keys as most
// texts have.
func (s *scanner) free() {
	keys := s.keys[:cap(s.keys)]
	if len(keys) > 64 {
		keys = nil
	}
	clear(keys)
	*s = scanner{keys: keys[:0]}
	scanners.Put(s)
}

// Strict checks that b is one JSON value that every parser reads alike; its error
// is ErrSyntax.
func Strict(b []byte) error {
	s, err := begin(b)
	if err != nil {
		return err
	}
	defer s.free()
	if err := s.skip(0); err != nil {
		return err
	}
	return s.end()
}

// end checks that nothing follows.
func (s *scanner) end() error {
	if s.peek() != 0 || s.i != len(s.b) {
		return s.bad("data after the value")
	}
	return nil
}

// skip reads any value.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return s.bad("too deep a nesting")
	}
	switch c := s.peek(); c {
	case '{':
		return s.object(func([]byte) error { return s.skip(depth + 1) })
	case '[':
		return s.array(func() error { return s.skip(depth + 1) })
	case '"':
		_, err := s.str()
		return err
	default:
		_, err := s.plain()
		return err
	}
}

// object reads an object; member is called behind each colon, with the decoded
// key, and must read the value.
func (s *scanner) object(member func(key []byte) error) error {
	s.i++
	base := len(s.keys)
	defer func() { s.keys = s.keys[:base] }()
	var many map[string]bool // of the keys, when there are too many to compare each
	if s.peek() == '}' {
		s.i++
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.bad("no key")
		}
		key, err := s.str()
		if err != nil {
			return err
		}
		if many, err = s.once(base, many, key); err != nil {
			return err
		}
		if s.peek() != ':' {
			return s.bad("no colon")
		}
		s.i++
		if err := member(key); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return s.bad("no comma")
		}
	}
}

// once refuses a key that the object has already.
func (s *scanner) once(base int, many map[string]bool, key []byte) (map[string]bool, error) {
	const few = 16
	twice := func() error { return fmt.Errorf("%w: the key %q is there twice", ErrSyntax, key) }
	if many == nil {
		for _, k := range s.keys[base:] {
			if bytes.Equal(k, key) {
				return nil, twice()
			}
		}
		s.keys = append(s.keys, key)
		if len(s.keys)-base <= few {
			return nil, nil
		}
		many = make(map[string]bool, 4*few)
		for _, k := range s.keys[base:] {
			many[string(k)] = true
		}
		return many, nil
	}
	if many[string(key)] {
		return many, twice()
	}
	many[string(key)] = true
	return many, nil
}

// array reads an array; item must read one value.
func (s *scanner) array(item func() error) error {
	s.i++
	if s.peek() == ']' {
		s.i++
		return nil
	}
	for {
		if err := item(); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case ']':
			s.i++
			return nil
		default:
			return s.bad("no comma")
		}
	}
}

// str reads a string and decodes it. The result may be part of the text.
func (s *scanner) str() ([]byte, error) {
	start := s.i
	escaped := false
	for s.i++; ; s.i += 2 { // a backslash, and what it escapes
		s.i = min(s.i, len(s.b))
		s.i += jsontext.Plain(s.b[s.i:])
		if s.i == len(s.b) {
			return nil, s.bad("a string without an end")
		}
		if c := s.b[s.i]; c < ' ' {
			return nil, s.bad("a control character")
		} else if c == '"' {
			break
		}
		escaped = true
	}
	s.i++
	raw := s.b[start:s.i]
	if !escaped {
		return raw[1 : len(raw)-1], nil
	}
	var out string
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, s.bad("no such escape")
	}
	return []byte(out), nil
}

// plain reads a number, true, false or null.
func (s *scanner) plain() ([]byte, error) {
	start := s.i
	for s.i < len(s.b) {
		c := s.b[s.i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c == '-' || c == '+' || c == '.' || c == 'E') {
			break
		}
		s.i++
	}
	raw := s.b[start:s.i]
	switch string(raw) {
	case "true", "false", "null":
		return raw, nil
	}
	if !jsontext.IsNumber(raw) {
		return nil, s.bad("no value")
	}
	return raw, nil
}

// member is one member of an object: the decoded key and the value as written.
type member struct {
	key   string
	value []byte
}

// members checks a text that must be one object, to its depth, and returns what is
// at its top.
func members(b []byte) ([]member, error) {
	s, err := begin(b)
	if err != nil {
		return nil, err
	}
	defer s.free()
	if s.peek() != '{' {
		return nil, fmt.Errorf("%w: it is no object", ErrSyntax)
	}
	var out []member
	err = s.object(func(key []byte) error {
		s.space()
		from := s.i
		if err := s.skip(1); err != nil {
			return err
		}
		out = append(out, member{string(key), s.b[from:s.i]})
		return nil
	})
	if err == nil {
		err = s.end()
	}
	return out, err
}
