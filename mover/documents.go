package mover

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// doc is a document as a search or a get returns it.
type doc struct {
	Index   string          `json:"_index"`
	ID      string          `json:"_id"`
	Routing string          `json:"_routing"`
	Version int64           `json:"_version"`
	SeqNo   int64           `json:"_seq_no"`
	Term    int64           `json:"_primary_term"`
	Found   bool            `json:"found"`
	Source  json.RawMessage `json:"_source"`
	Sort    json.RawMessage `json:"sort"`
	Error   *struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"error"`
}

// documents is the answer to a search or to a multi-get.
type documents struct {
	TimedOut bool                                    `json:"timed_out"`
	Shards   struct{ Total, Successful, Failed int } `json:"_shards"`
	Hits     struct {
		Hits []doc `json:"hits"`
	} `json:"hits"`
	Docs []doc `json:"docs"`
}

// decode makes of an answer what json.Unmarshal makes of it. Reading pages is most of what
// a copy computes itself, and almost all of a page are sources, which are passed on as they
// are. So they, and the sort keys, stay parts of the answer, which lives for as long as one
// of them does: whoever keeps one for longer than its page copies it. Anything else than
// what clusters answer all the time is left to json.Unmarshal.
func (d *documents) decode(answer []byte) error {
	*d = documents{}
	c := cutter{b: answer}
	if c.answer(d) {
		return nil
	}
	*d = documents{}
	err := json.Unmarshal(answer, d)
	if err != nil {
		if blanked, some := withoutComments(answer); some {
			*d = documents{}
			if json.Unmarshal(blanked, d) == nil {
				return nil
			}
		}
	}
	return err
}

// withoutComments returns a JSON text with blanks in the place of comments, as Jackson, which
// is OpenSearch's parser, knows them: from /* to */, and from // to the end of the line. It
// reports whether there were any, and all of them ended.
func withoutComments(text []byte) (blanked []byte, some bool) {
	const inString, inBlock, inLine = '"', '*', '/'
	in := byte(0)
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch {
		case in == 0 && rest[0] == '"':
			in = inString
		case in == 0 && (bytes.HasPrefix(rest, []byte("/*")) || bytes.HasPrefix(rest, []byte("//"))):
			if in = rest[1]; blanked == nil {
				blanked = bytes.Clone(text)
			}
			blanked[i], blanked[i+1] = ' ', ' '
			i++
		case in == inString && rest[0] == '\\':
			i++ // whatever it is, it does not end the string
		case in == inString && rest[0] == '"', in == inLine && (rest[0] == '\n' || rest[0] == '\r'):
			in = 0
		case in == inBlock && bytes.HasPrefix(rest, []byte("*/")):
			blanked[i], blanked[i+1] = ' ', ' '
			in, i = 0, i+1
		case in == inBlock || in == inLine:
			blanked[i] = ' '
		}
	}
	return blanked, blanked != nil && in == 0
}

// deepest is as deep as OpenSearch's own parser goes.
const deepest = 1000

// cutter reads a JSON text, and checks it as json.Unmarshal does. Its methods report
// whether they have read what they are for; where they have not, nothing is known of
// the text.
type cutter struct {
	b    []byte
	i    int    // next byte
	from int    // first byte that is not in rest
	rest []byte // the text, with null in the place of lists of documents
}

// answer reads a whole text.
func (c *cutter) answer(d *documents) bool {
	var hits, docs []doc
	if !c.object(func(key []byte) bool {
		switch string(key) {
		case "hits":
			return c.object(func(key []byte) bool {
				if string(key) == "hits" {
					return c.list(&hits)
				}
				return otherKey(key) && c.value(0)
			})
		case "docs":
			return c.list(&docs)
		case "timed_out", "_shards":
			return c.value(0)
		}
		return otherKey(key) && c.value(0)
	}) || c.peek() != 0 || c.i != len(c.b) {
		return false
	}
	if json.Unmarshal(append(c.rest, c.b[c.from:]...), d) != nil {
		return false
	}
	d.Hits.Hits, d.Docs = hits, docs
	return true
}

// list reads a list of documents, which the text has once.
func (c *cutter) list(into *[]doc) bool {
	if *into != nil {
		return false
	}
	c.peek()
	c.rest = append(append(c.rest, c.b[c.from:c.i]...), "null"...)
	docs, index := []doc{}, ""
	if !c.members('[', ']', func() bool {
		docs = append(docs, doc{})
		d := &docs[len(docs)-1]
		ok := c.document(d, index)
		index = d.Index
		return ok
	}) {
		return false
	}
	c.from, *into = c.i, docs
	return true
}

// document reads one document, which is likely to be of that index.
func (c *cutter) document(d *doc, index string) bool {
	return c.object(func(key []byte) bool {
		c.peek()
		from := c.i
		if !c.value(0) {
			return false
		}
		v := c.b[from:c.i:c.i] // so that nobody appends to it in place
		switch string(key) {
		case "_index":
			if n := len(v); n == len(index)+2 && string(v[1:n-1]) == index {
				d.Index = index // one copy for all
				return true
			}
			return str(v, &d.Index)
		case "_id":
			return str(v, &d.ID)
		case "_routing":
			return str(v, &d.Routing)
		case "_version":
			return number(v, &d.Version)
		case "_seq_no":
			return number(v, &d.SeqNo)
		case "_primary_term":
			return number(v, &d.Term)
		case "found":
			return json.Unmarshal(v, &d.Found) == nil
		case "error":
			return json.Unmarshal(v, &d.Error) == nil
		case "_source":
			d.Source = v
			return true
		case "sort":
			d.Sort = v
			return true
		}
		return otherKey(key)
	})
}

// otherKey reports whether a key, which is none of those that are known, is none of them for
// json.Unmarshal either, which also takes a key for one that differs in capitals, and
// reads escapes.
func otherKey(key []byte) bool {
	for _, b := range key {
		if (b < 'a' || b > 'z') && b != '_' {
			return false
		}
	}
	return true
}

// str reads a string.
func str(v []byte, into *string) bool {
	if n := len(v); v[0] == '"' && verbatim(v[1:n-1]) {
		*into = string(v[1 : n-1])
		return true
	}
	return json.Unmarshal(v, into) == nil
}

// number reads an integer.
func number(v []byte, into *int64) bool {
	if len(v) > 18 { // which would need a closer look
		return json.Unmarshal(v, into) == nil
	}
	n := int64(0)
	for _, b := range v {
		if b < '0' || b > '9' {
			return json.Unmarshal(v, into) == nil
		}
		n = 10*n + int64(b-'0')
	}
	*into = n
	return true
}

// peek returns the next byte that is no space, or 0 at the end.
func (c *cutter) peek() byte {
	for ; c.i < len(c.b); c.i++ {
		switch b := c.b[c.i]; b {
		case ' ', '\n', '\r', '\t':
		default:
			return b
		}
	}
	return 0
}

// members reads a list, or an object, whose members one reads.
func (c *cutter) members(begin, end byte, one func() bool) bool {
	if c.peek() != begin {
		return false
	}
	c.i++
	if c.peek() == end {
		c.i++
		return true
	}
	for one() {
		switch c.peek() {
		case ',':
			c.i++
		case end:
			c.i++
			return true
		default:
			return false
		}
	}
	return false
}

// object reads an object, whose values value reads.
func (c *cutter) object(value func(key []byte) bool) bool {
	return c.members('{', '}', func() bool {
		if c.peek() != '"' {
			return false
		}
		from := c.i + 1
		if !c.quoted() {
			return false
		}
		key := c.b[from : c.i-1]
		if c.peek() != ':' {
			return false
		}
		c.i++
		return value(key)
	})
}

// value reads any value.
func (c *cutter) value(depth int) bool {
	switch b := c.peek(); {
	case b == '"':
		return c.quoted()
	case depth == deepest:
		return false
	case b == '{':
		return c.object(func([]byte) bool { return c.value(depth + 1) })
	case b == '[':
		return c.members('[', ']', func() bool { return c.value(depth + 1) })
	}
	return c.plain()
}

// plain reads a number, true, false or null.
func (c *cutter) plain() bool {
	from := c.i
	for c.i < len(c.b) && strings.IndexByte("0123456789truefalsn+-.E", c.b[c.i]) >= 0 {
		c.i++
	}
	switch v := c.b[from:c.i]; string(v) {
	case "true", "false", "null":
		return true
	default:
		return jsontext.IsNumber(v)
	}
}

// quoted reads a string, whose first quotation mark is next.
func (c *cutter) quoted() bool {
	from, escaped := c.i, false
	for c.i++; ; c.i += 2 { // a backslash, and what it escapes, which is no end
		c.i = min(c.i, len(c.b))
		c.i += jsontext.Plain(c.b[c.i:])
		if c.i == len(c.b) || c.b[c.i] < ' ' {
			return false
		}
		if c.b[c.i] == '"' {
			c.i++
			return !escaped || json.Valid(c.b[from:c.i])
		}
		escaped = true
	}
}
