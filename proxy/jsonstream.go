package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"unsafe"

	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// rules say what a rewriter changes in a JSON text. A path is the keys that lead
// to a value; arrays add nothing to it. The slice is valid during the call only.
type rules interface {
	// key is asked about a member of the object at path: its key instead (or the
	// same), and what becomes of its value.
	key(path []string, key string) (string, fate)
	// wants reports whether scalar must be asked about the value at path.
	wants(path []string) bool
	// scalar returns what to write for a string (decoded), or for a bare value: a
	// number, true or false (as it is written), and whether that differs. Keys and values
	// may be parts of the text: they live as long as that. What takes
	// the place of a bare value is written as it is returned. errDrop drops the member
	// that it is the value of, if key said that it may.
	scalar(path []string, value string, bare bool) (string, bool, error)
}

// elements are rules that are told which element of an array comes next, but not
// inside of what is not looked into.
type elements interface {
	element(i int)
}

// fate is what becomes of a member.
type fate int

const (
	look   fate = iota // copied, and looked into
	opaque             // copied, and not looked into
	drop               // left out
	hold               // copied and looked into, or left out: scalar will say
)

// errDrop is scalar's answer for a member that is to be left out.
var errDrop = errors.New("leave it out")

// Limits of what is kept in memory of a JSON text.
const (
	maxDepth  = 1000    // as deep as OpenSearch's own parser goes
	maxNumber = 1 << 10 // a longer number is an error
	maxKey    = 1 << 10 // a longer key is none that a rule knows
	maxScalar = 1 << 20 // a longer value that a rule wants is an error
)

var errJSON = errors.New("not JSON")

// rewriter copies one JSON text, and changes what its rules say, in one pass. Whitespace,
// order and everything else stay as they are. It is strict: what it lets through is one
// JSON value and nothing else, so no other parser can read it differently.
//
// The text is in buf, whole, or as much of it as was read and is still needed: then the
// memory is bounded by the depth of the text. What stays as it is is not copied piece by
// piece: buf[from:i] has been read and is to be copied, and is so when something else has
// to be written first, or when more of the text is read.
type rewriter struct {
	src   io.Reader // nil: all that there is is in buf
	dst   io.Writer // nil: what is written stays in out
	err   error     // of src or dst
	buf   []byte
	i     int // next to be read
	from  int // next to be copied
	keep  int // what must stay in buf when more is read; -1: nothing
	out   []byte
	rules rules
	items elements // the rules, if they are such
	path  []string
	whole bool // buf is the whole text, and stays what it is
	blind int  // > 0 inside an opaque or dropped value
	held  int  // > 0 where what is written may be taken back
	drop  bool // what is copied is not written
}

// streamed is how much of a stream is read, and written, at once.
const streamed = 32 << 10

// rewriters are kept for the next text: their buffers are many times what most texts need.
// Nothing of a rewriter is anybody else's once its text was rewritten.
var rewriters = sync.Pool{New: func() any { return new(rewriter) }}

// free gives a rewriter back, with nothing of the text but the room that it took.
func (x *rewriter) free() {
	clear(x.path[:cap(x.path)])
	*x = rewriter{path: x.path[:0]}
	rewriters.Put(x)
}

// rewrite copies one JSON value. Errors of the text are errJSON, those of the
// rules and of reading and writing come back as they are.
func rewrite(out io.Writer, in io.Reader, r rules) error {
	room := copies.Get().(*[]byte)
	defer copies.Put(room)
	x := rewriters.Get().(*rewriter)
	defer x.free()
	x.src, x.dst, x.buf = in, out, (*room)[:0]
	err := x.text(r)
	if err == nil {
		x.flush()
		err = x.err
	}
	return err
}

// rewriteBytes is rewrite for a text in memory. It returns b itself if nothing changes.
func rewriteBytes(b []byte, r rules) ([]byte, error) { return rewriteInto(nil, b, r) }

// rewriteInto is rewriteBytes with room for what it returns, which may be too little.
func rewriteInto(room, b []byte, r rules) ([]byte, error) {
	x := rewriters.Get().(*rewriter)
	defer x.free()
	x.buf, x.whole, x.out = b, true, room
	if err := x.text(r); err != nil {
		return nil, err
	}
	if len(x.out) == 0 && x.from == 0 {
		return b, nil
	}
	x.copyTo(x.i)
	return x.out, nil
}

// text rewrites all but what is still to be copied.
func (x *rewriter) text(r rules) error {
	x.rules, x.keep = r, -1
	x.items, _ = r.(elements)
	if err := x.value(0); err != nil {
		return err
	}
	for {
		c, ok := x.next()
		if !ok {
			return x.err
		}
		if !space(c) {
			return fmt.Errorf("%w: data after the value", errJSON)
		}
		x.i++
	}
}

// copyTo copies what was read up to a place.
func (x *rewriter) copyTo(to int) {
	if !x.drop && to > x.from {
		if x.out == nil {
			room := streamed
			if x.dst == nil {
				room = len(x.buf) + 64
			}
			x.out = make([]byte, 0, room)
		}
		x.out = append(x.out, x.buf[x.from:to]...)
	}
	x.from = to
}

// put writes a string in the place of what was read since a place.
func (x *rewriter) put(at int, s string) {
	x.copyTo(at)
	x.out = jsontext.AppendString(x.out, s)
	x.from = x.i
}

// flush writes what has been copied.
func (x *rewriter) flush() {
	x.copyTo(x.i)
	if len(x.out) > 0 && x.err == nil {
		_, x.err = x.dst.Write(x.out)
	}
	x.out = x.out[:0]
}

// more reads more of the text, which moves what is in buf. It reports false at the end,
// and after an error.
func (x *rewriter) more() bool {
	if x.src == nil || x.err != nil {
		return false
	}
	start := x.i
	if x.keep >= 0 {
		start = x.keep
	}
	x.copyTo(start)
	if x.held == 0 && len(x.out) >= streamed/2 {
		if _, x.err = x.dst.Write(x.out); x.err != nil {
			return false
		}
		x.out = x.out[:0]
	}
	n := copy(x.buf, x.buf[start:])
	x.buf, x.i, x.from = x.buf[:n], x.i-start, 0
	if x.keep >= 0 {
		x.keep = 0
	}
	if cap(x.buf)-n < streamed/2 { // a long name, or a long value that a rule wants
		x.buf = append(make([]byte, 0, 2*cap(x.buf)), x.buf...)
	}
	for tries := 0; ; tries++ {
		got, err := x.src.Read(x.buf[n:cap(x.buf)])
		x.buf = x.buf[:n+got]
		switch {
		case err == io.EOF:
			x.src = nil
		case err != nil:
			x.err = err
		case got == 0 && tries < 100:
			continue
		case got == 0:
			x.err = io.ErrNoProgress
		}
		return got > 0
	}
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// next is the next byte, which is not read by that; false at the end.
func (x *rewriter) next() (byte, bool) {
	if x.i == len(x.buf) && !x.more() {
		return 0, false
	}
	return x.buf[x.i], true
}

// peek is next where the text must go on.
func (x *rewriter) peek() (byte, error) {
	c, ok := x.next()
	if !ok {
		return 0, x.early()
	}
	return c, nil
}

func (x *rewriter) early() error {
	if x.err != nil {
		return x.err
	}
	return fmt.Errorf("%w: it ends too early", errJSON)
}

// token reads whitespace and returns the first other byte, which is not read.
func (x *rewriter) token() (byte, error) {
	for {
		for ; x.i < len(x.buf); x.i++ {
			if c := x.buf[x.i]; !space(c) {
				return c, nil
			}
		}
		if !x.more() {
			return 0, x.early()
		}
	}
}

func bad(c byte) error { return fmt.Errorf("%w: unexpected character %q", errJSON, c) }

func (x *rewriter) value(depth int) error {
	c, err := x.token()
	if err != nil {
		return err
	}
	if depth > maxDepth {
		return fmt.Errorf("%w: nested deeper than %d", errJSON, maxDepth)
	}
	switch {
	case c == '"':
		return x.str()
	case c == '{':
		return x.object(depth)
	case c == '[':
		return x.array(depth)
	case c == '-' || c >= '0' && c <= '9':
		return x.number()
	case c == 't':
		return x.literal("true")
	case c == 'f':
		return x.literal("false")
	case c == 'n':
		return x.literal("null")
	}
	return bad(c)
}

func (x *rewriter) object(depth int) error {
	x.i++
	kept := false
	for first := true; ; first = false {
		if x.blind == 0 {
			x.keep = x.i // until it is known what becomes of the member
		}
		begun := x.keep
		c, err := x.token()
		if err != nil {
			return err
		}
		if c == '}' {
			x.i, x.keep = x.i+1, -1
			return nil
		}
		comma := -1
		if !first {
			if c != ',' {
				return bad(c)
			}
			if begun >= 0 {
				comma = x.i - x.keep
			}
			x.i++
			if c, err = x.token(); err != nil {
				return err
			}
		}
		if c != '"' {
			return bad(c)
		}
		if x.blind > 0 {
			x.i++
			if _, err := x.rest(-1); err != nil {
				return err
			}
			if err := x.memberValue(depth); err != nil {
				return err
			}
			continue
		}
		wrote, err := x.member(kept, comma, depth)
		if err != nil {
			return err
		}
		kept = kept || wrote
	}
}

// member copies or drops one member of which the next byte is the opening quote, and what
// stands in front of it, from keep on. kept says that the object has others already; comma
// is where in that a comma is, -1 if there is none.
func (x *rewriter) member(kept bool, comma, depth int) (wrote bool, err error) {
	at := x.i - x.keep // of the key
	key, whole, err := x.key()
	if err != nil {
		return false, err
	}
	repl, what := x.rules.key(x.path, key)
	n := len(x.path)
	x.path = append(x.path, key)
	if what == drop {
		x.copyTo(x.keep)
		x.keep, x.drop = -1, true
		x.blind++
		if !whole {
			_, err = x.rest(-1)
		}
		if err == nil {
			err = x.memberValue(depth)
		}
		x.copyTo(x.i) // nowhere
		x.blind--
		x.drop = false
		x.path = x.path[:n]
		return false, err
	}
	if what == hold {
		x.copyTo(x.keep)
		x.held++
	}
	mark := len(x.out)
	if !kept && comma >= 0 { // behind dropped members only, the comma is one too many
		x.copyTo(x.keep + comma)
		x.from++
	}
	if repl != key {
		x.put(x.keep+at, repl)
	}
	x.keep = -1
	if what == opaque {
		x.blind++
	}
	if !whole {
		_, err = x.rest(-1)
	}
	if err == nil {
		err = x.memberValue(depth)
	}
	x.path = x.path[:n]
	switch what {
	case opaque:
		x.blind--
	case hold:
		x.held--
		if errors.Is(err, errDrop) {
			x.out, x.from = x.out[:mark], x.i
			return false, nil
		}
	}
	return true, err
}

// memberValue copies the colon and the value.
func (x *rewriter) memberValue(depth int) error {
	c, err := x.token()
	if err != nil {
		return err
	}
	if c != ':' {
		return bad(c)
	}
	x.i++
	return x.value(depth + 1)
}

// key reads a key. One that is too long to be known to a rule is read in part only, and
// empty to the rules.
func (x *rewriter) key() (key string, whole bool, err error) {
	at := x.i - x.keep
	x.i++
	if whole, err = x.rest(at + maxKey); err != nil || !whole {
		return "", whole, err
	}
	raw := x.buf[x.keep+at : x.i]
	if !x.whole {
		if s, ok := commonKeys[string(raw[1:len(raw)-1])]; ok {
			return s, true, nil
		}
	}
	key, err = x.decoded(raw)
	return key, true, err
}

func (x *rewriter) array(depth int) error {
	x.i++
	for i := 0; ; i++ {
		c, err := x.token()
		if err != nil {
			return err
		}
		if c == ']' && i == 0 {
			x.i++
			return nil
		}
		if x.items != nil && x.blind == 0 {
			x.items.element(i)
		}
		if err := x.value(depth + 1); err != nil {
			return err
		}
		if c, err = x.token(); err != nil {
			return err
		}
		x.i++
		if c == ']' {
			return nil
		}
		if c != ',' {
			return bad(c)
		}
	}
}

// str copies a string of which the next byte is the opening quote.
func (x *rewriter) str() error {
	if x.blind > 0 || !x.rules.wants(x.path) {
		x.i++
		_, err := x.rest(-1)
		return err
	}
	x.keep = x.i
	x.i++
	whole, err := x.rest(maxScalar)
	if err != nil {
		return err
	}
	if !whole {
		return fmt.Errorf("%w: a value is longer than %d bytes", errJSON, maxScalar)
	}
	at := x.keep
	x.keep = -1
	v, err := x.decoded(x.buf[at:x.i])
	if err != nil {
		return err
	}
	repl, changed, err := x.rules.scalar(x.path, v, false)
	if err == nil && changed {
		x.put(at, repl)
	}
	return err
}

// rest reads a string whose opening quote has been read. If limit is not negative, it stops
// where there are more than limit bytes from keep on, and whole is false.
func (x *rewriter) rest(limit int) (whole bool, err error) {
	for {
		x.i += jsontext.Plain(x.buf[x.i:])
		if limit >= 0 && x.i-x.keep > limit {
			return false, nil
		}
		c, err := x.peek()
		if err != nil {
			return false, err
		}
		switch {
		case c == '"':
			x.i++
			return true, nil
		case c == '\\':
			x.i++
			if err := x.escape(); err != nil {
				return false, err
			}
		case c < ' ':
			return false, bad(c)
		}
	}
}

// escape reads what follows a backslash.
func (x *rewriter) escape() error {
	c, err := x.peek()
	if err != nil {
		return err
	}
	n := 0
	switch c {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
	case 'u':
		n = 4
	default:
		return bad(c)
	}
	x.i++
	for range n {
		if c, err = x.peek(); err != nil {
			return err
		}
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return bad(c)
		}
		x.i++
	}
	return nil
}

func (x *rewriter) literal(word string) error {
	x.keep = x.i
	for i := range len(word) {
		c, err := x.peek()
		if err != nil {
			return err
		}
		if c != word[i] {
			return bad(c)
		}
		x.i++
	}
	if word == "null" {
		x.keep = -1
		return nil
	}
	return x.bare()
}

// bare is behind a number, true or false that begins at keep. It leaves it, or writes what
// the rules put in its place: OpenSearch takes such a value for text where it expects a
// name.
func (x *rewriter) bare() error {
	at := x.keep
	x.keep = -1
	if x.blind > 0 || !x.rules.wants(x.path) {
		return nil
	}
	repl, changed, err := x.rules.scalar(x.path, string(x.buf[at:x.i]), true)
	if err == nil && changed {
		x.copyTo(at)
		x.out = append(x.out, repl...)
		x.from = x.i
	}
	return err
}

func ofNumber(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E'
}

func (x *rewriter) number() error {
	x.keep = x.i
	for {
		for x.i < len(x.buf) && ofNumber(x.buf[x.i]) {
			x.i++
		}
		if x.i-x.keep > maxNumber {
			return fmt.Errorf("%w: a number has more than %d digits", errJSON, maxNumber)
		}
		if x.i < len(x.buf) || !x.more() {
			break
		}
	}
	if x.i == len(x.buf) && x.err != nil {
		return x.err
	}
	if raw := x.buf[x.keep:x.i]; !jsontext.IsNumber(raw) {
		return fmt.Errorf("%w: %q is no number", errJSON, raw)
	}
	return x.bare()
}

// decoded is decodeString, which makes nothing of what can stay where it is.
func (x *rewriter) decoded(raw []byte) (string, error) {
	if inner := raw[1 : len(raw)-1]; x.whole && len(inner) > 0 && bytes.IndexByte(inner, '\\') < 0 {
		return unsafe.String(&inner[0], len(inner)), nil // nobody writes to the text while it is rewritten
	}
	return decodeString(raw)
}

func decodeString(raw []byte) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", fmt.Errorf("%w: %w", errJSON, err)
	}
	return s, nil
}

// commonKeys are keys that most texts have, so that they need not be made anew.
var commonKeys = func() map[string]string {
	m := map[string]string{}
	for _, k := range []string{
		"_index", "_id", "_score", "_source", "_version", "_seq_no", "_primary_term", "_routing", "_shards", "_scroll_id", "aggregations", "aggs", "bool", "buckets", "count",
		"create", "delete", "doc_count", "error", "errors", "failed", "field", "fields", "filter", "found", "from", "get", "gte", "highlight", "hits", "index", "items", "key", "lte",
		"match", "match_all", "max_score", "must", "must_not", "query", "range", "reason", "relation", "result", "should", "size", "skipped", "sort", "status", "successful", "term",
		"terms", "timed_out", "took", "total", "type", "update", "value",
	} {
		m[k] = k
	}
	return m
}()
