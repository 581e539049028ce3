package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

const (
	// replayAge is how long an answer is kept.
	replayAge = 24 * time.Hour
	// patience is for how long, on this process's own clock, a claim must have been seen
	// unchanged before it is taken over: whoever made it has ended by then, or is gone.
	patience = 2 * changeTime
	// wait is for how long a request waits for the answer of one with the same key.
	wait = 10 * time.Second
	// maxReplay is the largest answer that is kept, in bytes.
	maxReplay = 256 << 10
)

// replay is the record of a request with an Idempotency-Key.
type replay struct {
	Print string    `json:"print"`
	Time  time.Time `json:"time"` // when it was first claimed
	// Holder is who works on it; empty: nobody, and it is not known what came of it, or
	// it is done.
	Holder string `json:"holder,omitempty"`
	Begun  int    `json:"begun"`        // how often
	ID     string `json:"id,omitempty"` // of what it creates
	Done   bool   `json:"done,omitempty"`
	// Body or Problem is the answer.
	Body    json.RawMessage `json:"body,omitempty"`
	Problem *Problem        `json:"problem,omitempty"`
}

func replays(s *store.Store) store.Records[replay] {
	return store.RecordsOf[replay](s, store.SpaceReplays)
}

// claim is a replay that this request works on.
type claim struct {
	record store.Record[replay]
	value  replay
}

// watched are claims of others, and since when this process has seen them as they are.
type watched struct {
	mu    sync.Mutex
	since map[string]seen
}

type seen struct {
	version driver.Version
	at      time.Time // with the monotonic clock
}

// unchanged is for how long a claim has been seen at a version.
func (w *watched) unchanged(name string, v driver.Version) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.since[name]; ok && s.version == v {
		return time.Since(s.at)
	}
	if w.since == nil || len(w.since) >= 10_000 {
		w.since = map[string]seen{} // they are waited for anew
	}
	w.since[name] = seen{v, time.Now()}
	return 0
}

// claim takes the key for this request; nil without a key. If it was answered before, the
// second value is that record.
func (a *API) claim(ctx context.Context, key, id string) (*claim, *replay, error) {
	if key == "" {
		return nil, nil, nil
	}
	h := sha256.Sum256([]byte(principalOf(ctx).Name + "\n" + key))
	name, hash := hex.EncodeToString(h[:]), printOf(ctx).hash
	for began := time.Now(); ; {
		r, err := replays(a.s).Get(ctx, name)
		switch {
		case errors.Is(err, store.ErrNotFound):
			r = store.Record[replay]{Name: name}
		case err != nil:
			return nil, nil, err
		case time.Since(r.Value.Time) >= replayAge:
			r.Value = replay{} // nobody has swept it yet
		case r.Value.Print != hash:
			return nil, nil, problem(CodeKeyReused, "the key was used for another request; use a new one for each")
		case r.Value.Done:
			return nil, &r.Value, nil
		case r.Value.Holder != "" && a.claims.unchanged(name, r.Version) < patience:
			if time.Since(began) >= wait {
				return nil, nil, problem(CodeInProgress, "a request with this key is under way")
			}
			if err := pause(ctx, 50*time.Millisecond); err != nil {
				return nil, nil, err
			}
			continue
		}
		next := r.Value
		if next.Begun == 0 {
			next.Print, next.Time, next.ID = hash, time.Now().UTC(), id
		}
		next.Holder = rand.Text()
		next.Begun++
		got, err := settled(ctx, replays(a.s), name, next, r, func(v replay) bool { return v.Holder == next.Holder })
		switch {
		case err == nil:
			return &claim{got, next}, nil, nil
		case !errors.Is(err, store.ErrConflict): // else somebody else was quicker: look what he does
			return nil, nil, err
		}
	}
}

// release gives a claim back whose request may have been done, or not: whoever repeats it
// does it again, by the same id.
func (a *API) release(ctx context.Context, c *claim) {
	if c == nil {
		return
	}
	next := c.value
	next.Holder = ""
	a.record(ctx, c, next)
}

// finish keeps the answer.
func (a *API) finish(ctx context.Context, c *claim, body any, p *Problem) {
	if c == nil {
		return
	}
	next := c.value
	next.Holder, next.Done, next.Problem = "", true, p
	if p == nil {
		b, err := json.Marshal(body)
		if err != nil || len(b) > maxReplay {
			a.log.Error("an answer cannot be kept for its Idempotency-Key", "request", requestOf(ctx), "bytes", len(b), "error", err)
			return
		}
		next.Body = b
	}
	a.record(ctx, c, next)
}

func (a *API) record(ctx context.Context, c *claim, next replay) {
	if _, err := settled(ctx, replays(a.s), c.record.Name, next, c.record, func(v replay) bool { return v.Holder == "" && v.Begun == next.Begun }); err != nil {
		a.log.Error("what came of a request with an Idempotency-Key is not kept; repeated, it is done again", "request", requestOf(ctx), "error", err)
	}
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
