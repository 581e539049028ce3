package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// tableEntry is an entry as a proxy needs it.
type tableEntry struct {
	Tenant placement.PartitionID `json:"tenant"`
	Epoch  placement.Epoch       `json:"epoch" doc:"Of this change of the entry. It only grows."`
	// Of an entry that was removed or cannot be decoded, that is all.
	Removed     bool                 `json:"removed,omitempty" doc:"There is no such tenant any more."`
	Unreadable  bool                 `json:"unreadable,omitempty" doc:"The entry cannot be decoded: refuse its requests."`
	Phase       string               `json:"phase,omitempty" enum:"active,draining,cutover" doc:"active and draining: reads and writes go to placement. cutover: reads go there, and writes are held. While it is not active writes are journaled."`
	Placement   *placement.Placement `json:"placement,omitempty"`
	MovingTo    *placement.Placement `json:"moving_to,omitempty"`
	Move        string               `json:"move,omitempty" doc:"That is under way: a journal belongs to one move."`
	Incarnation uint32               `json:"incarnation,omitempty" doc:"How many times the placement has changed."`
}

func viewEntry(c store.Change) tableEntry {
	e := c.Entry
	v := tableEntry{Tenant: e.Partition, Epoch: e.Epoch, Removed: c.Removed, Unreadable: c.Err != nil && !c.Removed}
	if v.Removed || v.Unreadable {
		return v
	}
	v.Phase, v.Placement, v.Move, v.Incarnation = strings.ToLower(e.State.Phase.String()), &e.State.From, e.Attempt.Move, e.Incarnation
	if e.State.Migrating() {
		v.MovingTo = &e.State.To
	}
	return v
}

type tableOutput struct {
	Body struct {
		Items   []tableEntry     `json:"items" nullable:"false"`
		Next    string           `json:"next,omitempty" doc:"The cursor of the next page; absent: there is none."`
		Version *placement.Epoch `json:"version,omitempty" doc:"Of the first page only. The pages have every change up to it, and some of the later ones: follow the changes from it."`
	}
}

type changesInput struct {
	From int64 `query:"from" required:"true" minimum:"0" doc:"Changes after this epoch: the version of the first page, or applied of the last line that was taken."`
}

// tableLine is a line of the changes.
type tableLine struct {
	Alive   bool            `json:"alive,omitempty"`
	Anew    bool            `json:"list_anew,omitempty"`
	Applied placement.Epoch `json:"applied,omitempty"`
	Changes []tableEntry    `json:"changes,omitempty"`
}

type barrierInput struct {
	Tenant []string `query:"tenant,explode" required:"true" minItems:"1" maxItems:"100" doc:"May be given several times."`
}

type barrierOutput struct {
	Body struct {
		Epochs map[placement.PartitionID]placement.Epoch `json:"epochs" doc:"By tenant: who has applied everything up to it knows every change of the tenant that was acknowledged before the request was sent. 0: there is no such tenant."`
	}
}

// tableReaders are the operations by which a proxy knows where tenants are.
func (a *API) tableReaders() {
	op := func(id, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{"fleet"}, Summary: summary}
	}
	handle(a, op("listTable", "/fleet/table", "List the placement table, in the order of the tenants' names"), Proxy, a.listTable)
	changes := op("followTable", "/fleet/table/changes", "Follow the placement table, as lines of JSON")
	changes.Responses = map[string]*huma.Response{"200": {
		Description: "Lines, each an object. applied and changes: every change up to that epoch is in this line or came before it. alive: nothing has changed; one comes at once and then every 5 s, so whoever hears nothing for 15 s has lost the connection. list_anew: changes are missing; list the table anew. Without it the same connection can be made again from the last applied.",
		Content:     map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	handle(a, changes, Proxy, a.followTable)
	handle(a, op("readBarrier", "/fleet/barrier", "Say what a proxy must have applied to decide about a request for some tenants that has arrived before this is asked"), Proxy, a.readBarrier)
	handle(a, op("listTableClusters", "/fleet/clusters", "List the clusters that placements name, in the order of their names"), Proxy, a.listTableClusters)
}

// listTable reads the version before the first page, and each page after it: so what the
// version covers is in the pages, and whatever they have beyond it the changes from it
// have as well, with the same epochs. An entry that is removed between is in the changes.
func (a *API) listTable(ctx context.Context, in *PageQuery) (*tableOutput, error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	out := &tableOutput{}
	if after == "" {
		v, err := a.s.Now(ctx)
		if err != nil {
			return nil, err
		}
		out.Body.Version = &v
	}
	entries, more, err := a.s.EntryPage(ctx, placement.PartitionID(after), in.Limit)
	if err != nil {
		return nil, err
	}
	out.Body.Items = make([]tableEntry, 0, len(entries))
	for _, c := range entries {
		out.Body.Items = append(out.Body.Items, viewEntry(c))
	}
	if n := len(entries); more && n > 0 {
		out.Body.Next = cursorOf(string(entries[n-1].Entry.Partition))
	}
	return out, nil
}

// proxyBeat is how often a proxy that follows the table hears something at least.
const proxyBeat = 5 * time.Second

func (a *API) followTable(ctx context.Context, in *changesInput) (*huma.StreamResponse, error) {
	now, err := a.s.Now(ctx)
	if err != nil {
		return nil, err
	}
	life, leave, err := a.hub.follower()
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer leave()
		r, w := humago.Unwrap(hc)
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(life, cancel)()
		w.Header().Set("Content-Type", "application/x-ndjson")
		lines, ended := make(chan tableLine), make(chan struct{})
		go func() {
			defer close(ended)
			err := error(driver.ErrCompacted) // what is ahead of this table has seen another one
			if from := placement.Epoch(in.From); from <= now {
				err = a.watchTable(ctx, from, lines)
			}
			if errors.Is(err, driver.ErrCompacted) {
				select {
				case lines <- tableLine{Anew: true}:
				case <-ctx.Done():
				}
			} else if err != nil && ctx.Err() == nil {
				a.log.Warn("the table could not be followed for a proxy, which will come back", "error", err)
			}
		}()
		defer func() { cancel(); <-ended }()
		beat := time.NewTicker(proxyBeat)
		defer beat.Stop()
		out := stream{w: w, rc: http.NewResponseController(w)}
		for err := out.line(tableLine{Alive: true}); err == nil; {
			select {
			case <-ctx.Done():
				return
			case <-ended:
				return
			case l := <-lines:
				err = out.line(l)
			case <-beat.C:
				err = out.line(tableLine{Alive: true})
			}
		}
	}}, nil
}

// watchTable passes changes on as lines.
func (a *API) watchTable(ctx context.Context, from placement.Epoch, lines chan<- tableLine) error {
	return a.s.Watch(ctx, from, func(changes []store.Change) error {
		l := tableLine{Applied: changes[len(changes)-1].Entry.Epoch}
		for _, c := range changes {
			l.Changes = append(l.Changes, viewEntry(c))
		}
		select {
		case lines <- l:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

// line writes a line of JSON.
func (s stream) line(l tableLine) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return s.write(string(b) + "\n")
}

// readBarrier reads the head where the engine has one, which is the same for all
// tenants, and otherwise the tenants' own epochs. Either read begins after the request has
// arrived, and is linearizable.
func (a *API) readBarrier(ctx context.Context, in *barrierInput) (*barrierOutput, error) {
	out := &barrierOutput{}
	out.Body.Epochs = make(map[placement.PartitionID]placement.Epoch, len(in.Tenant))
	if a.s.HasHead() {
		head, err := a.s.Head(ctx)
		if err != nil {
			return nil, err
		}
		for _, id := range in.Tenant {
			out.Body.Epochs[placement.PartitionID(id)] = head
		}
		return out, nil
	}
	ids := make([]placement.PartitionID, 0, len(in.Tenant))
	for _, id := range in.Tenant {
		ids = append(ids, placement.PartitionID(id))
	}
	all, err := a.s.Epochs(ctx, ids)
	if err != nil {
		return nil, err
	}
	for id, x := range all {
		if x.Err != nil {
			return nil, x.Err
		}
		out.Body.Epochs[id] = x.Epoch
	}
	return out, nil
}

// listTableClusters is listClusters for proxies, which may not look at the rest.
func (a *API) listTableClusters(ctx context.Context, in *PageQuery) (*pageOutput[clusterView], error) {
	return a.listClusters(ctx, &clustersInput{PageQuery: *in})
}
