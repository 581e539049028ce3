package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/store"
)

// WavePath is a path with a wave.
type WavePath struct {
	Wave string `path:"wave" maxLength:"64"`
}

type wavesInput struct{ PageQuery }

type waveItemsInput struct {
	WavePath
	PageQuery
	State string `query:"state" enum:"waiting,moving,done,failed,skipped" doc:"Only items in this state."`
}

// waveView is a wave without its items, which may be many.
type waveView struct {
	Wave   control.Wave              `json:"wave"`
	Counts map[control.ItemState]int `json:"counts" doc:"Items by state."`
	ETA    time.Duration             `json:"eta" doc:"How long the rest takes if it goes on as it did, in nanoseconds; 0 while unknown."`
}

type waveOutput struct{ Body waveView }

type waveRetiresOutput struct{ Body []control.WaveRetire }

// waveReaders are the operations that read waves.
func (a *API) waveReaders() {
	handle(a, huma.Operation{OperationID: "listWaves", Method: http.MethodGet, Path: "/waves", Tags: []string{"waves"}, Summary: "List waves, newest first"},
		Viewer, func(ctx context.Context, in *wavesInput) (*pageOutput[control.Wave], error) {
			return newest(ctx, control.Waves(a.s), in.PageQuery, nil)
		})
	handle(a, huma.Operation{OperationID: "getWave", Method: http.MethodGet, Path: "/waves/{wave}", Tags: []string{"waves"}, Summary: "Get a wave, and how far it is"},
		Viewer, a.getWave)
	handle(a, huma.Operation{OperationID: "listWaveRetires", Method: http.MethodGet, Path: "/waves/{wave}/retire", Tags: []string{"waves"}, Summary: "List what has become of the old copies of the tenants of a wave that have flipped"},
		Viewer, func(ctx context.Context, in *WavePath) (*waveRetiresOutput, error) {
			all, err := control.ReadWaveRetire(ctx, a.s, in.Wave)
			return &waveRetiresOutput{all}, err
		})
	handle(a, huma.Operation{OperationID: "listWaveItems", Method: http.MethodGet, Path: "/waves/{wave}/items", Tags: []string{"waves"}, Summary: "List the tenants of a wave, in its order"},
		Viewer, a.listWaveItems)
}

func (a *API) getWave(ctx context.Context, in *WavePath) (*waveOutput, error) {
	st, err := control.ReadWave(ctx, a.s, in.Wave)
	if err != nil {
		return nil, err
	}
	return &waveOutput{waveView{Wave: st.Wave, Counts: st.Counts, ETA: st.ETA}}, nil
}

func (a *API) listWaveItems(ctx context.Context, in *waveItemsInput) (*pageOutput[control.WaveItem], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	if after == "" {
		if _, err := control.WaveByID(ctx, a.s, in.Wave); err != nil {
			return nil, err
		}
		after = in.Wave
	}
	limit := in.Limit
	if in.State != "" {
		limit = min(scanned*limit, 1000)
	}
	out := &pageOutput[control.WaveItem]{Body: page[control.WaveItem]{Items: []control.WaveItem{}}}
	records, more, err := control.WaveItems(a.s).Page(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	fill(&out.Body, records, more, in)
	return out, nil
}

// fill takes over the items of the wave, up to the page's limit.
func fill(out *page[control.WaveItem], records []store.RecordChange[control.WaveItem], more bool, in *waveItemsInput) {
	last := ""
	for _, r := range records {
		if r.Err == nil && r.Value.Wave != in.Wave {
			more = false // the names of a wave's items begin with its id
			break
		}
		if len(out.Items) == in.Limit {
			more = true
			break
		}
		last = r.Name
		switch {
		case r.Err != nil:
			out.Unreadable++
		case in.State == "" || string(r.Value.State) == in.State:
			out.Items = append(out.Items, r.Value)
		}
	}
	if more && last != "" {
		out.Next = cursorOf(last)
	}
}
