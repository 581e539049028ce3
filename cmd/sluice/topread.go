package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
)

const (
	topEnded = 20 // moves that have ended are shown, of the newest that there are
	topWaves = 20
)

// fleetSource reads the live view from the API. It is safe for concurrent use: a look that
// is asked for by hand waits for the one that is under way.
type fleetSource struct {
	f *fleet

	mu sync.Mutex // over a look; all that follows is remembered from the one before

	counted time.Time // the tenants; it reads the whole table, so it is done more rarely
	tenants map[string]int
	next    time.Duration

	ended map[string]topWave

	at     time.Time // of the traffic
	served map[string]map[string]client.LoadView
}

// look reads everything. What only a part needs, such as how far a wave is, is left out
// with a word where it cannot be read; the store's own silence is an error.
func (s *fleetSource) look(ctx context.Context) (topFleet, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := topFleet{At: time.Now()}
	st, err := client.Read[client.StoreView](s.f.GetStore(ctx))
	if err != nil {
		return out, err
	}
	switch {
	case st.Healthy:
	case st.Error != nil:
		return out, errors.New(*st.Error)
	default:
		return out, errors.New("the store does not answer")
	}
	out.Store = st.Where
	if out.Moves, err = s.moves(ctx); err != nil {
		return out, err
	}
	if out.Clusters, err = s.clusters(ctx); err != nil {
		return out, err
	}
	for _, c := range out.Clusters {
		out.Tenants += c.Tenants
	}
	if out.Waves, err = s.waves(ctx); err != nil {
		return out, err
	}
	all, _, err := every[client.InstanceView](func(cursor *string) (*http.Response, error) {
		return s.f.ListSessions(ctx, &client.ListSessionsParams{Limit: pageLimit, Cursor: cursor})
	})
	if err != nil {
		return out, err
	}
	for _, i := range all {
		out.Fleet = append(out.Fleet, topInstance{ID: i.ID, Name: i.Name, Kind: string(i.Kind), State: string(i.State), Pending: length(i.Pending), Unresolved: length(i.Unresolved), Requests: -1})
	}
	slices.SortStableFunc(out.Fleet, func(a, b topInstance) int { return cmp.Or(-cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name)) })
	if err := s.traffic(ctx, &out); err != nil {
		out.Short = append(out.Short, "what the proxies serve cannot be read: "+err.Error())
	}
	return out, nil
}

func length(s *[]string) int {
	if s == nil {
		return 0
	}
	return len(*s)
}

// moves are those under way, and the newest that have ended.
func (s *fleetSource) moves(ctx context.Context) ([]control.Move, error) {
	active, _, err := every[control.Move](func(cursor *string) (*http.Response, error) {
		return s.f.ListMoves(ctx, &client.ListMovesParams{Active: new(true), Limit: pageLimit, Cursor: cursor})
	})
	if err != nil {
		return nil, err
	}
	newest, err := client.Read[client.Page[control.Move]](s.f.ListMoves(ctx, &client.ListMovesParams{Limit: new(int64(topEnded))}))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, m := range active {
		seen[m.ID] = true
	}
	for _, m := range newest.Items {
		if !seen[m.ID] { // one that was under way a moment ago stays as it was then
			active = append(active, m)
		}
	}
	slices.SortStableFunc(active, func(a, b control.Move) int {
		return cmp.Or(compareBool(a.Settled(), b.Settled()), -cmp.Compare(a.ID, b.ID))
	})
	return active, nil
}

// compareBool puts what is false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// clusters are all, with how many tenants each had when they were counted last.
func (s *fleetSource) clusters(ctx context.Context) (out []topCluster, err error) {
	count := time.Since(s.counted) >= s.next
	began := time.Now()
	all, _, err := every[clusterView](func(cursor *string) (*http.Response, error) {
		return s.f.ListClusters(ctx, &client.ListClustersParams{Tenants: &count, Limit: pageLimit, Cursor: cursor})
	})
	if err != nil {
		return nil, err
	}
	if count {
		s.tenants, s.counted, s.next = map[string]int{}, time.Now(), max(5*time.Second, 50*time.Since(began))
	}
	for _, c := range all {
		if c.Tenants != nil {
			s.tenants[c.Name] = *c.Tenants
		}
		out = append(out, topCluster{Name: c.Name, Tenants: s.tenants[c.Name], Requests: -1})
	}
	return out, nil
}

// waves are the newest; how far one is that has ended does not change, so only the others
// are looked at closely.
func (s *fleetSource) waves(ctx context.Context) (out []topWave, err error) {
	all, err := client.Read[client.Page[control.Wave]](s.f.ListWaves(ctx, &client.ListWavesParams{Limit: new(int64(topWaves))}))
	if err != nil {
		return nil, err
	}
	ended := map[string]topWave{}
	for _, w := range all.Items {
		if was, known := s.ended[w.ID]; known {
			out, ended[w.ID] = append(out, was), was
			continue
		}
		v, err := client.Read[struct {
			Counts map[control.ItemState]int
			ETA    time.Duration
		}](s.f.GetWave(ctx, w.ID))
		if err != nil {
			return nil, err
		}
		out = append(out, topWave{w, v.Counts, v.ETA})
		if w.State.Ended() {
			ended[w.ID] = out[len(out)-1]
		}
	}
	s.ended = ended
	return out, nil
}

// traffic adds what each proxy serves and each cluster gets, since the look before.
func (s *fleetSource) traffic(ctx context.Context, out *topFleet) error {
	t, err := client.Read[client.TrafficOutputBody](s.f.GetTraffic(ctx, nil))
	if err != nil {
		return err
	}
	now := time.Now()
	took := now.Sub(s.at).Seconds()
	served := map[string]map[string]client.LoadView{}
	requests, failed, seconds := map[string]float64{}, map[string]float64{}, map[string]float64{}
	known := false
	for _, v := range t.Items {
		i := slices.IndexFunc(out.Fleet, func(x topInstance) bool { return x.ID == v.Session })
		if i < 0 {
			continue
		}
		if v.Error != nil {
			out.Fleet[i].Error = *v.Error
			continue
		}
		out.Fleet[i].Held = int(v.Held)
		now := map[string]client.LoadView{}
		if v.ByCluster != nil {
			now = *v.ByCluster
		}
		served[v.Session] = now
		before, there := s.served[v.Session]
		if !there {
			continue
		}
		known = true
		out.Fleet[i].Requests = 0
		for name, l := range now {
			d := l.Requests - before[name].Requests
			out.Fleet[i].Requests += float64(d) / took
			requests[name] += float64(d)
			failed[name] += float64(l.Failed - before[name].Failed)
			seconds[name] += l.Seconds - before[name].Seconds
		}
	}
	s.at, s.served = now, served
	for i := range out.Clusters {
		c := &out.Clusters[i]
		if n := requests[c.Name]; known {
			c.Requests, c.Failed = n/took, failed[c.Name]/took
			if n > 0 {
				c.Latency = time.Duration(seconds[c.Name] / n * float64(time.Second))
			}
		}
	}
	return nil
}

func (s *fleetSource) move(ctx context.Context, id string) (control.MoveView, error) {
	return client.Read[control.MoveView](s.f.GetMove(ctx, id))
}

func (s *fleetSource) act(ctx context.Context, verb, id string) error {
	var resp *http.Response
	var err error
	switch verb {
	case "pause":
		resp, err = s.f.PauseMove(ctx, id, nil)
	case "resume":
		resp, err = s.f.ResumeMove(ctx, id, nil)
	case "abort":
		resp, err = s.f.AbortMove(ctx, id, nil)
	case "rollback":
		resp, err = s.f.RollbackMove(ctx, id, nil, client.RollbackMoveJSONRequestBody{})
	default:
		return fmt.Errorf("nobody knows how to %s a move", verb)
	}
	_, err = client.Read[control.Move](resp, err)
	return err
}
