package proxy

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// write serves single documents and the administration of indices.
func (q *request) write() error {
	p, err := q.payload()
	if err != nil {
		return err
	}
	q.capTimeout()
	for try := 0; ; try++ {
		again, err := q.writeOnce(p)
		if errors.Is(err, errUnread) {
			// Read with no ticket open: a slow client must not hold up a cutover.
			if p, err = q.inMemory(p); err != nil {
				return err
			}
			continue
		}
		if again && try == 0 && p.repeatable() {
			q.retries.Add(1)
			continue
		}
		return err
	}
}

// errUnread: the placement, or its cluster, asks for a body that has been read to its end.
var errUnread = errors.New("the body must be in memory")

// writeOnce takes one ticket and sends once. again says that nothing was sent and
// the request may be decided anew.
func (q *request) writeOnce(p *payload) (again bool, err error) {
	t, err := q.enterWrite(int64(len(p.head)))
	if err != nil {
		return false, err
	}
	pl := q.entry.State.From
	plan, p, err := q.planWrite(t, pl, p)
	if err != nil {
		t.Cancel()
		return false, err
	}
	if p, err = q.checkAdmin(p, pl); err != nil {
		t.Cancel()
		return false, err
	}
	c, err := q.client(pl.Cluster)
	if err != nil {
		t.Cancel()
		return false, err
	}
	if c.WholeBodies() && p.rest != nil {
		t.Cancel()
		return false, errUnread
	}
	resp, raw, again, err := q.sendWrite(t, c, plan, p)
	if err != nil {
		return again, err
	}
	if err := upstreamStatus(resp, pl.Cluster); err != nil {
		return false, err
	}
	return false, q.answer(resp, raw, origin{pl, q.entry.Incarnation})
}

// plan is a write as it goes upstream.
type plan struct {
	method, path string
	query        url.Values
}

// planWrite translates the request for a placement and records in the ticket what
// it may touch.
func (q *request) planWrite(t *gate.Ticket, pl placement.Placement, p *payload) (plan, *payload, error) {
	if err := q.supported(pl); err != nil {
		return plan{}, p, err
	}
	if q.op == opUpdate && q.entry.Incarnation > 0 {
		if p.rest != nil {
			return plan{}, p, errUnread
		}
		b, err := bodyTerm(p.head, q.entry, q.id, q.index)
		if err != nil {
			return plan{}, p, err
		}
		p = bytesPayload(b, p.mime)
	}
	s, err := q.sharing(pl)
	switch {
	case err != nil:
		return plan{}, p, err
	case s != nil && p.rest != nil:
		return plan{}, p, errUnread
	case s != nil:
		return q.planShared(t, s, p)
	}
	out, err := q.planDedicated(t, pl)
	return out, p, err
}

func (q *request) planDedicated(t *gate.Ticket, pl placement.Placement) (plan, error) {
	index, err := q.indexAt(pl)
	if err != nil {
		return plan{}, err
	}
	out := plan{q.r.Method, q.at(index), q.query}
	if q.class == classAdmin {
		t.RecordAdmin()
		return out, nil
	}
	if err := q.checkTerm(&out); err != nil {
		return out, err
	}
	if pipe := q.query.Get("pipeline"); pipe != "" && pipe != "_none" || strings.HasPrefix(q.index, "<") {
		t.RecordUnlisted() // the pipeline, or the date, decides what is written where
	}
	id := q.id
	if q.op == opIndexAuto {
		if !t.Journaling() {
			return out, nil
		}
		// A write of unknown outcome must have an id that can be read again.
		id = autoID()
		out.method, out.path = http.MethodPut, out.path+"/"+id
		out.query = cloneQuery(out.query)
		out.query.Set("op_type", "create")
	}
	name := q.index
	if name == "" {
		name = pl.Logical
	}
	t.Record(gate.DocRef{Index: name, ID: id, Routing: q.query.Get("routing")})
	return out, nil
}

// checkTerm takes the incarnation off if_primary_term, or refuses a term that was
// given out for another incarnation.
func (q *request) checkTerm(out *plan) error {
	shown := q.query.Get("if_primary_term")
	if shown == "" {
		return nil
	}
	term, ok, err := realTerm(shown, q.entry.Incarnation)
	if err != nil {
		return err
	}
	if !ok {
		return termConflict(q.id, q.index, q.query.Get("if_seq_no"), shown)
	}
	out.query = cloneQuery(out.query)
	out.query.Set("if_primary_term", term)
	return nil
}

func cloneQuery(v url.Values) url.Values {
	out := make(url.Values, len(v)+1)
	for k, s := range v {
		out[k] = s
	}
	return out
}

// autoID is an id of 20 characters that are safe in a URL, as long as the
// cluster's own.
func autoID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the process instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// capTimeout makes OpenSearch give up waiting for a shard before the proxy gives
// up waiting for OpenSearch: its own default of a minute would let a write take
// effect long after the drain barrier has passed.
func (q *request) capTimeout() {
	longest := max(q.p.o.WriteTimeout-shardHeadroom, q.p.o.WriteTimeout/2)
	if d, ok := parseTime(q.query.Get("timeout")); !ok || d > longest {
		q.query.Set("timeout", strconv.FormatInt(longest.Milliseconds(), 10)+"ms")
	}
}

// parseTime reads OpenSearch's notation of a duration. One that is too long for a
// time.Duration is the longest; text that it does not know is false.
func parseTime(s string) (time.Duration, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{
		{"nanos", time.Nanosecond}, {"micros", time.Microsecond}, {"ms", time.Millisecond},
		{"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour},
	} {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimPrefix(digits, "+"), 10, 64)
		if err != nil {
			return 0, false
		}
		if n > uint64(math.MaxInt64/u.unit) {
			return math.MaxInt64, true
		}
		return time.Duration(n) * u.unit, true
	}
	return 0, s == "0"
}

// outcome is the ticket, or the tickets, of what sendWrite sends.
type outcome interface {
	Send() error
	Done() error
	Unknown()
	Cancel()
}

// sendWrite sends under a ticket and ends the ticket, whatever happens. again says
// that certainly nothing was sent. resp's body has been read into raw.
//
// The write runs detached from the client: OpenSearch would go on with it anyway,
// and its outcome has to be known before the ticket ends.
func (q *request) sendWrite(t outcome, c *upstream.Client, pl plan, p *payload) (resp *http.Response, raw []byte, again bool, err error) {
	ctx := upstream.Within(context.WithoutCancel(q.r.Context()), q.p.o.WriteTimeout)
	req, err := q.build(ctx, pl.method, pl.path, pl.query, p)
	if err != nil {
		t.Cancel()
		return nil, nil, false, err
	}
	if err := t.Send(); err != nil {
		t.Cancel()
		return nil, nil, true, err
	}
	resp, err = q.call(c, req)
	if err == nil {
		raw, err = readAnswer(resp)
	}
	switch {
	case err == nil:
		if err := t.Done(); err != nil {
			q.p.m.unknown.Inc()
			return nil, nil, false, err
		}
		return resp, raw, false, nil
	case upstream.NotSent(err) && (p == nil || !p.broken.Load()):
		t.Cancel()
		return nil, nil, true, q.readFailure(c.Name(), err)
	case !p.complete():
		// The cluster acts on whole bodies only, and has not got one.
		t.Cancel()
		return nil, nil, false, fail(http.StatusBadRequest, TypeBadRequest, "%s after %s; nothing was written", errIncomplete, q.p.o.WriteTimeout)
	}
	t.Unknown()
	q.p.m.unknown.Inc()
	return nil, nil, false, gate.ErrOutcomeUnknown
}

var errNoAnswer = errors.New("an intermediary answered instead of the cluster")

// readAnswer reads the answer to a write. A server error that is not JSON is a
// load balancer's word, which knows nothing of the write's outcome.
func readAnswer(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	if resp.StatusCode >= 500 && !isJSON(resp) {
		return nil, errNoAnswer
	}
	raw, err := readAll(io.LimitReader(resp.Body, answerLimit+1), resp.ContentLength)
	if err == nil && len(raw) > answerLimit {
		err = errNoAnswer
	}
	return raw, err
}
