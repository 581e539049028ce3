package redisstore

import "context"

// SetPage changes how many records List reads at a time.
func (s *Store) SetPage(n int) { s.page = n }

// Compact makes the log of a space forget what it has.
func (s *Store) Compact(ctx context.Context, space string) error {
	_, err := s.change(ctx, "compact "+space, compactScript, space)
	return err
}
