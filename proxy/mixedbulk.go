package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
)

// A mixed bulk is one of several tenants, from whoever may name any: each item names
// its own before its index, as in "acme/docs". Of each chunk a cluster is sent one
// bulk, whichever tenants live there.
//
// Why it is safe: each tenant's items have a ticket of their own, under which they
// are admitted, recorded and sent, as if they had come alone. Tickets are taken
// without waiting: one that was open while another tenant's cutover is waited out
// would hold up its own tenant's move. What met a cutover is carried out by itself,
// behind the others.

// admissions is how many tenants of a chunk are asked for at once, so that they share
// reads of the store.
const admissions = 64

// mixedParameters are those of a mixed bulk. What else a bulk can take, items can.
var mixedParameters = append([]string{"refresh", "timeout", "wait_for_active_shards"}, everywhere...)

// mixes reports whether a request without a tenant is a bulk whose items name theirs.
func (q *request) mixes(err error) bool {
	if !q.p.o.MixedBulk || !errors.Is(err, tenancy.ErrNoTenant) {
		return false
	}
	t, aerr := classify(q.r.Method, q.r.URL.EscapedPath())
	return aerr == nil && t.op == opBulk
}

// checkMixed refuses parameters that would be every tenant's.
func (q *request) checkMixed() error {
	for name := range q.query {
		if !slices.Contains(mixedParameters, name) {
			return fail(http.StatusBadRequest, TypeUnsupported, "parameter [%s] is not supported where each item names its tenant; give it in the items, or leave it out", name)
		}
	}
	return nil
}

// part is what a chunk has of one tenant: a request by itself.
type part struct {
	*request
	prefix string // before the names of its indices
	items  []item
	at     []int // where they are in the chunk

	ticket *gate.Ticket
	share  *sharing
	body   []byte
	local  map[int]*apiError
}

// mixedChunk collects the results of one chunk; parts fill in their own places.
type mixedChunk struct {
	q    *request
	data []byte

	broken atomic.Bool // a part ended in a panic

	mu  sync.Mutex // guards what is not of one item alone
	res chunkResult
}

// mixedBulk carries out a chunk, and never fails as a whole.
func (q *request) mixedBulk(c chunk) chunkResult {
	m := &mixedChunk{q: q, data: c.data, res: chunkResult{items: make([]json.RawMessage, len(c.items))}}
	parts := m.split(c)
	var again, alone []*part
	if m.guard(func() { again, alone = m.run(parts, false) })() != nil {
		m.broken.Store(true)
	}
	// What a cluster had refused as a whole goes by itself, so that each tenant is
	// told of its own mistakes; nothing of it was carried out. What was not sent
	// is sent together once more.
	var g errgroup.Group
	g.SetLimit(admissions)
	for _, p := range alone {
		g.Go(m.guard(func() { m.finish([]*part{p}) }))
	}
	g.Go(m.guard(func() {
		_, held := m.run(again, true)
		for _, p := range held {
			m.finish([]*part{p})
		}
	}))
	if m.wait(&g); m.broken.Load() {
		m.abandon(parts)
	}
	return m.res
}

// guard keeps a panic of f, which runs in a goroutine of its own, from ending the
// process. See wait.
func (m *mixedChunk) guard(f func()) func() error {
	return func() (err error) {
		defer m.q.p.caught(&err)
		f()
		return nil
	}
}

// wait waits for what guard made; it fails of panics only.
func (m *mixedChunk) wait(g *errgroup.Group) {
	if g.Wait() != nil {
		m.broken.Store(true)
	}
}

// abandon ends what a panic left behind, when nothing runs any more: each item has
// a result, and each ticket an end.
func (m *mixedChunk) abandon(parts []*part) {
	for _, p := range parts {
		err := errPanic
		if p.ticket != nil && p.ticket.Abandon() {
			m.q.p.m.unknown.Inc()
			err = gate.ErrOutcomeUnknown
		}
		a := toAPI(err)
		for n, i := range p.at {
			if m.res.items[i] == nil {
				m.set(i, failedItem(&p.items[n], a), true)
			}
		}
	}
}

// split sorts the items by tenant. Those that name none have failed.
func (m *mixedChunk) split(c chunk) []*part {
	var parts []*part
	of := map[placement.PartitionID]*part{}
	for i, it := range c.items {
		name := it.index
		if name == "" {
			name = m.q.index
		}
		id, index, err := mixedIndex(name)
		if err != nil {
			a := toAPI(err)
			a.index = name
			m.set(i, failedItem(&it, a), true)
			continue
		}
		p := of[id]
		if p == nil {
			t := *m.q.target
			t.index = ""
			p = &part{request: &request{target: &t, p: m.q.p, w: m.q.w, r: m.q.r, tenant: id, query: m.q.query, mixed: true}, prefix: url.PathEscape(string(id)) + "/"}
			of[id] = p
			parts = append(parts, p)
		}
		it.index = index
		p.items, p.at = append(p.items, it), append(p.at, i)
	}
	return parts
}

// mixedIndex takes a tenant and the name of its index apart.
func mixedIndex(name string) (placement.PartitionID, string, error) {
	tenant, index, found := strings.Cut(name, "/")
	if !found {
		return "", "", fail(http.StatusBadRequest, TypeTenantRequired, "the request names no tenant, so each item must: as _index TENANT/INDEX")
	}
	text, err := url.PathUnescape(tenant)
	if err != nil {
		return "", "", fail(http.StatusBadRequest, TypeTenantRequired, "the tenant of an item is not valid: percent-encode its name")
	}
	id := placement.PartitionID(text)
	if err := id.Validate(); err != nil {
		return "", "", err
	}
	return id, index, nil
}

// run carries parts out, those of one cluster together. It returns those that were
// not sent, and those that have to be carried out one by one: they met a cutover, or
// the cluster refused the bulk that they were in. last makes errors of what was not
// sent.
func (m *mixedChunk) run(parts []*part, last bool) (again, alone []*part) {
	alone = m.admit(parts, func(p *part) (*gate.Ticket, error) {
		return p.p.gate.WriteNow(p.r.Context(), p.tenant)
	})
	byCluster := map[string][]*part{}
	for _, p := range parts {
		if p.ticket != nil && m.plan(p) {
			cluster := p.entry.State.From.Cluster
			byCluster[cluster] = append(byCluster[cluster], p)
		}
	}
	// Side by side: a cluster that is slow must not keep tickets for others open.
	var g errgroup.Group
	var mu sync.Mutex
	for cluster, of := range byCluster {
		g.Go(m.guard(func() {
			unsent, refused := m.send(cluster, of, last)
			mu.Lock()
			defer mu.Unlock()
			if unsent {
				again = append(again, of...)
			} else if refused {
				alone = append(alone, of...)
			}
		}))
	}
	m.wait(&g)
	return again, alone
}

// finish carries out one part, waiting out a cutover.
func (m *mixedChunk) finish(parts []*part) {
	m.admit(parts, func(p *part) (*gate.Ticket, error) {
		size := int64(0)
		for _, it := range p.items {
			size += int64(it.to - it.from)
		}
		return p.p.gate.Write(p.r.Context(), p.tenant, size)
	})
	for _, p := range parts {
		if p.ticket != nil && m.plan(p) {
			m.send(p.entry.State.From.Cluster, []*part{p}, true)
		}
	}
}

// admit takes the tickets. It returns the parts that got none and no error.
func (m *mixedChunk) admit(parts []*part, enter func(*part) (*gate.Ticket, error)) (held []*part) {
	var g errgroup.Group
	g.SetLimit(admissions)
	errs := make([]error, len(parts))
	for i, p := range parts {
		g.Go(m.guard(func() { p.ticket, errs[i] = enter(p) }))
	}
	m.wait(&g)
	for i, p := range parts {
		switch {
		case errs[i] != nil:
			m.fail(p, errs[i])
		case p.ticket == nil:
			held = append(held, p)
		default:
			p.entry = p.ticket.Entry()
			m.mu.Lock()
			m.q.held = max(m.q.held, p.ticket.Held())
			m.mu.Unlock()
		}
	}
	return held
}

// plan translates a part for its placement; false says that nothing is left to send.
func (m *mixedChunk) plan(p *part) bool {
	pl := p.entry.State.From
	err := p.supported(pl)
	if err == nil {
		p.share, err = p.sharing(pl)
	}
	if err == nil {
		p.body, p.local = p.translateChunk(chunk{p.items, m.data}, p.ticket, p.share)
		if len(p.body) > 0 {
			return true
		}
	}
	p.ticket.Cancel()
	if err != nil {
		m.fail(p, err)
		return false
	}
	var r chunkResult
	r.merge(chunk{p.items, m.data}, p.local, nil)
	m.place(p, r)
	return false
}

// tickets are those of several tenants whose writes are sent as one.
type tickets []*gate.Ticket

func (ts tickets) Send() error {
	for _, t := range ts {
		if err := t.Send(); err != nil {
			return err
		}
	}
	return nil
}

// Done ends all of them; the outcome is unknown if it is to one.
func (ts tickets) Done() (err error) {
	for _, t := range ts {
		err = errors.Join(err, t.Done())
	}
	return err
}

func (ts tickets) Unknown() {
	for _, t := range ts {
		t.Unknown()
	}
}

func (ts tickets) Cancel() {
	for _, t := range ts {
		t.Cancel()
	}
}

// send sends the parts of one cluster as one bulk, and ends their tickets.
func (m *mixedChunk) send(cluster string, parts []*part, last bool) (unsent, refused bool) {
	failAll := func(err error) {
		for _, p := range parts {
			m.fail(p, err)
		}
	}
	var ts tickets
	var body bytes.Buffer
	for _, p := range parts {
		ts = append(ts, p.ticket)
		body.Write(p.body)
		p.body = nil
	}
	up, err := m.q.client(cluster)
	if err != nil {
		ts.Cancel()
		failAll(err)
		return false, false
	}
	resp, raw, again, err := m.q.sendWrite(ts, up, plan{http.MethodPost, "/_bulk", m.q.query}, bytesPayload(body.Bytes(), "application/x-ndjson"))
	switch {
	case again && !last:
		return true, false
	case err != nil:
		failAll(err)
		return false, false
	case resp.StatusCode == http.StatusBadRequest && len(parts) > 1:
		return false, true // it does not understand something: nothing is carried out then
	}
	if err := upstreamStatus(resp, cluster); err != nil {
		failAll(err)
		return false, false
	}
	if resp.StatusCode != http.StatusOK {
		failAll(refusedPart(resp, raw, parts, cluster))
		return false, false
	}
	if err := m.take(parts, raw); err != nil {
		m.q.p.log.Warn("answer to a bulk is not understood", "cluster", cluster, "err", err)
		failAll(gate.ErrOutcomeUnknown) // it was carried out, and how cannot be read
	}
	return false, false
}

// refusedPart is a cluster's refusal of a whole bulk, for each item of it. Its words
// are told to a tenant whose bulk it was alone, and who shares no index.
func refusedPart(resp *http.Response, raw []byte, parts []*part, cluster string) error {
	e := refusedBulk(resp.StatusCode, cluster)
	if len(parts) > 1 {
		return e
	}
	if parts[0].share != nil {
		if shown, ok := sharedError(resp.StatusCode, raw); ok {
			return shown
		}
		return e
	}
	var its struct {
		Error errorCause `json:"error"`
	}
	if json.Unmarshal(raw, &its) == nil && its.Error.Type != "" {
		pl := parts[0].entry.State.From
		kind := its.Error.Type // the cluster's own
		e.kind, e.reason = kind, replaceName(its.Error.Reason, pl.Index, pl.Logical)
		if many := patternOf(pl); many != nil {
			e.reason = many.text(its.Error.Reason)
		}
	}
	return e
}

// take gives each part its items of the cluster's answer.
func (m *mixedChunk) take(parts []*part, raw []byte) error {
	sent := 0
	for _, p := range parts {
		sent += len(p.items) - len(p.local)
	}
	all, err := readBulkReply(raw, sent, &answerRules{}) // of several tenants: as it is
	if err != nil {
		return err
	}
	done := make([]chunkResult, len(parts))
	for i, p := range parts {
		n := len(p.items) - len(p.local)
		own := bulkReply{all.Took, all.IngestTook, all.Errors, all.Items[:n]}
		all.Items = all.Items[n:]
		b, err := json.Marshal(own)
		if err != nil {
			return err
		}
		rules, err := p.translation(origin{p.entry.State.From, p.entry.Incarnation}, nil)
		if err == nil {
			err = done[i].read(chunk{p.items, m.data}, p.local, b, rules)
		}
		if err != nil {
			return err
		}
	}
	for i, p := range parts { // all or none: an error speaks for all of them
		if done[i].errors && p.entry.Journaling() {
			p.noteItems(done[i].items)
		}
		m.place(p, done[i])
	}
	return nil
}

// fail makes err the result of each item of a part.
func (m *mixedChunk) fail(p *part, err error) {
	a := toAPI(err)
	p.noteChunk(a, len(p.items))
	m.place(p, failAll(chunk{p.items, m.data}, a, ""))
}

// place puts the results of a part where its items were.
func (m *mixedChunk) place(p *part, r chunkResult) {
	for i, raw := range r.items {
		m.set(p.at[i], withPrefix(raw, p.items[i].verb, p.prefix), false)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.res.took = max(m.res.took, r.took)
	m.res.ingestTook = max(m.res.ingestTook, r.ingestTook)
	m.res.ingested = m.res.ingested || r.ingested
	m.res.errors = m.res.errors || r.errors
}

func (m *mixedChunk) set(i int, raw json.RawMessage, failed bool) {
	m.res.items[i] = raw
	if failed {
		m.mu.Lock()
		m.res.errors = true
		m.mu.Unlock()
	}
}

// withPrefix puts a prefix before the name of an item's index, which OpenSearch, and
// failedItem, write first.
func withPrefix(raw json.RawMessage, verb, prefix string) json.RawMessage {
	head := `{"` + verb + `":{"_index":"`
	rest, ok := bytes.CutPrefix(raw, []byte(head))
	if !ok {
		return raw
	}
	return slices.Concat([]byte(head), []byte(prefix), rest)
}
