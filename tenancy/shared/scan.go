package shared

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/internal/catalog"
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

// begin checks what holds for the whole text.
func begin(b []byte) (*scanner, error) {
	if !utf8.Valid(b) {
		return nil, fmt.Errorf("%w: it is not UTF-8", ErrSyntax)
	}
	return &scanner{b: b}, nil
}

// Strict checks that b is one JSON value that every parser reads alike; its error
// is ErrSyntax.
func Strict(b []byte) error {
	s, err := begin(b)
	if err == nil {
		err = s.skip(0)
	}
	if err == nil {
		err = s.end()
	}
	return err
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
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
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
		case c == '\\':
			escaped = true
			s.i++
		case c < ' ':
			return nil, s.bad("a control character")
		}
	}
	return nil, s.bad("a string without an end")
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
	if len(raw) == 0 || !json.Valid(raw) {
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
