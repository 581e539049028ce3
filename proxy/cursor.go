package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"

	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// authorize lets the request in only while its tenant is known. Where it goes is
// the cursor's matter, not the entry's. The caller calls the returned function.
func (q *request) authorize() (func(), error) {
	t, err := q.enterRead()
	if err != nil {
		return nil, err
	}
	return t.Done, nil
}

// oneOrMany is a string or a list of strings.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*o = []string{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(o))
}

// cursorBody is every body that names cursors.
type cursorBody struct {
	ScrollID oneOrMany `json:"scroll_id"`
	PITID    oneOrMany `json:"pit_id"`
	Scroll   string    `json:"scroll"`
}

func (q *request) cursorBody() (cursorBody, error) {
	var c cursorBody
	b, err := q.whole(q.p.o.QueryBody)
	if err != nil {
		return c, err
	}
	if len(bytes.TrimSpace(b)) > 0 {
		if err := shared.Strict(b); err != nil {
			return c, err
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		if err := d.Decode(&c); err != nil {
			return c, fail(http.StatusBadRequest, "parsing_exception", "the body is not one that this endpoint takes: %s", err)
		}
		if _, err := d.Token(); err != io.EOF {
			return c, fail(http.StatusBadRequest, "parsing_exception", "there is something behind the body")
		}
	}
	for _, v := range append([]string{q.id}, q.query["scroll_id"]...) {
		if v != "" {
			c.ScrollID = append(c.ScrollID, v)
		}
	}
	q.query.Del("scroll_id")
	return c, nil
}

// scroll continues a scroll on the cluster that holds it, wherever its tenant is
// by now.
func (q *request) scroll() error {
	c, err := q.cursorBody()
	if err != nil {
		return err
	}
	if len(c.ScrollID) != 1 {
		return fail(http.StatusBadRequest, "illegal_argument_exception", "scrollId is missing, or there is more than one")
	}
	done, err := q.authorize()
	if err != nil {
		return err
	}
	defer done()
	q.keepAlive = max(q.keepAlive, keepAlive(c.Scroll))
	e, err := q.unwrap(c.ScrollID[0], affinity.Scroll)
	if err != nil {
		return err
	}
	body := map[string]string{"scroll_id": e.ID}
	if c.Scroll != "" {
		body["scroll"] = c.Scroll
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	at := origin{e.Placement, e.Incarnation}
	s, err := q.sharing(at.place)
	if err == nil && s != nil {
		q.query, _, err = s.parameters(q)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(q.r.Context(), q.p.o.ReadTimeout)
	defer cancel()
	// Not repeated: the scroll has moved on once the cluster has read the request,
	// and a second one would skip what the first was answered.
	resp, err := q.sendOnce(ctx, at, http.MethodPost, "/_search/scroll", b)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return q.stream(resp, at)
}

func (q *request) sendOnce(ctx context.Context, at origin, method, path string, body []byte) (*http.Response, error) {
	c, err := q.client(at.place.Cluster)
	if err != nil {
		return nil, err
	}
	req, err := q.build(ctx, method, path, q.query, bytesPayload(body, "application/json"))
	if err != nil {
		return nil, err
	}
	resp, err := q.call(c, req)
	if err != nil {
		return nil, q.readFailure(at.place.Cluster, err)
	}
	return resp, nil
}

// byCluster opens a list of cursors and groups them by where they are held.
func (q *request) byCluster(ids []string, kind affinity.Kind) (map[string][]affinity.Envelope, map[string]string, error) {
	groups, given := map[string][]affinity.Envelope{}, map[string]string{}
	for _, id := range ids {
		e, err := q.unwrap(id, kind)
		if err != nil {
			return nil, nil, err
		}
		groups[e.Placement.Cluster] = append(groups[e.Placement.Cluster], e)
		given[e.ID] = id
	}
	return groups, given, nil
}

func envelopeIDs(es []affinity.Envelope) []string {
	ids := make([]string, len(es))
	for i, e := range es {
		ids[i] = e.ID
	}
	return ids
}

// closed is what a cluster says about cursors that it was asked to close.
type closed struct {
	status    int
	Succeeded bool `json:"succeeded"`
	NumFreed  int  `json:"num_freed"`
	PITs      []struct {
		Successful bool   `json:"successful"`
		PITID      string `json:"pit_id"`
	} `json:"pits"`
}

// closeAt closes cursors on one cluster.
func (q *request) closeAt(at origin, path, key string, ids []string) (closed, error) {
	b, err := json.Marshal(map[string][]string{key: ids})
	if err != nil {
		return closed{}, err
	}
	ctx, cancel := context.WithTimeout(q.r.Context(), q.p.o.WriteTimeout)
	defer cancel()
	resp, err := q.sendOnce(ctx, at, http.MethodDelete, path, b)
	if err != nil {
		return closed{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return closed{}, q.readFailure(at.place.Cluster, err)
	}
	c := closed{status: resp.StatusCode}
	if err := json.Unmarshal(raw, &c); err != nil || resp.StatusCode >= 300 && resp.StatusCode != http.StatusNotFound {
		return c, fail(http.StatusBadGateway, TypeUpstream, "cluster %s refused to close cursors with status %d", at.place.Cluster, resp.StatusCode)
	}
	return c, nil
}

func (q *request) clearScroll() error {
	c, err := q.cursorBody()
	if err != nil {
		return err
	}
	if len(c.ScrollID) == 0 {
		return fail(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: no scroll ids specified;")
	}
	for _, id := range c.ScrollID {
		if id == "_all" {
			return fail(http.StatusBadRequest, TypeUnsupported, "scrolls are cleared by their ids only")
		}
	}
	done, err := q.authorize()
	if err != nil {
		return err
	}
	defer done()
	groups, _, err := q.byCluster(c.ScrollID, affinity.Scroll)
	if err != nil {
		return err
	}
	all := closed{status: http.StatusNotFound, Succeeded: true}
	for _, es := range groups {
		one, err := q.closeAt(origin{es[0].Placement, es[0].Incarnation}, "/_search/scroll", "scroll_id", envelopeIDs(es))
		if err != nil {
			return err
		}
		q.release(envelopeIDs(es)...)
		all.NumFreed += one.NumFreed
		all.Succeeded = all.Succeeded && (one.Succeeded || one.status == http.StatusNotFound)
	}
	if all.NumFreed > 0 { // as OpenSearch: 404 when there was nothing to free
		all.status = http.StatusOK
	}
	return q.answerJSON(all.status, struct {
		Succeeded bool `json:"succeeded"`
		NumFreed  int  `json:"num_freed"`
	}{all.Succeeded, all.NumFreed})
}

func (q *request) closePIT() error {
	c, err := q.cursorBody()
	if err != nil {
		return err
	}
	if len(c.PITID) == 0 {
		return fail(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: no pit ids specified;")
	}
	done, err := q.authorize()
	if err != nil {
		return err
	}
	defer done()
	groups, given, err := q.byCluster(c.PITID, affinity.PIT)
	if err != nil {
		return err
	}
	type one struct {
		Successful bool   `json:"successful"`
		PITID      string `json:"pit_id"`
	}
	out := struct {
		PITs []one `json:"pits"`
	}{[]one{}}
	for _, es := range groups {
		got, err := q.closeAt(origin{es[0].Placement, es[0].Incarnation}, "/_search/point_in_time", "pit_id", envelopeIDs(es))
		if err != nil {
			return err
		}
		for _, p := range got.PITs {
			if p.Successful {
				q.release(p.PITID)
			}
			out.PITs = append(out.PITs, one{p.Successful, given[p.PITID]})
		}
	}
	return q.answerJSON(http.StatusOK, out)
}

// answerJSON answers with what the proxy itself has put together.
func (q *request) answerJSON(status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return q.answerBytes(status, b)
}

func (q *request) answerBytes(status int, b []byte) error {
	resp := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}}
	q.head(resp, q.entry.State.From, int64(len(b)))
	_, err := q.w.Write(b)
	return err
}

// taskPath is the path of a task on its cluster.
func taskPath(id string) string { return "/_tasks/" + url.PathEscape(id) }
