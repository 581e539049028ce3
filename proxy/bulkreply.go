package proxy

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// bulkReply is what a cluster says to a bulk.
type bulkReply struct {
	Took       int64             `json:"took"`
	IngestTook *int64            `json:"ingest_took,omitempty"`
	Errors     bool              `json:"errors"`
	Items      []json.RawMessage `json:"items"`
}

// readBulkReply takes the answer to a bulk of n items apart, as rules make it. The items
// may be parts of raw.
func readBulkReply(raw []byte, n int, rules translation) (a bulkReply, err error) {
	items := rules.items()
	ok := items != nil
	if ok {
		a, ok = plainBulkReply(raw, n, items)
	}
	if !ok {
		a, err = anyBulkReply(raw, rules)
	}
	if err == nil && len(a.Items) != n {
		err = fmt.Errorf("it has %d items for %d", len(a.Items), n)
	}
	return a, err
}

// anyBulkReply reads any answer to a bulk.
func anyBulkReply(raw []byte, rules translation) (a bulkReply, err error) {
	if !rules.idle() {
		if raw, err = rewriteBytes(raw, rules); err != nil {
			return a, err
		}
	}
	err = json.Unmarshal(raw, &a)
	return a, err
}

// plainBulkReply reads an answer of the form that OpenSearch writes: an object with the
// members of bulkReply, each once at most, and plain items, if rules change any. Of any
// other ok is false, and what it means is for anyBulkReply to say.
func plainBulkReply(raw []byte, n int, rules *itemRules) (a bulkReply, ok bool) {
	x := rewriters.Get().(*rewriter)
	defer x.free()
	x.buf, x.keep, x.blind = raw, -1, 1 // it reads values, and copies nothing
	if !x.mark('{') {
		return a, false
	}
	var took, failed bool
	for {
		key, ok := x.blindValue()
		if !ok || !x.mark(':') {
			return a, false
		}
		var err error
		switch string(key) {
		case `"items"`:
			ok = a.Items == nil && x.mark('[')
			if ok {
				a.Items, ok = x.bulkItems(n, rules)
			}
		case `"took"`:
			var v []byte
			v, ok = x.blindValue()
			ok = ok && !took
			took = true
			a.Took, err = strconv.ParseInt(string(v), 10, 64)
		case `"ingest_took"`:
			var v []byte
			v, ok = x.blindValue()
			ok = ok && a.IngestTook == nil
			a.IngestTook = new(int64)
			*a.IngestTook, err = strconv.ParseInt(string(v), 10, 64)
		case `"errors"`:
			var v []byte
			v, ok = x.blindValue()
			a.Errors = string(v) == "true"
			ok = ok && !failed && (a.Errors || string(v) == "false")
			failed = true
		default:
			return a, false
		}
		if !ok || err != nil {
			return a, false
		}
		if x.mark(',') {
			continue
		}
		if !x.mark('}') {
			return a, false
		}
		_, err = x.token()
		return a, err != nil // nothing is behind it
	}
}

// mark reads white space and one character; false if that does not come next.
func (x *rewriter) mark(c byte) bool {
	if next, err := x.token(); err != nil || next != c {
		return false
	}
	x.i++
	return true
}

// blindValue reads a value, and returns it as it is written.
func (x *rewriter) blindValue() ([]byte, bool) {
	if _, err := x.token(); err != nil {
		return nil, false
	}
	from := x.i
	if x.value(1) != nil {
		return nil, false
	}
	return x.buf[from:x.i:x.i], true
}

// bulkItems reads what is behind the opening of an array of about n items.
func (x *rewriter) bulkItems(n int, rules *itemRules) ([]json.RawMessage, bool) {
	items := make([]json.RawMessage, 0, n)
	if x.mark(']') {
		return items, true
	}
	var out []byte // where the items are, if rules change them
	if !rules.idle() {
		out = make([]byte, 0, len(x.buf)+n*len(rules.logical))
	}
	for {
		if _, err := x.token(); err != nil {
			return nil, false
		}
		item, ok := readPlainItem(x.buf[x.i:])
		switch {
		case ok && rules.idle():
			x.i += len(item.text)
			items = append(items, item.text)
		case ok:
			x.i += len(item.text)
			from := len(out)
			if out, ok = rules.append(out, item); !ok {
				return nil, false
			}
			items = append(items, out[from:len(out):len(out)]) // what moves to a larger one stays here as well
		case rules.idle():
			v, ok := x.blindValue()
			if !ok {
				return nil, false
			}
			items = append(items, v)
		default:
			return nil, false
		}
		if x.mark(']') {
			return items, true
		}
		if !x.mark(',') {
			return nil, false
		}
	}
}
