package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

const base = placement.Epoch(1_000_000)

// based returns a table whose epochs begin above base.
func based(t *testing.T) (*store.Store, driver.Driver) {
	t.Helper()
	d := memstore.New(nil)
	t.Cleanup(func() { _ = d.Close() })
	must[store.Table](t)(store.WriteTable(t.Context(), d, store.Table{State: store.TableOpen, Base: base}))
	return must[*store.Store](t)(store.Open(t.Context(), d, nil)), d
}

// Every way in which an epoch leaves the store has the base in it, and all agree.
func TestEpochsHaveTheBase(t *testing.T) {
	s, d := based(t)
	e := must[placement.Entry](t)(s.Register(t.Context(), "acme", east))
	from := e.Epoch
	for _, cmd := range []placement.Command{
		{Op: placement.OpBegin, To: west, Attempt: move, Expect: e.Epoch},
		{Op: placement.OpCutover, Start: start},
		{Op: placement.OpReopen, Attempt: move},
		{Op: placement.OpAbort},
	} {
		next := must[placement.Entry](t)(s.Apply(t.Context(), "acme", cmd))
		if next.Epoch <= e.Epoch || e.Epoch <= base {
			t.Fatalf("%s: epoch %d after %d, base %d", cmd.Op, next.Epoch, e.Epoch, base)
		}
		e = next
	}
	kv := must[driver.KV](t)(d.Get(t.Context(), driver.Key{Space: store.SpaceEntries, Name: "acme"}))
	if want := base + placement.Epoch(kv.Version); e.Epoch != want {
		t.Errorf("epoch %d, want base and version, %d", e.Epoch, want)
	}
	if got := must[placement.Entry](t)(s.State(t.Context(), "acme")); !cmp.Equal(got, e) {
		t.Errorf("State: %+v, want %+v", got, e)
	}
	at := must[placement.Epoch](t)(s.Entries(t.Context(), func(got placement.Entry, err error) bool {
		if err != nil || !cmp.Equal(got, e) {
			t.Errorf("Entries: %+v, %v", got, err)
		}
		return true
	}))
	head, err := s.Head(t.Context())
	if err != nil || head != e.Epoch || at < head {
		t.Errorf("head %d, list %d, newest entry %d, %v", head, at, e.Epoch, err)
	}
	enough := errors.New("enough")
	for _, tt := range []struct {
		from, last placement.Epoch
		n          int
	}{{from, e.Epoch, 4}, {e.Epoch - 1, e.Epoch, 1}, {0, e.Epoch, 5}, {base, e.Epoch, 5}} {
		var seen []placement.Epoch
		err := s.Watch(t.Context(), tt.from, func(cs []store.Change) error {
			for _, c := range cs {
				seen = append(seen, c.Entry.Epoch)
			}
			if seen[len(seen)-1] == tt.last {
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || len(seen) != tt.n || seen[0] <= base {
			t.Errorf("watch from %d: %v, %v", tt.from, seen, err)
		}
	}
	if _, err := s.Apply(t.Context(), "acme", placement.Command{Op: placement.OpBegin, To: west, Attempt: move, Expect: e.Epoch - base}); !errors.Is(err, placement.ErrStaleEpoch) {
		t.Errorf("an epoch of the engine's own count: %v", err)
	}
	if err := s.Remove(t.Context(), "acme"); err != nil {
		t.Error(err)
	}
}

// A table that is not open is refused by everything, with what to do.
func TestNotOpen(t *testing.T) {
	for _, state := range []store.TableState{store.TableImporting, store.TableClosed} {
		d := memstore.New(nil)
		t.Cleanup(func() { _ = d.Close() })
		must[store.Table](t)(store.WriteTable(t.Context(), d, store.Table{State: state}))
		s := store.New(d, nil)
		ctx := t.Context()
		for name, call := range map[string]func() error{
			"open":          func() error { _, err := store.Open(ctx, d, nil); return err },
			"state":         func() error { _, err := s.State(ctx, "acme"); return err },
			"register":      func() error { _, err := s.Register(ctx, "acme", east); return err },
			"remove":        func() error { return s.Remove(ctx, "acme") },
			"apply":         func() error { _, err := s.Apply(ctx, "acme", placement.Command{Op: placement.OpAbort}); return err },
			"entries":       func() error { _, err := s.Entries(ctx, nil); return err },
			"watch":         func() error { return s.Watch(ctx, 0, nil) },
			"head":          func() error { _, err := s.Head(ctx); return err },
			"session":       func() error { _, err := s.OpenSession(ctx, store.Info{}, store.Report{}, nil); return err },
			"records":       func() error { _, _, err := s.Clusters().List(ctx); return err },
			"record":        func() error { _, err := s.Clusters().Get(ctx, "a"); return err },
			"put":           func() error { _, err := s.Clusters().Put(ctx, "a", placement.Cluster{}, 0); return err },
			"watch records": func() error { return s.Clusters().Watch(ctx, 0, nil) },
		} {
			var no *store.NotOpenError
			if err := call(); !errors.As(err, &no) || no.Table.State != state {
				t.Errorf("%s of a table that is %s: %v", name, state, err)
			}
		}
	}
}

// A table that cannot be read is unavailable, and is read again later.
func TestTableCannotBeRead(t *testing.T) {
	s, d := newStore(t)
	d.plan([]fault{failed}, nil)
	if _, err := s.State(t.Context(), "acme"); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	if _, err := s.State(t.Context(), "acme"); !errors.Is(err, placement.ErrUnknownPartition) {
		t.Errorf("%v, want ErrUnknownPartition", err)
	}
}

// A process that read the table before an import began gets no session during
// or after it, whatever the moment.
func TestNoSessionAcrossAnImport(t *testing.T) {
	for _, now := range []store.Table{{State: store.TableImporting}, {State: store.TableClosed}, {State: store.TableOpen, Base: 7}} {
		d := memstore.New(nil)
		t.Cleanup(func() { _ = d.Close() })
		s := must[*store.Store](t)(store.Open(t.Context(), d, nil))
		must[store.Table](t)(store.WriteTable(t.Context(), d, now))
		var no *store.NotOpenError
		if _, err := s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy}, store.Report{}, nil); !errors.As(err, &no) {
			t.Errorf("table now %+v: %v", now, err)
		}
		for _, space := range []string{store.SpaceSessions, store.SpaceRoster} {
			_, err := d.List(t.Context(), space, func(kv driver.KV) bool { t.Errorf("left in %s: %s", space, kv.Name); return true })
			if err != nil {
				t.Error(err)
			}
		}
	}
}

// Each fault of the record's write is settled by reading it.
func TestWriteTable(t *testing.T) {
	_, d := newStore(t)
	closed := store.Table{State: store.TableClosed, Base: 5, File: "f"}
	d.plan(nil, []fault{failedAfter})
	got, err := store.WriteTable(t.Context(), d, closed)
	if err != nil || got.Version == 0 {
		t.Errorf("failed but applied: %+v, %v", got, err)
	}
	d.plan(nil, []fault{failed})
	if _, err := store.WriteTable(t.Context(), d, got); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("failed: %v", err)
	}
	d.plan(nil, nil)
	if _, err := store.WriteTable(t.Context(), d, closed); !errors.Is(err, store.ErrConflict) {
		t.Errorf("at an old version: %v", err)
	}
	now := must[store.Table](t)(store.ReadTable(t.Context(), d))
	if now != got {
		t.Errorf("%+v, want %+v", now, got)
	}
}

func TestCorruptTable(t *testing.T) {
	for _, value := range []string{"", "{}", `{"v":2,"state":"open","base":0}`, `{"v":1,"state":"ajar","base":0}`, `{"v":1,"state":"open","base":9223372036854775807}`, `{"v":1,"state":"open","x":1}`} {
		d := memstore.New(nil)
		t.Cleanup(func() { _ = d.Close() })
		must[driver.Version](t)(d.Write(context.Background(), driver.Write{Key: store.TableKey(), Value: []byte(value)}))
		var corrupt *store.CorruptError
		if _, err := store.Open(t.Context(), d, &store.Options{Timeout: time.Second}); !errors.As(err, &corrupt) {
			t.Errorf("%s: %v", value, err)
		}
	}
}
