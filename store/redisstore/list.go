package redisstore

import (
	"context"
	"fmt"
	"sort"

	"github.com/sluiceproxy/sluice/store/driver"
)

// page is a stretch of a space in the order of the names, as of one moment.
type page struct {
	at      driver.Version // the moment
	records []driver.KV
	more    bool
}

// pageOf reads the page of at most limit records that begins at a bound of ZRANGEBYLEX.
func (s *Store) pageOf(ctx context.Context, space, from string, limit int) (page, error) {
	doing := "list " + space
	r, err := s.read(ctx, doing, pageScript, space, from, limit, pageBytes)
	if err != nil {
		return page{}, err
	}
	more, err1 := r.number(0)
	leased, err2 := r.number(1)
	pairs, err3 := r.texts(2)
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return page{}, fmt.Errorf("redis: %s: %w", doing, err)
		}
	}
	p := page{at: r.mark.version, more: more != 0}
	for i := 0; i < len(pairs); i += 2 {
		kv, err := record(pairs[i], pairs[i+1])
		if err != nil {
			return page{}, fmt.Errorf("redis: %s: %w", doing, err)
		}
		p.records = append(p.records, kv)
	}
	if leased > 0 {
		s.watchLeases(space)
	}
	return p, nil
}

// reads is which stretches of a list were read at which moment.
type reads struct {
	last []string // name at the end of each, growing
	at   []driver.Version
}

// of returns the moment at which a name's stretch was read. What is after the last
// name was read, as empty, with the last page.
func (r reads) of(name string) driver.Version {
	i := sort.SearchStrings(r.last, name)
	return r.at[min(i, len(r.at)-1)]
}

// List implements driver.Driver.
//
// The moment of the list is that of its first page. The server reads one page at a
// time and serves others in between, so later pages may have records that are newer
// than the moment, and lack some that were deleted since. They are passed over, and
// made good at the end: for every change there is an undo record with what it
// replaced, so the first change of a name since the moment tells what it was then.
// Whether that has been yielded already follows from the moment at which the name's
// page was read: before the change, and it was there as it had been; after it, and
// it was passed over. So each record is yielded once, as it was, and what is kept in
// memory is one name for each page and for each record that changed meanwhile.
//
// When the log has lost the moment before the list was complete, the error is
// driver.ErrCompacted like a watch's, and the caller discards and lists again.
func (s *Store) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	var moment driver.Version
	var done reads
	for from := "-"; ; {
		p, err := s.pageOf(ctx, space, from, s.page)
		if err != nil {
			return 0, err
		}
		if done.at == nil {
			moment = p.at
		}
		for _, kv := range p.records {
			if kv.Version <= moment && !yield(kv) {
				return moment, nil
			}
		}
		last := ""
		if n := len(p.records); n > 0 {
			last = p.records[n-1].Name
		}
		done.last, done.at = append(done.last, last), append(done.at, p.at)
		if !p.more {
			break
		}
		from = "(" + last
	}
	// Page ends grow, but for a last page that is empty: it stands for all the rest.
	if n := len(done.last); done.last[n-1] == "" {
		done.last = done.last[:n-1]
	}
	return moment, s.restore(ctx, space, moment, done, yield)
}

// Page implements driver.Pager: one script, which is one moment. It ends early when it
// has become large.
func (s *Store) Page(ctx context.Context, space, after string, limit int) ([]driver.KV, bool, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	p, err := s.pageOf(ctx, space, from, limit)
	return p.records, p.more, err
}

// restore yields what was there at the moment and was changed before its page was
// read.
func (s *Store) restore(ctx context.Context, space string, moment driver.Version, done reads, yield func(driver.KV) bool) error {
	seen := map[string]bool{}
	for at, end := moment, done.at[len(done.at)-1]; at < end; {
		undone, err := s.replaced(ctx, space, at)
		if err != nil {
			return err
		}
		if len(undone) == 0 {
			return fmt.Errorf("redis: list %s: the undo log has nothing after version %d, below %d", space, at, end)
		}
		for _, u := range undone {
			at++
			if at > end || seen[u.Name] {
				continue
			}
			seen[u.Name] = true
			if u.Version > 0 && at <= done.of(u.Name) && !yield(u) {
				return nil
			}
		}
	}
	return nil
}

// replaced returns what the changes after a version replaced, in their order;
// version 0 if there was no record.
func (s *Store) replaced(ctx context.Context, space string, after driver.Version) ([]driver.KV, error) {
	doing := "list " + space
	r, err := s.read(ctx, doing, undoScript, space, decimal(after), s.page, pageBytes)
	if err != nil {
		return nil, err
	}
	if r.status == "compacted" {
		return nil, fmt.Errorf("redis: %s: %w: the log lost version %d while it was being read", doing, driver.ErrCompacted, after)
	}
	pairs, err := r.texts(0)
	if err != nil {
		return nil, fmt.Errorf("redis: %s: %w", doing, err)
	}
	out := make([]driver.KV, 0, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		kv := driver.KV{Name: pairs[i]}
		if pairs[i+1] != "" {
			if kv, err = record(pairs[i], pairs[i+1]); err != nil {
				return nil, fmt.Errorf("redis: %s: %w", doing, err)
			}
		}
		out = append(out, kv)
	}
	return out, nil
}
