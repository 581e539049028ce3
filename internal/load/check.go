package load

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"
)

// CheckReport is what reading everything back has found. Each id counts at most once in each number.
type CheckReport struct {
	IDs          int           `json:"ids"`      // ids that were ever written
	Existing     int           `json:"existing"` // documents that were there
	Lost         int64         `json:"lost"`
	Resurrected  int64         `json:"resurrected"`
	WrongVersion int64         `json:"wrong_version"`
	Extra        int64         `json:"extra"`
	Took         time.Duration `json:"took_ns"`
	Findings     []string      `json:"findings,omitempty"` // the first ones, for people
}

// OK reports whether nothing was found.
func (r CheckReport) OK() bool {
	return r.Lost == 0 && r.Resurrected == 0 && r.WrongVersion == 0 && r.Extra == 0
}

// fault is what may be wrong with a document.
type fault int

const (
	lost fault = iota
	resurrected
	wrongVersion
	extra
)

// findings collects faults; an id that is found twice, by both ways of reading, counts once.
type findings struct {
	ids  [4]map[string]int64
	text []string
}

func (f *findings) add(kind fault, id string, n int64, format string, args ...any) {
	if f.ids[kind] == nil {
		f.ids[kind] = map[string]int64{}
	}
	if f.ids[kind][id] == 0 && len(f.text) < 20 {
		f.text = append(f.text, [...]string{"lost", "resurrected", "wrong version", "extra"}[kind]+": "+id+": "+fmt.Sprintf(format, args...))
	}
	f.ids[kind][id] = max(f.ids[kind][id], n)
}

func (f *findings) sum(kind fault) int64 {
	var n int64
	for _, one := range f.ids[kind] {
		n += one
	}
	return n
}

// Check waits until no client has a request under way, reads every id that was ever written by realtime mget and every
// document by a search over a point in time after a refresh, and compares both with the ledger. The clients go on
// afterwards. The error means that the index could not be read, and says nothing about what it holds.
func (l *Load) Check(ctx context.Context) (CheckReport, error) {
	var r CheckReport
	err := l.Quiet(func() (err error) {
		r, err = l.check(ctx)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("check: %w", err)
	}
	return r, nil
}

func (l *Load) check(ctx context.Context) (CheckReport, error) {
	start := time.Now()
	c := newClient(l.target, 0, &tally{starting: l.tally.starting}, l.giveUp) // its reads are not the load's
	defer c.close()
	var f findings
	ids, counters := l.ledger.IDs(), l.ledger.counterIDs()
	for batch := range slices.Chunk(slices.Concat(ids, counters), 500) {
		hits, err := mget(ctx, c, l.target.Index, batch)
		if err != nil {
			return CheckReport{}, err
		}
		for i, h := range hits {
			got, err := h.state()
			if err != nil {
				return CheckReport{}, err
			}
			l.compare(&f, "mget", batch[i], got)
		}
	}
	seen := map[string]bool{}
	if err := l.scan(ctx, c, &f, seen); err != nil {
		return CheckReport{}, err
	}
	for _, id := range slices.Concat(ids, counters) {
		if !seen[id] {
			l.compare(&f, "search", id, State{})
		}
	}
	return CheckReport{
		IDs: len(ids), Existing: len(seen), Lost: f.sum(lost), Resurrected: f.sum(resurrected),
		WrongVersion: f.sum(wrongVersion), Extra: f.sum(extra), Findings: f.text, Took: time.Since(start),
	}, nil
}

// scan compares every document that a search finds and marks it as seen.
func (l *Load) scan(ctx context.Context, c *client, f *findings, seen map[string]bool) error {
	if err := refresh(ctx, c, l.target.Index); err != nil {
		return err
	}
	var pit Cursors
	pit.c = c
	a, err := c.call(ctx, "POST", "/"+url.PathEscape(l.target.Index)+"/_search/point_in_time?keep_alive=5m", nil, false)
	if err != nil {
		return fmt.Errorf("open a PIT: %w", err)
	}
	if pit.pit, err = pitID(a); err != nil {
		return err
	}
	for first := true; ; first = false {
		hits, _, err := pit.pitPage(ctx, first)
		if err != nil {
			return err
		}
		if len(hits) == 0 {
			return closePIT(ctx, c, pit.pit)
		}
		for _, h := range hits {
			got, err := h.state()
			if err != nil {
				return err
			}
			seen[h.ID] = true
			l.compare(f, "search", h.ID, got)
		}
	}
}

// compare judges one document.
func (l *Load) compare(f *findings, how, id string, got State) {
	if l.compareCounter(f, how, id, got) {
		return
	}
	v := l.ledger.view(id)
	if !v.known {
		if got.Exists && !l.ledger.orphan(got.Marker) {
			f.add(extra, id, 1, "%s found %+v, which nobody wrote", how, got)
		}
		return
	}
	if p := v.possible; p != nil && same(*p, got) {
		return
	}
	want := v.acked
	switch {
	case !want.Exists && got.Exists:
		f.add(resurrected, id, 1, "%s found %+v, its deletion %+v was acknowledged", how, got, want)
	case want.Exists && !got.Exists:
		f.add(lost, id, 1, "%s did not find it, %+v was acknowledged", how, want)
	case want.Exists:
		if got.Marker != want.Marker || got.Counter != want.Counter {
			f.add(lost, id, 1, "%s found %+v, %+v was acknowledged", how, got, want)
		}
		if got.Version != want.Version && want.Version != 0 {
			f.add(wrongVersion, id, 1, "%s found %+v, %+v was acknowledged", how, got, want)
		}
	}
}

// same reports whether got is the state p, whose version may be unknown.
func same(p, got State) bool {
	if !p.Exists || !got.Exists {
		return p.Exists == got.Exists
	}
	return p.Marker == got.Marker && p.Counter == got.Counter && (p.Version == 0 || p.Version == got.Version)
}

// compareCounter judges a shared counter and reports whether id is one.
func (l *Load) compareCounter(f *findings, how, id string, got State) bool {
	c, ok := l.ledger.counter(id)
	if !ok {
		return false
	}
	switch {
	case !got.Exists:
		f.add(lost, id, 1+c.acked, "%s did not find it, it was increased %d times", how, c.acked)
	case got.Counter < c.acked:
		f.add(lost, id, c.acked-got.Counter, "%s found %d, %d increments were acknowledged", how, got.Counter, c.acked)
	case got.Counter > c.acked+c.unknown:
		f.add(extra, id, got.Counter-c.acked-c.unknown, "%s found %d, there were %d increments and %d of unknown outcome", how, got.Counter, c.acked, c.unknown)
	}
	// It was created as version 1 with 0, and every increment is one version.
	if got.Exists && got.Version != got.Counter+1 {
		f.add(wrongVersion, id, 1, "%s found version %d of a counter at %d", how, got.Version, got.Counter)
	}
	return true
}
