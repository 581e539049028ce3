package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/history"
)

// Options of a load. The zero value is useful.
type Options struct {
	Workers int           // independent clients that write and read; 0 is 8
	Rate    float64       // operations a second of all workers together; 0 is 150
	Log     io.Writer     // gets each write and its outcome as a line of JSON; nil keeps it in memory only
	GiveUp  time.Duration // how long a client repeats one request that had no effect; 0 is 30 s
	// Observe is told of every operation on one document when it has ended, the shared counters' excepted, one at a time;
	// the seed is among them. Nil: nobody is. What was refused is left out.
	Observe func(history.Op)
	// Starting reports whether a cluster's node was on its way up at any time since then: until it knows its indices it says
	// of a tenant's that there is none, to some requests, and those do not count as rejected. Nil: none ever was.
	Starting func(since time.Time) bool
}

// Load is a set of clients and what they know. Create it with New, fill the index with Seed, then Run.
type Load struct {
	target  Target
	docs    map[string]*Doc
	ids     []string
	seeded  int
	ledger  *Ledger
	tally   tally
	pace    pace
	giveUp  time.Duration
	workers []*worker

	// idle is held for reading by a worker during each of its operations, so that whoever holds it for writing sees a
	// moment in which every write has an outcome.
	idle sync.RWMutex
}

// New returns a load on the target, over the given documents. Seed writes the first seed of them; the others are created by
// the clients. Each document belongs to one worker. The error names the argument that is wrong.
func New(t Target, docs []Doc, seed int, o *Options) (*Load, error) {
	if o == nil {
		o = &Options{}
	}
	if err := t.Validate(); err != nil {
		return nil, err
	}
	own := *o
	if own.Workers == 0 {
		own.Workers = 8
	}
	if own.Rate == 0 {
		own.Rate = 150
	}
	if own.GiveUp == 0 {
		own.GiveUp = 30 * time.Second
	}
	switch {
	case own.Workers < 0 || own.Rate < 0 || own.GiveUp < 0:
		return nil, errors.New("load: Workers, Rate and GiveUp must not be negative")
	case len(docs) < own.Workers:
		return nil, fmt.Errorf("load: %d documents are too few for %d workers", len(docs), own.Workers)
	case seed < 0 || seed > len(docs):
		return nil, fmt.Errorf("load: seed %d must be between 0 and the number of documents, %d", seed, len(docs))
	}
	l := &Load{target: t, docs: make(map[string]*Doc, len(docs)), seeded: seed, ledger: NewLedger(own.Log),
		giveUp: own.GiveUp, pace: pace{gap: time.Duration(float64(time.Second) / own.Rate)}}
	l.ledger.observe = own.Observe
	l.tally.starting = own.Starting
	if l.tally.starting == nil {
		l.tally.starting = func(time.Time) bool { return false }
	}
	for i := range own.Workers {
		l.workers = append(l.workers, &worker{
			load: l, client: newClient(t, i, &l.tally, own.GiveUp), random: rand.New(rand.NewPCG(uint64(i), 20)),
		})
	}
	for i := range docs {
		if _, ok := l.docs[docs[i].ID]; ok {
			return nil, fmt.Errorf("load: two documents have the id %q", docs[i].ID)
		}
		l.docs[docs[i].ID] = &docs[i]
		l.ids = append(l.ids, docs[i].ID)
		w := l.workers[i%own.Workers]
		w.ids = append(w.ids, docs[i].ID)
	}
	for _, w := range l.workers {
		w.random.Shuffle(len(w.ids), func(i, j int) { w.ids[i], w.ids[j] = w.ids[j], w.ids[i] })
	}
	return l, nil
}

// Ledger returns the log of acknowledged writes.
func (l *Load) Ledger() *Ledger { return l.ledger }

// Run lets the clients work until stop is closed, and returns when each of them has the outcome of its last request. When
// the context ends requests are cut off instead, and the error says so.
func (l *Load) Run(ctx context.Context, stop <-chan struct{}) error {
	var wg sync.WaitGroup
	for _, w := range l.workers {
		wg.Go(func() { w.run(ctx, stop) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("the load was interrupted: %w", context.Cause(ctx))
	}
	return l.ledger.Err()
}

// Quiet calls f while no client has a request under way. The clients go on afterwards.
func (l *Load) Quiet(f func() error) error {
	l.idle.Lock()
	defer l.idle.Unlock()
	return f()
}

// Writes sums up how long the writes took of which any part fell between the two moments.
func (l *Load) Writes(from, to time.Time) Latency { return l.tally.samples.between(from, to) }

// Counts is what the clients have counted so far. All numbers grow.
type Counts struct {
	Acknowledged int64 `json:"acknowledged_writes"` // items of a bulk counted each
	Unknown      int64 `json:"unknown_outcomes"`
	Requests     int64 `json:"requests"` // repetitions not counted
	Failed       int64 `json:"failed"`   // items of a bulk counted each
	Rejected     int64 `json:"rejected"` // of these, what the answer said was the request's fault (4xx)
	Retried      int64 `json:"retried_by_clients"`
	Reads        int64 `json:"reads"` // documents that were read and compared
	Stale        int64 `json:"stale"`
	// Jumps are acknowledgements whose _version was not the one that had to follow: something else wrote, or a write was
	// applied twice, or on another history.
	Jumps int64 `json:"version_jumps"`
}

// Counts returns the numbers of now.
func (l *Load) Counts() Counts {
	return Counts{
		Acknowledged: l.ledger.Acknowledged(), Unknown: l.ledger.Unknown(),
		Requests: l.tally.requests.Load(), Failed: l.tally.failed.Load(), Rejected: l.tally.rejected.Load(), Retried: l.tally.retried.Load(),
		Reads: l.tally.reads.Load(), Stale: l.tally.stale.Load(), Jumps: l.tally.jumps.Load(),
	}
}

// Trouble returns what went wrong or was repeated, as lines for people; empty when nothing did.
func (l *Load) Trouble() []string { return l.tally.trouble.lines() }

// Close ends the idle connections of the clients.
func (l *Load) Close() {
	for _, w := range l.workers {
		w.close()
	}
}

// pace spreads operations evenly over time.
type pace struct {
	gap time.Duration

	mu   sync.Mutex
	next time.Time
}

// wait returns when it is the caller's turn, or false when stop or the context ended first.
func (p *pace) wait(ctx context.Context, stop <-chan struct{}) bool {
	p.mu.Lock()
	now := time.Now()
	if p.next.Before(now.Add(-time.Second)) {
		p.next = now // after a stall the backlog is forgotten: the rate is a limit, not a debt
	}
	at := p.next
	p.next = p.next.Add(p.gap)
	p.mu.Unlock()
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
	case <-stop:
		return false
	case <-ctx.Done():
		return false
	}
	select {
	case <-stop:
		return false
	default:
		return ctx.Err() == nil
	}
}
