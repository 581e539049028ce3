package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/internal/jsontext"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy/shared"
)

// catParameters are those that change no more than which lines and columns there
// are, and how they look.
var catParameters = []string{"h", "s", "v", "format", "pretty", "human", "bytes", "time", "health", "pri", "expand_wildcards", "include_unloaded_segments", "local",
	"cluster_manager_timeout", "master_timeout", "error_trace"}

// column is one value of a line of a list.
type column struct {
	name  string
	value *string // nil if there is none
}

// cells is a line of a list: columns in their order.
type cells []column

// cat serves lists for people. The cluster is asked for the list as JSON, so that
// names can be told from everything else, and it becomes text again here.
func (q *request) cat() error {
	verbose, asText := q.query.Has("v") && q.query.Get("v") != "false", false
	switch q.query.Get("format") {
	case "text":
		asText = true
	case "":
		asText = !strings.Contains(q.r.Header.Get("Accept"), "json")
	}
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
	c, err := q.planCat(at.place, body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(q.r.Context(), q.p.o.ReadTimeout)
	defer cancel()
	resp, err := q.sendRead(ctx, at.place.Cluster, http.MethodGet, c.path, q.query, bytesPayload(c.body, "application/json"))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	if err != nil {
		return q.readFailure(at.place.Cluster, err)
	}
	if err := upstreamStatus(resp, at.place.Cluster); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return q.answer(resp, raw, at)
	}
	rows, err := parseCat(raw)
	if err != nil {
		return fail(http.StatusBadGateway, TypeUpstream, "cluster %s gave a list that is not understood", at.place.Cluster)
	}
	rows = c.view(rows)
	if !asText {
		return q.answerBytes(http.StatusOK, catJSON(rows))
	}
	b := catText(rows, c.columns, c.right, verbose)
	text := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/plain; charset=UTF-8"}}}
	q.head(text, at.place, int64(len(b)))
	_, err = q.w.Write(b)
	return err
}

// catPlan is how a list is asked for, and what becomes of it.
type catPlan struct {
	path    string
	body    []byte
	columns []string // the header of a list without lines
	right   bool     // numbers stand at the right end of their columns
	view    func([]cells) []cells
}

// catColumns are what OpenSearch shows unless it is asked for others.
var catColumns = map[string]string{
	"indices": "health,status,index,uuid,pri,rep,docs.count,docs.deleted,store.size,pri.store.size",
	"count":   "epoch,timestamp,count",
	"aliases": "alias,index,filter,routing.index,routing.search,is_write_index",
}

func (q *request) planCat(pl placement.Placement, body []byte) (c catPlan, err error) {
	if err := q.supported(pl); err != nil {
		return c, err
	}
	list := q.segs[1]
	h := q.query.Get("h")
	if h == "" {
		h = catColumns[list]
	}
	c.columns, c.right = strings.Split(h, ","), list == "indices"
	c.view = func(r []cells) []cells { return r }
	c.path = q.at("")
	s, err := q.sharing(pl)
	if err != nil {
		return c, err
	}
	switch {
	case s != nil:
		if err := ownIndex(q.index, pl); err != nil {
			return c, err
		}
		var query url.Values
		if query, _, err = s.parameters(q); err != nil {
			return c, err
		}
		if c.body, err = s.Count(shared.Search{Body: body, Parameters: query}); err != nil {
			return c, err
		}
		q.query = query
		c.path = "/_cat/count/" + escape(pl.Index)
	case list == "count":
		if c.body, err = checkQuery(body, pl, nil); err != nil {
			return c, err
		}
	}
	if s == nil {
		for name := range q.query {
			if !slices.Contains(catParameters, name) && (list != "count" || !slices.Contains(searches, name)) {
				return c, fail(http.StatusBadRequest, TypeUnsupported, "parameter [%s] is not supported in _cat; leave it out", name)
			}
		}
	}
	switch p := patternOf(pl); {
	case p != nil:
		if err := q.catMany(&c, p, h, list); err != nil {
			return c, err
		}
	case pl.Kind == placement.DedicatedIndex:
		if err := q.catOwn(&c, pl, h, list); err != nil {
			return c, err
		}
	}
	q.query = cloneQuery(q.query)
	q.query.Del("v")
	q.query.Set("format", "json")
	return c, nil
}

// catOwn narrows a list to the tenant's own index. Aliases cannot be asked for by
// index, so a column with the index is put in front if there is none, and taken
// away again.
func (q *request) catOwn(c *catPlan, pl placement.Placement, h, list string) error {
	if err := ownIndex(q.index, pl); err != nil {
		return err
	}
	rename := func(rows []cells) []cells {
		for _, r := range rows {
			for i := range r {
				if v := r[i].value; v != nil && *v == pl.Index {
					r[i].value = &pl.Logical
				}
			}
		}
		return rows
	}
	if list != "aliases" {
		c.path, c.view = "/_cat/"+list+"/"+escape(pl.Index), rename
		return nil
	}
	by, extra := "idx", 1
	for _, name := range c.columns {
		if slices.Contains([]string{"index", "i", "idx"}, name) { // asked for twice, it is shown once
			by, extra = name, 0
		}
	}
	if extra > 0 {
		h = by + "," + h
	}
	q.query.Set("h", h)
	c.view = func(rows []cells) []cells {
		var own []cells
		for _, r := range rows {
			i := slices.IndexFunc(r, func(c column) bool { return c.name == by })
			if i >= 0 && r[i].value != nil && *r[i].value == pl.Index {
				own = append(own, r[extra:])
			}
		}
		return rename(own)
	}
	return nil
}

// indexColumns are all the names of the column with the index.
var indexColumns = []string{"index", "i", "idx"}

// catMany narrows a list to the indices of a tenant with a pattern. The cluster is
// asked for those only where it can be, and what is not the tenant's is left out.
func (q *request) catMany(c *catPlan, p *pattern, h, list string) error {
	names, err := p.list(q.index)
	if err != nil {
		return err
	}
	if list == "count" {
		c.path = "/_cat/count/" + escape(names)
		return nil
	}
	if list == "indices" {
		c.path = "/_cat/indices/" + escape(names)
	}
	by, extra := "idx", 1
	for _, name := range c.columns {
		if slices.Contains(indexColumns, name) {
			by, extra = name, 0
		}
	}
	if extra > 0 {
		h = by + "," + h
	}
	q.query.Set("h", h)
	c.view = func(rows []cells) []cells {
		var own []cells
		for _, r := range rows {
			i := slices.IndexFunc(r, func(c column) bool { return c.name == by })
			if i < 0 || r[i].value == nil {
				continue
			}
			name, ok := p.shown(*r[i].value)
			if !ok {
				continue
			}
			for k := range r {
				if slices.Contains(indexColumns, r[k].name) {
					r[k].value = &name
				}
			}
			own = append(own, r[extra:])
		}
		return own
	}
	return nil
}

// parseCat reads a list of objects whose members are text.
func parseCat(raw []byte) (rows []cells, err error) {
	var objects []json.RawMessage
	if err := json.Unmarshal(raw, &objects); err != nil {
		return nil, err
	}
	if objects == nil { // null
		return nil, errJSON
	}
	for _, o := range objects {
		d := json.NewDecoder(bytes.NewReader(o))
		if open, err := d.Token(); err != nil || open != json.Delim('{') {
			return nil, errJSON
		}
		var r cells
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			c := column{name: key.(string)} // as the key of an object is
			if err := d.Decode(&c.value); err != nil {
				return nil, err
			}
			r = append(r, c)
		}
		rows = append(rows, r)
		if len(r) != len(rows[0]) {
			return nil, errJSON
		}
	}
	return rows, nil
}

func catJSON(rows []cells) []byte {
	b := []byte("[")
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for k, c := range r {
			if k > 0 {
				b = append(b, ',')
			}
			b = append(jsontext.AppendString(b, c.name), ':')
			if c.value == nil {
				b = append(b, "null"...)
			} else {
				b = jsontext.AppendString(b, *c.value)
			}
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// leftColumns are those of a list of indices that are no numbers, by all their names.
var leftColumns = strings.Fields("health h status s index i idx uuid id creation.date cd creation.date.string cds search.throttled sth")

// catText lays a list out as OpenSearch does.
func catText(rows []cells, columns []string, numbers, verbose bool) []byte {
	header := make(cells, len(columns))
	for i, name := range columns {
		header[i] = column{name, &name}
	}
	if len(rows) > 0 {
		header = make(cells, len(rows[0]))
		for i, c := range rows[0] {
			header[i] = column{c.name, &c.name}
		}
	}
	if verbose {
		rows = append([]cells{header}, rows...)
	}
	width := make([]int, len(header))
	for _, r := range rows {
		for i, c := range r {
			if c.value != nil {
				width[i] = max(width[i], utf8.RuneCountInString(*c.value))
			}
		}
	}
	var b bytes.Buffer
	for _, r := range rows {
		for i, c := range r {
			if i > 0 {
				b.WriteByte(' ')
			}
			text := ""
			if c.value != nil {
				text = *c.value
			}
			gap := strings.Repeat(" ", width[i]-utf8.RuneCountInString(text))
			switch {
			case numbers && !slices.Contains(leftColumns, c.name):
				b.WriteString(gap + text)
			case i == len(r)-1:
				b.WriteString(text)
			default:
				b.WriteString(text + gap)
			}
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}
