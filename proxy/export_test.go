package proxy

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// Rewrite exposes the rewriter with the rules of an answer.
func Rewrite(b []byte, physical, logical string, incarnation uint32) ([]byte, error) {
	return rewriteBytes(b, &answerRules{physical: physical, logical: logical, incarnation: incarnation})
}

// IsSyntax reports whether the rewriter refused the text itself.
func IsSyntax(err error) bool { return errors.Is(err, errJSON) }

// Action parses an action line and writes it again.
func Action(b []byte) (out []byte, verb, id, index string, err error) {
	a, err := parseAction(b, 1)
	if err != nil {
		return nil, "", "", "", err
	}
	return a.append(nil), a.verb, a.id, a.index, nil
}

// PlainAction says what the fast parser of action lines makes of one, and what the
// parser of any line makes of the same.
func PlainAction(b []byte) (fast bool, got, want string, err error) {
	a, fast := plainAction(b)
	w, err := anyAction(b, 1)
	return fast, fmt.Sprintf("%+v", a), fmt.Sprintf("%+v", w), err
}

// BulkRules are rules of answers to bulks: of a cluster of the tenant's own, of that after
// a move, of an index, and of a shared one.
func BulkRules() map[string]translation {
	t, err := shared.New("a b", "tenant")
	if err != nil {
		panic(err)
	}
	of := newSharedRules(t, shared.Names{Logical: "l", Physical: "p"}, answerShapes[opBulk])
	of.incarnation = 1
	return map[string]translation{
		"whole": &answerRules{}, "moved": &answerRules{incarnation: 3}, "index": &answerRules{physical: "p", logical: "a \"long\" name of an index", incarnation: 1}, "shared": of,
	}
}

// PlainBulkReply says what the fast reader of answers to bulks makes of one by some rules,
// and what the reader of any makes of the same.
func PlainBulkReply(raw []byte, rules string) (fast bool, got, want bulkReply, err error) {
	if items := BulkRules()[rules].items(); items != nil {
		got, fast = plainBulkReply(raw, 2, items)
	}
	want, err = anyBulkReply(raw, BulkRules()[rules])
	return fast, got, want, err
}

// Classify exposes the table.
func Classify(method, path string) (class, index, id, at string, status int) {
	t, err := classify(method, path)
	if err != nil {
		return "", "", "", "", err.status
	}
	return string(t.class), t.index, t.id, t.at("phys"), 0
}

// BulkItem is one item of a bulk body, as the reader took it apart.
type BulkItem struct{ Verb, Index, ID, Routing, Source string }

// BulkParts reads a bulk body; chunks is how many it came in.
func BulkParts(in io.Reader) (items []BulkItem, chunks int, err error) {
	r := &bulkReader{in: bufio.NewReaderSize(in, 16)}
	for {
		c, end, err := r.next()
		if err != nil {
			return items, chunks, err
		}
		for _, it := range c.items {
			items = append(items, BulkItem{it.verb, it.index, it.id, it.routing, string(c.data[it.from:it.to])})
		}
		if chunks++; len(c.items) > chunkItems || end || len(c.items) == 0 {
			return items, chunks, nil
		}
	}
}

// BulkAnswer merges a cluster's answer with the items that failed here, and
// writes what the client gets.
func BulkAnswer(raw []byte, verbs []string, failed map[int]string) ([]byte, error) {
	var c chunk
	for _, v := range verbs {
		c.items = append(c.items, item{action: action{verb: v, id: "i"}})
	}
	local := map[int]*apiError{}
	for i, reason := range failed {
		local[i] = fail(http.StatusBadRequest, TypeForeignIndex, "%s", reason)
	}
	var one chunkResult
	if err := one.read(c, local, raw, &answerRules{}); err != nil {
		return nil, err
	}
	var all results
	if err := all.add(one); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	q := &request{w: w, r: httptest.NewRequest("POST", "/_bulk", nil)}
	err := q.answerBulk(&all)
	return w.Body.Bytes(), err
}

// Msearch translates a body for a dedicated index.
func Msearch(b []byte, physical, logical string) ([]byte, error) {
	pl := placement.Placement{Kind: placement.DedicatedIndex, Cluster: "c", Index: physical, Logical: logical}
	return msearchBody(b,
		func(line []byte) ([]byte, error) { return msearchHeader(line, pl) },
		func(line []byte) ([]byte, error) { return checkQuery(line, pl, nil) })
}

// CheckQuery checks a body for a dedicated index.
func CheckQuery(b []byte, physical, logical string) ([]byte, error) {
	return checkQuery(b, placement.Placement{Kind: placement.DedicatedIndex, Cluster: "c", Index: physical, Logical: logical}, nil)
}

// At classifies and returns the path for an index, empty for the client's own.
func At(method, path, index string) (string, bool) {
	t, err := classify(method, path)
	if err != nil {
		return "", false
	}
	return t.at(index), true
}

// OwnPath reports whether the endpoint is addressed by a path with an index in it.
func OwnPath(method, path string) bool {
	t, err := classify(method, path)
	return err == nil && t.class != classCursor && t.class != classTask && !slices.Contains([]op{opInfo, opAliases, opReindex, opCat, opClusterRead}, t.op)
}

// The tokens of clients.
var (
	ShownTerm = shownTerm
	RealTerm  = realTerm
)

// Timeout is the parameter that a write is sent with, when writes may take limit.
func Timeout(given string, limit time.Duration) string {
	q := &request{p: &Proxy{o: Options{WriteTimeout: limit}}, query: url.Values{"timeout": {given}}}
	q.capTimeout()
	return q.query.Get("timeout")
}

// Parameters checks a query string of an endpoint.
func Parameters(method, path, raw string) (url.Values, error) {
	t, aerr := classify(method, path)
	if aerr != nil {
		return nil, aerr
	}
	v, err := url.ParseQuery(raw)
	if err != nil {
		return nil, err
	}
	q := &request{target: t, query: v}
	return v, q.checkParameters()
}

// Cursors reads a body that names cursors.
func Cursors(body []byte) (scrolls, pits []string, keep string, err error) {
	q := &request{
		target: &target{}, query: url.Values{}, w: httptest.NewRecorder(),
		p: &Proxy{o: Options{QueryBody: 1 << 20}, limits: newLimits(&Options{BodyBytes: 1 << 30, TenantBodyBytes: 1 << 30})},
		r: httptest.NewRequest("POST", "/", bytes.NewReader(body)),
	}
	c, err := q.cursorBody()
	return c.ScrollID, c.PITID, c.Scroll, err
}

// TaskAnswer is the answer to a client whose task has ended.
func TaskAnswer(raw []byte) (status int, body []byte, err error) {
	var s taskState
	if err := json.Unmarshal(raw, &s); err != nil {
		return 0, nil, err
	}
	status, body = taskAnswer(s)
	return status, body, nil
}

// Forward returns the headers that a cluster gets of a client's.
func Forward(in http.Header, body []byte) (http.Header, error) {
	q := &request{p: &Proxy{headers: newHeaderRules(nil, nil)}, r: &http.Request{Header: in}}
	out, err := q.build(context.Background(), "PUT", "/i/_doc/1", nil, bytesPayload(body, "application/json"))
	if err != nil {
		return nil, err
	}
	return out.Header, nil
}

// Answer returns the headers that a client gets of a cluster's.
func Answer(in http.Header, pl placement.Placement) http.Header {
	w := httptest.NewRecorder()
	q := &request{w: w, r: httptest.NewRequest("GET", "/", nil)}
	q.head(&http.Response{StatusCode: http.StatusOK, Header: in}, pl, 3)
	return w.Header()
}

// node is a JSON value that keeps the order of members and every duplicate.
type node struct {
	members []pair // an object
	items   []node // an array
	kind    byte   // '{', '[', '"', or 'b' for a bare value
	text    string
}

type pair struct {
	key   string
	value node
}

// Reference does by encoding/json, with the whole text in memory, what the
// rewriter does in one pass with a bounded part of it, and returns a form in which
// two texts of the same content are equal.
func Reference(b []byte, physical, logical string, incarnation uint32) (string, error) {
	return reference(b, &answerRules{physical: physical, logical: logical, incarnation: incarnation, byIndex: true})
}

// RewriteTop is Rewrite for an answer whose members are named after indices.
func RewriteTop(b []byte, physical, logical string, incarnation uint32) ([]byte, error) {
	return rewriteBytes(b, &answerRules{physical: physical, logical: logical, incarnation: incarnation, byIndex: true})
}

// ReferenceQuery is Reference for the body of a query.
func ReferenceQuery(b []byte, physical, logical string) (string, error) {
	return reference(b, &queryRules{physical: physical, logical: logical})
}

// Canonical is the form of a text that is not changed.
func Canonical(b []byte) (string, error) { return reference(b, nil) }

func reference(b []byte, r rules) (string, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	n, err := readNode(d)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if r == nil {
		n.write(&out)
		return out.String(), nil
	}
	if err := n.apply(nil, r); err != nil {
		return "", err
	}
	n.write(&out)
	return out.String(), nil
}

func readNode(d *json.Decoder) (node, error) {
	t, err := d.Token()
	if err != nil {
		return node{}, err
	}
	switch t := t.(type) {
	case json.Delim:
		n := node{kind: byte(t)}
		for d.More() {
			key := ""
			if t == '{' {
				k, err := d.Token()
				if err != nil {
					return n, err
				}
				key = k.(string)
			}
			v, err := readNode(d)
			if err != nil {
				return n, err
			}
			n.members, n.items = append(n.members, pair{key, v}), append(n.items, v)
		}
		_, err := d.Token()
		return n, err
	case string:
		return node{kind: '"', text: t}, nil
	case nil:
		return node{kind: 'b', text: "null"}, nil
	}
	return node{kind: 'b', text: fmt.Sprint(t)}, nil
}

func (n *node) apply(path []string, r rules) error {
	switch n.kind {
	case '{':
		for i := range n.members {
			m := &n.members[i]
			key, what := r.key(path, m.key)
			if what == look {
				if err := m.value.apply(append(slices.Clone(path), m.key), r); err != nil {
					return err
				}
			}
			m.key = key
		}
	case '[':
		for i := range n.items {
			if err := n.items[i].apply(path, r); err != nil {
				return err
			}
		}
	default:
		if n.text == "null" && n.kind == 'b' || !r.wants(path) {
			return nil
		}
		v, changed, err := r.scalar(path, n.text, n.kind == 'b')
		if err != nil {
			return err
		}
		if changed && n.kind == 'b' && v[0] == '"' {
			n.kind, v = '"', v[1:len(v)-1]
		}
		n.text = v
	}
	return nil
}

func (n *node) write(b *strings.Builder) {
	switch n.kind {
	case '{':
		b.WriteByte('{')
		for _, m := range n.members {
			fmt.Fprintf(b, "%q:", m.key)
			m.value.write(b)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	case '[':
		b.WriteByte('[')
		for i := range n.items {
			n.items[i].write(b)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case '"':
		fmt.Fprintf(b, "%q", strings.ToValidUTF8(n.text, "\ufffd"))
	default:
		b.WriteString(n.text)
	}
}

// RewriteShared is Rewrite for the answer of a search in a shared index.
func RewriteShared(b []byte, t *shared.Tenant, physical, logical string) ([]byte, error) {
	r := newSharedRules(t, shared.Names{Physical: physical, Logical: logical}, searchAnswer)
	r.wrap = func(_ affinity.Kind, id string) string { return id }
	return rewriteBytes(b, r)
}

// RewriteTo is Rewrite for a text that streams.
func RewriteTo(out io.Writer, in io.Reader, physical, logical string) error {
	return rewrite(out, in, &answerRules{physical: physical, logical: logical})
}

// Cursor wraps an id for a tenant as one kind and opens it for a presenter as another.
func Cursor(p *Proxy, tenant, presenter placement.PartitionID, at placement.Placement, kind, as affinity.Kind, id string) (text, opened string, err error) {
	q := &request{p: p, tenant: tenant}
	text = q.wrap(origin{at, 3}, kind, id)
	q.tenant = presenter
	e, err := q.unwrap(text, as)
	return text, e.ID, err
}

// EndpointRow is one row of the table of endpoints.
type EndpointRow struct {
	Section, Methods, Pattern, Does string
	Needs                           func(method string) tenancy.Role
	Cells                           []EndpointCell // dedicated_cluster, dedicated_index without and with a pattern, shared_index
}

// EndpointCell is what tenants of one kind of placement may do.
type EndpointCell struct {
	Kind placement.Kind
	Many bool   // with a pattern
	Type string // of the refusal; empty: served
	Note string
}

// Endpoints is the table that requests are classified by.
func Endpoints() (out []EndpointRow) {
	for _, s := range table {
		for _, r := range s.rows {
			row := EndpointRow{Section: s.title, Methods: r.methods, Pattern: r.pattern, Does: r.does, Needs: r.needs}
			for _, pl := range []placement.Placement{{Kind: placement.DedicatedCluster}, {Kind: placement.DedicatedIndex}, {Kind: placement.DedicatedIndex, Index: "x*"}, {Kind: placement.SharedIndex}} {
				c := r.in(pl)
				row.Cells = append(row.Cells, EndpointCell{pl.Kind, pl.Many(), c.kind, c.note})
			}
			out = append(out, row)
		}
	}
	return out
}

// PITIndices reads the indices out of a cluster's id of a point in time.
var PITIndices = pitIndices

// Cat reads a cluster's list and writes it as JSON and as text with a header.
func Cat(raw []byte) (out, text []byte, rows int, err error) {
	r, err := parseCat(raw)
	if err != nil {
		return nil, nil, 0, err
	}
	return catJSON(r), catText(r, []string{"a", "b"}, true, true), len(r), nil
}

// UpdateTerm takes the incarnation off the token in an update's body.
func UpdateTerm(body []byte, incarnation uint32) ([]byte, error) {
	return bodyTerm(body, placement.Entry{Incarnation: incarnation}, "1", "docs")
}

// WriteError answers with an error of a type.
func WriteError(status int, kind string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	fail(status, kind, "because").write(w, httptest.NewRequest("GET", "/", nil))
	return w
}

// PatternList is what a client's list of names stands for under a pattern, and
// PatternText a sentence of the cluster's as its tenant sees it.
func PatternList(pl placement.Placement, names string) (string, error) {
	return patternOf(pl).list(names)
}

// PatternQuery checks a body of queries, or of a reindex.
func PatternQuery(pl placement.Placement, b []byte, reindex bool) ([]byte, error) {
	return checkWith(b, pl, &queryRules{reindex: reindex, byIndex: &aggregations{}})
}

// PatternText: see PatternList.
func PatternText(pl placement.Placement, s string) string { return patternOf(pl).text(s) }

// Wants reports whether a request that ended so is logged.
func Wants(a *AccessLog, status int, took time.Duration) bool {
	return a.wants(&request{status: status}, took)
}

// CompareShadow compares two answers to one search of an endpoint, such as _search.
func CompareShadow(endpoint, a, b string) (gate.ShadowResult, error) {
	o := map[string]op{"_search": opSearch, "_count": opCount, "_msearch": opMsearch}[endpoint]
	var both [2]replayed
	for i, raw := range []string{a, b} {
		f, err := readFound(o, []byte(raw))
		if err != nil {
			return gate.ShadowResult{}, err
		}
		both[i].found = f
	}
	return compareAnswers(both[0], both[1]), nil
}

// ShadowRequest is a search of a tenant that is in a move.
func ShadowRequest(p *Proxy, tenant placement.PartitionID, move, path, query, body string) (offer func()) {
	t, err := classify(http.MethodPost, path)
	if err != nil {
		panic(err) // the tests' own
	}
	q := &request{p: p, target: t, tenant: tenant, r: &http.Request{Method: http.MethodPost, Header: http.Header{"Authorization": {"secret"}, "X-Opaque-Id": {"mine"}}}}
	q.entry.State = placement.State{Phase: placement.Draining}
	q.entry.Attempt.Move = move
	values, perr := url.ParseQuery(query)
	if perr != nil {
		panic(perr)
	}
	text := []byte(body)
	return func() { p.shadow.offer(q, values, text) }
}

// ShadowKept is what is kept of a tenant's searches.
func ShadowKept(p *Proxy, tenant placement.PartitionID) (bodies []string, bytes int, headers []http.Header) {
	all := p.shadow.asked.Load()
	if all == nil || (*all)[tenant] == nil {
		return nil, 0, nil
	}
	r := (*all)[tenant]
	for _, s := range r.kept {
		bodies, headers = append(bodies, string(s.body)), append(headers, s.header)
	}
	return bodies, r.bytes, headers
}

// ShadowExpire lets the time pass after which a sample is forgotten.
func ShadowExpire(t *testing.T, p *Proxy, tenant placement.PartitionID, late bool) {
	t.Helper()
	r := (*p.shadow.asked.Load())[tenant]
	if late {
		r.until = r.until.Add(-2 * shadowLife)
	}
	p.shadow.expire(tenant, r)
}

// Bounds of a sample.
const (
	ShadowBytes   = shadowBytes
	ShadowBody    = shadowBody
	ShadowTenants = shadowTenants
)

// NewTenantMetrics registers the metrics of so many tenants, and counts requests in them.
func NewTenantMetrics(r prometheus.Registerer, most int) (done func(tenant placement.PartitionID, known bool, status int, took time.Duration)) {
	m := newTenantMetrics(most)
	r.MustRegister(m.requests, m.seconds)
	return m.done
}
