// Package history judges what clients saw of documents: whether the operations on each one could have happened one after
// the other, each at some moment between its call and its return. That is linearizability, and it is the whole promise to
// a client: no acknowledged write is lost, none comes back, and what was read once is not un-read.
//
// It knows nothing of Sluice, of HTTP and of time that is real; the simulation and the tests with real processes share it.
package history

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Outcome of an operation, as its client knows it.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Failed  Outcome = "failed"  // refused: certainly without effect
	Unknown Outcome = "unknown" // nobody told the client; a write may take effect at any time from its call on
)

// The verbs.
const (
	Put    = "put"
	Delete = "delete"
	Get    = "get"
)

// Op is one operation of a client on one document.
type Op struct {
	Client  int
	Verb    string // Put, Delete or Get
	Doc     string
	Value   string        // written, each at most once, or read; empty: there is no document
	Call    time.Duration // since a moment that all clients share
	Return  time.Duration
	Outcome Outcome
	Version int64 // of the document, as answered; 0: not told
}

func (o Op) String() string {
	return fmt.Sprintf("client %d %-6s %s=%q %.4f..%.4f %s v%d", o.Client, o.Verb, o.Doc, o.Value, o.Call.Seconds(), o.Return.Seconds(), o.Outcome, o.Version)
}

// ByDoc sorts operations into those of each document, in the order of their calls.
func ByDoc(ops []Op) map[string][]Op {
	docs := map[string][]Op{}
	for _, o := range ops {
		docs[o.Doc] = append(docs[o.Doc], o)
	}
	for _, of := range docs {
		slices.SortStableFunc(of, func(a, b Op) int { return cmp.Compare(a.Call, b.Call) })
	}
	return docs
}

// ErrGaveUp: the search took longer than it was given, which says nothing about the history.
var ErrGaveUp = errors.New("the checker gave up")

// Check returns nil when the operations on each document are linearizable and no value was seen with two versions. Each
// document is given limit; 0 is no limit. Otherwise the error names the documents.
func Check(ops []Op, limit time.Duration) error {
	docs := ByDoc(ops)
	var errs []error
	for _, doc := range slices.Sorted(maps.Keys(docs)) {
		if err := linearizable(docs[doc], limit); err != nil {
			errs = append(errs, fmt.Errorf("the history of %s is not that of one document: %w", doc, err))
		}
	}
	return errors.Join(errs...)
}

// register is one document: a write or a delete sets it, a read shows it.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, in, out any) (bool, any) {
		o := in.(Op)
		if o.Verb == Get {
			return out.(string) == state.(string), state
		}
		return true, o.Value
	},
	DescribeOperation: func(in, _ any) string { return in.(Op).String() },
}

// forever is after everything: an operation of unknown outcome may take effect
// at any time, or, when it does so after the last read, not at all.
const forever = int64(1) << 62

func linearizable(ops []Op, limit time.Duration) error {
	if err := versions(ops); err != nil {
		return err
	}
	read := map[string]bool{}
	for _, o := range ops {
		if o.Verb == Get && o.Outcome == OK {
			read[o.Value] = true
		}
	}
	var in []porcupine.Operation
	for _, o := range ops {
		end := int64(o.Return)
		switch {
		case o.Outcome == Failed, o.Verb == Get && o.Outcome != OK:
			continue
		case o.Outcome == Unknown && !read[o.Value]:
			// Nobody saw it: it can always be put behind everything. Each one that is
			// left out halves the orders to be searched.
			continue
		case o.Outcome == Unknown:
			end = forever
		}
		in = append(in, porcupine.Operation{ClientId: len(in), Input: o, Call: int64(o.Call), Output: o.Value, Return: end})
	}
	switch porcupine.CheckOperationsTimeout(register, in, limit) {
	case porcupine.Ok:
		return nil
	case porcupine.Unknown:
		return ErrGaveUp
	}
	return errors.New("no order of its operations explains it")
}

// versions compares the versions of each value that were told: a value keeps its
// version, wherever the document is.
func versions(ops []Op) error {
	of := map[string]int64{}
	for _, o := range ops {
		if o.Outcome != OK || o.Value == "" || o.Version <= 0 {
			continue
		}
		if v, ok := of[o.Value]; ok && v != o.Version {
			return fmt.Errorf("%s had version %d, and then %d", o.Value, v, o.Version)
		}
		of[o.Value] = o.Version
	}
	return nil
}

// Text is a history for people, one operation a line.
func Text(ops []Op) string {
	var b strings.Builder
	for _, o := range ops {
		fmt.Fprintln(&b, o)
	}
	return b.String()
}
