package demo

import (
	"context"
	"io"
	"time"
)

// Widen is what the demo does beside each of its moves.
func (f *Fleet) Widen(ctx context.Context, patience time.Duration) []string {
	return (&story{fleet: f, out: io.Discard, begun: time.Now()}).widen(ctx, patience)
}
