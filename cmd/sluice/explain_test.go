package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/transfer"
)

// Every code is explained, and nothing else is.
func TestExplain(t *testing.T) {
	t.Parallel()
	c := cli{t: t}
	list := c.ok("explain")
	for _, of := range catalog.Surfaces {
		for _, e := range catalog.Entries(of) {
			if !strings.Contains(list, e.Code+" ") {
				t.Errorf("the list lacks %s", e.Code)
			}
			if out := c.ok("explain", e.Code); !strings.Contains(out, e.Meaning) || !strings.Contains(out, e.Action) || !strings.Contains(out, e.Harm) {
				t.Errorf("explain %s: %s", e.Code, out)
			}
		}
	}
	var got []explained
	if err := json.Unmarshal([]byte(c.ok("explain", "cluster_unreachable", "-o", "json")), &got); err != nil || len(got) != 3 {
		t.Errorf("in JSON: %v, %v", got, err)
	}
	if r := c.run("explain", "no-such-code"); r.code != exitUsage || !strings.Contains(r.stderr, "`sluice explain` lists all") {
		t.Errorf("no code: %+v", r)
	}
}

// With -o json an error is one object with its code, and the exit code is that of the
// catalogue.
func TestErrorsInJSON(t *testing.T) {
	c, _ := newCLI(t)
	for _, tt := range []struct{ args, code string }{
		{"tenant show nobody -o json", ""}, // whichever package has refused it
		{"tenant list -o json --frobnicate", "usage"},
		{"moves show m1k2j3h4g5abcdef -o json", ""},
		{"tenant add acme --cluster A --index x -o json", "invalid"},
	} {
		r := c.run(strings.Fields(tt.args)...)
		var got struct{ Error failure }
		if err := json.Unmarshal([]byte(r.stderr), &got); err != nil {
			t.Errorf("sluice %s: %v: %q", tt.args, err, r.stderr)
			continue
		}
		e, ok := catalog.Find(catalog.Operator, got.Error.Code)
		if !ok {
			e, ok = catalog.Find(catalog.Move, got.Error.Code)
		}
		if !ok || tt.code != "" && got.Error.Code != tt.code || got.Error.Exit != r.code || r.code != e.Exit || got.Error.Action != e.Action || got.Error.Message == "" || strings.Count(r.stderr, "\n") != 1 {
			t.Errorf("sluice %s: code %d, %s; want %s", tt.args, r.code, r.stderr, tt.code)
		}
	}
	text := c.run("tenant", "show", "nobody")
	if !strings.HasPrefix(text.stderr, "sluice: ") || text.code != exitRefused {
		t.Errorf("as text: %+v", text)
	}
}

// Whatever ends a command has an entry, that of the outermost code; a lost history and
// an interruption are seen through what they are wrapped in.
func TestEveryErrorEndsWithItsCode(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code string
		exit int
	}{
		{errors.New("something"), "failed", exitFailure},
		{fmt.Errorf("read: %w", store.ErrUnavailable), "store_unavailable", exitUnavailable},
		{fmt.Errorf("read: %w: %w", store.ErrUnavailable, driver.ErrHistoryLost), "history_lost", exitLost},
		{fmt.Errorf("read: %w: %w", store.ErrUnavailable, context.Canceled), "interrupted", exitInterrupted},
		{context.Canceled, "interrupted", exitInterrupted},
		{&refusedError{"no"}, "refused", exitRefused},
		{&usageError{errors.New("what?")}, "usage", exitUsage},
		{&usageError{&placement.InvalidError{Field: "f", Fix: "must be"}}, "invalid", exitUsage},
		{&placement.Refusal{Code: placement.CodeStaleEpoch}, "stale_epoch", exitRefused},
		{&control.Refusal{Err: control.ErrInUse, Text: "in use"}, "in_use", exitRefused},
		{&control.UnreachableError{What: "a", Err: errors.New("b")}, "cluster_unreachable", exitUnavailable},
		{fmt.Errorf("ask: %w", upstream.Unsent(errors.New("no route"))), "cluster_unreachable", exitUnavailable},
		{&mover.RefusedError{Code: mover.CodeDataStream}, "data_stream", exitRefused},
		{&store.NotOpenError{}, "table_closed", exitRefused},
		{transfer.ErrNotEmpty, "store_not_empty", exitRefused},
		{&transfer.FileError{}, "bad_file", exitUsage},
		{&moveError{"it failed"}, "move_ended", exitMove},
		{&differentError{}, "copies_differ", exitDifferent},
		{&verdictError{exitWeak, "weak"}, "doctor_weak", exitWeak},
		{&verdictError{exitBroken, "broken"}, "doctor_broken", exitBroken},
		{&verdictError{exitUnavailable, "not seen"}, "doctor_unknown", exitUnavailable},
	} {
		if e := entryOf(tt.err); e.Code != tt.code || exitCode(tt.err) != tt.exit {
			t.Errorf("%v: %s, exit code %d; want %s, %d", tt.err, e.Code, exitCode(tt.err), tt.code, tt.exit)
		}
	}
}
