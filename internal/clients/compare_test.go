package clients_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// line is what came of one call.
type line struct {
	Name   string          `json:"name"`
	Error  string          `json:"error"`  // the class of the exception; empty if there was none
	Status int             `json:"status"` // of the answer, as far as the client tells
	Header json.RawMessage `json:"header"` // the same
	Body   json.RawMessage `json:"body"`
}

// parse reads the lines that a client's program printed.
func parse(out []byte) (lines []line, err error) {
	d := json.NewDecoder(bytes.NewReader(out))
	for {
		var l line
		if err := d.Decode(&l); err == io.EOF {
			return lines, nil
		} else if err != nil {
			return lines, fmt.Errorf("after %d lines: %w", len(lines), err)
		}
		lines = append(lines, l)
	}
}

// values are the scalars of a line by their path.
func (l line) values() map[string]string {
	out := map[string]string{"error": l.Error, "status": fmt.Sprint(l.Status)}
	for name, raw := range map[string]json.RawMessage{"body": l.Body, "header": l.Header} {
		if len(raw) == 0 {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			out[name] = "not JSON: " + string(raw)
			continue
		}
		flatten(out, name, v)
	}
	return out
}

func flatten(out map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			out[path] = "{}"
		}
		for k, x := range v {
			if volatile[k] {
				x = "(differs from run to run)"
			}
			flatten(out, path+"."+k, x)
		}
	case []any:
		if len(v) == 0 {
			out[path] = "[]"
		}
		for i, x := range v {
			flatten(out, fmt.Sprintf("%s[%d]", path, i), x)
		}
	case string:
		if len(v) > 4096 {
			out[path] = fmt.Sprintf("%d bytes, SHA-256 %x", len(v), sha256.Sum256([]byte(v)))
			return
		}
		out[path] = fmt.Sprintf("%q", numbered.ReplaceAllString(v, "$1(differs from run to run)]"))
	default:
		raw, err := json.Marshal(v)
		if err != nil {
			raw = []byte(err.Error())
		}
		out[path] = string(raw)
	}
}

// volatile are members of answers that differ from one run to the next at the
// cluster itself: times, and ids that it makes up.
var volatile = map[string]bool{
	"took": true, "creation_date": true, "index.creation_date": true, "uuid": true, "index_uuid": true, "index.uuid": true, "node": true,
	"_scroll_id": true, "pit_id": true, "creation_time": true, "resource.id": true,
}

// numbered are ids that the cluster makes up, in texts: of a search context, of an
// index behind its name, and of a document inside of a segment.
var numbered = regexp.MustCompile(`(for id \[|docs[a-z-]*/|:bicycle in )[\w-]+[\])]`)

// refusal is the type of the error in a body, wherever this client has put it.
func (l line) refusal() string {
	var b struct {
		Type  string
		Error json.RawMessage
	}
	if json.Unmarshal(l.Body, &b) != nil {
		return ""
	}
	if b.Type != "" {
		return b.Type
	}
	var e struct{ Type string }
	if json.Unmarshal(b.Error, &e) != nil {
		return ""
	}
	return e.Type
}

// compare fails for each difference between what a client got from the cluster
// and from the proxy that no entry of the table explains.
func (d *differences) compare(t *testing.T, client, kind string, direct, proxied []line) {
	t.Helper()
	if len(direct) == 0 {
		t.Fatal("the client made no call")
	}
	for i := range max(len(direct), len(proxied)) {
		if i >= len(direct) || i >= len(proxied) || direct[i].Name != proxied[i].Name {
			t.Fatalf("call %d differs: %d calls at the cluster, %d at the proxy; %s", i, len(direct), len(proxied), describe(direct, proxied, i))
		}
		a, b := direct[i].values(), proxied[i].values()
		var differ []string
		for _, field := range slices.Sorted(maps.Keys(union(a, b))) {
			if a[field] != b[field] {
				differ = append(differ, field)
			}
		}
		if len(differ) == 0 || d.refused(client, kind, proxied[i]) {
			continue
		}
		var left []string
		for _, field := range differ {
			if !d.explained(client, kind, direct[i].Name, field) {
				left = append(left, fmt.Sprintf("%s: cluster %s, proxy %s", field, orNone(a, field), orNone(b, field)))
			}
		}
		if len(left) > 0 {
			t.Errorf("%s, %s, call %d %s:\n\t%s\n\tproxy's body: %.300s", client, kind, i, direct[i].Name, strings.Join(left[:min(len(left), 6)], "\n\t"), proxied[i].Body)
		}
	}
}

func describe(direct, proxied []line, i int) string {
	name := func(l []line) string {
		if i < len(l) {
			return l[i].Name
		}
		return "none"
	}
	return fmt.Sprintf("%s at the cluster, %s at the proxy", name(direct), name(proxied))
}

func union(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func orNone(m map[string]string, field string) string {
	if v, ok := m[field]; ok {
		return v
	}
	return "none"
}

// difference is an entry of the table: what differs by design, and why.
type difference struct {
	clients string // which clients; empty is all
	kinds   string // of placement, separated by spaces
	calls   string // patterns, separated by spaces; an asterisk is any text
	// fields are patterns of members that may have other values; refused is
	// instead the type of the error that the whole call ends with.
	fields, refused string
	why             string
}

// differences is the table while it is in use.
type differences struct {
	table []difference
	used  map[string]bool
}

func newDifferences(table []difference) *differences { return &differences{table, map[string]bool{}} }

func (d *differences) refused(client, kind string, l line) bool {
	for i, e := range d.table {
		if e.refused != "" && e.refused == l.refusal() && l.Error != "" && d.applies(i, client, kind, l.Name) {
			return true
		}
	}
	return false
}

func (d *differences) explained(client, kind, call, field string) bool {
	for i, e := range d.table {
		for p := range strings.FieldsSeq(e.fields) {
			if matches(p, field) && d.applies(i, client, kind, call) {
				d.used[fmt.Sprint(i, " field ", p)] = true
				return true
			}
		}
	}
	return false
}

// applies reports whether entry i is about a call, and notes which of its parts said so.
func (d *differences) applies(i int, client, kind, call string) bool {
	e := d.table[i]
	if e.clients != "" && !slices.Contains(strings.Fields(e.clients), client) || !slices.Contains(strings.Fields(e.kinds), kind) {
		return false
	}
	for p := range strings.FieldsSeq(e.calls) {
		if matches(p, call) {
			d.used[fmt.Sprint(i, " client ", client)] = true
			d.used[fmt.Sprint(i, " kind ", kind)] = true
			d.used[fmt.Sprint(i, " call ", p)] = true
			return true
		}
	}
	return false
}

// idle are the parts of entries that explained nothing.
func (d *differences) idle() (out []string) {
	for i, e := range d.table {
		for what, list := range map[string]string{"client": e.clients, "kind": e.kinds, "call": e.calls, "field": e.fields} {
			for p := range strings.FieldsSeq(list) {
				if !d.used[fmt.Sprint(i, " ", what, " ", p)] {
					out = append(out, fmt.Sprintf("its %s %q is not needed: %s", what, p, e.why))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

var patterns = map[string]*regexp.Regexp{}

func matches(pattern, s string) bool {
	re := patterns[pattern]
	if re == nil {
		re = regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$")
		patterns[pattern] = re
	}
	return re.MatchString(s)
}

// The comparison sees what differs, lets pass what the table explains, and knows
// which entries nothing needs.
func TestComparison(t *testing.T) {
	table := []difference{
		{kinds: "k", calls: "get", fields: "body.a[*].b", why: "a field"},
		{kinds: "k", calls: "make", refused: "no", why: "a refusal"},
		{clients: "x", kinds: "k", calls: "other", fields: "body", why: "nothing"},
	}
	parsed := func(s string) []line {
		out, err := parse([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for _, tt := range []struct {
		name, direct, proxied string
		fails                 bool
	}{
		{"same", `{"name":"n","body":{"took":1,"a":[1]}}`, `{"name":"n","body":{"a":[1],"took":2}}`, false},
		{"a large number", `{"name":"n","body":9007199254740993}`, `{"name":"n","body":9007199254740992}`, true},
		{"a member more", `{"name":"n","body":{}}`, `{"name":"n","body":{"a":null}}`, true},
		{"another type", `{"name":"n","body":{"a":"1"}}`, `{"name":"n","body":{"a":1}}`, true},
		{"explained", `{"name":"get","body":{"a":[{"b":1}]}}`, `{"name":"get","body":{"a":[{"b":2}]}}`, false},
		{"partly explained", `{"name":"get","body":{"a":[{"b":1,"c":1}]}}`, `{"name":"get","body":{"a":[{"b":2,"c":2}]}}`, true},
		{"refused", `{"name":"make","body":1}`, `{"name":"make","error":"E","status":403,"body":{"error":{"type":"no"}}}`, false},
		{"refused otherwise", `{"name":"make","body":1}`, `{"name":"make","error":"E","status":403,"body":{"error":{"type":"yes"}}}`, true},
		{"an exception", `{"name":"n","error":"E"}`, `{"name":"n","error":"F"}`, true},
	} {
		d := newDifferences(table)
		sub := &testing.T{}
		func() {
			defer func() { _ = recover() }()
			d.compare(sub, "c", "k", parsed(tt.direct), parsed(tt.proxied))
		}()
		if sub.Failed() != tt.fails {
			t.Errorf("%s: failed %t", tt.name, sub.Failed())
		}
	}
	d := newDifferences(table)
	d.compare(t, "c", "k", parsed(`{"name":"get","body":{"a":[{"b":1}]}}`), parsed(`{"name":"get","body":{"a":[{"b":2}]}}`))
	if idle := d.idle(); len(idle) != 6 {
		t.Errorf("%d idle parts: %q", len(idle), idle)
	}
}
