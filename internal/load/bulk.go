package load

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// change is one write of one document that has a known owner.
type change struct {
	op     string // index, create, update, script, delete
	id     string
	before State
	after  State // its Version is what has to follow, or 0 where that cannot be told
}

// plan describes a write and notes in the ledger that it is about to be sent.
func (l *Load) plan(op, id string, before State) change {
	c := change{op: op, id: id, before: before}
	marker := l.ledger.begin(id, op == "delete")
	c.after = State{Exists: op != "delete", Marker: marker}
	if before.Exists {
		// A document that was deleted goes on with its old version or starts over at 1: OpenSearch decides by how long ago
		// that was.
		c.after.Version = before.Version + 1
	}
	switch op {
	case "update":
		c.after.Counter = before.Counter
	case "script":
		c.after.Counter = before.Counter + 1
	}
	return c
}

// source is the whole document as an index or create stores it.
func (l *Load) source(c change) Doc {
	d := *l.docs[c.id]
	d.Marker, d.Counter = c.after.Marker, 0
	return d
}

// updateBody is the body of an update that leaves the marker behind.
func updateBody(c change) any {
	if c.op == "script" {
		return map[string]any{"script": map[string]any{
			"source": "ctx._source.counter += 1; ctx._source.marker = params.marker",
			"params": map[string]any{"marker": c.after.Marker},
		}}
	}
	return map[string]any{"doc": map[string]any{"marker": c.after.Marker}}
}

// lines appends the lines of a change to a bulk body.
func (l *Load) lines(b *bytes.Buffer, c change) error {
	e := json.NewEncoder(b)
	action := c.op
	if action == "script" {
		action = "update"
	}
	if err := e.Encode(map[string]any{action: map[string]any{"_id": c.id}}); err != nil {
		return err
	}
	switch c.op {
	case "index", "create":
		return e.Encode(l.source(c))
	case "update", "script":
		return e.Encode(updateBody(c))
	}
	return nil
}

// bulkAnswer is the part of a bulk's answer that counts.
type bulkAnswer struct {
	Items []map[string]struct {
		ID      string          `json:"_id"`
		Version int64           `json:"_version"`
		Status  int             `json:"status"`
		Error   json.RawMessage `json:"error"`
	} `json:"items"`
}

// bulk sends changes in one request and notes the outcome of each. Items that were refused for now are sent again.
func (l *Load) bulk(ctx context.Context, c *client, changes []change) error {
	start := time.Now()
	for {
		again, err := l.bulkOnce(ctx, c, changes)
		if err != nil || len(again) == 0 {
			return err
		}
		if time.Since(start) > l.giveUp {
			c.tally.failed.Add(int64(len(again)))
			return fmt.Errorf("%d items of a bulk were refused for %v", len(again), l.giveUp)
		}
		c.tally.retried.Add(1)
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		changes = again
	}
}

func (l *Load) bulkOnce(ctx context.Context, c *client, changes []change) ([]change, error) {
	var b bytes.Buffer
	for _, ch := range changes {
		if err := l.lines(&b, ch); err != nil {
			return nil, fmt.Errorf("encode a bulk: %w", err)
		}
	}
	a, err := c.call(ctx, http.MethodPost, "/"+url.PathEscape(l.target.Index)+"/_bulk", b.Bytes(), true)
	if err != nil {
		for _, ch := range changes {
			l.unsuccessful(ch, err)
		}
		return nil, err
	}
	var ba bulkAnswer
	if err := json.Unmarshal(a.body, &ba); err != nil || len(ba.Items) != len(changes) {
		c.tally.failed.Add(1)
		for _, ch := range changes {
			l.ledger.doubt(ch.op, ch.id, ch.after)
		}
		err = fmt.Errorf("the answer of a bulk with %d items has %d: %.200s", len(changes), len(ba.Items), a.body)
		c.tally.trouble.note("failed", err.Error())
		return nil, err
	}
	var again []change
	for i, item := range ba.Items {
		for _, outcome := range item {
			switch {
			case outcome.Status/100 == 2:
				l.success(changes[i], outcome.Version)
			case outcome.Status == http.StatusServiceUnavailable || outcome.Status == http.StatusTooManyRequests:
				again = append(again, changes[i])
			case outcome.Status == http.StatusGatewayTimeout:
				l.ledger.doubt(changes[i].op, changes[i].id, changes[i].after)
			default:
				c.tally.failed.Add(1)
				c.tally.trouble.note("failed", fmt.Sprintf("%s in a bulk: %d %s", changes[i].op, outcome.Status, outcome.Error))
				if outcome.Status/100 == 4 {
					c.tally.trouble.note("rejected", fmt.Sprintf("%s in a bulk: %d %s", changes[i].op, outcome.Status, outcome.Error))
					c.tally.rejected.Add(1)
				}
				if outcome.Status >= 500 {
					l.ledger.doubt(changes[i].op, changes[i].id, changes[i].after)
				}
			}
		}
	}
	return again, nil
}

// success notes an acknowledged write.
func (l *Load) success(c change, version int64) {
	if version != c.after.Version && c.after.Version != 0 {
		l.tally.jumps.Add(1)
		l.tally.trouble.note("jump", fmt.Sprintf("%s of %s was acknowledged as version %d, %d had to follow", c.op, c.id, version, c.after.Version))
	}
	c.after.Version = version
	l.ledger.ack(c.op, c.id, c.after)
}

// unsuccessful notes a write that has no acknowledgement, unless it certainly had no effect.
func (l *Load) unsuccessful(c change, err error) {
	var se *statusError
	if errors.Is(err, errUnknown) || errors.As(err, &se) && se.doubtful {
		l.ledger.doubt(c.op, c.id, c.after)
	}
}

// Counters is how many documents are increased by all workers.
const Counters = 10

// Seed writes the documents that exist from the start, through all addresses in turn, and the shared counters. It calls
// progress after each bulk with the number of documents written so far, unless it is nil. Any failure is an error.
func (l *Load) Seed(ctx context.Context, progress func(done int)) error {
	c := newClient(l.target, 0, &l.tally, l.giveUp)
	defer c.close()
	const batch = 1000
	for from := 0; from < l.seeded; from += batch {
		to := min(from+batch, l.seeded)
		changes := make([]change, 0, batch)
		for _, id := range l.ids[from:to] {
			changes = append(changes, l.plan("index", id, State{}))
		}
		acks := l.ledger.Acknowledged()
		if err := l.bulk(ctx, c, changes); err != nil {
			return fmt.Errorf("seed documents %d to %d: %w", from, to, err)
		}
		if got := l.ledger.Acknowledged() - acks; got != int64(len(changes)) {
			return fmt.Errorf("seed documents %d to %d: %d of %d were stored: %v", from, to, got, len(changes), l.Trouble())
		}
		if progress != nil {
			progress(to)
		}
	}
	for i := range Counters {
		id := fmt.Sprintf("counter-%d", i)
		body, err := json.Marshal(Doc{UID: id, Name: id, Kind: "counter"})
		if err != nil {
			return err
		}
		if _, err := c.call(ctx, http.MethodPut, l.docPath("_create", id), body, true); err != nil {
			return fmt.Errorf("create %s: %w", id, err)
		}
		l.ledger.addCounter(id)
	}
	return nil
}

func (l *Load) docPath(endpoint, id string) string {
	return "/" + url.PathEscape(l.target.Index) + "/" + endpoint + "/" + url.PathEscape(id)
}
