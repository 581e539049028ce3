package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// schema is the version of the encoding. A reader refuses a newer one: it would
// not know what it must not ignore.
const schema = 1

type entryJSON struct {
	Schema       int                  `json:"v"`
	Phase        string               `json:"phase"`
	From         placement.Placement  `json:"from"`
	To           *placement.Placement `json:"to,omitempty"`
	Incarnation  uint32               `json:"incarnation,omitempty"`
	Attempt      *placement.Attempt   `json:"attempt,omitempty"`
	CutoverAt    *placement.Start     `json:"cutover_at,omitempty"`
	Previous     *placement.Placement `json:"previous,omitempty"`
	PreviousMove string               `json:"previous_move,omitempty"`
	Fenced       string               `json:"fenced,omitempty"`
}

// EncodeEntry returns the stored form of e. Partition and Epoch are not part of
// it: they are the record's key and version. Equal entries encode equally.
func EncodeEntry(e placement.Entry) []byte {
	return appendEntry(make([]byte, 0, 448), &e)
}

// DecodeEntry reads the stored form; its epoch is the record's version, to which
// a [Store] adds its base. What does not say a legal entry, one that
// [placement.Step] can have returned, is a *CorruptError.
func DecodeEntry(kv driver.KV) (placement.Entry, error) {
	j, ok := scanEntry(kv.Value)
	if ok {
		return checkEntry(kv, j, nil)
	}
	var other entryJSON
	err := strictJSON(kv.Value, &other)
	return checkEntry(kv, other, err)
}

// checkEntry makes an entry of its record, if it was read without an error.
func checkEntry(kv driver.KV, j entryJSON, err error) (placement.Entry, error) {
	e := placement.Entry{Partition: placement.PartitionID(kv.Name), Epoch: placement.Epoch(kv.Version)}
	corrupt := func(reason string) (placement.Entry, error) {
		return e, &CorruptError{Space: SpaceEntries, Name: kv.Name, Reason: reason}
	}
	if err != nil {
		return corrupt(err.Error())
	}
	if j.Schema != schema {
		return corrupt(fmt.Sprintf("written by another version (schema %d, this program reads %d)", j.Schema, schema))
	}
	switch j.Phase {
	case "Active":
		e.State.Phase = placement.Active
	case "Draining":
		e.State.Phase = placement.Draining
	case "Cutover":
		e.State.Phase = placement.Cutover
	default:
		return corrupt(fmt.Sprintf("phase %q", j.Phase))
	}
	if err := j.From.Validate(); err != nil {
		return corrupt(err.Error())
	}
	e.State.From = j.From
	if (j.To != nil) != e.State.Migrating() || (j.Attempt != nil) != e.State.Migrating() {
		return corrupt("target and attempt do not fit phase " + j.Phase)
	}
	if j.To != nil {
		if err := j.To.Validate(); err != nil {
			return corrupt("to: " + err.Error())
		}
		if *j.To == j.From {
			return corrupt("to: is where the partition is")
		}
		e.State.To = *j.To
	}
	if j.Attempt != nil {
		if j.Attempt.Number == 0 { // Step numbers from 1; none would not be written again
			return corrupt("attempt: must have a number from 1")
		}
		e.Attempt = *j.Attempt
	}
	if j.CutoverAt != nil {
		if e.State.Phase != placement.Cutover {
			return corrupt("cutover_at outside Cutover")
		}
		if j.CutoverAt.Since < 0 { // a timed barrier would take it for long ago
			return corrupt("cutover_at: since is negative")
		}
		e.CutoverAt = *j.CutoverAt
	}
	if j.Previous != nil {
		if err := j.Previous.Validate(); err != nil {
			return corrupt("previous: " + err.Error())
		}
		e.Previous = *j.Previous
	}
	if j.Previous != nil && e.State.Migrating() && *j.Previous != *j.To {
		return corrupt("previous in phase " + j.Phase + " is not the target of a rollback")
	}
	if j.Previous == nil && (j.PreviousMove != "" || j.Fenced != "") {
		return corrupt("previous_move or fenced without previous")
	}
	e.Incarnation, e.PreviousMove, e.Fenced = j.Incarnation, j.PreviousMove, j.Fenced
	return e, nil
}

func strictJSON(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("data after the record")
	}
	return nil
}
