package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
)

// ClusterSource knows the named clusters. Directory is one.
type ClusterSource interface {
	// Cluster returns the client of a cluster, or an error if there is none.
	Cluster(name string) (*upstream.Client, error)
}

// Defaults of Options.
const (
	DefaultWriteTimeout   = 20 * time.Second
	DefaultReadTimeout    = 5 * time.Minute
	DefaultQueryBody      = 16 << 20
	DefaultBulkBody       = 100 << 20
	DefaultCursorLife     = 24 * time.Hour
	DefaultTaskPatience   = 5 * time.Minute
	DefaultRequests       = 20_000
	DefaultTenantRequests = 5_000
	DefaultBodyBytes      = 1 << 30
	DefaultTenantBodies   = 256 << 20
	DefaultFailures       = 20
	DefaultBreakerPause   = 2 * time.Second
)

// What is kept in memory of one request.
const (
	bufferBody    = 1 << 20  // a document is kept up to this size, in bytes; a larger one streams
	answerLimit   = 64 << 20 // the answer to a write, in bytes
	shardHeadroom = 5 * time.Second
)

// Options of a Proxy. CursorKeys is needed, the rest may be zero.
type Options struct {
	// CursorKeys seal the cursors that clients hold; all instances share them. The
	// first one seals, all open.
	CursorKeys [][]byte
	// WriteTimeout bounds a write upstream. It must be below the gate's drain
	// barrier: a write must have ended when the barrier has.
	WriteTimeout time.Duration
	// ReadTimeout bounds a read upstream, its answer included.
	ReadTimeout time.Duration
	// QueryBody is the largest body of a search, count, mget, msearch or by-query,
	// in bytes. Such bodies are kept in memory, because they are checked first.
	QueryBody int64
	// BulkBody is the largest body of a bulk or a document, in bytes. They stream.
	BulkBody int64
	// Requests is how many requests may be under way at once, and TenantRequests how
	// many of one tenant; held ones count. Others are refused with 429.
	Requests, TenantRequests int
	// BodyBytes is how many bytes of their bodies may be in memory at once, and
	// TenantBodyBytes how many of one tenant. Requests over them are refused with 429.
	BodyBytes, TenantBodyBytes int64
	// BreakerFailures is how many requests in a row a cluster may leave unanswered
	// until others are refused at once, for BreakerPause, before it is tried again.
	// Negative: any number.
	BreakerFailures int
	BreakerPause    time.Duration
	// ForwardHeaders are the client's headers that clusters see (default
	// DefaultForwardHeaders), except for DropHeaders and those that NeverForwarded
	// names. A star at the end of a name stands for anything.
	ForwardHeaders, DropHeaders []string
	// TrustedProxies are the addresses of proxies in front, whose X-Forwarded-Proto is
	// believed and whose X-Forwarded-For may be forwarded.
	TrustedProxies []netip.Prefix
	// Cleartext says what is done with changes that come without TLS.
	Cleartext Cleartext
	// CursorLife is how long an envelope can be followed, counted from the answer
	// that it came in. The clusters end cursors much sooner, by their keep-alive.
	CursorLife time.Duration
	// MixedBulk lets the items of a bulk name their tenants, as _index TENANT/INDEX, in
	// requests that name none. It is for who may name any tenant.
	MixedBulk bool
	// Pins keeps cursors for clients that cannot carry envelopes: they are given the
	// clusters' own ids, and follow them through this very handler only. Nil: envelopes.
	Pins *affinity.CursorAffinity
	// TaskPatience is how long the cluster of a by-query task may be out of reach
	// before the outcome of the task is called unknown.
	TaskPatience time.Duration
	// Tracer makes spans of requests, and continues the client's trace up to the
	// cluster. Nil: the headers of a trace are passed on as they came.
	Tracer trace.Tracer
	// TraceTenants puts the tenant's name into spans.
	TraceTenants bool
	// MetricsTenants is how many tenants at most have series of their own in the
	// metrics: the first that send requests. Default: none.
	MetricsTenants int
	AccessLog      *AccessLog            // nil: none
	Registerer     prometheus.Registerer // default: none
	Logger         *slog.Logger          // default: discard
	// Now is the wall clock that cursors expire by (default time.Now).
	Now func() time.Time
}

// Proxy is the handler. It is safe for concurrent use.
type Proxy struct {
	gate     *gate.Gate
	clusters ClusterSource
	tenants  tenancy.Resolver
	sealer   *affinity.Sealer
	o        Options
	m        *metrics
	limits   *limits
	breakers *breakers
	headers  headerRules
	shadow   *shadow
	log      *slog.Logger
	leaving  atomic.Bool

	// Tasks that clients do not wait for are followed here until they end.
	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

// New returns the handler of a gate that somebody runs.
func New(g *gate.Gate, clusters ClusterSource, tenants tenancy.Resolver, o *Options) (*Proxy, error) {
	var opt Options
	if o != nil {
		opt = *o
	}
	sealer, err := affinity.NewSealer(opt.CursorKeys...)
	if err != nil {
		return nil, fmt.Errorf("proxy: CursorKeys: %w", err)
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&opt.WriteTimeout, DefaultWriteTimeout)
	def(&opt.ReadTimeout, DefaultReadTimeout)
	def(&opt.CursorLife, DefaultCursorLife)
	def(&opt.TaskPatience, DefaultTaskPatience)
	if opt.QueryBody <= 0 {
		opt.QueryBody = DefaultQueryBody
	}
	if opt.BulkBody <= 0 {
		opt.BulkBody = DefaultBulkBody
	}
	if opt.Requests <= 0 {
		opt.Requests = DefaultRequests
	}
	if opt.TenantRequests <= 0 {
		opt.TenantRequests = DefaultTenantRequests
	}
	if opt.Cleartext == "" {
		opt.Cleartext = CleartextLoopback
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	if opt.BodyBytes <= 0 {
		opt.BodyBytes = DefaultBodyBytes
	}
	if opt.TenantBodyBytes <= 0 {
		opt.TenantBodyBytes = DefaultTenantBodies
	}
	if opt.BreakerFailures == 0 {
		opt.BreakerFailures = DefaultFailures
	}
	def(&opt.BreakerPause, DefaultBreakerPause)
	limits, breakers := newLimits(&opt), newBreakers(opt.BreakerFailures, opt.BreakerPause)
	m, err := newMetrics(opt.Registerer, opt.MetricsTenants, limits, breakers)
	if err == nil && opt.Pins != nil && opt.Registerer != nil {
		err = opt.Registerer.Register(newPinCollector(opt.Pins))
	}
	if err != nil {
		return nil, fmt.Errorf("proxy: register metrics: %w", err)
	}
	p := &Proxy{gate: g, clusters: clusters, tenants: tenants, sealer: sealer, o: opt, m: m, limits: limits, breakers: breakers, log: opt.Logger,
		headers: newHeaderRules(opt.ForwardHeaders, opt.DropHeaders)}
	p.shadow = newShadow(p)
	if g != nil {
		g.SetShadow(p.shadow)
	}
	return p, nil
}

// Leave makes every answer from now on, those of requests under way included, ask
// its client to connect anew (Connection: close, or GOAWAY). Requests are served as
// before. A server that then waits for its connections to end cuts none of them off
// at the moment in which its client sends on it.
func (p *Proxy) Leave() { p.leaving.Store(true) }

// Drain waits, after the HTTP server has shut down, for the tasks that are still
// followed, so that their tickets end before the gate closes. It returns the
// context's error if they do not end in time; the gate then hands them over as
// unresolved.
func (p *Proxy) Drain(ctx context.Context) error {
	p.mu.Lock()
	p.closed = true // no Add after the Wait below has begun
	p.mu.Unlock()
	done := make(chan struct{})
	go func() { p.running.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("proxy: tasks still running: %w", ctx.Err())
	}
}

// follow runs f in the background; Drain waits for it.
func (p *Proxy) follow(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.running.Go(f)
	return true
}

// request is one request on its way through the steps.
type request struct {
	*target
	p      *Proxy
	out    answerWriter
	w      http.ResponseWriter // &out
	r      *http.Request       // the proxy's own copy
	copied http.Request        // r
	url    url.URL             // of r
	tenant placement.PartitionID
	mixed  bool // a bulk whose items name their tenants, or what it has of one
	role   tenancy.Role
	kept   int64 // bytes of the body that are counted in the limits
	query  url.Values
	entry  placement.Entry
	shared *sharing // the last that sharing returned
	held   time.Duration
	status int
	wrote  bool
	// ticket is the newest one, ended or not; nil before the first, and when
	// somebody else has it.
	ticket *gate.Ticket
	// What is told of the request beside its answer.
	span     trace.Span // nil: none
	received *countedBody
	asked    atomic.Pointer[upstream.Client] // last; parts of a request ask side by side
	code     string                          // type of the error that the proxy answered with
	retries  atomic.Int32
	broken   bool // the answer broke off
	// keepAlive is how long the request wants its cursor kept, 0 if it does not say.
	keepAlive time.Duration
	// byIndexAt are the aggregations whose keys are names of indices.
	byIndexAt aggregations
	// byID are the places in the sort of a shared index that hold an _id.
	byID []int
	// early: a search of a shared index asks to be ended early.
	early bool
	// pit: a search is in a point in time.
	pit bool
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, span := p.begin(r)
	q := &request{p: p, out: answerWriter{ResponseWriter: w, leaving: &p.leaving}, span: span, target: unknown}
	q.w = &q.out
	q.copyOf(ctx, r)
	if id := r.Header.Get("X-Opaque-Id"); id != "" {
		w.Header().Set("X-Opaque-Id", id) // as the cluster does, also on answers that are the proxy's own
	}
	if p.o.AccessLog != nil && q.r.Body != nil && q.r.Body != http.NoBody {
		q.received = &countedBody{ReadCloser: q.r.Body}
		q.r.Body = q.received
	}
	defer q.finish(start)
	defer q.recovered()
	if err := q.serve(); err != nil {
		q.refuse(err)
	}
}

// unknown is the target of a request that has none yet.
var unknown = &target{endpoint: &endpoint{class: classNone}}

// copyOf makes the proxy's own copy of a request: it may change the URL, and which
// headers there are. The values of a header are not changed, and not copied.
func (q *request) copyOf(ctx context.Context, r *http.Request) {
	if q.span != nil {
		r = r.WithContext(ctx)
	}
	q.copied, q.url = *r, *r.URL
	q.copied.URL, q.copied.Header = &q.url, maps.Clone(r.Header)
	q.r = &q.copied
}

// refuse answers with an error, or breaks the connection when an answer has
// begun: a client must not take half an answer for a whole one.
func (q *request) refuse(err error) {
	if q.wrote {
		q.broken = true
		q.p.log.Debug("answer broken off", "class", string(q.class), "err", err)
		panic(http.ErrAbortHandler)
	}
	a := toAPI(err)
	if a.status >= 500 {
		q.p.log.Debug("request failed", "class", string(q.class), "type", a.kind, "err", err)
	}
	q.status, q.code = a.status, a.kind
	q.debugHeaders(q.entry.State.From.Cluster)
	a.write(q.w, q.r)
}

func (q *request) serve() error {
	who, err := q.p.tenants.Resolve(q.r)
	if err != nil {
		if q.mixed = q.mixes(err); !q.mixed {
			return err
		}
		who.Role = tenancy.RoleWrite // of all that it names; the configuration asks for no role
	}
	q.tenant, q.role = who.Tenant, who.Role
	if err := q.p.limits.enter(q.tenant); err != nil {
		return err
	}
	defer func() { q.p.limits.leave(q.tenant, q.kept) }()
	t, aerr := classify(q.r.Method, q.r.URL.EscapedPath())
	if aerr != nil {
		return aerr
	}
	q.target = t
	if err := q.permit(); err != nil {
		return err
	}
	if q.r.URL.RawQuery == "" {
		q.query = url.Values{}
	} else {
		if q.query, err = url.ParseQuery(q.r.URL.RawQuery); err != nil {
			return fail(http.StatusBadRequest, TypeBadRequest, "the query string is malformed")
		}
		if err := q.checkParameters(); err != nil {
			return err
		}
		q.keepAlive = max(keepAlive(q.query.Get("scroll")), keepAlive(q.query.Get("keep_alive")))
	}
	if err := q.decodeBody(); err != nil {
		return err
	}
	switch q.op {
	case opBulk:
		return q.bulk()
	case opByQuery, opReindex:
		return q.byQuery()
	case opScroll:
		return q.scroll()
	case opClearScroll:
		return q.clearScroll()
	case opClosePIT:
		return q.closePIT()
	case opAllPITs:
		return q.allPITs()
	case opTask:
		return q.task()
	case opCancelTask, opRethrottle:
		return q.controlTask()
	case opCat:
		return q.cat()
	}
	switch q.class {
	case classWrite, classAdmin:
		return q.write()
	}
	return q.read()
}

// checkParameters refuses what would change the shape of bodies that the proxy
// has to understand, and what the cluster would read differently: of a parameter
// that is given twice OpenSearch takes the last, and one that is named like a part
// of the path it takes for that part.
func (q *request) checkParameters() error {
	for name, values := range q.query {
		if !utf8.ValidString(name) || !utf8.ValidString(values[0]) {
			return fail(http.StatusBadRequest, TypeBadRequest, "parameter [%s] is not UTF-8", strings.ToValidUTF8(name, "?"))
		}
		if len(values) > 1 {
			return fail(http.StatusBadRequest, TypeUnsupported, "parameter [%s] is given %d times; give it once", name, len(values))
		}
	}
	for _, name := range []string{"source", "source_content_type"} {
		if q.query.Has(name) {
			return fail(http.StatusBadRequest, TypeUnsupported, "parameter [%s] is not supported; send the body as a body", name)
		}
	}
	for _, name := range []string{"index", "id"} {
		if q.query.Has(name) {
			return fail(http.StatusBadRequest, TypeUnsupported, "parameter [%s] is not supported; name it in the path", name)
		}
	}
	if f := q.query.Get("format"); f != "" && f != "json" && (f != "text" || q.op != opCat) {
		return fail(http.StatusBadRequest, TypeUnsupported, "parameter [format] may only be json, or text in _cat")
	}
	if q.query.Has("filter_path") && slices.Contains(assembled, q.op) {
		return fail(http.StatusBadRequest, TypeUnsupported, "parameter [filter_path] is not supported here, where this proxy has to understand the answer; leave it out")
	}
	return nil
}

// assembled are the endpoints whose answers the proxy puts together, or has to
// understand.
var assembled = []op{opBulk, opByQuery, opReindex, opClearScroll, opClosePIT, opAllPITs, opCancelTask, opRethrottle, opCat, opRender}

// indexAt is the index to address upstream at placement pl; empty keeps the path
// as the client wrote it. In a dedicated index the client may name its own index
// and nothing else, or with a pattern its own indices.
func (t *target) indexAt(pl placement.Placement) (string, error) {
	switch pl.Kind {
	case placement.DedicatedCluster:
		return "", nil
	case placement.DedicatedIndex:
		if p := patternOf(pl); p != nil {
			return p.at(t)
		}
		return pl.Index, t.own(pl)
	}
	return "", errShared
}

// errShared is a mistake of the proxy's: what serves shared indices has not done so.
var errShared = errors.New("a shared index was to be addressed as a whole")

// own checks the path's index at a placement with one index. A helper of
// opensearch-js refreshes _all after a bulk, which is all that the tenant has.
func (t *target) own(pl placement.Placement) error {
	if t.op == opRefresh && t.index == "_all" {
		return nil
	}
	return ownIndex(t.index, pl)
}

// ownIndex checks a name that a client gave; empty is the tenant's own index.
func ownIndex(name string, pl placement.Placement) error {
	switch {
	case name == "" || name == pl.Logical:
		return nil
	case name == "_all" || name[0] == '-':
		return fail(http.StatusBadRequest, TypeForeignIndex, "[%s] may name other indices; name [%s]", name, pl.Logical)
	}
	for i := range len(name) {
		if name[i] == '*' || name[i] == ',' || name[i] == '<' || name[i] == ':' {
			return fail(http.StatusBadRequest, TypeForeignIndex, "[%s] may name other indices; name [%s]", name, pl.Logical)
		}
	}
	return noSuchIndex(name)
}

func (q *request) client(cluster string) (*upstream.Client, error) {
	c, err := q.p.clusters.Cluster(cluster)
	if err != nil {
		q.p.log.Error("cluster of a placement is not usable", "cluster", cluster, "err", err)
		e := fail(http.StatusServiceUnavailable, TypeUnavailable, "cluster %s is not configured on this instance; nothing was sent", cluster)
		e.retryAfter = time.Second
		return nil, e
	}
	return c, nil
}

// debugHeaders tell where the request went, to whoever asked for it.
func (q *request) debugHeaders(cluster string) {
	if q.r.Header.Get("X-Sluice-Debug") != "1" {
		return
	}
	h := q.w.Header()
	if cluster != "" {
		h.Set("X-Sluice-Cluster", cluster)
		h.Set("X-Sluice-Epoch", strconv.FormatUint(uint64(q.entry.Epoch), 10))
	}
	h.Set("X-Sluice-Held-Ms", strconv.FormatInt(q.held.Milliseconds(), 10))
}

// enterRead is the gate for reads. The caller calls Done on the ticket.
func (q *request) enterRead() (*gate.ReadTicket, error) {
	t, err := q.p.gate.Read(q.r.Context(), q.tenant)
	if err != nil {
		return nil, err
	}
	q.entry = t.Entry()
	return t, nil
}

// enterWrite is the gate for writes: it holds the request while its partition is
// in Cutover. size is what the request keeps in memory meanwhile.
func (q *request) enterWrite(size int64) (*gate.Ticket, error) {
	t, err := q.p.gate.Write(q.r.Context(), q.tenant, size)
	if err != nil {
		return nil, err
	}
	q.ticket, q.entry = t, t.Entry()
	q.wasHeld(t.Held())
	q.held = max(q.held, t.Held())
	return t, nil
}

var errIncomplete = errors.New("the client's body broke off")
