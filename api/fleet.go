package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// instanceView is one process of the fleet.
type instanceView struct {
	ID      string `json:"id" doc:"Of its session."`
	Kind    string `json:"kind" enum:"proxy,controller"`
	Name    string `json:"name"`
	Address string `json:"address" doc:"Base URL of its fleet endpoint; empty if it has none."`
	Build   string `json:"build"`
	Via     string `json:"via,omitempty" doc:"Base URL of the API of the controller that holds the session of a proxy in another language."`
	// State: a process that vanished has ended without a clean close, and what it had
	// under way is still to be accounted for.
	State string `json:"state" enum:"live,closing,vanished" doc:"vanished: it holds no session, and what it had under way is still to be accounted for."`

	Applied    placement.Epoch         `json:"applied,omitempty" doc:"Every entry up to this epoch has been applied there."`
	Pending    []placement.PartitionID `json:"pending,omitempty" doc:"Tenants with writes under way that were admitted before the newest epoch."`
	Unresolved []placement.PartitionID `json:"unresolved,omitempty" doc:"Tenants with writes of unknown outcome that may still take effect."`
	OldReads   []placement.PartitionID `json:"old_reads,omitempty" doc:"Tenants with reads open at an older place."`
	Journals   int                     `json:"journals,omitempty" doc:"Tenants that it keeps a journal of."`
	Tasks      int                     `json:"tasks,omitempty" doc:"Tasks of clusters that it waits for."`
}

type instancesInput struct {
	PageQuery
	Kind string `query:"kind" enum:"proxy,controller" doc:"Only processes of this kind."`
}

// storeView is the store, as this controller sees it.
type storeView struct {
	Kind    string `json:"kind" doc:"etcd, consul, redis or opensearch."`
	Where   string `json:"where"`
	Healthy bool   `json:"healthy" doc:"It has answered a linearizable read just now."`
	Error   string `json:"error,omitempty"`
	// Latency is of that read.
	LatencyMS float64         `json:"latency_ms" doc:"How long that read took."`
	Epoch     placement.Epoch `json:"epoch,omitempty" doc:"No change of the table is newer; absent where the engine cannot tell with one read."`
	Build     string          `json:"build" doc:"Of the controller that answers."`
}

type storeOutput struct{ Body storeView }

// fleetReaders are the operations that read the fleet and its store.
func (a *API) fleetReaders() {
	handle(a, huma.Operation{OperationID: "listSessions", Method: http.MethodGet, Path: "/sessions", Tags: []string{"fleet"}, Summary: "List the processes of the fleet, those that vanished among them, in the order of their sessions' ids"},
		Viewer, a.listSessions)
	handle(a, huma.Operation{OperationID: "getStore", Method: http.MethodGet, Path: "/store", Tags: []string{"fleet"}, Summary: "Say whether the store answers"},
		Viewer, a.getStore)
}

// listSessions reads the roster first, as the barriers do: a process that closes
// cleanly may look vanished for a moment, and none is in neither.
func (a *API) listSessions(ctx context.Context, in *instancesInput) (*pageOutput[instanceView], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	roster, _, err := a.s.Roster().List(ctx)
	if err != nil {
		return nil, err
	}
	sessions, _, err := a.s.Sessions().List(ctx)
	if err != nil {
		return nil, err
	}
	all, live := []instanceView{}, map[string]bool{}
	for _, r := range sessions {
		live[r.Name] = true
		all = append(all, viewSession(r))
	}
	for _, r := range roster {
		if !live[r.Name] {
			v := viewInfo(r.Name, r.Value.Info)
			v.State = "vanished"
			all = append(all, v)
		}
	}
	all = slices.DeleteFunc(all, func(v instanceView) bool { return v.ID <= after || in.Kind != "" && v.Kind != in.Kind })
	slices.SortFunc(all, func(x, y instanceView) int { return cmp.Compare(x.ID, y.ID) })
	out := &pageOutput[instanceView]{Body: page[instanceView]{Items: all[:min(len(all), in.Limit)]}}
	if len(all) > in.Limit {
		out.Body.Next = cursorOf(all[in.Limit-1].ID)
	}
	return out, nil
}

func viewInfo(id string, i store.Info) instanceView {
	return instanceView{ID: id, Kind: i.Kind, Name: i.Name, Address: i.Address, Build: i.Build, Via: i.Via}
}

func viewSession(r store.Record[store.SessionRecord]) instanceView {
	v := viewInfo(r.Name, r.Value.Info)
	v.State = "live"
	if r.Value.Closing {
		v.State = "closing"
	}
	v.Applied, v.Pending, v.Unresolved, v.OldReads, v.Journals = r.Value.Applied, r.Value.Pending, r.Value.Unresolved, r.Value.OldReads, len(r.Value.Journals)
	for _, t := range r.Value.Tasks {
		v.Tasks += len(t)
	}
	return v
}

// getStore answers also when the store does not: that is what it is asked for.
func (a *API) getStore(ctx context.Context, _ *struct{}) (*storeOutput, error) {
	v := storeView{Kind: a.opt.Engine, Where: a.opt.Where, Build: a.opt.Build}
	began := time.Now()
	var err error
	if a.s.HasHead() {
		v.Epoch, err = a.s.Head(ctx)
	} else {
		_, err = a.s.Epochs(ctx, []placement.PartitionID{"health"})
	}
	v.LatencyMS = float64(time.Since(began).Microseconds()) / 1000
	if v.Healthy = err == nil; err != nil {
		v.Error = err.Error()
	}
	return &storeOutput{v}, nil
}

// readers are the operations that change nothing.
func (a *API) readers() {
	a.clusterReaders()
	a.tenantReaders()
	a.moveReaders()
	a.waveReaders()
	a.planReaders()
	a.trashReaders()
	a.verifyReaders()
	a.doctorReaders()
	a.fleetReaders()
	a.callerReaders()
	a.trafficReaders()
	a.auditReaders()
	a.eventReaders()
	a.tableReaders()
}

// changes are the operations that change something.
func (a *API) changes() {
	a.clusterChanges()
	a.tenantChanges()
	a.moveChanges()
	a.waveChanges()
	a.trashChanges()
	a.doctorChanges()
	a.sessionChanges()
}
