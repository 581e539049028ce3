package store

import (
	"encoding/json"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store/driver"
)

// EncodeByJSON is EncodeEntry by encoding/json.
func EncodeByJSON(e placement.Entry) ([]byte, error) {
	j := entryJSON{
		Schema: schema, Phase: e.State.Phase.String(), From: e.State.From,
		Incarnation: e.Incarnation, PreviousMove: e.PreviousMove, Fenced: e.Fenced,
	}
	if !e.State.To.IsZero() {
		j.To = &e.State.To
	}
	if e.Attempt != (placement.Attempt{}) {
		j.Attempt = &e.Attempt
	}
	if e.CutoverAt != (placement.Start{}) {
		j.CutoverAt = &e.CutoverAt
	}
	if !e.Previous.IsZero() {
		j.Previous = &e.Previous
	}
	return json.Marshal(j)
}

// DecodeByJSON is DecodeEntry by encoding/json alone.
func DecodeByJSON(kv driver.KV) (placement.Entry, error) {
	var j entryJSON
	err := strictJSON(kv.Value, &j)
	return checkEntry(kv, j, err)
}

// Scanned reports whether an entry is read without encoding/json.
func Scanned(b []byte) bool {
	_, ok := scanEntry(b)
	return ok
}
