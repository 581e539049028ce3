package opensearchstore

import (
	"context"
	"errors"
	"net/http"
	"net/url"
)

// hit is one document of a search.
type hit struct {
	Seq    int64    `json:"_seq_no"`
	Term   int64    `json:"_primary_term"`
	ID     string   `json:"_id"`
	Source document `json:"_source"`
	Sort   []int64  `json:"sort"`
}

func (h *hit) stored() *stored { return &stored{h.Source, h.Seq, h.Term} }

type object = map[string]any

// filters of searches.
func inSpace(space string) object     { return object{"term": object{"space": space}} }
func isDeleted(deleted bool) object   { return object{"term": object{"deleted": deleted}} }
func seqFrom(seq int64) object        { return object{"range": object{"_seq_no": object{"gte": seq}}} }
func seqUpTo(seq int64) object        { return object{"range": object{"_seq_no": object{"lte": seq}}} }
func isLeased() object                { return object{"range": object{"ttl": object{"gt": 0}}} }
func all(filters ...object) object    { return object{"bool": object{"filter": filters}} }
func either(filters ...object) object { return object{"bool": object{"should": filters}} }

// search is one page of documents, in the order of sort. A search of which a part
// failed is an error: what it found could pass for everything.
type search struct {
	query   object
	sort    string // "_seq_no", or "_doc" within a point in time
	after   []int64
	pit     string // instead of what is there now
	noPast  bool   // leave out the documents' history
	records int
}

func (s *Store) search(ctx context.Context, n *node, q search) ([]hit, error) {
	sort := object{"order": "asc"}
	if q.sort == "_seq_no" {
		sort["unmapped_type"] = "long" // an empty index has no such field
	}
	body := object{
		"query": q.query, "size": q.records, "seq_no_primary_term": true, "track_total_hits": false,
		"sort": []object{{q.sort: sort}},
	}
	if q.after != nil {
		body["search_after"] = q.after
	}
	if q.noPast {
		body["_source"] = object{"excludes": []string{"history"}}
	}
	path, query := "/"+s.alias+"/_search", url.Values{"preference": {"_primary"}}
	query.Set("allow_partial_search_results", "false")
	if q.pit != "" {
		path = "/_search"
		query.Del("preference") // the point in time has it
		body["pit"] = object{"id": q.pit, "keep_alive": keepAlive}
	}
	var answer struct {
		TimedOut bool `json:"timed_out"`
		Shards   struct {
			Successful int `json:"successful"`
			Failed     int `json:"failed"`
		} `json:"_shards"`
		Hits struct {
			Hits []hit `json:"hits"`
		} `json:"hits"`
	}
	if err := n.send(ctx, request{http.MethodPost, path, query, body}, &answer); err != nil {
		return nil, err
	}
	if answer.TimedOut || answer.Shards.Failed > 0 || answer.Shards.Successful != 1 {
		return nil, errors.New("a search did not search everything")
	}
	for i := range answer.Hits.Hits {
		if err := bounded(answer.Hits.Hits[i].Seq, answer.Hits.Hits[i].Term); err != nil {
			return nil, err
		}
	}
	return answer.Hits.Hits, nil
}
