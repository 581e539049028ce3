package shared

import (
	"fmt"
	"strconv"

	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// node is a parsed JSON value. What is sent upstream is written from nodes that
// were understood, so no parser can find in it what was not seen here.
type node struct {
	kind    byte   // '{', '[', '"', or 'p' for a number, true, false and null
	text    string // decoded, of a string; as it was written, of the plain ones
	members []pair
	items   []*node
}

type pair struct {
	key   string
	value *node
}

// maxQueryDepth is more than any query that OpenSearch would run.
const maxQueryDepth = 200

// parse reads one JSON value.
func parse(b []byte) (*node, error) {
	s, err := begin(b)
	if err != nil {
		return nil, err
	}
	defer s.free()
	n, err := s.node(0)
	if err == nil {
		err = s.end()
	}
	return n, err
}

// parseObject reads a JSON object.
func parseObject(b []byte) (*node, error) {
	n, err := parse(b)
	if err == nil && n.kind != '{' {
		return nil, fmt.Errorf("%w: it is no object", ErrSyntax)
	}
	return n, err
}

func (s *scanner) node(depth int) (*node, error) {
	if depth > maxQueryDepth {
		return nil, s.bad("too deep a nesting")
	}
	n := &node{}
	switch s.peek() {
	case '{':
		n.kind = '{'
		return n, s.object(func(key []byte) error {
			v, err := s.node(depth + 1)
			n.members = append(n.members, pair{string(key), v})
			return err
		})
	case '[':
		n.kind = '['
		return n, s.array(func() error {
			v, err := s.node(depth + 1)
			n.items = append(n.items, v)
			return err
		})
	case '"':
		n.kind = '"'
		v, err := s.str()
		n.text = string(v)
		return n, err
	}
	n.kind = 'p'
	v, err := s.plain()
	n.text = string(v)
	return n, err
}

// append writes the value.
func (n *node) append(b []byte) []byte {
	switch n.kind {
	case '{':
		b = append(b, '{')
		for i, m := range n.members {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(jsontext.AppendString(b, m.key), ':')
			b = m.value.append(b)
		}
		return append(b, '}')
	case '[':
		b = append(b, '[')
		for i, v := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = v.append(b)
		}
		return append(b, ']')
	case '"':
		return jsontext.AppendString(b, n.text)
	}
	return append(b, n.text...)
}

// get returns the member of an object, or nil.
func (n *node) get(key string) *node {
	for _, m := range n.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// set puts a member into an object, in the place of one that it has.
func (n *node) set(key string, v *node) {
	for i, m := range n.members {
		if m.key == key {
			n.members[i].value = v
			return
		}
	}
	n.members = append(n.members, pair{key, v})
}

func text(s string) *node    { return &node{kind: '"', text: s} }
func list(v ...*node) *node  { return &node{kind: '[', items: v} }
func object(m ...pair) *node { return &node{kind: '{', members: m} }

// isScalar reports whether n is neither an object nor a list.
func (n *node) isScalar() bool { return n.kind == '"' || n.kind == 'p' }

// isFalse reports whether n is false, or the word.
func (n *node) isFalse() bool { return n.isScalar() && n.text == "false" }

// isSimple reports whether n is a scalar or a list of scalars.
func (n *node) isSimple() bool {
	if n.kind == '{' {
		return false
	}
	for _, v := range n.items {
		if !v.isScalar() {
			return false
		}
	}
	return true
}

// scalarText is what OpenSearch takes a scalar for where it wants text: numbers
// and booleans as they are written.
func (n *node) scalarText() (string, bool) {
	return n.text, n.kind == '"' || n.kind == 'p' && n.text != "null"
}

// count is a whole number that is not negative.
func (n *node) count() bool {
	if n.kind != 'p' {
		return false
	}
	_, err := strconv.ParseUint(n.text, 10, 31)
	return err == nil
}
