package mover

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
)

// What takes an old copy out of service without deleting it, and back. A closed index
// takes no heap and answers nobody, keeps its name, its UUID and its write block, and
// can be opened again.

// closed reports an answer that says that an index is closed.
func closed(err error) bool {
	_, kind := status(err)
	return kind == "index_closed_exception"
}

// unwritten compares the sequence numbers of indices that were fenced with those of
// then. Whoever wrote since has removed the block first.
func (m *Mover) unwritten(ctx context.Context, idx []Index, uuids map[string]string) error {
	for _, i := range idx {
		switch uuids[i.Source] {
		case "":
			continue // Retire has nothing to do, either
		case i.SourceUUID:
		default:
			return fmt.Errorf("retire %s on %s: %w", i.Source, m.src.Name(), ErrSourceChanged)
		}
		then := i.Fenced
		if then == nil {
			then = i.Mark
		}
		if then == nil {
			continue // no fence was set: its entry had moved on
		}
		now, err := m.marks(ctx, i.Source)
		if closed(err) {
			return fmt.Errorf("index %s: %w", i.Source, ErrSourceClosed)
		}
		if err != nil {
			return err
		}
		if !maps.Equal(now, then) {
			return fmt.Errorf("index %s: %w", i.Source, ErrSourceWritten)
		}
	}
	return nil
}

// PutAside closes A's indices, after the flip, in place of Retire. It may be repeated.
// It refuses, with ErrSourceChanged and before that index is touched, one that was
// created again since; one that is gone is fine. A shared index cannot be put aside.
func (m *Mover) PutAside(ctx context.Context) error {
	if m.tenant != nil {
		return fmt.Errorf("put %s aside: it is shared with others", m.spec.From)
	}
	idx, err := m.indices()
	if err != nil {
		return err
	}
	for _, i := range idx {
		uuids, err := m.uuids(ctx, m.src, []string{i.Source})
		if err != nil {
			return err
		}
		switch uuids[i.Source] {
		case "":
			continue
		case i.SourceUUID:
		default:
			return fmt.Errorf("close %s on %s: %w", i.Source, m.src.Name(), ErrSourceChanged)
		}
		if err := m.opt.Lease(); err != nil {
			return err
		}
		var ans struct {
			Indices map[string]struct{ Closed bool } `json:"indices"`
		}
		err = m.change(ctx, m.src, http.MethodPost, "/"+esc(i.Source)+"/_close", query("wait_for_active_shards", "0", "expand_wildcards", "none"), nil, &ans)
		if code, _ := status(err); code == http.StatusNotFound {
			continue
		}
		if err != nil {
			return fmt.Errorf("close %s on %s: %w", i.Source, m.src.Name(), err)
		}
		// An index that was closed already is not in the answer.
		if x, ok := ans.Indices[i.Source]; ok && !x.Closed {
			return fmt.Errorf("close %s on %s: the cluster has not closed it", i.Source, m.src.Name())
		}
	}
	return nil
}

// aside is a Mover for indices that no move has any more.
func aside(c *upstream.Client, lease func() error) *Mover {
	return &Mover{src: c, log: slog.New(slog.DiscardHandler), opt: Options{Lease: lease, Patience: 10 * time.Second}}
}

// Purge deletes indices that PutAside has closed, each only if its UUID is still that
// of its record: one that was created again under the name stays, as does one that is
// gone. lease is asked before each deletion.
func Purge(ctx context.Context, c *upstream.Client, idx []Index, lease func() error) error {
	m := aside(c, lease)
	uuids, err := m.uuids(ctx, c, names(idx, sourceName))
	if err != nil {
		return err
	}
	for _, i := range idx {
		if uuids[i.Source] != i.SourceUUID {
			continue
		}
		if err := lease(); err != nil {
			return err
		}
		if err := m.remove(ctx, c, i.Source, i.SourceUUID, ErrSourceChanged); err != nil {
			return err
		}
	}
	return nil
}

// Reopen opens indices that PutAside has closed, under their names; writable also
// lifts the write block of Fence. ErrSourceChanged: one is gone, or was created again,
// and nothing was done.
func Reopen(ctx context.Context, c *upstream.Client, idx []Index, writable bool, lease func() error) error {
	m := aside(c, lease)
	if err := m.sameSource(ctx, idx); err != nil {
		return err
	}
	for _, i := range idx {
		if err := lease(); err != nil {
			return err
		}
		if err := m.change(ctx, c, http.MethodPost, "/"+esc(i.Source)+"/_open", query("wait_for_active_shards", "1", "expand_wildcards", "none"), nil, nil); err != nil {
			return fmt.Errorf("open %s on %s: %w", i.Source, c.Name(), err)
		}
		if writable {
			if err := m.unblock(ctx, c, i.Source); err != nil {
				return err
			}
		}
	}
	return nil
}
