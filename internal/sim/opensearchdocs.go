package sim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operation is one write of a document.
type operation struct {
	delete   bool
	create   bool
	id       string
	routing  string
	version  int64 // external_gte, 0: none
	ifSeq    int64 // -1: none
	source   json.RawMessage
	internal bool // of the mover
}

// result of an operation.
type result struct {
	status  int
	kind    string // of the error, empty if there is none
	version int64
	seq     int64
}

// apply carries out one operation. The lock is held.
func (c *cluster) apply(x *index, o operation, from string) result {
	if x.blocked() {
		c.w.onAside(c.name, x.name, o, from)
		return result{status: 403, kind: "cluster_block_exception"}
	}
	s := x.shardOf(o.id, o.routing)
	d := s.docs[o.id]
	if d != nil && d.deleted && c.w.elapsed()-d.at > x.gcDeletes() {
		delete(s.docs, o.id) // the tombstone is forgotten
		d = nil
	}
	live := d != nil && !d.deleted
	switch {
	case o.create && live:
		return result{status: 409, kind: "version_conflict_engine_exception"}
	case o.ifSeq >= 0 && (!live || d.Seq != o.ifSeq):
		return result{status: 409, kind: "version_conflict_engine_exception"}
	case o.version > 0 && d != nil && d.Version > o.version:
		return result{status: 409, kind: "version_conflict_engine_exception"}
	}
	version := o.version
	if version == 0 {
		version = 1
		if d != nil {
			version = d.Version + 1
		}
	}
	c.w.onWrite(c.name, x, o, from)
	if !o.delete {
		c.w.onFields(c.name, x, o, from, x.mapFields(o.source))
	}
	s.seq++
	n := &document{ID: o.id, Routing: o.routing, Version: version, Seq: s.seq, Source: o.source, deleted: o.delete, at: c.w.elapsed()}
	s.docs[o.id] = n
	switch {
	case o.delete && !live:
		return result{status: 404, version: version, seq: s.seq}
	case live || o.delete:
		return result{status: 200, version: version, seq: s.seq}
	}
	return result{status: 201, version: version, seq: s.seq}
}

func (x *index) gcDeletes() time.Duration {
	d, err := time.ParseDuration(x.settings["index.gc_deletes"])
	if err != nil {
		return time.Minute
	}
	return d
}

// queue is how long a write waits in the cluster before its turn. False: the
// cluster restarted meanwhile.
func (c *cluster) queue(description string) (id int, ok bool) {
	c.mu.Lock()
	c.nextID++
	id, boot := c.nextID, c.boot
	c.tasks[id] = task{"indices:data/write/bulk", description}
	c.mu.Unlock()
	r := c.w.random.next("queue " + c.name)
	d := logBetween(r, 20*time.Microsecond, time.Millisecond)
	if chance(r, 0.02) {
		d = logBetween(r, time.Millisecond, 400*time.Millisecond)
	}
	time.Sleep(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	return id, c.boot == boot
}

func (c *cluster) leave(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.tasks, id)
}

// writeDoc serves PUT and DELETE of one document.
func (c *cluster) writeDoc(method, name, id string, q url.Values, body []byte, from string) reply {
	task, ok := c.queue("requests[1], indices[" + name + "]")
	defer c.leave(task)
	if !ok {
		return reply{broken: true}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.find(name)
	if x == nil {
		c.w.onAside(c.name, name, operation{id: id}, from)
		return failure(404, "index_not_found_exception", "no such index ["+name+"]")
	}
	o := operation{delete: method == http.MethodDelete, create: q.Get("op_type") == "create", id: id, routing: q.Get("routing"), ifSeq: -1, source: slices.Clone(body)}
	if v := q.Get("if_seq_no"); v != "" {
		o.ifSeq, _ = strconv.ParseInt(v, 10, 64)
	}
	r := c.apply(x, o, from)
	if r.kind != "" {
		return failure(r.status, r.kind, id)
	}
	return answer(r.status, obj{"_index": x.name, "_id": id, "_version": r.version, "_seq_no": r.seq, "_primary_term": 1, "result": what(o, r), "_shards": obj{"total": 1, "successful": 1, "failed": 0}})
}

func what(o operation, r result) string {
	switch {
	case o.delete && r.status == 404:
		return "not_found"
	case o.delete:
		return "deleted"
	case r.status == 201:
		return "created"
	}
	return "updated"
}

// bulk serves _bulk. Names are resolved when the request has its turn, not when
// it arrives.
func (c *cluster) bulk(seg []string, q url.Values, body []byte, from string) reply {
	inPath := ""
	if len(seg) == 2 {
		inPath = seg[0]
	}
	type line struct {
		verb, index string
		op          operation
	}
	var lines []line
	names := map[string]bool{}
	rest := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	for len(rest) > 0 {
		var head map[string]struct {
			Index   string `json:"_index"`
			ID      string `json:"_id"`
			Routing string `json:"routing"`
			Version int64  `json:"version"`
			IfSeq   *int64 `json:"if_seq_no"`
		}
		if err := json.Unmarshal(rest[0], &head); err != nil {
			return failure(400, "parse_exception", err.Error())
		}
		rest = rest[1:]
		for verb, h := range head {
			l := line{verb: verb, index: h.Index, op: operation{delete: verb == "delete", create: verb == "create", id: h.ID, routing: h.Routing, version: h.Version, ifSeq: -1}}
			if l.index == "" {
				l.index = inPath
			}
			if h.IfSeq != nil {
				l.op.ifSeq = *h.IfSeq
			}
			if !l.op.delete {
				l.op.source = slices.Clone(rest[0])
				rest = rest[1:]
			}
			l.op.internal = q.Get("require_alias") == "true"
			names[l.index] = true
			lines = append(lines, l)
		}
	}
	var list []string
	for n := range names {
		list = append(list, n)
	}
	slices.Sort(list)
	task, ok := c.queue(fmt.Sprintf("requests[%d], indices[%s]", len(lines), strings.Join(list, ", ")))
	defer c.leave(task)
	if !ok {
		return reply{broken: true}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	items, errs := []any{}, false
	for _, l := range lines {
		x := c.find(l.index)
		if x != nil && l.op.internal && !l.op.delete && x.name == l.index {
			x = nil // require_alias, which deletes do not honour
		}
		var r result
		if x == nil {
			c.w.onAside(c.name, l.index, l.op, from)
			r = result{status: 404, kind: "index_not_found_exception"}
		} else {
			r = c.apply(x, l.op, from)
		}
		item := obj{"_id": l.op.id, "status": r.status}
		if x != nil {
			item["_index"] = x.name
		}
		if r.kind != "" {
			errs = true
			item["error"] = obj{"type": r.kind, "reason": l.op.id}
		} else {
			item["_version"], item["_seq_no"], item["_primary_term"], item["result"] = r.version, r.seq, 1, what(l.op, r)
		}
		items = append(items, obj{l.verb: item})
	}
	return answer(200, obj{"took": 1, "errors": errs, "items": items})
}

// deleteByQuery starts a task that deletes the documents of a list of ids. It
// finds them as a search does, some time later, and then deletes each of them that
// has not changed meanwhile, some time later again. The lock is held.
func (c *cluster) deleteByQuery(x *index, body []byte, from string) reply {
	var b struct {
		Query struct {
			IDs struct{ Values []string } `json:"ids"`
		}
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return failure(400, "parse_exception", err.Error())
	}
	c.nextID++
	id, boot := c.nextID, c.boot
	c.tasks[id] = task{"indices:data/write/delete/byquery", "delete-by-query [" + x.name + "]"}
	r := c.w.random.next("by query " + c.name)
	first, second := logBetween(r, time.Millisecond, 2*time.Second), logBetween(r, time.Millisecond, 2*time.Second)
	c.w.wires.Go(func() {
		// step waits and takes the lock, unless a restart has ended the task.
		step := func(d time.Duration) bool {
			time.Sleep(d)
			c.mu.Lock()
			if c.boot != boot || c.indices[x.name] != x {
				c.mu.Unlock()
				return false
			}
			return true
		}
		if !step(first) {
			return
		}
		var found []document
		for _, s := range x.shards {
			for _, d := range s.visible {
				if slices.Contains(b.Query.IDs.Values, d.ID) {
					found = append(found, d)
				}
			}
		}
		c.mu.Unlock()
		if !step(second) {
			return
		}
		defer c.mu.Unlock()
		deleted, conflicts, failures := 0, 0, []any{}
		for _, d := range found {
			switch r := c.apply(x, operation{delete: true, id: d.ID, routing: d.Routing, ifSeq: d.Seq}, from); r.kind {
			case "":
				deleted++
			case "version_conflict_engine_exception":
				conflicts++
				failures = append(failures, obj{"id": d.ID, "status": 409, "cause": obj{"type": r.kind}})
			default:
				failures = append(failures, obj{"id": d.ID, "status": r.status, "cause": obj{"type": r.kind}})
			}
		}
		c.ended[id] = obj{"took": 1, "timed_out": false, "deleted": deleted, "version_conflicts": conflicts, "failures": failures}
		delete(c.tasks, id)
	})
	return answer(200, obj{"task": fmt.Sprintf("n:%d", id)})
}

// mget is a realtime multi-get. The lock is held.
func (c *cluster) mget(body []byte) reply {
	var b struct {
		Docs []struct {
			Index   string `json:"_index"`
			ID      string `json:"_id"`
			Routing string `json:"routing"`
			Source  bool   `json:"_source"`
		}
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return failure(400, "parse_exception", err.Error())
	}
	docs := []any{}
	for _, g := range b.Docs {
		x := c.find(g.Index)
		if x == nil {
			docs = append(docs, obj{"_index": g.Index, "_id": g.ID, "error": obj{"type": "index_not_found_exception", "reason": g.Index}})
			continue
		}
		d := x.shardOf(g.ID, g.Routing).docs[g.ID]
		if d == nil || d.deleted {
			docs = append(docs, obj{"_index": x.name, "_id": g.ID, "found": false})
			continue
		}
		item := obj{"_index": x.name, "_id": g.ID, "_version": d.Version, "_seq_no": d.Seq, "_primary_term": 1, "found": true}
		if d.Routing != "" {
			item["_routing"] = d.Routing
		}
		if g.Source {
			item["_source"] = d.Source
		}
		docs = append(docs, item)
	}
	return answer(200, obj{"docs": docs})
}

// openPIT keeps what a search of one shard sees now. The lock is held.
func (c *cluster) openPIT(x *index, preference string) reply {
	n, _, _ := strings.Cut(strings.TrimPrefix(preference, "_shards:"), "|")
	i, err := strconv.Atoi(n)
	if err != nil || i >= len(x.shards) {
		return failure(400, "illegal_argument_exception", preference)
	}
	c.nextID++
	id := fmt.Sprintf("%s|%s|%d", c.name, x.name, c.nextID)
	c.pits[id] = pit{slices.Clone(x.shards[i].visible)}
	return answer(200, obj{"pit_id": id, "_shards": obj{"total": 1, "successful": 1}})
}

// searchPIT returns the next page of a point in time. The lock is held.
func (c *cluster) searchPIT(body []byte) reply {
	var b struct {
		PIT    struct{ ID string } `json:"pit"`
		Size   int                 `json:"size"`
		After  []int               `json:"search_after"`
		Source bool                `json:"_source"`
		Query  struct {
			Range struct {
				Seq *struct{ GT int64 } `json:"_seq_no"`
			}
		}
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return failure(400, "parse_exception", err.Error())
	}
	p, ok := c.pits[b.PIT.ID]
	if !ok {
		return failure(404, "search_context_missing_exception", b.PIT.ID)
	}
	at := 0
	if len(b.After) > 0 {
		at = b.After[0] + 1
	}
	name := strings.Split(b.PIT.ID, "|")[1]
	hits := []any{}
	for i := at; i < len(p.docs) && len(hits) < b.Size; i++ {
		d := p.docs[i]
		if above := b.Query.Range.Seq; above != nil && d.Seq <= above.GT {
			continue
		}
		h := obj{"_index": name, "_id": d.ID, "_version": d.Version, "_seq_no": d.Seq, "_primary_term": 1, "sort": []int{i}}
		if d.Routing != "" {
			h["_routing"] = d.Routing
		}
		if b.Source {
			h["_source"] = d.Source
		}
		hits = append(hits, h)
	}
	return answer(200, obj{"timed_out": false, "_shards": obj{"total": 1, "successful": 1, "failed": 0}, "hits": obj{"hits": hits}})
}
