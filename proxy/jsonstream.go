package proxy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
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
	// number, true or false (as it is written), and whether that differs. What takes
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

// rewriter copies one JSON text from in to out, and changes what its rules say,
// in one pass and with memory bounded by the depth of the text. Whitespace, order
// and everything else stay as they are. It is strict: what it lets through is one
// JSON value and nothing else, so no other parser can read it differently.
type rewriter struct {
	in    *bufio.Reader
	out   *bufio.Writer
	rules rules
	items elements // the rules, if they are such
	path  []string
	raw   []byte // scratch: the string or number at hand
	gap   []byte // what stands in front of the key at hand, not yet copied
	blind int    // > 0 inside an opaque or dropped value
}

// rewrite copies one JSON value. Errors of the text are errJSON, those of the
// rules and of reading and writing come back as they are.
func rewrite(out io.Writer, in io.Reader, r rules) error {
	x := rewriters.Get().(*rewriter)
	defer x.free()
	x.in.Reset(in)
	x.out.Reset(out)
	x.rules = r
	x.items, _ = r.(elements)
	err := x.value(0)
	if err == nil {
		err = x.end()
	}
	if ferr := x.out.Flush(); err == nil {
		err = ferr
	}
	return err
}

// rewriters are kept for the next text: their buffers are many times what most texts need.
var rewriters = sync.Pool{New: func() any {
	return &rewriter{in: bufio.NewReaderSize(nil, 32<<10), out: bufio.NewWriterSize(nil, 32<<10)}
}}

// free gives a rewriter back, with nothing of the text but the room that it took.
func (x *rewriter) free() {
	x.in.Reset(nil)
	x.out.Reset(nil)
	clear(x.path[:cap(x.path)])
	if cap(x.raw) > maxScalar/8 { // one long value is no reason to keep as much for all
		x.raw = nil
	}
	if cap(x.gap) > maxScalar/8 {
		x.gap = nil
	}
	*x = rewriter{in: x.in, out: x.out, path: x.path[:0], raw: x.raw[:0], gap: x.gap[:0]}
	rewriters.Put(x)
}

// rewriteBytes is rewrite for a text in memory.
func rewriteBytes(b []byte, r rules) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(b) + 64)
	err := rewrite(&out, bytes.NewReader(b), r)
	return out.Bytes(), err
}

func (x *rewriter) end() error {
	for {
		c, err := x.in.ReadByte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if !space(c) {
			return fmt.Errorf("%w: data after the value", errJSON)
		}
		if err := x.out.WriteByte(c); err != nil {
			return err
		}
	}
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func (x *rewriter) read() (byte, error) {
	c, err := x.in.ReadByte()
	if err == io.EOF {
		return 0, fmt.Errorf("%w: it ends too early", errJSON)
	}
	return c, err
}

// next copies whitespace and returns the first other byte, not yet copied.
func (x *rewriter) next() (byte, error) {
	for {
		c, err := x.read()
		if err != nil || !space(c) {
			return c, err
		}
		if err := x.out.WriteByte(c); err != nil {
			return 0, err
		}
	}
}

func bad(c byte) error { return fmt.Errorf("%w: unexpected character %q", errJSON, c) }

func (x *rewriter) value(depth int) error {
	c, err := x.next()
	if err != nil {
		return err
	}
	return x.valueAt(c, depth)
}

func (x *rewriter) valueAt(c byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: nested deeper than %d", errJSON, maxDepth)
	}
	switch {
	case c == '{':
		return x.object(depth)
	case c == '[':
		return x.array(depth)
	case c == '"':
		return x.str()
	case c == 't':
		return x.literal("true")
	case c == 'f':
		return x.literal("false")
	case c == 'n':
		return x.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		return x.number(c)
	}
	return bad(c)
}

func (x *rewriter) object(depth int) error {
	if err := x.out.WriteByte('{'); err != nil {
		return err
	}
	x.gap = x.gap[:0]
	kept := false
	for first := true; ; first = false {
		c, err := x.nextGap()
		if err != nil {
			return err
		}
		if c == '}' && first {
			return x.close()
		}
		if c != '"' {
			return bad(c)
		}
		wrote, err := x.member(kept, depth)
		if err != nil {
			return err
		}
		kept = kept || wrote
		x.path = x.path[:len(x.path)-1]
		x.gap = x.gap[:0]
		if c, err = x.nextGap(); err != nil {
			return err
		}
		if c == '}' {
			return x.close()
		}
		if c != ',' {
			return bad(c)
		}
		x.gap = append(x.gap, c)
	}
}

// close ends an object.
func (x *rewriter) close() error {
	if _, err := x.out.Write(x.gap); err != nil {
		return err
	}
	return x.out.WriteByte('}')
}

// nextGap is next, but keeps the whitespace until it is known whether a member
// follows that is copied.
func (x *rewriter) nextGap() (byte, error) {
	for {
		c, err := x.read()
		if err != nil || !space(c) {
			return c, err
		}
		x.gap = append(x.gap, c)
	}
}

// writeGap writes what stands in front of a member; behind dropped members only,
// the comma is one too many.
func (x *rewriter) writeGap(kept bool) error {
	if !kept {
		x.gap = bytes.TrimPrefix(x.gap, []byte(","))
		if i := bytes.IndexByte(x.gap, ','); i >= 0 {
			x.gap = append(x.gap[:i], x.gap[i+1:]...)
		}
	}
	_, err := x.out.Write(x.gap)
	return err
}

// member copies or drops one member whose opening quote has been read, and puts
// its key onto the path. kept says that the object has others already.
func (x *rewriter) member(kept bool, depth int) (wrote bool, err error) {
	if x.blind > 0 {
		if err := x.writeGap(kept); err != nil {
			return false, err
		}
		if err := x.copyString(); err != nil {
			return false, err
		}
		x.path = append(x.path, "")
		return true, x.memberValue(depth)
	}
	key, whole, err := x.key()
	if err != nil {
		return false, err
	}
	repl, what := x.rules.key(x.path, key)
	x.path = append(x.path, key)
	if what == look || what == opaque {
		if err := x.writeKey(kept, whole, key, repl); err != nil {
			return false, err
		}
		if what == opaque {
			x.blind++
			defer func() { x.blind-- }()
		}
		return true, x.memberValue(depth)
	}
	// Written aside until it is known what becomes of it.
	out := x.out
	defer func() { x.out = out }()
	if what == drop {
		x.out = bufio.NewWriterSize(io.Discard, 16)
		x.blind++
		defer func() { x.blind-- }()
		if !whole {
			if err := x.copyRest(); err != nil {
				return false, err
			}
		}
		return false, x.memberValue(depth)
	}
	var held bytes.Buffer
	x.out = bufio.NewWriterSize(&held, 256)
	if err := x.writeKey(kept, whole, key, repl); err != nil {
		return false, err
	}
	err = x.memberValue(depth)
	if errors.Is(err, errDrop) {
		return false, nil
	}
	if err == nil {
		err = x.out.Flush()
	}
	if err == nil {
		_, err = out.Write(held.Bytes())
	}
	return true, err
}

// memberValue copies the colon and the value.
func (x *rewriter) memberValue(depth int) error {
	c, err := x.next()
	if err != nil {
		return err
	}
	if c != ':' {
		return bad(c)
	}
	if err := x.out.WriteByte(c); err != nil {
		return err
	}
	return x.value(depth + 1)
}

// key reads a key. One that is too long to be known to a rule is read in part
// only, and empty to the rules.
func (x *rewriter) key() (key string, whole bool, err error) {
	if whole, err = x.readString(maxKey); err != nil || !whole {
		return "", whole, err
	}
	key, err = decodeString(x.raw)
	return key, true, err
}

// writeKey writes the key at hand, or another in its place.
func (x *rewriter) writeKey(kept, whole bool, key, repl string) error {
	if err := x.writeGap(kept); err != nil {
		return err
	}
	if repl != key {
		return x.writeString(repl)
	}
	if _, err := x.out.Write(x.raw); err != nil || whole {
		return err
	}
	return x.copyRest()
}

func (x *rewriter) array(depth int) error {
	if err := x.out.WriteByte('['); err != nil {
		return err
	}
	for i := 0; ; i++ {
		c, err := x.next()
		if err != nil {
			return err
		}
		if c == ']' && i == 0 {
			return x.out.WriteByte(c)
		}
		if x.items != nil && x.blind == 0 {
			x.items.element(i)
		}
		if err := x.valueAt(c, depth+1); err != nil {
			return err
		}
		if c, err = x.next(); err != nil {
			return err
		}
		if err := x.out.WriteByte(c); err != nil {
			return err
		}
		if c == ']' {
			return nil
		}
		if c != ',' {
			return bad(c)
		}
	}
}

func (x *rewriter) str() error {
	if x.blind > 0 || !x.rules.wants(x.path) {
		return x.copyString()
	}
	whole, err := x.readString(maxScalar)
	if err != nil {
		return err
	}
	if !whole {
		return fmt.Errorf("%w: a value is longer than %d bytes", errJSON, maxScalar)
	}
	v, err := decodeString(x.raw)
	if err != nil {
		return err
	}
	repl, changed, err := x.rules.scalar(x.path, v, false)
	if err != nil {
		return err
	}
	if changed {
		return x.writeString(repl)
	}
	_, err = x.out.Write(x.raw)
	return err
}

// copyString copies a string whose opening quote has been read.
func (x *rewriter) copyString() error {
	if err := x.out.WriteByte('"'); err != nil {
		return err
	}
	return x.copyRest()
}

// readString reads a string, quotes included, into raw. Of one that is longer than
// limit it reads the beginning, and whole is false.
func (x *rewriter) readString(limit int) (whole bool, err error) {
	x.raw = append(x.raw[:0], '"')
	keep := func(c byte) error { x.raw = append(x.raw, c); return nil }
	for {
		part := x.plain(limit + 1 - len(x.raw))
		x.raw = append(x.raw, part...)
		x.skip(part)
		if len(x.raw) > limit {
			return false, nil
		}
		c, err := x.read()
		if err != nil {
			return false, err
		}
		if c < ' ' {
			return false, bad(c)
		}
		x.raw = append(x.raw, c)
		if c == '"' {
			return true, nil
		}
		if c == '\\' {
			if err := x.escape(keep); err != nil {
				return false, err
			}
		}
		if len(x.raw) > limit {
			return false, nil
		}
	}
}

// copyRest copies a string up to and with its closing quote.
func (x *rewriter) copyRest() error {
	for {
		part := x.plain(math.MaxInt)
		if _, err := x.out.Write(part); err != nil {
			return err
		}
		x.skip(part)
		c, err := x.read()
		if err != nil {
			return err
		}
		if err := x.out.WriteByte(c); err != nil {
			return err
		}
		switch {
		case c == '"':
			return nil
		case c < ' ':
			return bad(c)
		case c == '\\':
			if err := x.escape(func(c byte) error { return x.out.WriteByte(c) }); err != nil {
				return err
			}
		}
	}
}

// plain is what is in the buffer of a string before the next byte that means something,
// limit bytes at most. It is not read by that.
func (x *rewriter) plain(limit int) []byte {
	b, _ := x.in.Peek(x.in.Buffered()) // never fails for what is there
	b = b[:min(len(b), limit)]
	for i, c := range b {
		if c == '"' || c == '\\' || c < ' ' {
			return b[:i]
		}
	}
	return b
}

// skip reads what plain has shown.
func (x *rewriter) skip(part []byte) {
	_, _ = x.in.Discard(len(part)) // never fails for what is there
}

// escape reads what follows a backslash.
func (x *rewriter) escape(keep func(byte) error) error {
	c, err := x.read()
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
	if err := keep(c); err != nil {
		return err
	}
	for range n {
		if c, err = x.read(); err != nil {
			return err
		}
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F') {
			return bad(c)
		}
		if err := keep(c); err != nil {
			return err
		}
	}
	return nil
}

func (x *rewriter) literal(word string) error {
	for i := 1; i < len(word); i++ {
		c, err := x.read()
		if err != nil {
			return err
		}
		if c != word[i] {
			return bad(c)
		}
	}
	if word != "null" {
		return x.bare(word)
	}
	_, err := x.out.WriteString(word)
	return err
}

// bare writes a number, true or false, or what the rules put in its place:
// OpenSearch takes such a value for text where it expects a name.
func (x *rewriter) bare(v string) error {
	if x.blind == 0 && x.rules.wants(x.path) {
		repl, changed, err := x.rules.scalar(x.path, v, true)
		if err != nil {
			return err
		}
		if changed {
			v = repl
		}
	}
	_, err := x.out.WriteString(v)
	return err
}

func (x *rewriter) number(first byte) error {
	x.raw = append(x.raw[:0], first)
	for {
		c, err := x.in.ReadByte()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if !(c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E') {
			if err := x.in.UnreadByte(); err != nil {
				return err
			}
			break
		}
		if x.raw = append(x.raw, c); len(x.raw) > maxNumber {
			return fmt.Errorf("%w: a number has more than %d digits", errJSON, maxNumber)
		}
	}
	if !json.Valid(x.raw) {
		return fmt.Errorf("%w: %q is no number", errJSON, x.raw)
	}
	return x.bare(string(x.raw))
}

func (x *rewriter) writeString(s string) error {
	_, err := x.out.Write(quote(s))
	return err
}

// quote encodes a JSON string without HTML's escapes.
func quote(s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic("encode a string: " + err.Error()) // strings always encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
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
