package control

import (
	"context"
	"fmt"
	"time"

	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/store"
)

// pauseTrips is how many requests, one after the other, a cutover sends to each cluster:
// about, and with few documents left. usualPause has those of clusters that are near.
const pauseTrips = 5

// sample reads a sample for a move that is asked for.
func sample(ctx context.Context, s *store.Store, r Request) (mover.Sample, error) {
	mv, end, err := planned(ctx, s, r)
	if err != nil {
		return mover.Sample{}, err
	}
	defer end()
	return mv.Sample(ctx)
}

// sampled puts a sample in the place of what earlier moves do not tell.
//
// A copy reads and writes at the same time, so it takes as long as the slower of both.
// Reading is as fast as it was in the sample. Writing is not measured, for that would be to
// write: it is taken to be what OpenSearch usually takes, of documents as large as those
// of the sample. A target that is slower than that makes the copy longer than predicted.
func (p Prediction) sampled(x mover.Sample, limit float64) Prediction {
	p.Sample = &x
	basis := ""
	if x.Docs > 0 && p.RestsOn == GroundDefault {
		p.RestsOn = GroundSample
		reading := time.Duration(float64(p.Docs) / x.ReadRate * float64(time.Second))
		p.CopyTime = max(reading, mover.UsualCopyTime(p.Docs, int64(float64(p.Docs)*x.DocBytes)))
		if limit > 0 {
			p.CopyTime = max(p.CopyTime, time.Duration(float64(p.Docs)/limit*float64(time.Second)))
		}
		basis = fmt.Sprintf("a sample of %d documents of %d shards: %.0f bytes a document, %.0f documents a second read; how fast the target writes was not measured, and taken to be usual", x.Docs, x.Shards, x.DocBytes, x.ReadRate)
	}
	if p.PauseRestsOn == GroundDefault {
		p.PauseRestsOn = GroundSample
		p.Pause = usualPause + pauseTrips*(x.SourceTrip+x.TargetTrip)
		if basis != "" {
			basis += "; "
		}
		basis += fmt.Sprintf("round trips of %.1f ms to the source and %.1f ms to the target", float64(x.SourceTrip)/1e6, float64(x.TargetTrip)/1e6)
	}
	switch {
	case basis == "":
	case p.Moves > 0:
		p.Basis += "; " + basis
	case x.Docs == 0:
		p.Basis = "what OpenSearch usually takes, for the source is empty; " + basis
	default:
		p.Basis = basis
	}
	return p
}
