package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// backupSlack is added to the base when the source went on after the export:
// more changes than a table sees in its life.
const backupSlack = placement.Epoch(1) << 32

// The refusals of Import that are not about the file.
var (
	ErrNotEmpty = catalog.New("store_not_empty", "the target holds a table already; --replace removes what the file does not bring")
	ErrSource   = catalog.New("source_not_closed", "the source was not closed when it was exported: it may be served, or have changed since, and two fleets on two tables is split brain; "+
		"export it with --close, or import with --source-gone when it will never be served again")
	ErrMigrating = catalog.New("tenants_moving", "tenants are moving: let the moves end before the export, or import with --allow-migrating, and a controller resumes them on the new table")
	ErrOther     = catalog.New("other_import", "an import of another file has begun here and has not finished; run that again, or import with --replace")
	ErrClosed    = catalog.New("store_closed", "the target is closed, because it was exported to another store; --replace takes it back with the content of the file")
)

// ImportOptions of an Import. The zero value is useful.
type ImportOptions struct {
	Replace        bool // removes what the target holds and the file does not
	AllowMigrating bool
	SourceGone     bool // the source was not closed, and will never be served again
	// Progress is told how many records are in the target; may be nil.
	Progress func(done, all int)
	// Timeout bounds one call to the driver (default 10 s).
	Timeout time.Duration
	Workers int // writes at once (default 16)
}

// ImportResult says what was imported.
type ImportResult struct {
	File    Header          `json:"file"`
	Base    placement.Epoch `json:"base"`    // of the target now
	Records int             `json:"records"` // in the file
	Written int             `json:"written"` // the others were there already
	Removed int             `json:"removed"`
	Resumed bool            `json:"resumed"`
	// Already: this very file was imported before, completely; nothing was done.
	Already bool `json:"already"`
}

// Import brings the file into the table of d. It reads the file twice, the first
// time to check all of it before anything is changed. See the package for what
// it refuses. When it fails after that, the table stays marked as incomplete and
// the same import again goes on; that includes a process that died.
func Import(ctx context.Context, d driver.Driver, file io.ReadSeeker, o *ImportOptions) (*ImportResult, error) {
	m := &importer{caller: caller{d: d}}
	if o != nil {
		m.opt, m.timeout = *o, o.Timeout
	}
	if m.opt.Workers <= 0 {
		m.opt.Workers = 16
	}
	if err := m.check(file); err != nil {
		return nil, err
	}
	if err := m.begin(ctx); err != nil || m.res.Already {
		return &m.res, err
	}
	if err := m.sweep(ctx); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if err := m.write(ctx, file); err != nil {
		return nil, err
	}
	if err := m.finish(ctx); err != nil {
		return nil, err
	}
	return &m.res, nil
}

type importer struct {
	caller
	opt    ImportOptions
	keys   map[driver.Key]struct{}
	sum    string          // of the file
	newest placement.Epoch // of the source
	table  store.Table
	res    ImportResult
}

// check reads the file and refuses what must not be imported. Nothing is
// changed before all of it was seen.
func (m *importer) check(file io.Reader) error {
	m.keys = map[driver.Key]struct{}{}
	migrating, newest := 0, placement.Epoch(0)
	h, t, err := Read(file, func(l Line) error {
		k := l.Key()
		if _, twice := m.keys[k]; twice {
			return &FileError{0, fmt.Sprintf("%s %q is there twice", k.Space, k.Name)}
		}
		m.keys[k] = struct{}{}
		switch k.Space {
		case store.SpaceEntries:
			newest = max(newest, l.Epoch)
			if err := placement.PartitionID(k.Name).Validate(); err != nil {
				return &store.CorruptError{Space: k.Space, Name: k.Name, Reason: err.Error()}
			}
			e, err := store.DecodeEntry(driver.KV{Name: k.Name, Value: l.Value, Version: 1})
			if err != nil {
				return err
			}
			if e.State.Migrating() {
				migrating++
			}
		case store.SpaceClusters:
			return decodes(k, l.Value, &placement.Cluster{})
		case store.SpaceRoster:
			return decodes(k, l.Value, &store.RosterRecord{})
		case store.SpaceMoves, store.SpaceWaves, store.SpaceWaveItems, store.SpaceLabels, store.SpaceTrash, store.SpaceAudit, store.SpaceReplays: // what is in one is its controller's matter
			return decodes(k, l.Value, &map[string]json.RawMessage{})
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case !h.Closed && !m.opt.SourceGone:
		return ErrSource
	case migrating > 0 && !m.opt.AllowMigrating:
		return fmt.Errorf("%d %w", migrating, ErrMigrating)
	}
	m.newest = max(t.Epoch, h.Base, newest)
	if !h.Closed {
		m.newest = min(m.newest, store.MaxBase) + backupSlack // which cannot wrap then
	}
	if m.newest > store.MaxBase {
		return &FileError{0, fmt.Sprintf("its epochs go up to %d, above %d", m.newest, store.MaxBase)}
	}
	m.res.File, m.res.Records, m.sum = h, t.Records, t.SHA256
	return nil
}

// decodes refuses a value that whoever lists the space could not read.
func decodes(k driver.Key, value []byte, into any) error {
	err := json.Unmarshal(value, into)
	if err == nil && !bytes.HasPrefix(bytes.TrimSpace(value), []byte("{")) { // null decodes into anything
		err = errors.New("it is no object")
	}
	if err != nil {
		return &store.CorruptError{Space: k.Space, Name: k.Name, Reason: err.Error()}
	}
	return nil
}

// begin marks the table as incomplete, or finds the mark of an import of the
// same file, and then makes sure that nobody serves it (in this order, see
// package store, table.go).
func (m *importer) begin(ctx context.Context) error {
	t, err := m.caller.table(ctx)
	if err != nil {
		return err
	}
	same := t.State == store.TableImporting && t.File == m.sum
	replace := m.opt.Replace || same && t.Replace
	switch {
	case t.State == store.TableOpen && t.File == m.sum:
		m.res.Already, m.res.Base = true, t.Base
		return nil
	case same:
		m.res.Resumed = true
	case replace:
	case t.State == store.TableImporting:
		return ErrOther
	case t.State == store.TableClosed:
		return ErrClosed
	default:
		if err := m.empty(ctx); err != nil {
			return err
		}
	}
	mark := store.Table{State: store.TableImporting, Base: max(t.Base, m.newest), File: m.sum, Replace: replace, Version: t.Version}
	before := t
	// Written also when the mark is there: at the new version it is this
	// process's, and one that is still at it with the same file finds out (see put).
	if m.table, err = m.writeTable(ctx, mark); err != nil {
		return err
	}
	serving, err := m.sessions(ctx)
	if err == nil && len(serving) > 0 {
		err = &ServingError{serving, "import"}
	}
	if err != nil {
		return errors.Join(err, m.undo(ctx, m.table, before))
	}
	m.res.Base = m.table.Base
	return nil
}

// empty refuses a target that holds anything. The roster does not count: what
// is there without entries says nothing about any tenant.
func (m *importer) empty(ctx context.Context) error {
	for _, space := range spaces {
		found := false
		if space == store.SpaceRoster {
			continue
		}
		if _, err := m.list(ctx, space, func(driver.KV) bool { found = true; return false }); err != nil {
			return err
		}
		if found {
			return ErrNotEmpty
		}
	}
	return nil
}

// sweep removes what the file does not bring. Without Replace finding any is an
// error: somebody else wrote here.
func (m *importer) sweep(ctx context.Context) error {
	for _, space := range spaces {
		var extra []driver.KV
		if _, err := m.list(ctx, space, func(kv driver.KV) bool {
			if _, ours := m.keys[driver.Key{Space: space, Name: kv.Name}]; !ours {
				extra = append(extra, driver.KV{Name: kv.Name, Version: kv.Version})
			}
			return true
		}); err != nil {
			return err
		}
		if len(extra) > 0 && !m.table.Replace {
			if space == store.SpaceRoster { // of a process that was refused: harmless
				continue
			}
			return fmt.Errorf("%s %q is in the target and not in the file: %w", space, extra[0].Name, ErrNotEmpty)
		}
		for _, kv := range extra {
			key := driver.Key{Space: space, Name: kv.Name}
			if err := m.settle(ctx, driver.Write{Key: key, Expect: kv.Version, Delete: true}); err != nil {
				return err
			}
			m.res.Removed++
		}
	}
	return nil
}

// write brings every record, many at once.
func (m *importer) write(ctx context.Context, file io.Reader) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(m.opt.Workers)
	written := make(chan bool, m.opt.Workers)
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		done := 0
		for wrote := range written {
			if done++; wrote {
				m.res.Written++
			}
			if m.opt.Progress != nil && (done%1000 == 0 || done == m.res.Records) {
				m.opt.Progress(done, m.res.Records)
			}
		}
	}()
	_, _, err := Read(file, func(l Line) error {
		if gctx.Err() != nil {
			return gctx.Err()
		}
		g.Go(func() error {
			wrote, err := m.put(gctx, l.Key(), l.Value)
			if err == nil {
				written <- wrote
			}
			return err
		})
		return nil
	})
	failed := g.Wait()
	close(written)
	<-counted
	if failed != nil {
		return fmt.Errorf("the import has not finished, the same again goes on: %w", failed)
	}
	return err
}

// put makes the record be there, and reports whether it had to write it.
func (m *importer) put(ctx context.Context, key driver.Key, value []byte) (bool, error) {
	kv, err := m.get(ctx, key)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return false, err
	}
	if err == nil && bytes.Equal(kv.Value, value) {
		return false, nil
	}
	if err == nil && !m.table.Replace {
		return false, fmt.Errorf("%s %q in the target is another than the file's: %w", key.Space, key.Name, ErrNotEmpty)
	}
	// Two imports of one file must not go on after one of them has finished: the
	// table may be served, and what is there is newer than the file. So the mark is
	// read after the record and before the write: while it is this import's nobody
	// has finished, so whatever a fleet writes comes later than the version that
	// was read, and the write is refused.
	t, err := m.caller.table(ctx)
	if err != nil {
		return false, err
	}
	if t != m.table {
		return false, errors.New("another import has taken over")
	}
	return true, m.settle(ctx, driver.Write{Key: key, Value: value, Expect: kv.Version})
}

// settle does one write; when its outcome is unknown it is read back.
func (m *importer) settle(ctx context.Context, w driver.Write) error {
	for try := 0; ; try++ {
		c, cancel := m.bound(ctx)
		_, err := m.d.Write(c, w)
		cancel()
		if err == nil {
			return nil
		}
		kv, rerr := m.get(ctx, w.Key)
		switch {
		case w.Delete && errors.Is(rerr, driver.ErrNotFound), rerr == nil && !w.Delete && bytes.Equal(kv.Value, w.Value):
			return nil
		case errors.Is(err, driver.ErrConflict):
			return fmt.Errorf("%s %q was changed by somebody else during the import", w.Key.Space, w.Key.Name)
		case rerr != nil && !errors.Is(rerr, driver.ErrNotFound), try == 2, ctx.Err() != nil:
			return fmt.Errorf("write %s %q: %w: %w", w.Key.Space, w.Key.Name, store.ErrUnavailable, err)
		}
	}
}

func (m *importer) get(ctx context.Context, key driver.Key) (driver.KV, error) {
	c, cancel := m.bound(ctx)
	defer cancel()
	kv, err := m.d.Get(c, key)
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		return kv, fmt.Errorf("read %s %q: %w: %w", key.Space, key.Name, store.ErrUnavailable, err)
	}
	return kv, err
}

// finish makes sure that the target holds what the file brought, and no other
// entry, and opens it.
func (m *importer) finish(ctx context.Context) error {
	for _, space := range spaces {
		missing := map[string]struct{}{}
		for k := range m.keys {
			if k.Space == space {
				missing[k.Name] = struct{}{}
			}
		}
		extra := ""
		if _, err := m.list(ctx, space, func(kv driver.KV) bool {
			if _, ours := missing[kv.Name]; !ours {
				extra = kv.Name
			}
			delete(missing, kv.Name)
			return true
		}); err != nil {
			return err
		}
		for name := range missing {
			return fmt.Errorf("%s %q was removed by somebody else during the import; run it again", space, name)
		}
		if extra != "" && space != store.SpaceRoster {
			return fmt.Errorf("%s %q was written by somebody else during the import; remove it or import with --replace", space, extra)
		}
	}
	done := m.table
	done.State, done.Replace = store.TableOpen, false
	_, err := m.writeTable(ctx, done)
	return err
}

func sessionName(kv driver.KV) string {
	var rec store.SessionRecord
	if err := json.Unmarshal(kv.Value, &rec); err != nil || rec.Name == "" {
		return kv.Name
	}
	return rec.Kind + " " + rec.Name
}
