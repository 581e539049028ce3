package shared

import (
	"bytes"
	"fmt"

	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// Document appends a client's document to dst with the partition field in it,
// and changes nothing else of it. Errors: ErrSyntax, or *RefusedError if it
// carries the partition field already.
func (t *Tenant) Document(dst, source []byte) ([]byte, error) {
	s, err := begin(source)
	if err != nil {
		return nil, err
	}
	defer s.free()
	if s.peek() != '{' {
		return nil, fmt.Errorf("%w: a document must be an object", ErrSyntax)
	}
	open, empty := s.i, true
	if err := s.object(func(key []byte) error {
		empty = false
		if t.owns(string(key)) {
			return refuse("the field [%s] belongs to the shared index; a document must not carry it", t.field)
		}
		return s.skip(1)
	}); err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	dst = append(dst, source[:open+1]...)
	dst = append(dst, t.member...)
	if !empty {
		dst = append(dst, ',')
	}
	return append(dst, source[open+1:]...), nil
}

// Update appends the body of an update to dst, with the partition field in the
// partial document and in what is inserted when there is none yet. Scripts are
// refused: what a script does to a document cannot be known without running it.
func (t *Tenant) Update(dst, body []byte) ([]byte, error) {
	ms, err := members(body)
	if err != nil {
		return nil, err
	}
	dst = append(dst, '{')
	for i, m := range ms {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendString(dst, m.key), ':')
		switch m.key {
		case "doc", "upsert":
			if dst, err = t.Document(dst, m.value); err != nil {
				return nil, err
			}
			continue
		case "doc_as_upsert", "detect_noop", "if_seq_no", "if_primary_term":
			if !isPlain(m.value) {
				return nil, refuse("[%s] of an update must be one value", m.key)
			}
		case "_source":
		case "script", "scripted_upsert":
			return nil, refuse("scripted updates are not possible in a shared index: a script could change to whom a document belongs")
		default:
			return nil, refuse("[%s] of an update is not supported in a shared index", m.key)
		}
		dst = append(dst, m.value...)
	}
	return append(dst, '}'), nil
}

// isPlain reports whether a value that was scanned is a scalar.
func isPlain(value []byte) bool { return !bytes.ContainsAny(value[:1], "{[") }
