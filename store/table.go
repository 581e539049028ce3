package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// A table can move from one engine to another, and epochs must not go back when
// it does: instances, barriers and the moves' records compare them, and so may a
// user. A new engine counts from the beginning, so the table itself says what to
// add: one reserved record, written by an import and by nothing else, holds the
// base, and every epoch that leaves a [Store] is base + the engine's version.
// Versions of other records never leave the process that read them; they stay
// the engine's own.
//
// The base cannot change under a process that serves, for two reasons that
// hold whatever the timing. A Store reads the record before anything else and
// keeps what it read. And whoever changes the record (an import, a close) first
// writes it as not open, then lists the sessions, and goes on only if there are
// none; a process writes its session, then reads the record again, and goes on
// only if it is as it was. Both reads are linearizable, so at least one of the
// two sees the other and gives way. A process without a session (a command of an
// operator) may still have the old base; it publishes no epoch, and its writes are
// conditional on the engine's own versions, which the base does not touch.

// SpaceTable holds the reserved record.
const SpaceTable = "table"

// TableKey is the reserved record's key.
func TableKey() driver.Key { return driver.Key{Space: SpaceTable, Name: "table"} }

// TableState says whether the table may be served.
type TableState string

// The states of a table.
const (
	TableOpen      TableState = "open"
	TableImporting TableState = "importing" // an import has begun and has not finished
	TableClosed    TableState = "closed"    // exported for good: it is served from another store
)

// MaxBase is the highest base. It leaves room for 2^62 changes.
const MaxBase = placement.Epoch(1) << 62

// Table is the reserved record. A store without one is open, with base 0.
type Table struct {
	State TableState
	// Base is what is added to the engine's versions.
	Base placement.Epoch
	// File identifies the export that was or is being imported, or empty.
	File string
	// Replace: the import under way removes what it does not bring.
	Replace bool
	// Version is the record's own, 0 when there is none.
	Version driver.Version
}

type tableJSON struct {
	Schema  int             `json:"v"`
	State   TableState      `json:"state"`
	Base    placement.Epoch `json:"base"`
	File    string          `json:"file,omitempty"`
	Replace bool            `json:"replace,omitempty"`
}

// NotOpenError is a table that must not be served, or that is another one than
// the process began with.
type NotOpenError struct{ Table Table }

func (e *NotOpenError) Error() string {
	switch e.Table.State {
	case TableImporting:
		return "the table is incomplete: an import has not finished; run the same `sluice store import` again, or import with --replace"
	case TableClosed:
		return "the table is closed: it was exported to be served from another store; `sluice store reopen` takes it back, if nothing serves the other one"
	}
	return "the table was replaced by an import while this process ran; restart it"
}

// ErrorCode is its code in the catalogue of errors.
func (e *NotOpenError) ErrorCode() string { return "table_closed" }

// ReadTable reads the reserved record, linearizably.
func ReadTable(ctx context.Context, d driver.Driver) (Table, error) {
	kv, err := d.Get(ctx, TableKey())
	if errors.Is(err, driver.ErrNotFound) {
		return Table{State: TableOpen}, nil
	}
	if err != nil {
		return Table{}, unavailable(ctx, "read the table's record", err)
	}
	return decodeTable(kv)
}

func decodeTable(kv driver.KV) (Table, error) {
	corrupt := func(reason string) (Table, error) {
		return Table{Version: kv.Version}, &CorruptError{Space: SpaceTable, Name: kv.Name, Reason: reason}
	}
	var j tableJSON
	if err := strictJSON(kv.Value, &j); err != nil {
		return corrupt(err.Error())
	}
	switch {
	case j.Schema != schema:
		return corrupt(fmt.Sprintf("written by another version (schema %d, this program reads %d)", j.Schema, schema))
	case j.State != TableOpen && j.State != TableImporting && j.State != TableClosed:
		return corrupt(fmt.Sprintf("state %q", j.State))
	case j.Base > MaxBase:
		return corrupt(fmt.Sprintf("base %d is above %d", j.Base, MaxBase))
	}
	return Table{State: j.State, Base: j.Base, File: j.File, Replace: j.Replace, Version: kv.Version}, nil
}

// WriteTable replaces the reserved record iff it is at t.Version, and returns t
// at its new version. The base must not go down. driver.ErrConflict: another was
// quicker; any other error leaves the outcome unknown.
func WriteTable(ctx context.Context, d driver.Driver, t Table) (Table, error) {
	value, err := json.Marshal(tableJSON{schema, t.State, t.Base, t.File, t.Replace})
	if err != nil {
		return t, fmt.Errorf("encode the table's record: %w", err)
	}
	v, err := d.Write(ctx, driver.Write{Key: TableKey(), Value: value, Expect: t.Version})
	if err == nil {
		t.Version = v
		return t, nil
	}
	if errors.Is(err, driver.ErrConflict) {
		return t, fmt.Errorf("write the table's record: %w", err)
	}
	// Read it back: exactly what was meant, at another version, is done.
	if now, rerr := ReadTable(ctx, d); rerr == nil {
		want := t
		want.Version = now.Version
		if now == want && now.Version != t.Version {
			return now, nil
		}
	}
	return t, unavailable(ctx, "write the table's record", err)
}

// Open returns the table over d like New, and reads the reserved record at
// once, so that a table that must not be served is an error here
// (*NotOpenError) and not at the first use.
func Open(ctx context.Context, d driver.Driver, o *Options) (*Store, error) {
	s := New(d, o)
	if _, err := s.opened(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// notRead is the base before the record was read.
const notRead = math.MaxUint64

// opened returns the base; the first call reads the record.
func (s *Store) opened(ctx context.Context) (placement.Epoch, error) {
	if b := s.base.Load(); b != notRead {
		return placement.Epoch(b), nil
	}
	t, err := s.readTable(ctx)
	if err != nil {
		return 0, err
	}
	if t.State != TableOpen {
		return 0, &NotOpenError{t}
	}
	// Of two first readers one decides, for the whole process.
	s.base.CompareAndSwap(notRead, uint64(t.Base))
	return placement.Epoch(s.base.Load()), nil
}

func (s *Store) readTable(ctx context.Context) (Table, error) {
	c := s.bound(ctx)
	defer c.end()
	t, err := ReadTable(c, s.d)
	if err != nil && ctx.Err() != nil {
		return t, fmt.Errorf("read the table's record: %w", ctx.Err())
	}
	return t, err
}

// stillOpen reads the record again, after a session was written: see above.
func (s *Store) stillOpen(ctx context.Context) error {
	t, err := s.readTable(ctx)
	if err != nil {
		return err
	}
	if t.State != TableOpen || uint64(t.Base) != s.base.Load() {
		return &NotOpenError{t}
	}
	return nil
}

// epoch and version translate between what leaves the store and what the
// engine has.
func epochOf(base placement.Epoch, v driver.Version) placement.Epoch {
	return base + placement.Epoch(v)
}

func versionOf(base, e placement.Epoch) driver.Version {
	if e < base { // from before the import: before everything that is in the table
		return 0
	}
	return driver.Version(e - base)
}
