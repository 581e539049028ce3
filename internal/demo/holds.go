package demo

import (
	"encoding/json"
	"slices"
	"time"
)

// holdsOf takes the holds out of a move's receipt. A receipt without them is not an error here: Known says so.
func holdsOf(record json.RawMessage) Holds {
	var in struct {
		Receipt struct {
			Holds *struct {
				Held    int             `json:"held"`
				Refused int             `json:"refused"`
				Longest time.Duration   `json:"longest"`
				Samples []time.Duration `json:"samples"`
			} `json:"holds"`
		} `json:"receipt"`
	}
	if err := json.Unmarshal(record, &in); err != nil || in.Receipt.Holds == nil {
		return Holds{}
	}
	h := in.Receipt.Holds
	out := Holds{Held: h.Held, Refused: h.Refused, Longest: h.Longest, Known: true}
	if n := len(h.Samples); n > 0 {
		slices.Sort(h.Samples)
		out.P50 = h.Samples[n/2]
	}
	return out
}
