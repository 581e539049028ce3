package mover

import (
	"context"
	"time"
)

// UsualCopyTime is an estimate from what OpenSearch usually takes: 5,000 documents or
// 20 MiB a second, whichever is slower.
func UsualCopyTime(docs, bytes int64) time.Duration {
	return max(time.Duration(docs)*200*time.Microsecond, time.Duration(float64(bytes)/(20<<20)*float64(time.Second)))
}

// Size returns documents and bytes on disk of what is moved. It is one or two requests
// an index.
func (m *Mover) Size(ctx context.Context) (docs, bytes int64, err error) {
	idx, err := m.indices()
	if err != nil {
		return 0, 0, err
	}
	for _, i := range idx {
		d, b, err := m.size(ctx, i.Source)
		if err != nil {
			return 0, 0, err
		}
		docs, bytes = docs+d, bytes+b
	}
	return docs, bytes, nil
}
