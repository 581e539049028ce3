package sim

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// cluster is one simulated OpenSearch cluster. Its indices are durable; a
// restart loses requests under way and points in time.
type cluster struct {
	w    *World
	name string

	mu      sync.Mutex
	boot    int // restarts so far
	indices map[string]*index
	pits    map[string]pit
	tasks   map[int]task // under way
	ended   map[int]obj  // what by-query tasks that have ended are answered with; on disk
	nextID  int
}

type index struct {
	name, uuid      string
	settings        map[string]string // flat
	mappings        json.RawMessage
	aliases         map[string]map[string]any
	shards          []*shard
	mappingVersion  int64
	settingsVersion int64
}

type shard struct {
	docs    map[string]*document // tombstones included
	seq     int64                // newest, -1: none
	visible []document           // what a search sees, since the last refresh
}

// document is one version of a document; a tombstone has no source.
type document struct {
	ID      string          `json:"_id"`
	Routing string          `json:"_routing,omitempty"`
	Version int64           `json:"_version"`
	Seq     int64           `json:"_seq_no"`
	Source  json.RawMessage `json:"_source,omitempty"`
	deleted bool
	at      time.Duration
}

type pit struct{ docs []document }

type task struct{ action, description string }

func newCluster(w *World, name string) *cluster {
	return &cluster{w: w, name: name, indices: map[string]*index{}, pits: map[string]pit{}, tasks: map[int]task{}, ended: map[int]obj{}}
}

// restart loses what is not on disk.
func (c *cluster) restart() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.boot++
	c.pits, c.tasks = map[string]pit{}, map[int]task{}
}

func (c *cluster) create(name string, shards int, settings map[string]string, mappings json.RawMessage, aliases map[string]map[string]any) *index {
	c.nextID++
	x := &index{name: name, uuid: fmt.Sprintf("uuid-%s-%d", c.name, c.nextID), settings: settings, mappings: mappings, aliases: aliases, mappingVersion: 1, settingsVersion: 1}
	for range shards {
		x.shards = append(x.shards, &shard{docs: map[string]*document{}, seq: -1})
	}
	x.settings["index.uuid"] = x.uuid
	x.settings["index.number_of_shards"] = strconv.Itoa(shards)
	c.indices[name] = x
	return x
}

func (x *index) shardOf(id, routing string) *shard {
	h := fnv.New32a()
	_, _ = h.Write([]byte(cmp.Or(routing, id)))
	return x.shards[int(h.Sum32())%len(x.shards)]
}

// find returns the index of that name or alias.
func (c *cluster) find(name string) *index {
	if x := c.indices[name]; x != nil {
		return x
	}
	for _, n := range slices.Sorted(maps.Keys(c.indices)) {
		if _, ok := c.indices[n].aliases[name]; ok {
			return c.indices[n]
		}
	}
	return nil
}

// match returns the indices that a comma list of names, aliases and "*" names.
func (c *cluster) match(names string) []*index {
	var out []*index
	for _, n := range slices.Sorted(maps.Keys(c.indices)) {
		x := c.indices[n]
		for _, want := range strings.Split(names, ",") {
			_, alias := x.aliases[want]
			if want == "*" || want == n || alias {
				out = append(out, x)
				break
			}
		}
	}
	return out
}

func answer(status int, v any) reply {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return reply{status: status, body: b}
}

func failure(status int, kind, reason string) reply {
	return answer(status, map[string]any{"error": map[string]any{"type": kind, "reason": reason}, "status": status})
}

type obj = map[string]any

// serve carries out one request of a sender. Whatever changes something does so
// in one step under the lock, after it has waited its turn.
func (c *cluster) serve(method, path string, q url.Values, body []byte, from string) reply {
	seg := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i := range seg {
		if s, err := url.PathUnescape(seg[i]); err == nil {
			seg[i] = s
		}
	}
	last := seg[len(seg)-1]
	switch {
	case last == "_bulk":
		return c.bulk(seg, q, body, from)
	case len(seg) == 3 && seg[1] == "_doc" && method != http.MethodGet:
		return c.writeDoc(method, seg[0], seg[2], q, body, from)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case path == "/":
		return answer(200, obj{"version": obj{"number": "2.19.6", "distribution": "opensearch"}})
	case seg[0] == "_mget":
		return c.mget(body)
	case seg[0] == "_aliases":
		return c.updateAliases(body)
	case seg[0] == "_tasks" && len(seg) == 2:
		return c.taskState(seg[1])
	case seg[0] == "_tasks":
		return c.listTasks(q)
	case seg[0] == "_search" && last == "point_in_time":
		return answer(200, obj{"pits": []any{}})
	case seg[0] == "_search":
		return c.searchPIT(body)
	case seg[0] == "_cluster" && seg[1] == "state":
		return c.state(seg[3])
	case seg[0] == "_cluster" && seg[1] == "health":
		return answer(200, obj{"status": "green"})
	case len(seg) == 1 && method == http.MethodPut:
		return c.createIndex(seg[0], body)
	case len(seg) == 1 && method == http.MethodGet:
		return c.describe(seg[0])
	case len(seg) == 1 && method == http.MethodDelete:
		if c.indices[seg[0]] == nil {
			return failure(404, "index_not_found_exception", seg[0])
		}
		c.w.onDelete(c.name, seg[0])
		delete(c.indices, seg[0])
		return answer(200, obj{"acknowledged": true})
	}
	return c.serveIndex(method, seg, q, body, from)
}

// serveIndex is what a path below an index's name asks for. The lock is held.
func (c *cluster) serveIndex(method string, seg []string, q url.Values, body []byte, from string) reply {
	all := c.match(seg[0])
	if len(all) == 0 {
		if q.Get("ignore_unavailable") == "true" {
			return answer(200, obj{})
		}
		return failure(404, "index_not_found_exception", "no such index ["+seg[0]+"]")
	}
	x := all[0]
	switch seg[1] {
	case "_doc":
		d := x.shardOf(seg[2], q.Get("routing")).docs[seg[2]]
		if d == nil || d.deleted {
			return answer(404, obj{"_index": x.name, "_id": seg[2], "found": false})
		}
		return answer(200, obj{"_index": x.name, "_id": seg[2], "_version": d.Version, "_seq_no": d.Seq, "_primary_term": 1, "found": true, "_source": d.Source})
	case "_delete_by_query":
		return c.deleteByQuery(x, body, from)
	case "_refresh":
		for _, x := range all {
			x.refresh()
		}
		return answer(200, obj{"_shards": obj{"total": 1, "successful": 1, "failed": 0}})
	case "_search": // /_search/point_in_time
		return c.openPIT(x, q.Get("preference"))
	case "_settings":
		if method == http.MethodPut {
			return x.putSettings(body)
		}
		out := obj{}
		for _, x := range all {
			out[x.name] = obj{"settings": obj{"index.uuid": x.uuid}}
		}
		return answer(200, out)
	case "_mapping":
		return x.putMapping(body)
	case "_alias":
		return answer(200, obj{x.name: obj{"aliases": x.aliases}})
	case "_block":
		if x.blocked() {
			return answer(200, obj{"acknowledged": true, "shards_acknowledged": false, "indices": []any{}})
		}
		// Every write is one step under the lock, so none is half done now.
		x.settings["index.blocks.write"] = "true"
		x.settingsVersion++
		return answer(200, obj{"acknowledged": true, "shards_acknowledged": true, "indices": []any{obj{"name": x.name, "blocked": true}}})
	case "_count":
		n := 0
		for _, s := range x.shards {
			n += len(s.visible)
		}
		return answer(200, obj{"count": n})
	case "_stats":
		return x.stats(seg[2])
	}
	panic("the simulated cluster does not know " + method + " /" + strings.Join(seg, "/"))
}

func (x *index) blocked() bool { return x.settings["index.blocks.write"] == "true" }

func (x *index) refresh() {
	for _, s := range x.shards {
		s.visible = s.visible[:0:0]
		for _, d := range s.docs {
			if !d.deleted {
				s.visible = append(s.visible, *d)
			}
		}
		slices.SortFunc(s.visible, func(a, b document) int { return cmp.Compare(a.Seq, b.Seq) })
	}
}

func (x *index) putSettings(body []byte) reply {
	var set map[string]any
	if json.Unmarshal(body, &set) != nil {
		return failure(400, "parse_exception", "settings")
	}
	for k, v := range set {
		if v == nil {
			delete(x.settings, k)
		} else {
			x.settings[k] = fmt.Sprint(v)
		}
	}
	x.settingsVersion++
	return answer(200, obj{"acknowledged": true})
}

// mapping is what the simulation has of one.
type mapping struct {
	Dynamic    any                        `json:"dynamic,omitempty"`
	Properties map[string]json.RawMessage `json:"properties,omitempty"`
}

// putMapping adds fields: a mapping never loses one.
func (x *index) putMapping(body []byte) reply {
	var more mapping
	if json.Unmarshal(body, &more) != nil {
		return failure(400, "parse_exception", "mapping")
	}
	x.remap(more)
	return answer(200, obj{"acknowledged": true})
}

func (x *index) remap(more mapping) {
	var have mapping
	if err := json.Unmarshal(x.mappings, &have); err != nil {
		panic(err)
	}
	n, changed := len(have.Properties), more.Dynamic != nil && fmt.Sprint(more.Dynamic) != fmt.Sprint(have.Dynamic)
	if changed {
		have.Dynamic = fmt.Sprint(more.Dynamic) // as OpenSearch shows it
	}
	if have.Properties == nil {
		have.Properties = map[string]json.RawMessage{}
	}
	maps.Copy(have.Properties, more.Properties)
	if len(have.Properties) > n || changed {
		b, err := json.Marshal(have)
		if err != nil {
			panic(err)
		}
		x.mappings = b
		x.mappingVersion++
	}
}

// mapFields maps what a document brings, where the mapping says so, and returns it.
func (x *index) mapFields(source json.RawMessage) (fresh []string) {
	var have mapping
	var fields map[string]json.RawMessage
	if json.Unmarshal(x.mappings, &have) != nil || have.Dynamic != "true" || json.Unmarshal(source, &fields) != nil {
		return nil
	}
	more := mapping{Properties: map[string]json.RawMessage{}}
	for f := range fields {
		if _, ok := have.Properties[f]; !ok {
			fresh = append(fresh, f)
			more.Properties[f] = json.RawMessage(`{"type":"keyword"}`)
		}
	}
	x.remap(more)
	slices.Sort(fresh)
	return fresh
}

func (x *index) stats(what string) reply {
	shards := obj{}
	for i, s := range x.shards {
		shards[strconv.Itoa(i)] = []any{obj{"routing": obj{"primary": true}, "seq_no": obj{"max_seq_no": s.seq, "global_checkpoint": s.seq}}}
	}
	one := obj{"shards": shards, "total": obj{"search": obj{"open_contexts": 0}}}
	_ = what
	return answer(200, obj{"_all": obj{"primaries": obj{"store": obj{"size_in_bytes": 1000}}}, "indices": obj{x.name: one}})
}

func (c *cluster) state(names string) reply {
	out := obj{}
	for _, x := range c.match(names) {
		out[x.name] = obj{"routing_num_shards": 1024, "mapping_version": x.mappingVersion, "settings_version": x.settingsVersion}
	}
	return answer(200, obj{"metadata": obj{"indices": out}})
}

func (c *cluster) describe(names string) reply {
	out := obj{}
	for _, x := range c.match(names) {
		out[x.name] = obj{"aliases": x.aliases, "mappings": x.mappings, "settings": x.settings}
	}
	return answer(200, out)
}

func (c *cluster) createIndex(name string, body []byte) reply {
	if c.find(name) != nil {
		return failure(400, "resource_already_exists_exception", name)
	}
	var b struct {
		Settings map[string]any
		Mappings json.RawMessage
		Aliases  map[string]map[string]any
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return failure(400, "parse_exception", err.Error())
	}
	settings := map[string]string{}
	for k, v := range b.Settings {
		settings[k] = fmt.Sprint(v)
	}
	n, err := strconv.Atoi(settings["index.number_of_shards"])
	if err != nil {
		n = 1
	}
	c.w.onCreate(c.name, name)
	c.create(name, n, settings, b.Mappings, b.Aliases)
	return answer(200, obj{"acknowledged": true, "shards_acknowledged": true})
}

// updateAliases performs all actions or none.
func (c *cluster) updateAliases(body []byte) reply {
	var b struct {
		Actions []map[string]map[string]any
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return failure(400, "parse_exception", err.Error())
	}
	next := map[string]map[string]map[string]any{}
	for n, x := range c.indices {
		next[n] = maps.Clone(x.aliases)
	}
	for _, a := range b.Actions {
		for verb, what := range a {
			name, _ := what["index"].(string)
			alias, _ := what["alias"].(string)
			if next[name] == nil && c.indices[name] == nil {
				return failure(404, "index_not_found_exception", name)
			}
			if next[name] == nil {
				next[name] = map[string]map[string]any{}
			}
			switch verb {
			case "add":
				props := maps.Clone(what)
				delete(props, "index")
				delete(props, "alias")
				next[name][alias] = props
			case "remove":
				if _, ok := next[name][alias]; !ok && what["must_exist"] == true {
					return failure(404, "aliases_not_found_exception", alias)
				}
				delete(next[name], alias)
			}
		}
	}
	for n, x := range c.indices {
		x.aliases = next[n]
	}
	return answer(200, obj{"acknowledged": true})
}

func (c *cluster) listTasks(q url.Values) reply {
	list := []any{}
	for _, id := range slices.Sorted(maps.Keys(c.tasks)) {
		for _, want := range strings.Split(q.Get("actions"), ",") {
			if strings.Contains(c.tasks[id].action, strings.Trim(want, "*")) {
				list = append(list, obj{"node": "n", "id": id, "action": c.tasks[id].action, "description": c.tasks[id].description})
				break
			}
		}
	}
	return answer(200, obj{"tasks": list})
}

// taskState is what GET _tasks/<id> is answered with.
func (c *cluster) taskState(name string) reply {
	n, err := strconv.Atoi(strings.TrimPrefix(name, "n:"))
	if err != nil {
		return failure(400, "illegal_argument_exception", name)
	}
	if r, ok := c.ended[n]; ok {
		return answer(200, obj{"completed": true, "response": r})
	}
	if _, ok := c.tasks[n]; ok {
		return answer(200, obj{"completed": false})
	}
	return failure(404, "resource_not_found_exception", name)
}
