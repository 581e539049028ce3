package redisstore

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/store/driver"
)

// ErrRewound: the server has lost changes that this process has seen, by a
// failover to a replica that lacked them, a restore, a restart without its file
// or a flush. Versions that others know may be given out again, so nothing that
// this Store could say would be true: from then on every call returns this error.
// Make sure that no older master comes back, then start the process anew. It is a
// driver.ErrHistoryLost.
var ErrRewound = fmt.Errorf("%w: the server lacks changes that were seen before", driver.ErrHistoryLost)

// mark is one change in the history of a space: no two have the same tag.
type mark struct {
	version driver.Version
	tag     string
}

// memory is the newest change that this process has seen of each space. Every
// script is told, and compares it with its log before it does anything.
type memory struct {
	mu   sync.Mutex
	seen map[string]mark
	err  error         // set once, for ever
	lost chan struct{} // closed when err is set
}

func newMemory() *memory { return &memory{seen: map[string]mark{}, lost: make(chan struct{})} }

// AwaitLoss implements driver.LossNoticer.
func (s *Store) AwaitLoss(ctx context.Context) error {
	select {
	case <-s.memory.lost:
		_, err := s.memory.recall("")
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// recall returns what was seen of a space. It is asked before a call is sent, so
// whatever the server answers is at least as new.
func (m *memory) recall(space string) (mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen[space], m.err
}

// note remembers a change. Answers may come in any order: only newer ones count,
// and the same version must have the same tag.
func (m *memory) note(space string, seen mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch last := m.seen[space]; {
	case m.err != nil:
		return m.err
	case seen.version > last.version:
		m.seen[space] = seen
	case seen.version == last.version && last.tag != seen.tag && last.tag != "" && seen.tag != "":
		return &behindError{space: space, seen: last.version, now: seen.version}
	}
	return nil
}

// forget makes a space unknown again.
func (m *memory) forget(space string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seen, space)
}

// behindError is one server that lacks what was seen. It may be a master from before
// a failover that has not been told; only when the one that is found anew lacks it
// too has it been lost.
type behindError struct {
	space     string
	seen, now driver.Version
	client    *redis.Client // that found it
}

func (e *behindError) Error() string {
	return fmt.Sprintf("the server's %s are at version %d with another history than was seen up to %d", e.space, e.now, e.seen)
}

func (e *behindError) ErrorCode() string { return "history_lost" }

// rewind makes the loss known to all that follows.
func (m *memory) rewind(e *behindError) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		// As text, so that nobody takes it for one server's answer again.
		m.err = fmt.Errorf("%w: %v", ErrRewound, e)
		close(m.lost)
	}
	return m.err
}
