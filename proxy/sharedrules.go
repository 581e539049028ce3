package proxy

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/internal/jsontext"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// sharedRules turn a cluster's answer about a shared index into the tenant's view,
// by the shape of the answer. An _id or a routing of another tenant breaks the
// answer off: whatever let it through, it must not reach the client.
type sharedRules struct {
	tenant      *shared.Tenant
	names       shared.Names
	incarnation uint32
	wrap        func(kind affinity.Kind, id string) string
	at          []*shape // of the places on the way to the one at hand; the root first
	kind        string   // type of the error at hand
	item        int      // of the array at hand
	part        bool     // the hit at hand is a part of a document
	early       bool     // the client asked for a search that may be ended early
	byID        []int    // places in the sort that hold an _id
}

func newSharedRules(t *shared.Tenant, names shared.Names, root *shape) *sharedRules {
	if root == nil {
		root = nothing
	}
	return &sharedRules{tenant: t, names: names, at: []*shape{root}}
}

func (r *sharedRules) idle() bool { return false }

func (r *sharedRules) key(path []string, key string) (string, fate) {
	c := r.at[len(path)].child(r, key)
	if c == nil {
		return key, drop
	}
	r.at = append(r.at[:len(path)+1], c)
	return key, c.fate
}

func (r *sharedRules) wants(path []string) bool { return r.at[len(path)].do != nil }

func (r *sharedRules) scalar(path []string, v string, bare bool) (string, bool, error) {
	out, changed, err := r.at[len(path)].do(r, v, bare)
	if bare && changed && !r.at[len(path)].bare {
		out = string(jsontext.AppendString(nil, out))
	}
	return out, changed, err
}

func (r *sharedRules) element(i int) { r.item, r.part = i, false }

// sorted is a value that a hit is sorted by.
func (r *sharedRules) sorted(v string, number bool) (string, bool, error) {
	if !slices.Contains(r.byID, r.item) {
		return v, false, nil
	}
	return r.clientID(v, number)
}

// zero is what is told of a number that depends on the documents of all tenants.
func (r *sharedRules) zero(v string, _ bool) (string, bool, error) { return "0", v != "0", nil }

func foreign(what string) error {
	return fail(http.StatusBadGateway, TypeUpstream, "the cluster's answer holds %s that is not the tenant's; it was not passed on", what)
}

func (r *sharedRules) clientID(v string, number bool) (string, bool, error) {
	id, ok := r.tenant.ClientID(v)
	if !ok || number {
		return "", false, foreign("an _id")
	}
	return id, true, nil
}

func (r *sharedRules) routing(v string, number bool) (string, bool, error) {
	routing, ok := r.tenant.ClientRouting(v)
	switch {
	case !ok || number:
		return "", false, foreign("a routing")
	case routing == "":
		return "", false, errDrop
	}
	return routing, true, nil
}

func (r *sharedRules) index(v string, number bool) (string, bool, error) {
	if v != r.names.Physical || number {
		return "", false, foreign("an index")
	}
	return r.names.Logical, true, nil
}

func (r *sharedRules) term(v string, number bool) (string, bool, error) {
	return shownTerm(v, r.incarnation), number, nil
}

func (r *sharedRules) scroll(v string, _ bool) (string, bool, error) {
	return r.wrap(affinity.Scroll, v), true, nil
}

func (r *sharedRules) pit(v string, _ bool) (string, bool, error) {
	return r.wrap(affinity.PIT, v), true, nil
}

func (r *sharedRules) nowhere(string, bool) (string, bool, error) { return "-", true, nil }

func (r *sharedRules) errorType(v string, _ bool) (string, bool, error) {
	r.kind = strings.Clone(plainType(v)) // it is for what comes later
	return r.kind, r.kind != v, nil
}

func (r *sharedRules) reason(string, bool) (string, bool, error) {
	reason := sharedReason(r.kind)
	r.kind = ""
	return reason, true, nil
}

// plainType lets through what is the name of an exception and nothing else.
func plainType(v string) string {
	ok := v != "" && len(v) <= 100
	for i := 0; ok && i < len(v); i++ {
		ok = v[i] >= 'a' && v[i] <= 'z' || v[i] == '_'
	}
	if !ok {
		return "exception"
	}
	return v
}

// sharedReasons stand in the place of the cluster's own, which name physical
// indices and ids, and may quote values of other tenants.
var sharedReasons = map[string]string{
	"version_conflict_engine_exception": "version conflict: the document exists already, or was changed meanwhile",
	"document_missing_exception":        "document missing",
	"resource_not_found_exception":      "not found",
	"mapper_parsing_exception":          "the document does not fit the mapping of the index, or is no JSON object",
	"strict_dynamic_mapping_exception":  "the document has a field that the mapping of the index does not know, and it takes no new ones",
	"search_context_missing_exception":  "No search context found for the given id",
	"cluster_block_exception":           "the index is blocked by its operator",
	"query_shard_exception":             "the query does not fit the mapping of the index",
	"number_format_exception":           "a value that is no number was compared with a number",
	"parsing_exception":                 "the cluster cannot parse the body",
	"x_content_parse_exception":         "the cluster cannot parse the body",
	"too_many_buckets_exception":        "the aggregations make too many buckets",
	"too_many_requests_exception":       "the cluster is overloaded; repeat the request later",
}

func sharedReason(kind string) string {
	if r, ok := sharedReasons[kind]; ok {
		return r
	}
	return "the cluster refused the request; its own words are not shown, because the index is shared with other tenants"
}

// errorLimit is as much of an error of a cluster as is read, in bytes.
const errorLimit = 1 << 20

// sharedError is an error of the cluster with its status and types and nothing
// else. False if the answer is none: an absent document is not.
func sharedError(status int, raw []byte) (*apiError, bool) {
	type cause struct {
		Type string `json:"type"`
	}
	var body struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(raw, &body) == nil && body.Error == nil {
		return nil, false
	}
	var detail struct {
		cause
		RootCause []cause `json:"root_cause"`
	}
	_ = json.Unmarshal(body.Error, &detail) // some errors are text, or cut off
	e := fail(status, plainType(detail.Type), "%s", "")
	if len(detail.RootCause) > 0 {
		e.root = plainType(detail.RootCause[0].Type)
	}
	e.reason = sharedReason(e.kind)
	if _, known := sharedReasons[e.kind]; !known && e.root != "" {
		e.reason = sharedReason(e.root)
	}
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		e.retryAfter = time.Second
	}
	return e, true
}

// sharedHeaders are the headers of an answer that pass: warnings quote names.
var sharedHeaders = map[string]bool{"Content-Type": true, "X-Opaque-Id": true, "Retry-After": true}
