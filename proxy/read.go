package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/internal/jsontext"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// read serves what changes nothing. The client's end cancels it upstream.
func (q *request) read() error {
	body, err := q.whole(q.p.o.QueryBody)
	if err != nil {
		return err
	}
	t, err := q.enterRead()
	if err != nil {
		return err
	}
	defer t.Done()
	at := origin{q.entry.State.From, q.entry.Incarnation}
	ctx := upstream.Within(q.r.Context(), q.p.o.ReadTimeout)
	switch q.op {
	case opSearchTemplate, opMsearchTemplate, opRender:
		var answered bool
		if body, answered, err = q.template(ctx, body, at); answered || err != nil {
			return err
		}
	}
	asked, query := body, q.query
	path, body, at, err := q.readTarget(body, at)
	if err != nil {
		return err
	}
	q.p.shadow.offer(q, query, asked)
	resp, err := q.sendRead(ctx, at.place.Cluster, q.r.Method, path, q.query, bytesPayload(body, q.bodyType()))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return q.stream(resp, at)
}

// origin is where an answer comes from.
type origin struct {
	place       placement.Placement
	incarnation uint32
}

// translation are the rules of one answer.
type translation interface {
	rules
	// idle reports that no byte of any answer would change.
	idle() bool
	// items are the rules of plain items in the answer to a bulk; nil if there are none.
	items() *itemRules
}

// translation returns the rules for an answer from where it comes; resp is nil for
// a part of one.
func (q *request) translation(at origin, resp *http.Response) (translation, error) {
	s, err := q.sharing(at.place)
	if err != nil {
		return nil, err
	}
	if s == nil {
		r := q.answerRules(at)
		r.failed = resp != nil && resp.StatusCode >= 400
		return r, nil
	}
	r := newSharedRules(s.Tenant, s.names, answerShapes[q.op])
	r.early = q.early
	if r.byID = q.byID; len(r.byID) > 0 {
		r.at[0] = sortedAnswer
	}
	r.incarnation = at.incarnation
	r.wrap = func(kind affinity.Kind, id string) string { return q.wrap(at, kind, id) }
	return r, nil
}

func (q *request) answerRules(at origin) *answerRules {
	r := &answerRules{incarnation: at.incarnation, byIndex: q.op == opGetAdmin}
	switch {
	case at.place.Many():
		r.many, r.caps, r.byIndexAt = patternOf(at.place), q.op == opFieldCaps, q.byIndexAt
	case at.place.Kind == placement.DedicatedIndex:
		r.physical, r.logical = at.place.Index, at.place.Logical
	}
	// A search has a cursor in its answer only if it asked for one, or was in one.
	if q.op == opSearch && (q.pit || q.query.Has("scroll")) || q.op == opMsearch || q.op == opScroll || q.op == opOpenPIT {
		r.wrap = func(kind affinity.Kind, id string) string { return q.wrap(at, kind, id) }
	}
	return r
}

func (q *request) bodyType() string {
	if q.op == opMsearch {
		return "application/x-ndjson"
	}
	return "application/json"
}

// readTarget translates path and body. A search over a point in time goes to
// where that was opened, and names no index.
func (q *request) readTarget(body []byte, at origin) (string, []byte, origin, error) {
	none := func(err error) (string, []byte, origin, error) { return "", nil, at, err }
	var pit func(string) (string, error)
	if e, found, err := q.pitOf(body); err != nil {
		return none(err)
	} else if found {
		at, q.pit = origin{e.Placement, e.Incarnation}, true
		pit = func(id string) (string, error) {
			e, err := q.unwrap(id, affinity.PIT)
			if err == nil && e.Placement != at.place {
				err = affinity.ErrTampered // two pits in one body
			}
			return e.ID, err
		}
	}
	if err := q.supported(at.place); err != nil {
		return none(err)
	}
	s, err := q.sharing(at.place)
	if err != nil {
		return none(err)
	}
	if s != nil {
		return q.readShared(s, body, at, pit)
	}
	if pit != nil {
		body, err = checkWith(body, at.place, &queryRules{pit: pit, byIndex: &q.byIndexAt})
		return "/_search", body, at, err
	}
	index, err := q.indexAt(at.place)
	if err != nil {
		return none(err)
	}
	switch q.op {
	case opInfo:
		return "/", body, at, nil
	case opAnalyze:
		if at.place.Kind != placement.DedicatedCluster {
			err = checkAnalysis(body)
		}
	case opMsearch:
		body, err = msearchBody(body,
			func(line []byte) ([]byte, error) {
				if p := patternOf(at.place); p != nil {
					return p.header(line, q.index)
				}
				return msearchHeader(line, at.place)
			},
			func(line []byte) ([]byte, error) {
				return checkWith(line, at.place, &queryRules{byIndex: &q.byIndexAt})
			})
	default:
		body, err = checkWith(body, at.place, &queryRules{byIndex: &q.byIndexAt})
	}
	if err != nil {
		return none(err)
	}
	return q.at(index), body, at, nil
}

// pitOf opens the point in time that a body searches.
func (q *request) pitOf(body []byte) (e affinity.Envelope, found bool, err error) {
	if q.op != opSearch || q.index != "" || len(bytes.TrimSpace(body)) == 0 {
		return e, false, nil
	}
	var f pitFinder
	if _, err := rewriteBytes(body, &f); err != nil {
		return e, false, badBody(err)
	}
	if f.found == "" {
		return e, false, nil
	}
	q.keepAlive = keepAlive(f.keepAlive)
	e, err = q.unwrap(f.found, affinity.PIT)
	return e, true, err
}

// checkQuery checks and translates a body that holds queries. One that is not
// UTF-8 is refused: OpenSearch's parser takes the bytes C1 9F for an underscore,
// so that a key would not be to it what it is here.
func checkQuery(body []byte, pl placement.Placement, pit func(string) (string, error)) ([]byte, error) {
	return checkWith(body, pl, &queryRules{pit: pit})
}

// checkWith is checkQuery with rules that are told here what the placement is.
func checkWith(body []byte, pl placement.Placement, r *queryRules) ([]byte, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return body, nil
	}
	if !utf8.Valid(body) {
		return nil, badBody(errUTF8)
	}
	switch {
	case pl.Many():
		r.many = patternOf(pl)
	case pl.Kind == placement.DedicatedIndex:
		r.physical, r.logical = pl.Index, pl.Logical
	}
	out, err := rewriteBytes(body, r)
	if err != nil {
		return nil, badBody(err)
	}
	return out, nil
}

var errUTF8 = errors.New("not UTF-8")

func badBody(err error) error {
	if errors.Is(err, errJSON) || errors.Is(err, errUTF8) {
		return fail(http.StatusBadRequest, "parsing_exception", "the body is %s", err)
	}
	return err
}

// msearchBody translates pairs of lines.
func msearchBody(body []byte, header, search func(line []byte) ([]byte, error)) ([]byte, error) {
	lines := bytes.Split(body, []byte("\n"))
	if n := len(lines); len(bytes.TrimSpace(lines[n-1])) == 0 {
		lines = lines[:n-1]
	}
	if len(lines)%2 != 0 {
		return nil, fail(http.StatusBadRequest, "illegal_argument_exception", "the last search has a header line and no body line")
	}
	var out bytes.Buffer
	out.Grow(len(body) + 32*len(lines))
	for i, line := range lines {
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			line = []byte("{}")
		}
		var err error
		if i%2 == 0 {
			line, err = header(line)
		} else {
			line, err = search(line)
		}
		if err != nil {
			return nil, err
		}
		out.Write(line)
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}

// msearchHeader makes a header of a dedicated index name it, whatever default the
// path had.
func msearchHeader(line []byte, pl placement.Placement) ([]byte, error) {
	if pl.Kind != placement.DedicatedIndex {
		return line, nil
	}
	m, names, err := headerNames(line)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if err := ownIndex(n, pl); err != nil {
			return nil, err
		}
	}
	m["index"] = jsontext.AppendString(nil, pl.Index)
	return json.Marshal(m) // known keys once each: no parser can see others
}

// sendRead sends a request that may be repeated: once more after a connection
// that failed, since nobody can have seen half an answer yet.
func (q *request) sendRead(ctx context.Context, cluster, method, path string, query url.Values, p *payload) (*http.Response, error) {
	c, err := q.client(cluster)
	if err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		req, err := q.build(ctx, method, path, query, p)
		if err != nil {
			return nil, err
		}
		resp, err := q.call(c, req)
		if err == nil {
			return resp, nil
		}
		if try == 0 && ctx.Err() == nil && len(p.head) <= bufferBody {
			q.retries.Add(1)
			continue
		}
		return nil, q.readFailure(cluster, err)
	}
}

func (q *request) readFailure(cluster string, err error) error {
	var open *breakerOpenError
	switch {
	case q.r.Context().Err() != nil:
		return context.Canceled
	case errors.As(err, &open):
		e := fail(http.StatusServiceUnavailable, TypeUnavailable, "%s; nothing was sent, repeat the request", open)
		e.retryAfter = open.pause
		return e
	case errors.Is(err, context.DeadlineExceeded):
		return fail(http.StatusBadGateway, TypeUpstreamTimeout, "cluster %s did not answer in time", cluster)
	case upstream.NotSent(err):
		e := fail(http.StatusServiceUnavailable, TypeUpstream, "cluster %s cannot be reached", cluster)
		e.retryAfter = 1e9
		return e
	}
	return fail(http.StatusBadGateway, TypeUpstream, "cluster %s broke off", cluster)
}
