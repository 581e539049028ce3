package gate

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// ErrJournalLost: the process at the address holds another session now, or none
// answers for it; what the session had journaled is lost.
var ErrJournalLost = catalog.New("journal_lost", "journal lost")

const (
	fleetPath = "/-/fleet/v1/"
	maxPage   = 10_000
)

func fleetToken(secret []byte) string { return derived(secret, "sluice fleet v1") }

// SessionToken is what controllers show to a proxy whose session one of them holds for
// it (store.Info.Via). It is good for that session alone: such a proxy says itself where
// it is reached, and must not learn there what the other proxies let controllers in by.
func SessionToken(secret []byte, session string) string {
	return derived(secret, "sluice fleet session v1 "+session)
}

func derived(secret []byte, what string) string {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(what))
	return hex.EncodeToString(m.Sum(nil))
}

// FleetHandler serves the controllers, below /-/fleet/v1/: the journals, what
// writers felt, and shadow reads. It answers only to the fleet's secret.
func (g *Gate) FleetHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+fleetPath+"journal", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		after, err := strconv.ParseUint(q.Get("after"), 10, 64)
		limit, err2 := strconv.Atoi(q.Get("max"))
		if err != nil || err2 != nil || limit < 1 || limit > maxPage {
			http.Error(w, "after and max must be numbers, max from 1 to 10000", http.StatusBadRequest)
			return
		}
		p, ok := g.journals.pull(q.Get("session"), placement.PartitionID(q.Get("partition")), after, limit)
		if !ok {
			http.Error(w, "another session", http.StatusGone)
			return
		}
		writeJSON(w, p)
	})
	mux.HandleFunc("POST "+fleetPath+"journal/confirm", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		upto, err := strconv.ParseUint(q.Get("upto"), 10, 64)
		if err != nil {
			http.Error(w, "upto must be a number", http.StatusBadRequest)
			return
		}
		if !g.journals.confirm(q.Get("session"), placement.PartitionID(q.Get("partition")), upto) {
			http.Error(w, "another session", http.StatusGone)
			return
		}
		writeJSON(w, struct{}{})
	})
	mux.HandleFunc("GET "+fleetPath+"holds", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, g.holds.of(r.URL.Query().Get("move")))
	})
	g.shadowRoutes(mux)
	want := "Bearer " + fleetToken(g.opt.FleetSecret)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(g.opt.FleetSecret) == 0 || !hmac.Equal([]byte(r.Header.Get("Authorization")), []byte(want)) {
			http.Error(w, "this endpoint serves the fleet's controllers only", http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a broken connection is the reader's to notice
}

// Peers talks to the fleet endpoints of instances. It is safe for concurrent use.
type Peers struct {
	secret []byte
	client *http.Client
}

// NewPeers returns a client with the fleet's secret; client may be nil.
func NewPeers(secret []byte, client *http.Client) *Peers {
	if client == nil {
		client = &http.Client{Timeout: 5 * time.Second}
	}
	return &Peers{secret: secret, client: client}
}

// token is what the instance lets controllers in by.
func (p *Peers) token(info store.Info) string {
	if info.Via != "" {
		return SessionToken(p.secret, info.ID)
	}
	return fleetToken(p.secret)
}

// Pull reads up to limit entries (1 to 10,000) after a sequence from the journal
// that the session keeps of a partition. ErrJournalLost: the process answered,
// and holds another session. No answer is another error: whether the journal is
// lost is then known when the session has ended.
func (p *Peers) Pull(ctx context.Context, info store.Info, id placement.PartitionID, after uint64, limit int) (JournalPage, error) {
	q := url.Values{"session": {info.ID}, "partition": {string(id)}, "after": {strconv.FormatUint(after, 10)}, "max": {strconv.Itoa(limit)}}
	var page JournalPage
	if err := p.call(ctx, http.MethodGet, info, "journal", q, &page); err != nil {
		return JournalPage{}, err
	}
	if err := page.check(info.ID, after); err != nil {
		return JournalPage{}, fmt.Errorf("journal of %s: %w", info.Name, err)
	}
	return page, nil
}

// check refuses what is not a page of that session's journal. Whoever else answers
// at the address with some JSON would otherwise pass for an instance that has
// journaled nothing.
func (p JournalPage) check(session string, after uint64) error {
	if p.Session != session {
		return errors.New("the answer is not of the session that was asked")
	}
	for _, e := range p.Entries {
		if e.Seq <= after || e.Seq > p.Head || e.Kind != EntryDoc && e.Kind != EntryAdmin {
			return errors.New("the answer is out of order")
		}
		after = e.Seq
	}
	if p.More && len(p.Entries) == 0 {
		return errors.New("the answer says that there is more and has nothing")
	}
	return nil
}

// Confirm says that everything up to a sequence is at the target; the instance
// forgets it.
func (p *Peers) Confirm(ctx context.Context, info store.Info, id placement.PartitionID, upto uint64) error {
	q := url.Values{"session": {info.ID}, "partition": {string(id)}, "upto": {strconv.FormatUint(upto, 10)}}
	return p.call(ctx, http.MethodPost, info, "journal/confirm", q, nil)
}

// Holds reads what writers felt of a move at one instance.
func (p *Peers) Holds(ctx context.Context, info store.Info, move string) (HoldStats, error) {
	var s HoldStats
	err := p.call(ctx, http.MethodGet, info, "holds", url.Values{"move": {move}}, &s)
	return s, err
}

func (p *Peers) call(ctx context.Context, method string, info store.Info, what string, q url.Values, into any) error {
	return p.callWith(ctx, p.client, method, info, what, q, nil, into)
}

func (p *Peers) callWith(ctx context.Context, client *http.Client, method string, info store.Info, what string, q url.Values, in io.Reader, into any) error {
	u := strings.TrimSuffix(info.Address, "/") + fleetPath + what + "?" + q.Encode()
	req, err := http.NewRequestWithContext(ctx, method, u, in)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", what, info.Name, err)
	}
	req.Header.Set("Authorization", "Bearer "+p.token(info))
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("%s of %s: %w", what, info.Name, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return fmt.Errorf("%s of %s: %w", what, info.Name, err)
	case resp.StatusCode == http.StatusGone:
		return fmt.Errorf("%s of %s: %w", what, info.Name, ErrJournalLost)
	case resp.StatusCode == http.StatusNotFound && strings.HasPrefix(what, "shadow/"): // also of a build that knows nothing of it
		return fmt.Errorf("%s of %s: %w", what, info.Name, ErrNoShadow)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("%s of %s: %s: %s", what, info.Name, resp.Status, bytes.TrimSpace(body))
	case into == nil:
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("%s of %s: %w", what, info.Name, err)
	}
	return nil
}
