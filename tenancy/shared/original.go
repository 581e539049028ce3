package shared

import (
	"fmt"

	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// Filter is the query that matches the tenant's documents in the index.
func (t *Tenant) Filter() []byte { return append([]byte(nil), t.filter...) }

// Original appends to dst what the tenant wrote of a document of the index: the
// bytes without the partition field. It is the inverse of Document, and leaves
// every other byte as it is. Errors: ErrSyntax, or *RefusedError if the document
// does not carry the tenant's mark, once and as the proxy writes it.
func (t *Tenant) Original(dst, source []byte) ([]byte, error) {
	s, err := begin(source)
	if err != nil {
		return nil, err
	}
	defer s.free()
	if s.peek() != '{' {
		return nil, fmt.Errorf("%w: a document must be an object", ErrSyntax)
	}
	open := s.i
	from, to := 0, 0 // what is cut out: the member and one comma
	last, first := open+1, true
	if err := s.object(func(key []byte) error {
		mine := t.owns(string(key))
		if mine && (string(key) != t.field || to > 0 || s.peek() != '"') {
			return refuse("a document of the index has the field [%s] in a way that no proxy writes it", t.field)
		}
		s.space()
		value := s.i
		if err := s.skip(1); err != nil {
			return err
		}
		if mine {
			member := append(jsontext.AppendString(nil, t.field), ':')
			if member = append(member, source[value:s.i]...); string(member) != string(t.member) {
				return refuse("a document of the index is marked as another tenant's")
			}
			from, to = last, s.i
			if first && s.peek() == ',' { // looked at, and not passed
				to = s.i + 1
			}
		}
		last, first = s.i, false
		return nil
	}); err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	if to == 0 {
		return nil, refuse("a document of the index has no field [%s]", t.field)
	}
	return append(append(dst, source[:from]...), source[to:]...), nil
}
