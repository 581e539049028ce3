package history_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/history"
)

func op(verb, value string, from, to int, outcome history.Outcome, version int64) history.Op {
	return history.Op{Verb: verb, Doc: "d", Value: value, Call: time.Duration(from), Return: time.Duration(to), Outcome: outcome, Version: version}
}

const (
	ok      = history.OK
	failed  = history.Failed
	unknown = history.Unknown
)

func TestCheck(t *testing.T) {
	put, get, del := history.Put, history.Get, history.Delete
	for _, tt := range []struct {
		name string
		ops  []history.Op
		says string // empty: there is an order
	}{
		{"nothing", nil, ""},
		{"write and read", []history.Op{op(put, "a", 1, 2, ok, 1), op(get, "a", 3, 4, ok, 1)}, ""},
		{"lost", []history.Op{op(put, "a", 1, 2, ok, 1), op(get, "", 3, 4, ok, 0)}, "no order"},
		{"resurrected", []history.Op{op(put, "a", 1, 2, ok, 1), op(del, "", 3, 4, ok, 2), op(get, "a", 5, 6, ok, 1)}, "no order"},
		{"stale", []history.Op{op(put, "a", 1, 2, ok, 1), op(put, "b", 3, 4, ok, 2), op(get, "a", 5, 6, ok, 1)}, "no order"},
		{"read beside a write", []history.Op{op(put, "a", 1, 2, ok, 1), op(put, "b", 3, 9, ok, 2), op(get, "a", 5, 6, ok, 1)}, ""},
		{"un-read", []history.Op{op(put, "a", 1, 2, ok, 1), op(put, "b", 3, 0, unknown, 0), op(get, "b", 5, 6, ok, 2), op(get, "a", 7, 8, ok, 1)}, "no order"},
		{"unknown, late", []history.Op{op(put, "a", 1, 0, unknown, 0), op(put, "b", 3, 4, ok, 1), op(get, "b", 5, 6, ok, 1), op(get, "a", 7, 8, ok, 2)}, ""},
		{"unknown, never", []history.Op{op(put, "a", 1, 0, unknown, 0), op(get, "", 7, 8, ok, 0)}, ""},
		{"unknown delete, late", []history.Op{op(put, "a", 1, 2, ok, 1), op(del, "", 3, 0, unknown, 0), op(get, "a", 5, 6, ok, 1), op(get, "", 7, 8, ok, 0)}, ""},
		{"unknown, before it was sent", []history.Op{op(get, "a", 1, 2, ok, 1), op(put, "a", 3, 0, unknown, 0)}, "no order"},
		{"refused, and seen", []history.Op{op(put, "a", 1, 2, failed, 0), op(get, "a", 3, 4, ok, 1)}, "no order"},
		{"a read without an answer", []history.Op{op(put, "a", 1, 2, ok, 1), op(get, "", 3, 4, failed, 0)}, ""},
		{"two versions", []history.Op{op(put, "a", 1, 2, ok, 1), op(get, "a", 3, 4, ok, 2)}, "had version 1, and then 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := history.Check(tt.ops, time.Minute)
			if tt.says == "" && err != nil || tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)) {
				t.Errorf("got %v, want %q\n%s", err, tt.says, history.Text(tt.ops))
			}
		})
	}
}

// Each document is judged by itself, and all that are wrong are named.
func TestCheckNamesTheDocuments(t *testing.T) {
	var ops []history.Op
	for i := range 4 {
		doc := fmt.Sprint("doc-", i)
		w, r := op(history.Put, "v", 1, 2, ok, 1), op(history.Get, "v", 3, 4, ok, 1)
		w.Doc, r.Doc = doc, doc
		if i >= 2 {
			r.Value, r.Version = "", 0
		}
		ops = append(ops, r, w)
	}
	err := history.Check(ops, 0)
	if err == nil || strings.Contains(err.Error(), "doc-1") || !strings.Contains(err.Error(), "doc-2") || !strings.Contains(err.Error(), "doc-3") {
		t.Errorf("%v", err)
	}
}

// A search that is cut short is not taken for a verdict.
func TestGaveUp(t *testing.T) {
	var ops []history.Op
	for i := range 40 {
		ops = append(ops, op(history.Put, fmt.Sprint(i), 1, 100, ok, 0), op(history.Get, fmt.Sprint(i), 1, 100, ok, 0))
	}
	ops = append(ops, op(history.Get, "none", 1, 100, ok, 0))
	if err := history.Check(ops, time.Millisecond); !errors.Is(err, history.ErrGaveUp) {
		t.Errorf("got %v", err)
	}
}
