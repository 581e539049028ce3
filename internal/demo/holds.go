package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// pauseRecord is the part of a move's record that tells how the cutover was felt.
type pauseRecord struct {
	Receipt *struct {
		Cutovers int `json:"cutovers"`
		Pause    struct {
			ControllerMS float64 `json:"controller_ms"`
			BarrierMS    float64 `json:"barrier_ms"`
			LastRoundMS  float64 `json:"last_round_ms"`
			SealMS       float64 `json:"seal_ms"`
			HeldRequests int     `json:"held_requests"`
			Refused      int     `json:"refused"`
			P50MS        float64 `json:"p50_ms"`
			MaxMS        float64 `json:"max_ms"`
			LongestMS    float64 `json:"longest_ms"`
			Unanswered   int     `json:"unanswered"`
		} `json:"pause"`
	} `json:"receipt"`
}

// receiptPatience bounds the wait for a receipt: the controller writes it right after the flip.
const receiptPatience = 15 * time.Second

// holds returns what the proxies measured, out of the move's receipt, for which it waits. A proxy that did not answer the
// controller is an error: nothing is known then about the writes that it held.
func (f *Fleet) holds(ctx context.Context, m Move) (Holds, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, receiptPatience, fmt.Errorf("none after %v", receiptPatience))
	defer cancel()
	for {
		var in pauseRecord
		if err := json.Unmarshal(m.Raw, &in); err != nil {
			return Holds{}, fmt.Errorf("read the receipt of move %s: %w", m.ID, err)
		}
		if in.Receipt != nil {
			p := in.Receipt.Pause
			if p.Unanswered > 0 {
				return Holds{}, fmt.Errorf("the receipt of move %s: %d proxies did not tell what they held", m.ID, p.Unanswered)
			}
			return Holds{Held: p.HeldRequests, Refused: p.Refused, P50: msOf(p.P50MS), Longest: max(msOf(p.MaxMS), msOf(p.LongestMS)), Cutovers: in.Receipt.Cutovers,
				Parts: PauseParts{p.ControllerMS, p.BarrierMS, p.LastRoundMS, p.SealMS}}, nil
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return Holds{}, fmt.Errorf("wait for the receipt of move %s: %w", m.ID, err)
		}
		next, err := f.Show(ctx, m.ID)
		if err != nil {
			return Holds{}, err
		}
		m = next
	}
}

func msOf(f float64) time.Duration { return time.Duration(f * float64(time.Millisecond)) }
