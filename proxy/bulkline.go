package proxy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/jsontext"
	"github.com/sluiceproxy/sluice/placement"
)

// action is one parsed action line of a bulk body.
type action struct {
	verb    string // index, create, update or delete
	index   string // empty: the path's
	id      string // empty: none, or to be made up
	routing string
	pipe    string // ingest pipeline
	seqNo   string
	term    string
	rest    []field // everything else, as it was written
}

type field struct {
	name string
	raw  json.RawMessage
}

// passed are the other keys that OpenSearch knows.
var passed = []string{"version", "version_type", "retry_on_conflict", "require_alias", "op_type", "_source"}

func malformed(line int, format string, args ...any) *apiError {
	e := fail(http.StatusBadRequest, "illegal_argument_exception", format, args...)
	e.reason = "Malformed action/metadata line [" + itoa(line) + "], " + e.reason
	return e
}

// parseAction reads an action line strictly: one action, keys that OpenSearch
// knows, each once. What two parsers could read differently is refused.
func parseAction(b []byte, line int) (action, error) {
	if a, ok := plainAction(b); ok {
		return a, nil
	}
	return anyAction(b, line)
}

// plainAction reads an action line of the form that clients write: texts of ASCII without
// escapes, under the names of what an item is. Of any other ok is false, and what such a
// line means is for anyAction to say.
func plainAction(b []byte) (a action, ok bool) {
	verb, b := plainText(skipMark(b, '{'))
	switch string(verb) {
	case "index":
		a.verb = "index"
	case "create":
		a.verb = "create"
	case "update":
		a.verb = "update"
	case "delete":
		a.verb = "delete"
	default:
		return a, false
	}
	b = skipMark(skipMark(b, ':'), '{')
	if rest := skipMark(b, '}'); rest != nil { // of a new document
		return a, blank(skipMark(rest, '}'))
	}
	for {
		var key, value []byte
		key, b = plainText(b)
		value, b = plainText(skipMark(b, ':'))
		into := a.place(string(key))
		if into == nil || b == nil || *into != "" || len(value) == 0 { // twice, or empty: a case for the other
			return a, false
		}
		*into = string(value)
		if rest := skipMark(b, ','); rest != nil {
			b = rest
			continue
		}
		return a, blank(skipMark(skipMark(b, '}'), '}'))
	}
}

// skipMark is what follows white space and one character; nil if that does not come next.
func skipMark(b []byte, c byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	if len(b) == 0 || b[0] != c {
		return nil
	}
	return b[1:]
}

// plainText is a string that is what is written, and what follows it; nil if there is no
// such string next.
func plainText(b []byte) (text, rest []byte) {
	if b = skipMark(b, '"'); b == nil {
		return nil, nil
	}
	n := jsontext.Plain(b)
	if n == len(b) || b[n] != '"' {
		return nil, nil
	}
	for _, c := range b[:n] {
		if c >= utf8.RuneSelf {
			return nil, nil
		}
	}
	return b[:n], b[n+1:]
}

// blank reports whether b is there and has no more than white space.
func blank(b []byte) bool { return b != nil && len(bytes.TrimRight(b, " \t\r")) == 0 }

// anyAction is parseAction of any line.
func anyAction(b []byte, line int) (action, error) {
	var a action
	if !utf8.Valid(b) { // encoding/json would make one replacement character of many ids
		return a, malformed(line, "it is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := expect(d, json.Delim('{'), line); err != nil {
		return a, err
	}
	var err error
	if a.verb, err = text(d, line); err != nil {
		return a, err
	}
	switch a.verb {
	case "index", "create", "update", "delete":
	default:
		return a, malformed(line, "expected one of [create, delete, index, update] but found [%s]", a.verb)
	}
	if err := expect(d, json.Delim('{'), line); err != nil {
		return a, err
	}
	var seen []string
	for d.More() {
		key, err := text(d, line)
		if err != nil {
			return a, err
		}
		if slices.Contains(seen, key) {
			return a, malformed(line, "duplicate key [%s]", key)
		}
		seen = append(seen, key)
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return a, malformed(line, "%s", err)
		}
		if string(raw) == "null" {
			continue // as OpenSearch does
		}
		if err := a.set(key, raw, line); err != nil {
			return a, err
		}
	}
	for range 2 {
		if err := expect(d, json.Delim('}'), line); err != nil {
			return a, err
		}
	}
	if d.InputOffset() != int64(len(bytes.TrimRight(b, " \t\r"))) {
		return a, malformed(line, "there is something behind the action")
	}
	return a, nil
}

func expect(d *json.Decoder, want json.Delim, line int) error {
	t, err := d.Token()
	if err != nil {
		return malformed(line, "expected [%s]: %s", want, err)
	}
	if t != want {
		return malformed(line, "expected [%s] but found [%v]", want, t)
	}
	return nil
}

func text(d *json.Decoder, line int) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", malformed(line, "expected a key: %s", err)
	}
	s, ok := t.(string)
	if !ok {
		return "", malformed(line, "expected a key but found [%v]", t)
	}
	return s, nil
}

// place is where the value of a key is kept; nil: of one that the proxy passes on, or that
// is none.
func (a *action) place(key string) *string {
	switch key {
	case "_index":
		return &a.index
	case "_id":
		return &a.id
	case "routing":
		return &a.routing
	case "pipeline":
		return &a.pipe
	case "if_seq_no":
		return &a.seqNo
	case "if_primary_term":
		return &a.term
	}
	return nil
}

func (a *action) set(key string, raw json.RawMessage, line int) error {
	into := a.place(key)
	if into == nil {
		if !slices.Contains(passed, key) {
			e := fail(http.StatusBadRequest, "illegal_argument_exception", "Action/metadata line [%d] contains an unknown parameter [%s]", line, key)
			return e
		}
		a.rest = append(a.rest, field{key, raw})
		return nil
	}
	switch raw[0] {
	case '{', '[':
		return malformed(line, "expected a simple value for field [%s]", key)
	case '"':
		if err := json.Unmarshal(raw, into); err != nil {
			return malformed(line, "%s", err)
		}
		if key == "_id" && *into == "" {
			return malformed(line, "if _id is specified it must not be empty")
		}
		return nil
	}
	*into = string(raw) // OpenSearch takes numbers and booleans for text
	return nil
}

// hasSource reports whether a source line follows.
func (a *action) hasSource() bool { return a.verb != "delete" }

// append writes the line for upstream.
func (a *action) append(b []byte) []byte {
	b = append(b, `{"`...)
	b = append(b, a.verb...)
	b = append(b, `":{`...)
	comma := false
	name := func(s string) {
		if comma {
			b = append(b, ',')
		}
		comma = true
		b = append(append(append(b, '"'), s...), `":`...)
	}
	for _, f := range [...]struct{ name, value string }{
		{"_index", a.index}, {"_id", a.id}, {"routing", a.routing}, {"pipeline", a.pipe}, {"if_seq_no", a.seqNo}, {"if_primary_term", a.term},
	} {
		if f.value != "" {
			name(f.name)
			b = jsontext.AppendString(b, f.value)
		}
	}
	for _, f := range a.rest {
		name(f.name)
		b = append(b, f.raw...)
	}
	return append(b, "}}\n"...)
}

// translate makes the line of a client into the line for placement, or says why
// the item fails. inPath and routing are the request's defaults.
func (a action) translate(e placement.Entry, inPath, routing string, journaling bool) (action, gate.DocRef, *apiError) {
	pl := e.State.From
	name := a.index
	if name == "" {
		name = inPath
	}
	if p := patternOf(pl); p != nil {
		physical, err := p.one(name, true)
		if err != nil {
			return a, gate.DocRef{}, toAPI(err) // also if there is no name at all
		}
		a.index = physical
	}
	if pl.Kind != placement.DedicatedCluster && !pl.Many() {
		if err := ownIndex(name, pl); err != nil {
			f := toAPI(err)
			f.index = name
			return a, gate.DocRef{}, f
		}
		name = pl.Logical
		a.index = "" // the path names the physical one
	}
	if a.term != "" {
		term, ok, err := realTerm(a.term, e.Incarnation)
		if err != nil {
			return a, gate.DocRef{}, toAPI(err)
		}
		if !ok {
			return a, gate.DocRef{}, termConflict(a.id, name, a.seqNo, a.term)
		}
		a.term = term
	}
	if a.id == "" && journaling && a.verb != "update" && a.verb != "delete" {
		a.id = autoID()
	}
	if a.routing != "" {
		routing = a.routing
	}
	return a, gate.DocRef{Index: name, ID: a.id, Routing: routing}, nil
}
