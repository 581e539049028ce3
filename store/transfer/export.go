package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// ServingError is a table that processes serve.
type ServingError struct {
	Names []string // of the processes
	What  string   // that was refused
}

func (e *ServingError) Error() string {
	some := e.Names
	more := ""
	if len(some) > 5 {
		some, more = some[:5], fmt.Sprintf(" and %d more", len(e.Names)-5)
	}
	return fmt.Sprintf("%s: %d process(es) serve this table: %s%s; stop them first (one that was killed is gone when its session has lapsed)",
		e.What, len(e.Names), strings.Join(some, ", "), more)
}

// ErrorCode is its code in the catalogue of errors.
func (e *ServingError) ErrorCode() string { return "table_served" }

// ExportOptions of an Export. The zero value is useful.
type ExportOptions struct {
	// Close marks the table, so that no process opens it any more and what was
	// exported is the last word. Without, the file is a backup.
	Close bool
	// Build and Store are noted in the file.
	Build, Store string
	// Timeout bounds one call to the driver (default 10 s).
	Timeout time.Duration
}

// ExportResult says what was exported.
type ExportResult struct {
	Header
	Trailer
	Entries   int `json:"entries"`
	Migrating int `json:"migrating"` // of the entries
}

// Export writes the table of d to w. With Close it is a *ServingError while a
// process has a session; nothing was changed then. A record that is no JSON is a
// *store.CorruptError. A table whose import has not finished is a
// *store.NotOpenError.
func Export(ctx context.Context, d driver.Driver, w io.Writer, o *ExportOptions) (*ExportResult, error) {
	opt := ExportOptions{}
	if o != nil {
		opt = *o
	}
	x := caller{d, opt.Timeout}
	t, err := x.table(ctx)
	if err != nil {
		return nil, err
	}
	if t.State == store.TableImporting {
		return nil, &store.NotOpenError{Table: t}
	}
	if opt.Close && t.State == store.TableOpen {
		// First the mark, then the look: see package store, table.go.
		if t, err = x.closeTable(ctx, t); err != nil {
			return nil, err
		}
	}
	res, err := x.export(ctx, t, w, opt)
	if err != nil && opt.Close {
		err = fmt.Errorf("the table is closed, the same export again writes the file: %w", err)
	}
	return res, err
}

// export writes what the table, whose record is t, holds now.
func (x caller) export(ctx context.Context, t store.Table, w io.Writer, opt ExportOptions) (*ExportResult, error) {
	res := &ExportResult{}
	serving, err := x.sessions(ctx)
	if err != nil {
		return nil, err
	}
	res.Header = Header{
		Format: FormatVersion, Written: time.Now().UTC().Truncate(time.Second), Build: opt.Build, Store: opt.Store,
		Closed: t.State == store.TableClosed, Sessions: len(serving), Base: t.Base,
	}
	out := newWriter(w)
	if err := out.line(res.Header); err != nil {
		return nil, err
	}
	newest := t.Base
	for _, space := range spaces {
		var bad error
		at, err := x.list(ctx, space, func(kv driver.KV) bool {
			if space == store.SpaceEntries {
				e, err := store.DecodeEntry(kv)
				if bad = err; bad != nil {
					return false
				}
				if res.Entries++; e.State.Migrating() {
					res.Migrating++
				}
			}
			bad = out.record(space, t.Base, kv)
			return bad == nil
		})
		if bad != nil {
			return nil, fmt.Errorf("export: %w", bad)
		}
		if err != nil {
			return nil, err
		}
		// What a process calls "applied" may be the list's version, newer than
		// every entry.
		if e := t.Base + placement.Epoch(at); space == store.SpaceEntries {
			newest = max(newest, e)
		}
	}
	res.Trailer, err = out.end(newest)
	return res, err
}

// Reopen takes a closed table back, and reports whether it was closed.
func Reopen(ctx context.Context, d driver.Driver) (bool, error) {
	x := caller{d: d}
	t, err := x.table(ctx)
	if err != nil {
		return false, err
	}
	switch t.State {
	case store.TableImporting:
		return false, &store.NotOpenError{Table: t}
	case store.TableOpen:
		return false, nil
	}
	t.State = store.TableOpen
	_, err = x.writeTable(ctx, t)
	return err == nil, err
}

// closeTable marks the table as closed, unless somebody serves it.
func (x caller) closeTable(ctx context.Context, t store.Table) (store.Table, error) {
	before := t
	t.State = store.TableClosed
	t, err := x.writeTable(ctx, t)
	if err != nil {
		return t, err
	}
	serving, err := x.sessions(ctx)
	if err == nil && len(serving) == 0 {
		return t, nil
	}
	if err == nil {
		err = &ServingError{serving, "close the table"}
	}
	return t, errors.Join(err, x.undo(ctx, t, before))
}

// undo puts the table's record back as it was before t.
func (x caller) undo(ctx context.Context, t, before store.Table) error {
	before.Version = t.Version
	bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if _, err := x.writeTable(bound, before); err != nil {
		return fmt.Errorf("the table stays marked as %s, `sluice store reopen` (or import with --replace) takes it back: %w", t.State, err)
	}
	return nil
}

// caller bounds each call to a driver.
type caller struct {
	d       driver.Driver
	timeout time.Duration
}

func (x caller) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	if x.timeout <= 0 {
		return context.WithTimeout(ctx, 10*time.Second)
	}
	return context.WithTimeout(ctx, x.timeout)
}

func (x caller) table(ctx context.Context) (store.Table, error) {
	c, cancel := x.bound(ctx)
	defer cancel()
	return store.ReadTable(c, x.d)
}

func (x caller) writeTable(ctx context.Context, t store.Table) (store.Table, error) {
	c, cancel := x.bound(ctx)
	defer cancel()
	return store.WriteTable(c, x.d, t)
}

// list has no bound of its own: a million records take their time.
func (x caller) list(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	v, err := x.d.List(ctx, space, yield)
	if err != nil {
		return 0, fmt.Errorf("list %s: %w: %w", space, store.ErrUnavailable, err)
	}
	return v, nil
}

// sessions names the processes that have one.
func (x caller) sessions(ctx context.Context) ([]string, error) {
	var names []string
	_, err := x.list(ctx, store.SpaceSessions, func(kv driver.KV) bool {
		names = append(names, sessionName(kv))
		return true
	})
	sort.Strings(names)
	return names, err
}
