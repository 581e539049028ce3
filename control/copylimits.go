package control

import (
	"fmt"
	"math"

	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// leastBytes is the least that a copy may be held to, in bytes a second: less, and a
// document of an ordinary size would keep its writer for minutes.
const leastBytes = 10_000

// limits are the copy's bounds as the mover knows them.
func (o MoveOptions) limits() mover.Limits {
	return mover.Limits{Docs: o.CopyRate, Bytes: o.CopyBytes, Eager: o.CopyEager, Rests: len(o.CopyHours) > 0}
}

// limitsValid refuses bounds of the copy that mean nothing. NaN and infinity, which no
// record holds, are neither 0 nor within the bounds.
func (o MoveOptions) limitsValid() error {
	if o.CopyRate != 0 && !(o.CopyRate >= 1 && o.CopyRate <= math.MaxFloat64) {
		return &placement.InvalidError{Field: "copy_rate", Value: fmt.Sprint(o.CopyRate), Fix: "must be 0 (no limit) or a number of documents a second, 1 at least"}
	}
	if o.CopyBytes != 0 && !(o.CopyBytes >= leastBytes && o.CopyBytes <= math.MaxFloat64) {
		return &placement.InvalidError{Field: "copy_bytes", Value: fmt.Sprint(o.CopyBytes / 1e6), Fix: "must be 0 (no limit) or a number of megabytes a second, 0.01 at least"}
	}
	for _, w := range o.CopyHours {
		if err := w.valid(); err != nil {
			return err
		}
	}
	return nil
}
