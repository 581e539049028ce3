package opensearchstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Versions implements driver.Batcher, by one multi-get of the primary in real time.
// That is one GET for each document, made one after the other on the primary after it
// received the request, so each version is as good as that of a Get (see the
// package's limits). Documents come whole: leaving the value and the past out would take
// OpenSearch 0.2 ms for each, four times as long as the rest for 32 of them.
func (s *Store) Versions(ctx context.Context, space string, names []string) ([]driver.Sight, error) {
	doing := fmt.Sprintf("read %d versions in %s", len(names), space)
	if len(names) > driver.MaxBatch {
		return nil, fmt.Errorf("opensearch: %s: at most %d at a time", doing, driver.MaxBatch)
	}
	ids := make([]string, len(names))
	for i, name := range names {
		k := driver.Key{Space: space, Name: name}
		if err := valid(k); err != nil {
			return nil, fmt.Errorf("opensearch: %s: %w", doing, err)
		}
		ids[i] = documentID(k)
	}
	caller := ctx
	ctx, cancel := s.bound(ctx)
	defer cancel()
	docs, err := s.fetchMany(ctx, ids)
	if err != nil {
		return nil, s.why(caller, doing, err)
	}
	out := make([]driver.Sight, len(names))
	newest, now := int64(-1), time.Now()
	for i, d := range docs {
		k := driver.Key{Space: space, Name: names[i]}
		switch cur, err := d.stored(k); {
		case err != nil:
			out[i].Err = err
		case s.leases.note(cur, now):
			// Get ends the lease.
			kv, err := s.Get(ctx, k)
			if !errors.Is(err, driver.ErrNotFound) {
				out[i] = driver.Sight{Version: kv.Version, Err: err}
			}
		case cur != nil:
			out[i].Version, newest = cur.at(), max(newest, cur.seq)
		}
	}
	s.pulse.expect(newest, false)
	return out, nil
}

// item is one document of a multi-get.
type item struct {
	ID     string          `json:"_id"`
	Found  bool            `json:"found"`
	Seq    int64           `json:"_seq_no"`
	Term   int64           `json:"_primary_term"`
	Source json.RawMessage `json:"_source"` // decoded one by one: a damaged one must not hide the others
	Error  *struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	} `json:"error"`
}

// stored is the key's document; nil if there is none.
func (d *item) stored(k driver.Key) (*stored, error) {
	switch {
	case d.Error != nil:
		return nil, fmt.Errorf("%s: %s", d.Error.Type, d.Error.Reason)
	case !d.Found:
		return nil, nil
	}
	cur := &stored{seq: d.Seq, term: d.Term}
	if err := json.Unmarshal(d.Source, &cur.document); err != nil {
		return nil, fmt.Errorf("decode a document: %w", err)
	}
	if !cur.of(k) {
		return nil, errForeign
	}
	return cur, bounded(cur.seq, cur.term)
}

// fetchMany reads documents from the primary, in the order of ids. What is not found is
// believed as in fetch.
func (s *Store) fetchMany(ctx context.Context, ids []string) ([]item, error) {
	if err := s.identity.replaced(); err != nil {
		return nil, err
	}
	var docs []item
	err := s.read(ctx, func(ctx context.Context, n *node) error {
		var answer struct {
			Docs []item `json:"docs"`
		}
		err := n.send(ctx, request{http.MethodPost, "/" + s.alias + "/_mget", url.Values{"realtime": {"true"}, "preference": {"_primary"}}, object{"ids": ids}}, &answer)
		if err != nil {
			return err
		}
		sure, failed := true, 0
		if len(answer.Docs) != len(ids) {
			return fmt.Errorf("%d documents were asked for, and %d answered", len(ids), len(answer.Docs))
		}
		for i := range answer.Docs {
			d := &answer.Docs[i]
			switch {
			case d.ID != ids[i]:
				return errors.New("the documents are not in the order in which they were asked for")
			case d.Error != nil && d.Error.Type == noIndexKind:
				return &refusal{http.StatusNotFound, noIndexKind, d.Error.Reason}
			case d.Error != nil:
				failed++
			case !d.Found:
				sure = false
			}
		}
		if failed == len(ids) && failed > 0 {
			// Not what is wrong with one of them: a primary that is not there, for one.
			return fmt.Errorf("no document could be read: %s: %s", answer.Docs[0].Error.Type, answer.Docs[0].Error.Reason)
		}
		if !sure || !s.identity.fresh() {
			if _, err := s.checkpoint(ctx, n); err != nil {
				return err
			}
		}
		docs = answer.Docs
		return nil
	})
	return docs, err
}

// Since implements driver.Batcher. It is one step of a watch, up to a moment of its own
// like a list's: whatever was acknowledged before is at or below it, on all copies and
// visible. Reaching it takes a refresh, which a primary that has been deposed cannot do,
// since that needs the other copies.
func (s *Store) Since(ctx context.Context, space string, from driver.Version) ([]driver.Event, driver.Version, error) {
	doing := "read what changed in " + space
	caller := ctx
	ctx, cancel := s.bound(ctx)
	defer cancel()
	if err := s.identity.replaced(); err != nil {
		return nil, 0, s.why(caller, doing, err)
	}
	var evs []driver.Event
	at, compacted := from, false
	err := s.read(ctx, func(ctx context.Context, n *node) error {
		seq, err := s.settled(ctx, n)
		if err != nil {
			return err
		}
		at = max(from, upTo(seq))
		evs, err = s.between(ctx, n, space, from, at)
		if compacted = errors.Is(err, driver.ErrCompacted); compacted {
			return nil // asking again would not help
		}
		return err
	})
	switch {
	case err != nil:
		return nil, 0, s.why(caller, doing, err)
	case compacted:
		return nil, 0, driver.ErrCompacted
	}
	return evs, at, nil
}
