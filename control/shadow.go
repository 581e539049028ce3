package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/gate"
	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// DefaultShadowTime bounds what shadow reads add to a move.
const DefaultShadowTime = time.Minute

// shadowExamples is how many differences are described.
const shadowExamples = 10

// shadowTries are the pauses before a difference is looked at again. What is written
// between the reads of the two sides makes one as well: only what stays as it is, while
// the target is caught up with, is believed.
var shadowTries = []time.Duration{250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second}

// ShadowReads is what a sample of the tenant's searches has found at the target, compared
// with the source, before the flip. It holds nothing of a search, and of what was found
// numbers only.
type ShadowReads struct {
	Asked        int  `json:"asked"`         // for
	Done         bool `json:"done"`          // else it is being sampled or compared
	Seen         int  `json:"seen"`          // searches of which the sample was taken
	Sampled      int  `json:"sampled"`       // the sum of what follows, when it is done
	Equal        int  `json:"equal"`         // total, hits and their order, documents, aggregations; or the same refusal
	ScoresOnly   int  `json:"scores_only"`   // equal but for scores, by more than a hundredth
	Differing    int  `json:"differing"`     // and nothing was written that explains it
	Unsettled    int  `json:"unsettled"`     // the answers kept changing: by writes, or the search has no fixed answer
	FailedSource int  `json:"failed_source"` // not answered, or in part
	FailedTarget int  `json:"failed_target"` // by the target alone
	Uncompared   int  `json:"uncompared"`    // the time was over, the answer too large, or the proxy gone
	Silent       int  `json:"silent"`        // proxies that had no sample to give
	// Source and Target are the times of one search each, the first of its kind there;
	// those that failed are left out.
	Source   ShadowLatency      `json:"source"`
	Target   ShadowLatency      `json:"target"`
	Examples []ShadowDifference `json:"examples,omitempty"` // of differing and failed ones
}

// ShadowLatency is how long answers took.
type ShadowLatency struct {
	P50MS     float64 `json:"p50_ms"` // as the proxy has seen
	P95MS     float64 `json:"p95_ms"`
	TookP50MS float64 `json:"took_p50_ms"` // as the cluster says
	TookP95MS float64 `json:"took_p95_ms"`
}

// ShadowDifference describes a difference.
type ShadowDifference struct {
	Proxy string `json:"proxy"`
	gate.ShadowResult
}

func (o MoveOptions) shadowDefaults() (MoveOptions, error) {
	limit := o.ShadowMaxDifferences
	switch {
	case o.ShadowReads < 0 || o.ShadowReads > gate.MaxShadowReads:
		return o, &placement.InvalidError{Field: "shadow_reads", Value: fmt.Sprint(o.ShadowReads), Fix: fmt.Sprintf("must be from 0 (none) to %d", gate.MaxShadowReads)}
	case o.ShadowTime < 0:
		return o, &placement.InvalidError{Field: "shadow_time", Value: o.ShadowTime.String(), Fix: "must not be negative"}
	case limit != nil && *limit < 0:
		return o, &placement.InvalidError{Field: "shadow_max_differences", Value: fmt.Sprint(*limit), Fix: "must not be negative"}
	case limit != nil && o.ShadowReads == 0:
		return o, &placement.InvalidError{Field: "shadow_max_differences", Value: fmt.Sprint(*limit), Fix: "needs shadow_reads: without them nothing is compared"}
	case o.ShadowReads > 0 && o.ShadowTime == 0:
		o.ShadowTime = DefaultShadowTime
	}
	return o, nil
}

// errShadowing: a cutover waits for the shadow reads.
var errShadowing = catalog.New("shadowing", "comparing what a sample of the tenant's searches finds on both sides")

// shadowDiffers: a cutover would go on with more differences than may be.
type shadowDiffers struct{ found, of, limit int }

func (e *shadowDiffers) Error() string {
	return fmt.Sprintf("%d of %d shadow reads differ at the target or fail there, and %d may: `sluice moves show` describes them; raise the number with `sluice moves set --shadow-max-differences`, or abort", e.found, e.of, e.limit)
}

// shadowed says what a cutover has to wait for on account of shadow reads.
func (d *drive) shadowed() error {
	m := d.move()
	if m.Options.ShadowReads == 0 {
		return nil
	}
	r := m.Progress.Shadow
	if r == nil || !r.Done {
		if d.shadow != nil {
			d.shadow.caughtUp()
		}
		return errShadowing
	}
	limit := m.Options.ShadowMaxDifferences
	if n := r.Differing + r.FailedTarget; limit != nil && n > *limit {
		return &shadowDiffers{n, r.Sampled, *limit}
	}
	return nil
}

// isShadowWait reports a wait of shadowed.
func isShadowWait(err error) bool {
	var differs *shadowDiffers
	return errors.Is(err, errShadowing) || errors.As(err, &differs)
}

// shadowReader samples and compares, beside the goroutine that copies and catches up.
type shadowReader struct {
	d       *drive
	ready   chan struct{} // closed when nothing but this is in the way of a cutover
	once    sync.Once
	proxies []*shadowProxy
	result  ShadowReads
	walls   [2][]time.Duration
	tooks   [2][]time.Duration
}

// shadowProxy is one proxy's part.
type shadowProxy struct {
	info store.Info
	gate.ShadowSample
	silent bool // it has none, or does not answer
	never  bool // it cannot sample
}

// suspect is a sample that differed when it was last looked at.
type suspect struct {
	proxy  *shadowProxy
	last   gate.ShadowResult
	since  int // rounds of catching up when both answers became what they are
	stable int // how often they were the same since
}

// startShadow begins the shadow reads, if they are asked for and not done; end ends them.
// Sampling takes place while the copy does, and costs the move no time then.
func (d *drive) startShadow(ctx context.Context) (end func()) {
	m := d.move()
	d.shadow = nil
	if m.Options.ShadowReads == 0 || m.Progress.Shadow != nil && m.Progress.Shadow.Done {
		return func() {}
	}
	s := &shadowReader{d: d, ready: make(chan struct{}), result: ShadowReads{Asked: m.Options.ShadowReads}}
	d.shadow = s
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.run(ctx) })
	return func() { cancel(); wg.Wait() }
}

func (s *shadowReader) caughtUp() { s.once.Do(func() { close(s.ready) }) }

func (s *shadowReader) run(ctx context.Context) {
	deadline := s.sample(ctx)
	if ctx.Err() != nil {
		return
	}
	bound, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	s.compare(bound)
	s.forget(ctx)
	s.result.Done = true
	r := s.result
	s.d.log.Info("shadow reads", "sampled", r.Sampled, "equal", r.Equal, "scores_only", r.ScoresOnly, "differing", r.Differing,
		"unsettled", r.Unsettled, "failed_source", r.FailedSource, "failed_target", r.FailedTarget, "uncompared", r.Uncompared)
	for n := 0; ctx.Err() == nil; n++ {
		if err := s.publish(ctx); err == nil || errors.Is(err, errSuperseded) {
			return
		}
		sleep(ctx, backoff(n))
	}
}

func (s *shadowReader) publish(ctx context.Context) error {
	r := s.result
	return s.d.update(ctx, func(m *Move) { m.Progress.Shadow = &r })
}

// sample has the proxies sample until everything else is ready for a cutover and there is
// enough, or half of the time has passed since then. It returns when all has to be done.
func (s *shadowReader) sample(ctx context.Context) (deadline time.Time) {
	o := s.d.move().Options
	ready, every := s.ready, 5*time.Second // well within the time for which a proxy goes on by itself
	var began time.Time
	for {
		s.ask(ctx)
		enough := s.result.Sampled >= o.ShadowReads || !slices.ContainsFunc(s.proxies, func(p *shadowProxy) bool { return !p.never })
		if ready == nil && (enough || time.Since(began) >= o.ShadowTime/2) {
			return began.Add(o.ShadowTime)
		}
		if s.d.move().Stage == StageCopying { // for whoever watches; an error shows in what the driver itself writes
			_ = s.publish(ctx)
		}
		select {
		case <-ready:
			began, ready, every = time.Now(), nil, 250*time.Millisecond
		case <-time.After(every):
		case <-ctx.Done():
			return deadline
		}
	}
}

// each calls f for every proxy that is not silent, side by side.
func (s *shadowReader) each(f func(*shadowProxy)) {
	var wg sync.WaitGroup
	for _, p := range s.proxies {
		if !p.silent {
			wg.Go(func() { f(p) })
		}
	}
	wg.Wait()
}

// ask tells every proxy to sample, also those that came after the last time.
func (s *shadowReader) ask(ctx context.Context) {
	m := s.d.move()
	f, err := readFleet(ctx, s.d.c.s, fleet{})
	if err != nil {
		return // who was asked before samples on
	}
	before := s.proxies
	s.proxies = nil
	for _, r := range f.sessions {
		p := &shadowProxy{info: r.Info}
		if i := slices.IndexFunc(before, func(o *shadowProxy) bool { return o.info.ID == r.ID }); i >= 0 {
			p = before[i]
		}
		p.silent = false
		s.proxies = append(s.proxies, p)
	}
	slices.SortFunc(s.proxies, func(a, b *shadowProxy) int { return cmp.Compare(a.info.ID, b.info.ID) })
	s.each(func(p *shadowProxy) {
		var err error
		p.ShadowSample, err = s.d.c.peers.Sample(ctx, p.info, m.Partition, m.ID, m.Options.ShadowReads)
		p.silent, p.never = err != nil, errors.Is(err, gate.ErrNoShadow)
	})
	s.result.Seen, s.result.Sampled, s.result.Silent = 0, 0, 0
	for _, p := range s.proxies {
		s.result.Seen += int(p.Seen)
		s.result.Sampled += p.Kept
		if p.silent {
			s.result.Silent++
		}
	}
	s.result.Sampled = min(s.result.Sampled, m.Options.ShadowReads)
}

// forget has the proxies forget the sample. After a driver that did not come so far they
// do it by themselves, unless another one asks for it.
func (s *shadowReader) forget(ctx context.Context) {
	bound, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	m := s.d.move()
	s.each(func(p *shadowProxy) { _, _ = s.d.c.peers.Sample(bound, p.info, m.Partition, m.ID, 0) })
}

// share is what each proxy compares: of its samples as many as it has seen of all
// searches.
func (s *shadowReader) share() map[*shadowProxy][]int {
	left := s.result.Sampled
	out := map[*shadowProxy][]int{}
	for part := range 2 { // what rounding has left goes to whoever has more
		for _, p := range s.proxies {
			n := left
			if part == 0 {
				n = s.result.Sampled * int(p.Seen) / max(1, s.result.Seen)
			}
			for n = min(n, left, p.Kept-len(out[p])); n > 0; n-- {
				out[p] = append(out[p], len(out[p]))
				left--
			}
		}
	}
	s.result.Uncompared += left
	return out
}

// compare compares every sample, and what differs again.
func (s *shadowReader) compare(ctx context.Context) {
	open := s.share()
	var suspects []*suspect
	s.refresh(ctx)
	for p, results := range s.look(ctx, open) {
		for _, r := range results {
			s.timed(r)
			if !s.settled(r) {
				suspects = append(suspects, &suspect{proxy: p, last: r, since: s.d.move().Progress.Rounds})
			}
		}
		s.result.Uncompared += len(open[p]) - len(results)
	}
	for _, pause := range shadowTries {
		if sleep(ctx, pause); ctx.Err() != nil || len(suspects) == 0 {
			break
		}
		suspects = s.again(ctx, suspects)
	}
	for _, x := range suspects {
		s.conclude(x)
	}
	slices.SortFunc(s.result.Examples, func(a, b ShadowDifference) int {
		return cmp.Or(cmp.Compare(a.Proxy, b.Proxy), cmp.Compare(a.Sample, b.Sample))
	})
	for side, l := range []*ShadowLatency{&s.result.Source, &s.result.Target} {
		l.P50MS, l.P95MS = quantiles(s.walls[side])
		l.TookP50MS, l.TookP95MS = quantiles(s.tooks[side])
	}
}

// refresh makes searches of both sides see what is there. Without it they find, later,
// what they have found before; nothing more is wrong.
func (s *shadowReader) refresh(ctx context.Context) {
	_ = s.d.mv.RefreshSource(ctx)
	_ = s.d.mv.RefreshTarget(ctx)
}

// look has the samples compared, as far as the time goes.
func (s *shadowReader) look(ctx context.Context, open map[*shadowProxy][]int) map[*shadowProxy][]gate.ShadowResult {
	m := s.d.move()
	var mu sync.Mutex
	out := map[*shadowProxy][]gate.ShadowResult{}
	s.each(func(p *shadowProxy) {
		for left := open[p]; len(left) > 0; {
			results, err := s.d.c.peers.Compare(ctx, p.info, m.Partition, m.ID, left)
			if err != nil || len(results) == 0 {
				return // what it has is lost, or it has nothing more
			}
			left = slices.DeleteFunc(slices.Clone(left), func(n int) bool {
				return slices.ContainsFunc(results, func(r gate.ShadowResult) bool { return r.Sample == n })
			})
			mu.Lock()
			out[p] = append(out[p], results...)
			mu.Unlock()
		}
	})
	return out
}

// timed notes how long an answer took on each side.
func (s *shadowReader) timed(r gate.ShadowResult) {
	for side, a := range []gate.ShadowAnswer{r.Source, r.Target} {
		if a.Failed == "" && a.Wall > 0 {
			s.walls[side] = append(s.walls[side], a.Wall)
			s.tooks[side] = append(s.tooks[side], a.Took)
		}
	}
}

// settled counts a comparison that need not be repeated.
func (s *shadowReader) settled(r gate.ShadowResult) bool {
	switch r.Outcome {
	case gate.ShadowEqual:
		s.result.Equal++
	case gate.ShadowScores:
		s.result.ScoresOnly++
	case gate.ShadowSkipped:
		s.result.Uncompared++
	default:
		return false
	}
	return true
}

// again compares what differed once more, and returns what still does.
func (s *shadowReader) again(ctx context.Context, suspects []*suspect) (still []*suspect) {
	open := map[*shadowProxy][]int{}
	for _, x := range suspects {
		open[x.proxy] = append(open[x.proxy], x.last.Sample)
	}
	s.refresh(ctx)
	results := s.look(ctx, open)
	rounds := s.d.move().Progress.Rounds
	for _, x := range suspects {
		i := slices.IndexFunc(results[x.proxy], func(r gate.ShadowResult) bool { return r.Sample == x.last.Sample })
		if i < 0 { // not this time
			still = append(still, x)
			continue
		}
		r := results[x.proxy][i]
		if s.settled(r) {
			continue
		}
		x.stable++
		if r.Changed {
			x.stable, x.since = 0, rounds
		}
		x.last = r
		still = append(still, x)
	}
	return still
}

// conclude counts what differed to the last. A difference is believed when both answers
// have stayed as they are while the target was caught up with.
func (s *shadowReader) conclude(x *suspect) {
	switch believed := x.stable >= 2 && s.d.move().Progress.Rounds >= x.since+2; {
	case x.last.Outcome == gate.ShadowFailedSource:
		s.result.FailedSource++
	case x.last.Outcome == gate.ShadowFailedTarget:
		s.result.FailedTarget++
	case believed:
		s.result.Differing++
	default:
		s.result.Unsettled++
		return
	}
	if len(s.result.Examples) < shadowExamples {
		s.result.Examples = append(s.result.Examples, ShadowDifference{x.proxy.info.Name, x.last})
	}
}

// quantiles are the median and the 95th of a hundred, in milliseconds.
func quantiles(all []time.Duration) (p50, p95 float64) {
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return millis(all[(len(all)-1)/2]), millis(all[(len(all)-1)*95/100])
}
