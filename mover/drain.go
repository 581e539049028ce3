package mover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// drain returns when nothing that was sent to the targets before can be applied
// any more. The write aliases are gone. See the package doc for why both the
// block and the list of tasks are needed. via names each index for the block: an
// alias, or the index itself where no flip can have made it anybody's.
func (m *Mover) drain(ctx context.Context, idx []Index, via []string) error {
	if m.into != nil {
		return m.drainPool(ctx, m.spec.To.Index)
	}
	if err := m.await(ctx, idx, via); err != nil {
		return err
	}
	for _, name := range via {
		if err := m.unblock(ctx, m.dst, name); err != nil {
			return gone(err)
		}
	}
	return nil
}

// await is drain that leaves the targets blocked.
func (m *Mover) await(ctx context.Context, idx []Index, via []string) error {
	began := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(4)
	for _, name := range via {
		g.Go(func() error { return m.blockAgain(gctx, name) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		busy, err := m.bulksUnderWay(ctx, idx)
		if err != nil {
			return err
		}
		if busy == 0 {
			break
		}
		if time.Since(began) > m.opt.Patience {
			return fmt.Errorf("drain the target: %d bulk tasks do not end: %w", busy, ErrNotSettled)
		}
		if err := pause(ctx, min(n, 2)); err != nil {
			return err
		}
	}
	m.log.InfoContext(ctx, "drained the target", "took", time.Since(began))
	return nil
}

// blockAgain sets the write block of a target, which returns when the running
// writes have finished. A block that is left from a mover that died would make
// the call return at once, without proof, so it is removed first.
func (m *Mover) blockAgain(ctx context.Context, index string) error {
	for range 3 {
		blocked, err := m.block(ctx, m.dst, index)
		if err != nil || blocked {
			return gone(err)
		}
		if err := m.unblock(ctx, m.dst, index); err != nil {
			return gone(err)
		}
	}
	return fmt.Errorf("block writes of %s on %s: somebody else sets the block too: %w", index, m.dst.Name(), ErrNotSettled)
}

// gone makes ErrFenced of an index that is not found: the alias that it was to be
// blocked through is removed by whoever takes over or seals.
func gone(err error) error {
	if code, _ := status(err); code == http.StatusNotFound {
		return errors.Join(ErrFenced, err)
	}
	return err
}

// block sets the write block. It returns false when the index had it before, so
// that the answer proves nothing about running writes.
func (m *Mover) block(ctx context.Context, c *upstream.Client, index string) (bool, error) {
	var ans struct {
		Shards  bool `json:"shards_acknowledged"`
		Indices []struct {
			Name    string
			Blocked bool
		} `json:"indices"`
	}
	if err := m.change(ctx, c, http.MethodPut, "/"+esc(index)+"/_block/write", nil, nil, &ans); err != nil {
		return false, fmt.Errorf("block writes of %s on %s: %w", index, c.Name(), err)
	}
	if len(ans.Indices) == 0 {
		return false, nil
	}
	if !ans.Shards || !ans.Indices[0].Blocked {
		return false, fmt.Errorf("block writes of %s on %s: not every shard has confirmed", index, c.Name())
	}
	return true, nil
}

func (m *Mover) unblock(ctx context.Context, c *upstream.Client, index string) error {
	err := m.change(ctx, c, http.MethodPut, "/"+esc(index)+"/_settings", nil, map[string]any{"index.blocks.write": nil}, nil)
	if err != nil {
		return fmt.Errorf("unblock writes of %s on %s: %w", index, c.Name(), err)
	}
	return nil
}

// bulksUnderWay counts the bulk tasks of the target cluster that name a write
// alias of this move or one of its target indices, which nobody else writes.
// A task is listed from before it resolves the alias until it has been applied
// everywhere.
func (m *Mover) bulksUnderWay(ctx context.Context, idx []Index) (int, error) {
	tasks, err := m.tasks(ctx, m.dst, "indices:data/write/bulk*")
	if err != nil {
		return 0, err
	}
	n := 0
	for _, t := range tasks {
		busy := strings.Contains(t.Description, m.prefix())
		for _, i := range idx {
			busy = busy || strings.Contains(t.Description, "["+i.Target+"]")
		}
		if busy {
			n++
		}
	}
	return n, nil
}

type task struct {
	Node        string `json:"node"`
	ID          int64  `json:"id"`
	Action      string `json:"action"`
	Description string `json:"description"`
	Parent      string `json:"parent_task_id"`
}

func (m *Mover) tasks(ctx context.Context, c *upstream.Client, actions string) ([]task, error) {
	var ans struct {
		Tasks    []task `json:"tasks"`
		Failures []any  `json:"node_failures"`
	}
	q := query("actions", actions, "detailed", "true", "group_by", "none")
	if err := m.read(ctx, c, http.MethodGet, "/_tasks", q, nil, &ans); err != nil {
		return nil, fmt.Errorf("list tasks of %s: %w", c.Name(), err)
	}
	if len(ans.Failures) > 0 {
		return nil, fmt.Errorf("list tasks of %s: %d nodes did not answer", c.Name(), len(ans.Failures))
	}
	return ans.Tasks, nil
}
