package proxy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// Bounds of one chunk of a bulk. Each chunk has its own ticket, so that a bulk
// which a slow client takes minutes to send does not hold up a cutover.
const (
	chunkBytes = 4 << 20
	chunkItems = 5000
	maxAction  = 64 << 10 // an action line, in bytes

	ordinaryBody = 64 << 10 // in bytes
	ordinaryItem = 256      // in bytes, both of its lines
)

func itoa(n int) string { return strconv.Itoa(n) }

// item is one action of a chunk and where its source is in the chunk.
type item struct {
	action
	from, to int
}

type chunk struct {
	items []item
	data  []byte // source lines, each with its newline
}

// bulk reads the body once, chunk by chunk. Nothing is answered before all of it
// has been read, because clients send all before they read; results are kept
// compressed meanwhile.
//
// A single chunk is answered as OpenSearch would answer it. Of several, a later
// one that fails as a whole fails item by item: the earlier ones have happened.
func (q *request) bulk() error {
	if q.r.ContentLength > q.p.o.BulkBody { // before any of it is carried out
		return &http.MaxBytesError{Limit: q.p.o.BulkBody}
	}
	body := q.keep(http.MaxBytesReader(q.out.ResponseWriter, q.r.Body, q.p.o.BulkBody), 0)
	in := bulkReaders.Get().(*bufio.Reader)
	in.Reset(body)
	// What was read of it has been copied, and nothing that goes on after the request reads.
	defer func() { in.Reset(nil); bulkReaders.Put(in) }()
	if q.mixed {
		if err := q.checkMixed(); err != nil {
			return err
		}
	}
	q.capTimeout()
	rd := &bulkReader{in: in, expect: q.r.ContentLength}
	var all results
	for n := 0; ; n++ {
		body.forget() // the chunk before
		c, end, err := rd.next()
		if err != nil {
			if all.n == 0 {
				return err
			}
			a := toAPI(err)
			return fail(http.StatusBadRequest, TypePartlyApplied,
				"%s; the first %d items were carried out, each with its own outcome, and none after them", a.reason, all.n)
		}
		if len(c.items) == 0 {
			break
		}
		if q.mixed {
			if err := all.add(q.mixedBulk(c)); err != nil {
				return err
			}
			if end {
				break
			}
			continue
		}
		one, err := q.bulkChunk(c)
		switch {
		case err == nil && one.whole != nil && n == 0:
			return q.answer(one.whole, one.raw, origin{q.entry.State.From, q.entry.Incarnation})
		case err == nil && one.whole != nil:
			err = refusedBulk(one.whole.StatusCode, q.entry.State.From.Cluster)
		case err != nil && n == 0:
			return err
		}
		if err != nil {
			a := toAPI(err)
			q.noteChunk(a, len(c.items))
			one = failAll(c, a, q.index)
		}
		if err := all.add(one); err != nil {
			return err
		}
		if end {
			break
		}
	}
	if all.n == 0 {
		return fail(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: no requests added;")
	}
	return q.answerBulk(&all)
}

var bulkReaders = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 64<<10) }}

// bulkReader splits a body into chunks.
type bulkReader struct {
	in     *bufio.Reader
	expect int64 // of the body, in bytes; what a client says, or nothing
	line   int
	action []byte // the line at hand; parsed actions hold nothing of it
}

// next reads one chunk; end is true behind the last one. An error means that the
// chunk is malformed, and none of it may be carried out.
func (r *bulkReader) next() (c chunk, end bool, err error) {
	// Room for a body of ordinary size. What takes more room than that must have come first.
	room := max(min(r.expect, ordinaryBody), 0)
	c.data, c.items = make([]byte, 0, room), make([]item, 0, room/ordinaryItem+1)
	r.expect -= room
	for len(c.items) < chunkItems && len(c.data) < chunkBytes {
		b, err := r.readLine(r.action[:0], maxAction)
		r.action = b
		if err == io.EOF {
			return c, true, nil
		}
		if err != nil {
			return c, false, err
		}
		if len(bytes.TrimSpace(b)) == 0 {
			continue // as OpenSearch does
		}
		a, err := parseAction(bytes.TrimSuffix(b, []byte("\n")), r.line)
		if err != nil {
			return c, false, err
		}
		it := item{action: a, from: len(c.data)}
		if a.hasSource() {
			if c.data, err = r.readLine(c.data, -1); err == io.EOF {
				return c, false, malformed(r.line, "a source line must follow it")
			}
			if err != nil {
				return c, false, err
			}
		}
		it.to = len(c.data)
		c.items = append(c.items, it)
	}
	return c, false, nil
}

// readLine appends one line with its newline to b. io.EOF means that there is
// none; a last line without newline is refused, as OpenSearch does: the body may
// have been cut.
func (r *bulkReader) readLine(b []byte, limit int) ([]byte, error) {
	start := len(b)
	for {
		part, err := r.in.ReadSlice('\n')
		b = append(b, part...)
		switch {
		case limit >= 0 && len(b)-start > limit:
			return b, malformed(r.line+1, "it is longer than %d bytes", limit)
		case err == nil:
			r.line++
			return b, nil
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(b) == start:
			return b, io.EOF
		case err == io.EOF:
			return b, fail(http.StatusBadRequest, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]")
		}
		return b, bodyError(err)
	}
}

// chunkResult is what became of a chunk: items, or the cluster's refusal of the
// whole.
type chunkResult struct {
	took, ingestTook int64
	ingested, errors bool
	items            []json.RawMessage
	whole            *http.Response
	raw              []byte
}

func (q *request) bulkChunk(c chunk) (chunkResult, error) {
	for try := 0; ; try++ {
		r, again, err := q.bulkOnce(c)
		if again && try == 0 {
			q.retries.Add(1)
			continue
		}
		return r, err
	}
}

// refusedBulk is the failure of items that a cluster refused as a whole.
func refusedBulk(status int, cluster string) *apiError {
	e := fail(status, TypeUpstream, "cluster %s refused this part of the bulk with status %d", cluster, status)
	e.final = status < 500 && status != http.StatusTooManyRequests
	return e
}

// bulkOnce carries out one chunk under one ticket.
func (q *request) bulkOnce(c chunk) (r chunkResult, again bool, err error) {
	t, err := q.enterWrite(int64(len(c.data)))
	if err != nil {
		return r, false, err
	}
	pl := q.entry.State.From
	to, s, err := q.planBulk(pl)
	var up *upstream.Client
	if err == nil {
		up, err = q.client(pl.Cluster)
	}
	if err != nil {
		t.Cancel()
		return r, false, err
	}
	body, local := q.translateChunk(c, t, s)
	if len(body) == 0 { // nothing is left to send
		t.Cancel()
		r.merge(c, local, nil)
		return r, false, nil
	}
	resp, raw, again, err := q.sendWrite(t, up, to, bytesPayload(body, "application/x-ndjson"))
	if err != nil {
		return r, again, err
	}
	if err := upstreamStatus(resp, pl.Cluster); err != nil {
		return r, false, err
	}
	if resp.StatusCode != http.StatusOK {
		r.whole, r.raw = resp, raw
		return r, false, nil
	}
	rules, err := q.translation(origin{pl, q.entry.Incarnation}, resp)
	if err == nil {
		err = r.read(c, local, raw, rules)
	}
	if err == nil && r.errors && q.entry.Journaling() {
		q.noteItems(r.items)
	}
	if err != nil {
		// It was carried out, and how cannot be read.
		q.p.log.Warn("answer to a bulk is not understood", "cluster", pl.Cluster, "err", err)
		return r, false, gate.ErrOutcomeUnknown
	}
	return r, false, nil
}

// planBulk says where a chunk goes, and how it is marked in a shared index. Names
// of indices in the path are each item's matter.
func (q *request) planBulk(pl placement.Placement) (plan, *sharing, error) {
	s, err := q.sharing(pl)
	if err != nil {
		return plan{}, nil, err
	}
	if s != nil {
		query, _, err := s.parameters(q)
		return plan{http.MethodPost, "/" + escape(pl.Index) + "/_bulk", query}, s, err
	}
	index, err := q.indexAt(pl)
	if err != nil && pl.Many() {
		return plan{http.MethodPost, "/_bulk", q.query}, nil, nil
	}
	if err != nil && pl.Kind == placement.DedicatedIndex {
		index, err = pl.Index, nil
	}
	return plan{http.MethodPost, q.at(index), q.query}, nil, err
}

// translateChunk makes the upstream body and tells the ticket what it touches.
// local holds the items that fail here, by position.
func (q *request) translateChunk(c chunk, t *gate.Ticket, s *sharing) (body []byte, local map[int]*apiError) {
	routing := q.query.Get("routing")
	unlisted := q.query.Get("pipeline") != "" && q.query.Get("pipeline") != "_none"
	var refs []gate.DocRef
	size := 64 * len(c.items)
	if s != nil {
		size *= 3 // the id has a prefix, which is the routing; and the document has a member more
	}
	for _, it := range c.items {
		size += it.to - it.from
	}
	body = make([]byte, 0, size)
	for i := range c.items {
		it := &c.items[i]
		a, ref, aerr := it.translate(q.entry, q.index, routing, t.Journaling())
		if q.mixed && a.index == "" { // no path names it
			a.index = q.entry.State.From.Index
		}
		source := c.data[it.from:it.to]
		if aerr == nil && a.verb == "update" {
			var err error
			if source, err = bodyTerm(source, q.entry, a.id, ref.Index); err != nil {
				aerr = toAPI(err)
				aerr.index = ref.Index
			}
		}
		if aerr == nil && s != nil {
			out, made, err := s.translateShared(body, a, source, ref.Routing)
			if err == nil {
				body, ref.ID = out, made.id
			} else {
				aerr = toAPI(err)
				aerr.index = ref.Index
			}
		}
		if aerr != nil {
			if local == nil {
				local = map[int]*apiError{}
			}
			local[i] = aerr
			continue
		}
		unlisted = unlisted || a.pipe != "" && a.pipe != "_none" || strings.HasPrefix(ref.Index, "<")
		if t.Journaling() && ref.ID != "" { // one without is refused by the cluster, and names nothing
			refs = append(refs, ref)
		}
		if s == nil {
			body = append(a.append(body), source...)
		}
	}
	if unlisted {
		t.RecordUnlisted()
	}
	t.Record(refs...)
	return body, local
}

// read takes the cluster's answer apart, as rules make it. The items may be parts of raw.
func (r *chunkResult) read(c chunk, local map[int]*apiError, raw []byte, rules translation) error {
	a, err := readBulkReply(raw, len(c.items)-len(local), rules)
	if err != nil {
		return err
	}
	r.took, r.errors = a.Took, a.Errors
	if a.IngestTook != nil {
		r.ingested, r.ingestTook = true, *a.IngestTook
	}
	r.merge(c, local, a.Items)
	return nil
}

// merge puts the cluster's items and those that failed here into the client's order.
func (r *chunkResult) merge(c chunk, local map[int]*apiError, items []json.RawMessage) {
	if len(local) == 0 {
		r.items = items
		return
	}
	r.errors = true
	r.items = make([]json.RawMessage, 0, len(c.items))
	for i := range c.items {
		if e := local[i]; e != nil {
			r.items = append(r.items, failedItem(&c.items[i], e))
			continue
		}
		r.items = append(r.items, items[0])
		items = items[1:]
	}
}

// failedItem is the result of an item in OpenSearch's shape.
func failedItem(it *item, e *apiError) json.RawMessage {
	type result struct {
		Index  string     `json:"_index,omitempty"`
		ID     *string    `json:"_id"`
		Status int        `json:"status"`
		Error  errorCause `json:"error"`
	}
	res := result{Index: e.index, Status: e.status, Error: e.cause()}
	if it.id != "" {
		res.ID = &it.id
	}
	b, err := json.Marshal(map[string]result{it.verb: res})
	if err != nil {
		panic("encode a bulk item: " + err.Error()) // strings and integers only
	}
	return b
}

func failAll(c chunk, e *apiError, inPath string) chunkResult {
	r := chunkResult{errors: true}
	for i := range c.items {
		one := *e
		if one.index = c.items[i].index; one.index == "" {
			one.index = inPath
		}
		r.items = append(r.items, failedItem(&c.items[i], &one))
	}
	return r
}
