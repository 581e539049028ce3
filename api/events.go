package api

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

const (
	keptEvents   = 4096 // to resume from
	clientEvents = 256  // that a client may be behind
	maxClients   = 100
	heartbeat    = 15 * time.Second
	writeTime    = 10 * time.Second // for what is written to a client at a time
)

// Kinds of events. A reset says that some may be missing: list anew.
var eventKinds = []string{"tenant", "move", "wave", "session"}

const (
	eventReady = "ready"
	eventReset = "reset"
)

// event is one change of the table.
type event struct {
	seq  uint64
	kind string
	data []byte
}

// changed is what an event says.
type changed struct {
	Name    string `json:"name"`
	Removed bool   `json:"removed,omitempty"`
	Value   any    `json:"value,omitempty"`
}

// hub follows the table once for all clients, from when the first one asks.
type hub struct {
	id   string // of this process: events of another have other numbers
	wake chan struct{}

	mu      sync.Mutex
	running bool            // Run is under way
	life    context.Context // of Run
	tables  int             // clients that follow the placement table
	ready   bool            // all watches have begun
	seq     uint64
	kept    []event
	clients map[chan event]bool
}

func newHub() *hub {
	return &hub{id: rand.Text()[:10], wake: make(chan struct{}, 1), clients: map[chan event]bool{}}
}

// publish gives an event to all clients. One who has not taken the earlier ones is
// dropped: he reads too slowly, and may come back and resume.
func (h *hub) publish(kind string, c any) {
	data, err := json.Marshal(c)
	if err != nil {
		return // of types that are encoded everywhere else too
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.seq++
	e := event{h.seq, kind, data}
	if h.kept = append(h.kept, e); len(h.kept) >= 2*keptEvents {
		h.kept = slices.Clone(h.kept[keptEvents:])
	}
	for c := range h.clients {
		select {
		case c <- e:
		default:
			delete(h.clients, c)
			close(c)
		}
	}
}

// join adds a client, who has seen the events up to last; what he has missed comes first.
// It is nil while the table is not followed.
func (h *hub) join(last string) (chan event, []event, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.running:
		return nil, nil, problem(CodeStoreUnavailable, "the table is not followed by this process just now")
	case len(h.clients) >= maxClients:
		return nil, nil, problem(CodeTooMany, fmt.Sprintf("%d clients follow events here already", maxClients))
	case !h.ready:
		select {
		case h.wake <- struct{}{}:
		default:
		}
		return nil, nil, nil
	}
	c := make(chan event, clientEvents)
	h.clients[c] = true
	if last == "" {
		return c, []event{{h.seq, eventReady, []byte("{}")}}, nil
	}
	id, text, _ := strings.Cut(last, "-")
	seq, err := strconv.ParseUint(text, 10, 64)
	oldest := h.seq + 1
	if len(h.kept) > 0 {
		oldest = h.kept[0].seq
	}
	if err != nil || id != h.id || seq > h.seq || seq+1 < oldest {
		return c, []event{{h.seq, eventReset, []byte("{}")}}, nil
	}
	return c, slices.Clone(h.kept[len(h.kept)-int(h.seq-seq):]), nil
}

func (h *hub) leave(c chan event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.clients[c] {
		delete(h.clients, c)
		close(c)
	}
}

// follower counts a client that follows the placement table itself, of which nothing may be
// left out. life ends when the table is not to be followed here any more.
func (h *hub) follower() (life context.Context, leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !h.running:
		return nil, nil, problem(CodeStoreUnavailable, "the table is not followed by this process just now")
	case h.tables >= maxHeld:
		return nil, nil, problem(CodeTooMany, fmt.Sprintf("%d clients follow the table here already", h.tables))
	}
	h.tables++
	return h.life, func() { h.set(func() { h.tables-- }) }, nil
}

// follow publishes what changes in the table until ctx ends; then all clients have left.
func (a *API) follow(ctx context.Context) {
	h := a.hub
	h.set(func() { h.running, h.life = true, ctx })
	defer h.set(func() {
		h.running, h.ready = false, false
		for c := range h.clients {
			delete(h.clients, c)
			close(c)
		}
	})
	select {
	case <-ctx.Done():
		return
	case <-h.wake:
	}
	var begun, all sync.WaitGroup
	for _, run := range []func(context.Context, func()) error{
		a.followTenants,
		func(ctx context.Context, on func()) error {
			return followRecords(ctx, h, "move", control.Moves(a.s), on, func(m store.Record[control.Move]) any { return m.Value })
		},
		func(ctx context.Context, on func()) error {
			return followRecords(ctx, h, "wave", control.Waves(a.s), on, func(w store.Record[control.Wave]) any { return w.Value })
		},
		func(ctx context.Context, on func()) error {
			return followRecords(ctx, h, "session", a.s.Sessions(), on, func(r store.Record[store.SessionRecord]) any { return viewSession(r) })
		},
	} {
		begun.Add(1)
		all.Go(func() {
			on := sync.OnceFunc(begun.Done)
			defer on()
			for again := false; ctx.Err() == nil; again = true {
				if again {
					h.publish(eventReset, struct{}{})
				}
				if err := run(ctx, on); err != nil && ctx.Err() == nil {
					a.log.Warn("the table could not be followed for events; trying again", "error", err)
				}
				_ = pause(ctx, time.Second)
			}
		})
	}
	begun.Wait()
	h.set(func() { h.ready = ctx.Err() == nil })
	all.Wait()
}

func (h *hub) set(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
}

// followTenants calls on when nothing will be missed any more.
func (a *API) followTenants(ctx context.Context, on func()) error {
	from, err := a.s.Now(ctx)
	if err != nil {
		return err
	}
	on()
	return a.s.Watch(ctx, from, func(changes []store.Change) error {
		for _, c := range changes {
			e := changed{Name: string(c.Entry.Partition), Removed: c.Removed}
			if !c.Removed && c.Err == nil {
				e.Value = control.ViewTenant(c.Entry, nil)
			}
			a.hub.publish("tenant", e)
		}
		return nil
	})
}

func followRecords[T any](ctx context.Context, h *hub, kind string, r store.Records[T], on func(), view func(store.Record[T]) any) error {
	var from driver.Version
	from, err := r.Now(ctx)
	if err != nil {
		return err
	}
	on()
	return r.Watch(ctx, from, func(changes []store.RecordChange[T]) error {
		for _, c := range changes {
			e := changed{Name: c.Name, Removed: c.Removed}
			if !c.Removed && c.Err == nil {
				e.Value = view(c.Record)
			}
			h.publish(kind, e)
		}
		return nil
	})
}

type eventsInput struct {
	Kinds []string `query:"kinds" enum:"tenant,move,wave,session" doc:"Only events of these kinds, separated by commas."`
	Last  string   `header:"Last-Event-ID" doc:"The id of the last event that was seen: those after it come first."`
}

// eventReaders are the operations that follow the table.
func (a *API) eventReaders() {
	handle(a, huma.Operation{OperationID: "followEvents", Method: http.MethodGet, Path: "/events", Tags: []string{"events"},
		Summary: "Follow what changes, as server-sent events",
		Responses: map[string]*huma.Response{"200": {Description: "Events tenant, move, wave and session, each with name, and removed or value; ready when nothing will be missed from then on, and reset when something may be missing: list anew.",
			Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: huma.TypeString}}}}}},
		Viewer, a.events)
}

func (a *API) events(ctx context.Context, in *eventsInput) (*huma.StreamResponse, error) {
	var c chan event
	var missed []event
	for end := time.Now().Add(10 * time.Second); c == nil; { // the watches begin with the first client
		var err error
		if c, missed, err = a.hub.join(in.Last); err != nil {
			return nil, err
		}
		if c == nil {
			if time.Now().After(end) {
				return nil, problem(CodeStoreUnavailable, "the store cannot be watched")
			}
			if err := pause(ctx, 10*time.Millisecond); err != nil {
				return nil, err
			}
		}
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer a.hub.leave(c)
		r, w := humago.Unwrap(hc)
		w.Header().Set("Content-Type", "text/event-stream")
		out := stream{w: w, rc: http.NewResponseController(w), id: a.hub.id}
		// At once, so that who has missed nothing knows too that he is connected.
		if out.write(": connected\n\n") != nil {
			return
		}
		beat := time.NewTicker(heartbeat)
		defer beat.Stop()
		wanted := func(e event) bool {
			return len(in.Kinds) == 0 || !slices.Contains(eventKinds, e.kind) || slices.Contains(in.Kinds, e.kind)
		}
		for _, e := range missed {
			if wanted(e) && out.send(e) != nil {
				return
			}
		}
		for {
			var err error
			select {
			case <-r.Context().Done():
				return
			case e, open := <-c:
				if !open {
					return
				}
				if wanted(e) {
					err = out.send(e)
				}
			case <-beat.C:
				err = out.write(": alive\n\n")
			}
			if err != nil {
				return
			}
		}
	}}, nil
}

// stream writes to one client, who must take what is written in time.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
	id string
}

func (s stream) send(e event) error {
	return s.write(fmt.Sprintf("id: %s-%d\nevent: %s\ndata: %s\n\n", s.id, e.seq, e.kind, e.data))
}

func (s stream) write(text string) error {
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeTime)) // a recorder of a test has none
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.rc.Flush()
}
