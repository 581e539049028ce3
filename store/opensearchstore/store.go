package opensearchstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Store implements driver.Driver and driver.Batcher. It has no driver.Header, see
// the package's limits.
type Store struct {
	nodes   []*node
	current atomic.Uint64 // of nodes, counted on when one fails

	alias    string
	wait     string // wait_for_active_shards
	page     int    // records of one search
	timeout  time.Duration
	poll     time.Duration
	retain   time.Duration
	log      *slog.Logger
	identity *identity
	cache    cache
	leases   observer
	pulse    pulse

	life       context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup
}

// Close ends all calls and watches with ErrClosed and waits for what runs in the
// background. It may be called more than once and returns nil.
func (s *Store) Close() error {
	s.pulse.mu.Lock() // so that a watch that begins now finds it closed, or its poller is waited for
	s.end()
	s.pulse.mu.Unlock()
	s.background.Wait()
	for _, n := range s.nodes {
		_ = n.client.Close() // it always returns nil
	}
	return nil
}

func valid(k driver.Key) error { return k.Validate() }

// got is OpenSearch's answer to a GET of a document.
type got struct {
	Seq    int64    `json:"_seq_no"`
	Term   int64    `json:"_primary_term"`
	Source document `json:"_source"`
}

func (s *Store) docPath(id string) string { return "/" + s.alias + "/_doc/" + url.PathEscape(id) }

// errForeign: what stands in a record's place was not written by this package.
var errForeign = errors.New("the document is another record's: the index was changed by something else")

// fetch reads a key's document from the primary, in real time; nil if there is
// none, which is believed only after the index has turned out to be the very one
// that was opened: one that was deleted and created again has no documents either.
// What was read proves itself by being there, for a while.
func (s *Store) fetch(ctx context.Context, k driver.Key) (*stored, error) {
	if err := s.identity.replaced(); err != nil {
		return nil, err
	}
	id := documentID(k)
	var out *stored
	err := s.read(ctx, func(ctx context.Context, n *node) error {
		var g got
		err := n.send(ctx, request{http.MethodGet, s.docPath(id), url.Values{"realtime": {"true"}, "preference": {"_primary"}}, nil}, &g)
		if is(err, http.StatusNotFound, "not_found") {
			_, err := s.checkpoint(ctx, n)
			out = nil
			return err
		}
		if err != nil {
			return err
		}
		if !s.identity.fresh() {
			if _, err := s.checkpoint(ctx, n); err != nil {
				return err
			}
		}
		out = &stored{g.Source, g.Seq, g.Term}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if out != nil {
		if !out.of(k) {
			return nil, errForeign
		}
		if err := bounded(out.seq, out.term); err != nil {
			return nil, err
		}
		s.pulse.expect(out.seq, false)
	}
	s.cache.put(id, out)
	return out, nil
}

// Get implements driver.Driver. It reads the primary in real time: what has been
// acknowledged is seen, unless the node that answers has been deposed without
// knowing yet (see the package's limits).
func (s *Store) Get(ctx context.Context, key driver.Key) (driver.KV, error) {
	doing := "read " + key.Space
	if err := valid(key); err != nil {
		return driver.KV{}, fmt.Errorf("opensearch: %s: %w", doing, err)
	}
	caller := ctx
	ctx, cancel := s.bound(ctx)
	defer cancel()
	cur, err := s.fetch(ctx, key)
	if err == nil && s.leases.note(cur, time.Now()) {
		cur, err = s.expire(ctx, key, cur)
	}
	if err != nil {
		return driver.KV{}, s.why(caller, doing, err)
	}
	if cur.at() == 0 {
		return driver.KV{}, driver.ErrNotFound
	}
	return cur.kv(), nil
}

// Write implements driver.Driver.
func (s *Store) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	doing := "write " + w.Key.Space
	if err := valid(w.Key); err != nil {
		return 0, fmt.Errorf("opensearch: %s: %w", doing, err)
	}
	if w.Delete && w.Expect == 0 {
		return 0, fmt.Errorf("opensearch: delete from %s: the expected version must be given", w.Key.Space)
	}
	now, err := s.modify(ctx, doing, w.Key, func(cur *stored) (*document, error) {
		if cur.at() != w.Expect {
			return nil, driver.ErrConflict
		}
		return cur.next(w.Key, w.Value, w.Delete), nil
	})
	if err != nil {
		return 0, err
	}
	return now.version(), nil
}

// edit decides what a key's document becomes, from what it is: nil if there is
// none. It may be called several times.
type edit func(cur *stored) (*document, error)

// modify is the one way in which records change: one document, written under the
// condition that it is still the one that was looked at.
//
// It begins with what the cache says, or with nothing there, so that whoever has
// just read a record writes it in one request; what f refuses on that ground is
// looked at again. A write is sent once. After an error other than a conflict its
// outcome is unknown and modify returns; the exception is 429, with which a node
// turns a request away before it looks at it. A conflict need not be the truth
// either: when a primary fails, OpenSearch sends the write again by itself, and it
// then meets its own first effect. So the nonce of every write is looked for in
// what is there now.
func (s *Store) modify(ctx context.Context, doing string, k driver.Key, f edit) (*stored, error) {
	caller := ctx
	ctx, cancel := s.bound(ctx)
	defer cancel()
	now, err := s.modifyBound(ctx, k, f)
	switch {
	case errors.Is(err, driver.ErrConflict), errors.Is(err, driver.ErrSessionLost):
		return nil, err
	case err != nil:
		return nil, s.why(caller, doing, err)
	}
	return now, nil
}

func (s *Store) modifyBound(ctx context.Context, k driver.Key, f edit) (*stored, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.identity.replaced(); err != nil {
		return nil, err
	}
	id := documentID(k)
	cur, _ := s.cache.get(id)
	sure := false
	for {
		d, err := f(cur)
		if err != nil && sure {
			return nil, err
		}
		if err == nil {
			var now *stored
			if now, err = s.put(ctx, id, d, cur); err == nil {
				return now, nil
			}
			if !is(err, http.StatusConflict, conflictKind) {
				return nil, err
			}
		}
		s.cache.drop(id)
		fresh, ferr := s.fetch(ctx, k)
		if ferr != nil {
			if err != nil && d == nil {
				return nil, ferr
			}
			// Of a write that met a conflict it is not known whether that was its own
			// effect, so it is none of the answers.
			return nil, fmt.Errorf("the outcome is unknown: a conflict, and then: %w", ferr)
		}
		if d != nil {
			now, err := settle(d, cur, fresh)
			if now != nil || err != nil {
				return now, err
			}
		}
		cur, sure = fresh, true
	}
}

// settle decides about a write of d over cur that met a conflict, after which fresh
// was read. It returns the document if the write took effect all the same, an error
// if that cannot be told, and neither if it did not.
func settle(d *document, cur, fresh *stored) (*stored, error) {
	if d.Rev != 0 {
		return nil, nil // a renewal may be repeated
	}
	if fresh == nil {
		return nil, nil // there was a document, and it is gone: not ours, which nobody could have collected yet
	}
	if v := fresh.has(d.Nonce); v != 0 {
		// What was written, as it was then.
		mine := &stored{document: *d, seq: fresh.seq, term: fresh.term}
		mine.Rev = uint64(v)
		return mine, nil
	}
	if cur != nil && cur.seq == fresh.seq && cur.term == fresh.term {
		return nil, errors.New("the outcome is unknown: two nodes disagree about a document's version")
	}
	if driver.Version(fresh.Base) > cur.at() && fresh.Base != 0 && cur != nil {
		return nil, errors.New("the outcome is unknown: a conflict, and too many changes since")
	}
	return nil, nil
}

// written is OpenSearch's answer to a write.
type written struct {
	Seq  int64 `json:"_seq_no"`
	Term int64 `json:"_primary_term"`
}

// put writes a document iff cur is what is there: nil for nothing. The alias is
// required, so that a write to a table that was deleted does not create an index.
func (s *Store) put(ctx context.Context, id string, d *document, cur *stored) (*stored, error) {
	q := url.Values{"require_alias": {"true"}, "wait_for_active_shards": {s.wait}}
	if cur == nil {
		q.Set("op_type", "create")
	} else {
		q.Set("if_seq_no", strconv.FormatInt(cur.seq, 10))
		q.Set("if_primary_term", strconv.FormatInt(cur.term, 10))
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if deadline, ok := ctx.Deadline(); ok {
			// No node goes on trying for longer than anybody waits for it.
			q.Set("timeout", strconv.FormatInt(max(1, time.Until(deadline).Milliseconds()), 10)+"ms")
		}
		at := s.current.Load()
		n := s.nodeAt(at)
		var w written
		err := n.send(ctx, request{http.MethodPut, s.docPath(id), q, d}, &w)
		if is(err, http.StatusTooManyRequests, "") && ctx.Err() == nil {
			s.sleep(ctx, pause)
			continue
		}
		if err != nil {
			if transient(err) {
				s.leave(ctx, at, err)
			}
			return nil, err
		}
		if err := bounded(w.Seq, w.Term); err != nil {
			return nil, err
		}
		if cur == nil || !s.identity.fresh() {
			// A new record would be just as welcome in an index that replaced ours.
			if _, err := s.checkpoint(ctx, n); err != nil {
				return nil, fmt.Errorf("the outcome is unknown: %w", err)
			}
		}
		now := &stored{*d, w.Seq, w.Term}
		s.cache.put(id, now)
		s.pulse.expect(w.Seq, true)
		return now, nil
	}
}
