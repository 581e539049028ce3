package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// Sessions of proxies that are written in another language. Such a proxy does not reach
// the store, so a controller holds its session for it. Why that is as safe as a session
// that a process holds itself:
//
//   - The session is renewed only while a request of the proxy is answered, never by this
//     process on its own. So the store keeps it for no longer than a TTL after the proxy
//     was last heard of.
//   - The proxy counts Validity from before it sent its request. That is before this process
//     called the store, so the proxy stops before this process takes the session for lost,
//     and that is before the store can end it; the margin is for clocks that run at different
//     rates. A renewal or an opening that has failed may have taken effect: then the session
//     lasts longer in the store than the proxy counts on, which makes others wait, and
//     nothing else.
//   - When this process ends, or loses the store, no renewal is answered any more, and the
//     proxy's own deadline ends the session. This process never ends a session that may be
//     in use, not even when it stops: whoever waits for the proxy would stop waiting before
//     the proxy stops.
//   - The session's record names the controller that holds it (Via), because a lease is
//     held by who opened it: any other controller answers with the one to ask, and changes
//     nothing. When the holder has started anew the session is over.
//   - Nobody serves under a session before its first report was answered. So one of which no
//     report has begun, because the answer to its opening was lost, is closed cleanly
//     while it is still held, and nobody has to account for it.
//   - Reports are published one at a time, in the order of their numbers. One that failed may
//     have taken effect, or take effect late, but never after a later one has succeeded
//     (driver.Session.Update); and a report that was delayed on the way here is refused by
//     its number, so that what is published never goes back.
//   - A session is opened before the head of the table is read, and no report is taken that
//     has applied less: a proxy that listed the table before it opened its session is found
//     out here, and not by a write that it sends to the old place.

// Bounds of what this process holds for others.
const (
	maxHeld = 1000
	minTTL  = 2 * time.Second
	maxTTL  = time.Minute
)

// held are the sessions that this process holds, by their ids.
type held struct {
	mu sync.Mutex
	of map[string]*heldSession
}

// heldSession is one of them.
type heldSession struct {
	*store.Session
	who  string // that opened it; nobody else may use it
	must placement.Epoch
	idle *time.Timer // ends it if no report comes

	mu       sync.Mutex // held while a report is published, or the session closed
	over     bool
	reported bool
	sequence int64
	applied  placement.Epoch
}

func (h *held) add(x *heldSession) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.of == nil {
		h.of = map[string]*heldSession{}
	}
	h.of[x.ID()] = x
}

// room forgets what has lapsed, and reports whether there is room for one more.
func (h *held) room() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, x := range h.of {
		if !x.Valid() {
			delete(h.of, id)
		}
	}
	return len(h.of) < maxHeld
}

func (h *held) get(id string) *heldSession {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.of[id]
}

func (h *held) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if x := h.of[id]; x != nil {
		x.idle.Stop()
		delete(h.of, id)
	}
}

// stop forgets all of them, and leaves them to lapse.
func (h *held) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, x := range h.of {
		x.idle.Stop()
	}
	h.of = nil
}

// What a proxy says that it can do.
const (
	capJournal = "journal"
	capHolds   = "holds"
)

type openSessionInput struct {
	Body struct {
		_            struct{}                `additionalProperties:"false"`
		Name         string                  `json:"name" minLength:"1" maxLength:"256" doc:"For people: who a move waits for."`
		Address      string                  `json:"address" minLength:"1" maxLength:"2048" doc:"Base URL at which controllers reach the proxy; below it /-/fleet/v1/ has its journals."`
		Build        string                  `json:"build,omitempty" maxLength:"256" doc:"For people."`
		Capabilities []string                `json:"capabilities" minItems:"1" maxItems:"2" enum:"journal,holds" doc:"journal: while a tenant moves it journals what writes touch, and serves that at its address; without it no proxy can take part. holds: it serves what writers felt, for receipts."`
		TTL          time.Duration           `json:"ttl,omitempty" minimum:"2000000000" maximum:"60000000000" doc:"Nanoseconds for which the store keeps the session after it was last renewed; 10 s unless given."`
		Pending      []placement.PartitionID `json:"pending,omitempty" maxItems:"10000" doc:"Tenants with writes that are still under way from before."`
		Unresolved   []placement.PartitionID `json:"unresolved,omitempty" maxItems:"10000" doc:"Tenants with writes of unknown outcome from before, which may still take effect."`
	}
}

// openedSession is a session that has been opened.
type openedSession struct {
	Session    string          `json:"session"`
	Controller string          `json:"controller" doc:"Base URL of the controller that holds it: all that is about the session is asked there."`
	TTL        time.Duration   `json:"ttl" doc:"Nanoseconds."`
	ValidFor   time.Duration   `json:"valid_for" doc:"Nanoseconds that the session is valid for, counted from before the request was sent, on the proxy's own clock, which must count the time that the machine is suspended."`
	MustApply  placement.Epoch `json:"must_apply" doc:"No report is taken that has applied less. Whoever lists the table after the session was opened has."`
	Token      string          `json:"token" doc:"What controllers show at the proxy's address, in Authorization: Bearer. Let nobody else in."`
}

type openedOutput struct{ Body openedSession }

// SessionPath is a path with a session.
type SessionPath struct {
	Session string `path:"session" minLength:"1" maxLength:"64"`
}

type renewedOutput struct {
	Body struct {
		ValidFor time.Duration `json:"valid_for" doc:"As of the opening, from before this request was sent."`
	}
}

// journalHead is how far a journal has come.
type journalHead struct {
	_    struct{} `additionalProperties:"false"`
	Head int64    `json:"head" minimum:"0" doc:"Sequence of the newest entry that can be read."`
	Lost bool     `json:"lost,omitempty" doc:"Something that it should hold is not known: the move compares both sides."`
}

type reportInput struct {
	SessionPath
	Body struct {
		_          struct{}                `additionalProperties:"false"`
		Sequence   int64                   `json:"sequence" minimum:"1" doc:"Greater than that of each report before, also of one whose outcome is not known."`
		Applied    int64                   `json:"applied" minimum:"0" doc:"Every change of the table up to this epoch has been applied, so that nothing is admitted under an older one any more."`
		Pending    []placement.PartitionID `json:"pending,omitempty" maxItems:"10000" doc:"Tenants with writes under way that were admitted under an epoch older than the one applied."`
		Unresolved []placement.PartitionID `json:"unresolved,omitempty" maxItems:"10000" doc:"Tenants with writes of unknown outcome that may still take effect."`
		OldReads   []placement.PartitionID `json:"old_reads,omitempty" maxItems:"10000" doc:"Tenants with reads open at an older place."`
		Journals   map[string]journalHead  `json:"journals,omitempty" maxProperties:"10000" nullable:"true" doc:"By tenant."`
		Closing    bool                    `json:"closing,omitempty" doc:"The proxy is stopping, and admits nothing any more."`
	}
}

type reportOutput struct {
	Body struct {
		Sequence int64 `json:"sequence" doc:"Of the report that is published."`
	}
}

type closeSessionInput struct {
	SessionPath
	Clean bool `query:"clean" doc:"Nothing that was done under the session is left to account for: no write under way or of unknown outcome, and every entry of its journals confirmed."`
}

type closedOutput struct{ Body removed }

// sessionChanges are the operations on sessions. They are not of the table, and are as
// frequent as the proxies' own in the store, so the audit log does not have them. They
// take no Idempotency-Key: an answer that is kept would tell of time that has passed.
func (a *API) sessionChanges() {
	op := func(id, method, path, summary string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Tags: []string{"fleet"}, Summary: summary}
	}
	open := op("openSession", http.MethodPost, "/fleet/sessions", "Open a session for a proxy, which then lists the table")
	open.DefaultStatus = http.StatusCreated
	handle(a, open, Proxy, a.openSession)
	handle(a, op("renewSession", http.MethodPost, "/fleet/sessions/{session}/renew", "Renew a session"), Proxy, a.renewSession)
	report := op("reportSession", http.MethodPut, "/fleet/sessions/{session}/report", "Say what the proxy has applied, and what of it is not over: this acknowledges epochs")
	report.MaxBodyBytes = 16 << 20
	handle(a, report, Proxy, a.reportSession)
	handle(a, op("closeSession", http.MethodDelete, "/fleet/sessions/{session}", "Close a session, of a proxy that has stopped serving"), Proxy, a.closeSession)
}

// checkAddress refuses what controllers could not call.
func checkAddress(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return &placement.InvalidError{Field: "address", Value: placement.HideUser(address), Fix: "must be an http:// or https:// URL with a host, without credentials and a query"}
	}
	return nil
}

func (a *API) openSession(ctx context.Context, in *openSessionInput) (*openedOutput, error) {
	b := in.Body
	if err := checkAddress(b.Address); err != nil {
		return nil, err
	}
	if !slices.Contains(b.Capabilities, capJournal) {
		return nil, &placement.InvalidError{Field: "capabilities", Value: fmt.Sprint(b.Capabilities), Fix: "must have journal: without it every write during a copy would be lost at the flip"}
	}
	if !a.held.room() {
		return nil, problem(CodeTooMany, fmt.Sprintf("%d sessions are held here already", maxHeld))
	}
	info := store.Info{Kind: store.KindProxy, Name: b.Name, Address: b.Address, Build: b.Build, Via: a.opt.URL}
	o := store.SessionOptions{TTL: b.TTL}
	sess, err := a.s.OpenSession(ctx, info, store.Report{Pending: b.Pending, Unresolved: b.Unresolved}, &o)
	if err != nil {
		return nil, a.changeProblem(ctx, err)
	}
	must, err := a.newestEpoch(ctx)
	if err != nil {
		bound, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = sess.Close(bound, true) // nobody has heard of it
		return nil, err
	}
	x := &heldSession{Session: sess, who: principalOf(ctx).Name, must: must}
	x.idle = time.AfterFunc(patienceOf(sess), func() { a.abandon(x) })
	a.held.add(x)
	token := rand.Text()
	if a.opt.SessionToken != nil {
		token = a.opt.SessionToken(sess.ID())
	}
	return &openedOutput{openedSession{Session: sess.ID(), Controller: a.opt.URL, TTL: sess.TTL(), ValidFor: sess.Validity(), MustApply: must, Token: token}}, nil
}

// patienceOf is how long a session may be without a report before it is given up: it
// must still be held then, so that it can be closed cleanly.
func patienceOf(s *store.Session) time.Duration { return s.Validity() / 2 }

// newestEpoch is an epoch that is at least that of every change of the table which was
// acknowledged before it was called.
func (a *API) newestEpoch(ctx context.Context) (placement.Epoch, error) {
	if a.s.HasHead() {
		return a.s.Head(ctx)
	}
	return a.s.Now(ctx)
}

// abandon closes a session that nobody can have served under, because no report of it
// has begun. One that begins later finds it over.
func (a *API) abandon(x *heldSession) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.reported {
		return
	}
	x.over = true
	a.held.forget(x.ID())
	ctx, cancel := context.WithTimeout(context.Background(), changeTime)
	defer cancel()
	if err := x.Close(ctx, true); err != nil {
		a.log.Warn("a session that was never used could not be closed; it ends by itself", "session", x.ID(), "error", err)
	}
}

// session finds a session that this process holds for the caller.
func (a *API) session(ctx context.Context, id string) (*heldSession, error) {
	if x := a.held.get(id); x != nil {
		if x.who != principalOf(ctx).Name {
			return nil, problem(CodeForbidden, "somebody else has opened the session")
		}
		if x.Valid() {
			return x, nil
		}
		a.held.forget(id)
		return nil, sessionOver()
	}
	r, err := a.s.Sessions().Get(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, sessionOver()
	case err != nil:
		return nil, err
	case r.Value.Via != "" && r.Value.Via != a.opt.URL:
		p := problem(CodeElsewhere, "the session is held by the controller at "+r.Value.Via)
		p.At = r.Value.Via
		return nil, p
	}
	return nil, sessionOver()
}

func sessionOver() error {
	return problem(CodeSessionOver, "this controller holds no such session, or not any more")
}

// sessionProblem is the problem of a call about a session that has failed.
func (a *API) sessionProblem(ctx context.Context, x *heldSession, err error) error {
	if errors.Is(err, store.ErrSessionLost) {
		a.held.forget(x.ID())
		return sessionOver()
	}
	return a.changeProblem(ctx, err)
}

func (a *API) renewSession(ctx context.Context, in *SessionPath) (*renewedOutput, error) {
	x, err := a.session(ctx, in.Session)
	if err != nil {
		return nil, err
	}
	if err := x.Renew(ctx); err != nil {
		return nil, a.sessionProblem(ctx, x, err)
	}
	x.idle.Reset(patienceOf(x.Session)) // of no effect once a report has begun
	out := &renewedOutput{}
	out.Body.ValidFor = x.Validity()
	return out, nil
}

func (a *API) reportSession(ctx context.Context, in *reportInput) (*reportOutput, error) {
	x, err := a.session(ctx, in.Session)
	if err != nil {
		return nil, err
	}
	b, applied := in.Body, placement.Epoch(in.Body.Applied)
	r := store.Report{Applied: applied, Pending: b.Pending, Unresolved: b.Unresolved, OldReads: b.OldReads, Closing: b.Closing}
	if len(b.Journals) > 0 {
		r.Journals = map[placement.PartitionID]store.JournalHead{}
		for id, j := range b.Journals {
			r.Journals[placement.PartitionID(id)] = store.JournalHead{Head: uint64(j.Head), Lost: j.Lost}
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.over:
		return nil, sessionOver()
	case b.Sequence <= x.sequence:
		return nil, problem(CodeStaleReport, fmt.Sprintf("report %d has begun already", x.sequence))
	case applied < max(x.must, x.applied):
		return nil, problem(CodeStaleReport, fmt.Sprintf("the session must have applied %d", max(x.must, x.applied)))
	}
	x.sequence, x.applied, x.reported = b.Sequence, applied, true
	// A proxy that stops waiting for the answer changes nothing of the order.
	if err := x.Publish(context.WithoutCancel(ctx), r); err != nil {
		return nil, a.sessionProblem(ctx, x, err)
	}
	out := &reportOutput{}
	out.Body.Sequence = b.Sequence
	return out, nil
}

func (a *API) closeSession(ctx context.Context, in *closeSessionInput) (*closedOutput, error) {
	x, err := a.session(ctx, in.Session)
	if err != nil {
		return nil, err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over {
		return nil, sessionOver()
	}
	x.over = true
	a.held.forget(in.Session)
	if err := x.Close(context.WithoutCancel(ctx), in.Clean); err != nil {
		return nil, a.changeProblem(ctx, err)
	}
	return &closedOutput{removed{in.Session}}, nil
}
