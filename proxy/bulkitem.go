package proxy

import (
	"bytes"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/internal/jsontext"
)

// plainItem is an item of the answer to a bulk as OpenSearch writes what it has carried
// out, without a blank and with all members in its order. What the rules may change of
// it are its index, its id and its primary term: parts of it, the first two without
// their quotes.
type plainItem struct {
	text            []byte
	index, id, term span
}

// span is where something is in a text.
type span struct{ from, to int }

// readPlainItem reads a plain item at the beginning of b; false if there is none.
func readPlainItem(b []byte) (it plainItem, ok bool) {
	r := itemReader{b: b}
	r.mark(`{"`)
	switch verb := r.word(); string(b[verb.from:verb.to]) {
	case "index", "create", "update", "delete":
	default:
		return it, false
	}
	r.mark(`":{"_index":"`)
	it.index = r.word()
	r.mark(`","_id":"`)
	it.id = r.word()
	r.mark(`","_version":`)
	r.number()
	r.mark(`,"result":"`)
	r.word()
	r.mark(`",`)
	r.maybe(`"forced_refresh":true,`)
	r.mark(`"_shards":{"total":`)
	r.number()
	r.mark(`,"successful":`)
	r.number()
	r.mark(`,"failed":`)
	r.number()
	r.mark(`},"_seq_no":`)
	r.number()
	r.mark(`,"_primary_term":`)
	it.term = r.number()
	r.mark(`,"status":`)
	r.number()
	r.mark(`}}`)
	it.text = b[:r.i:r.i]
	return it, !r.failed
}

// itemReader reads what is expected; once that is not what comes, it has failed.
type itemReader struct {
	b      []byte
	i      int
	failed bool
}

func (r *itemReader) maybe(s string) bool {
	if end := r.i + len(s); end <= len(r.b) && string(r.b[r.i:end]) == s {
		r.i = end
		return true
	}
	return false
}

func (r *itemReader) mark(s string) { r.failed = !r.maybe(s) || r.failed }

// word reads what is in a string: of ASCII, without anything that is escaped.
func (r *itemReader) word() span {
	from := r.i
	for r.i < len(r.b) && r.b[r.i] >= ' ' && r.b[r.i] < utf8.RuneSelf && r.b[r.i] != 0x7f && r.b[r.i] != '"' && r.b[r.i] != '\\' {
		r.i++
	}
	return span{from, r.i}
}

// number reads a whole number that is not too long for one.
func (r *itemReader) number() span {
	from := r.i
	r.maybe("-")
	digits := r.i
	for r.i < len(r.b) && r.b[r.i] >= '0' && r.b[r.i] <= '9' {
		r.i++
	}
	if n := r.i - digits; n == 0 || n > 19 || n > 1 && r.b[digits] == '0' {
		r.failed = true
	}
	return span{from, r.i}
}

// itemRules are what rules say of plain items.
type itemRules struct {
	physical    string // the index that each must be of; empty: any, which stays as it is
	logical     string // what it becomes
	prefix      []byte // is taken off ids
	incarnation uint32
}

// idle reports that nothing of a plain item changes.
func (r *itemRules) idle() bool { return r.physical == "" && len(r.prefix) == 0 && r.incarnation == 0 }

// append appends an item as its client may see it to b; false if it must not, or if it is
// not for these rules to say.
func (r *itemRules) append(b []byte, it plainItem) ([]byte, bool) {
	done := 0 // text before it has been copied
	if r.physical != "" {
		if string(it.text[it.index.from:it.index.to]) != r.physical {
			return b, false
		}
		b = jsontext.AppendString(append(b, it.text[:it.index.from-1]...), r.logical)
		done = it.index.to + 1
	}
	id, ok := bytes.CutPrefix(it.text[it.id.from:it.id.to], r.prefix)
	if !ok {
		return b, false
	}
	b = append(append(b, it.text[done:it.id.from]...), id...)
	done = it.id.to
	if r.incarnation != 0 {
		b = append(b, it.text[done:it.term.from]...)
		b = append(b, shownTerm(string(it.text[it.term.from:it.term.to]), r.incarnation)...)
		done = it.term.to
	}
	return append(b, it.text[done:]...), true
}

func (r *answerRules) items() *itemRules {
	if r.many != nil {
		return nil
	}
	out := &itemRules{incarnation: r.incarnation}
	if r.renames() {
		out.physical, out.logical = r.physical, r.logical
	}
	return out
}

func (r *sharedRules) items() *itemRules {
	return &itemRules{physical: r.names.Physical, logical: r.names.Logical, prefix: []byte(r.tenant.Prefix()), incarnation: r.incarnation}
}
