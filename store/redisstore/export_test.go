package redisstore

import (
	"context"
	"errors"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/store/driver"
)

// SetPage changes how many records List reads at a time.
func (s *Store) SetPage(n int) { s.page = n }

// Compact makes the log of a space forget what it has.
func (s *Store) Compact(ctx context.Context, space string) error {
	_, err := s.change(ctx, "compact "+space, compactScript, space)
	return err
}

// The parsers of what a server answers.
var (
	Record = record
	Lease  = lease
)

// Decode takes an answer apart as every caller does, and drops the result.
func Decode(raw any) error {
	r, err := parse(raw)
	if err != nil {
		return err
	}
	_, err1 := r.text(0)
	_, err2 := r.number(0)
	_, err3 := r.texts(0)
	return errors.Join(err1, err2, err3)
}

// Observed are the spaces whose leases the store looks at.
func (s *Store) Observed() (spaces []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for space := range s.observers {
		spaces = append(spaces, space)
	}
	return spaces
}

// Events decodes log entries that follow a version with a tag.
func Events(version driver.Version, tag string, entries []redis.XMessage) (evs []driver.Event, end driver.Version, endTag string, err error) {
	evs, m, _, err := (&Store{}).events("s", mark{version, tag}, entries)
	return evs, m.version, m.tag, err
}
