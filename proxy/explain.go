package proxy

import (
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/sluiceproxy/sluice/placement"
)

// Explanation says how a request of a tenant would be routed now, and why.
type Explanation struct {
	Tenant placement.PartitionID `json:"tenant"`
	Method string                `json:"method"`
	Path   string                `json:"path"`
	// Endpoint is the row of the table that the request is, as docs/endpoints.md
	// has it, and Class how it meets the gate.
	Endpoint string `json:"endpoint,omitempty"`
	Class    string `json:"class,omitempty"`
	// Role is the least that the request's credentials must give.
	Role string `json:"role,omitempty"`
	// Placement is where the tenant lives, and Epoch when the entry last changed.
	Placement placement.Placement `json:"placement"`
	Phase     string              `json:"phase"`
	Epoch     placement.Epoch     `json:"epoch"`
	Move      string              `json:"move,omitempty"` // that is under way
	// Target is where that move takes the tenant.
	Target *placement.Placement `json:"target,omitempty"`
	// Held: the request changes something, and would wait for the end of a cutover.
	Held bool `json:"held"`
	// Upstream is what the cluster would be sent, of a request whose path names an
	// index. It is empty for a shared index, where ids are translated as well.
	Upstream string `json:"upstream,omitempty"`
	// PinnedCursors are the tenant's cursors that this instance holds, by the cluster
	// that serves them.
	PinnedCursors map[string]int `json:"pinned_cursors,omitempty"`
	// Refusal is what the request would be answered with instead.
	Refusal *Refusal `json:"refusal,omitempty"`
}

// Refusal is an answer of the proxy's own.
type Refusal struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	Reason string `json:"reason"`
}

// ExplainHandler answers GET with the parameters tenant, path, and method (GET if
// it is not given) with an Explanation. Nothing is sent to a cluster. It is for
// operators: it tells of any tenant to whoever reaches it.
func (p *Proxy) ExplainHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, err := p.explain(r)
		if err != nil {
			toAPI(err).write(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_ = json.NewEncoder(w).Encode(e) // an operator who went away
	})
}

func (p *Proxy) explain(r *http.Request) (*Explanation, error) {
	v := r.URL.Query()
	e := &Explanation{Tenant: placement.PartitionID(v.Get("tenant")), Method: v.Get("method"), Path: v.Get("path")}
	if e.Method == "" {
		e.Method = http.MethodGet
	}
	if err := e.Tenant.Validate(); err != nil {
		return nil, fail(http.StatusBadRequest, TypeBadRequest, "parameter [tenant]: %s", err)
	}
	u, err := url.ParseRequestURI(e.Path)
	if err != nil || e.Path[0] != '/' {
		return nil, fail(http.StatusBadRequest, TypeBadRequest, "parameter [path] is %q; it must be the path of a request, such as /docs/_search", e.Path)
	}
	read, err := p.gate.Read(r.Context(), e.Tenant)
	if err != nil {
		return nil, err
	}
	defer read.Done()
	entry := read.Entry()
	pl := entry.State.From
	if p.o.Pins != nil {
		e.PinnedCursors = p.o.Pins.Open(e.Tenant)
	}
	e.Placement, e.Phase, e.Epoch, e.Move = pl, entry.State.Phase.String(), entry.Epoch, entry.Attempt.Move
	if entry.State.Migrating() {
		e.Target = &entry.State.To
	}
	refuse := func(err error) (*Explanation, error) {
		a := toAPI(err)
		e.Refusal = &Refusal{a.status, a.kind, a.reason}
		return e, nil
	}
	t, aerr := classify(e.Method, u.EscapedPath())
	if aerr != nil {
		return refuse(aerr)
	}
	e.Endpoint, e.Class = t.methods+" "+t.pattern, string(t.class)
	e.Role = t.needs(e.Method).String()
	if c := t.in(pl); c.kind != "" {
		return refuse(t.refusal(e.Method, u.Path, c))
	}
	if t.op == opSearchTemplate || t.op == opMsearchTemplate {
		if t, err = t.asSearch(); err != nil {
			return refuse(err)
		}
	}
	index := ""
	if pl.Kind != placement.DedicatedCluster {
		if err := t.own(pl); err != nil && !pl.Many() {
			return refuse(err)
		}
		index = pl.Index
	}
	if pl.Many() {
		if index, err = t.indexAt(pl); err != nil {
			return refuse(err)
		}
	}
	switch t.class {
	case classWrite, classBulk, classByQuery, classAdmin:
		e.Held = entry.State.Phase == placement.Cutover
	}
	if pl.Kind != placement.SharedIndex && t.index != "" {
		e.Upstream = e.Method + " " + t.at(index)
	}
	return e, nil
}
