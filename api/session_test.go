package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// fleetWorld knows two proxies, a viewer, an operator and an admin, and says what the
// controllers' token is.
func fleetWorld(t *testing.T, d driver.Driver, url string) *world {
	t.Helper()
	var lines strings.Builder
	for name, role := range map[string]string{"p1": "proxy", "p2": "proxy", "v": "viewer", "o": "operator", "a": "admin"} {
		fmt.Fprintf(&lines, "%s %s %s\n", name, role, hashOf(name))
	}
	return worldOver(t, d, &api.Options{URL: url, Auth: api.AuthConfig{TokensFile: file(t, lines.String())}, SessionToken: func(id string) string { return "token of " + id }})
}

func (w *world) with(token, method, path, body string) answer {
	w.t.Helper()
	return w.ask(method, path, body, "Authorization", "Bearer "+token)
}

type opened struct {
	Session, Controller, Token string
	TTL                        time.Duration
	ValidFor                   time.Duration   `json:"valid_for"`
	MustApply                  placement.Epoch `json:"must_apply"`
}

const asP1 = `{"name":"p1","address":"http://127.0.0.1:1","capabilities":["journal"]`

// open opens a session; more are members of the request.
func (w *world) open(more string) (o opened) {
	w.t.Helper()
	w.with("p1", "POST", "/fleet/sessions", asP1+more+"}").is(201, &o)
	return o
}

// record is the session's record in the store, and whether its process is on the roster.
func (w *world) record(id string) (r *store.SessionRecord, roster bool) {
	w.t.Helper()
	x, err := w.s.Sessions().Get(w.t.Context(), id)
	if err == nil {
		r = &x.Value
	} else if !errors.Is(err, store.ErrNotFound) {
		w.t.Fatal(err)
	}
	_, err = w.s.Roster().Get(w.t.Context(), id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.t.Fatal(err)
	}
	return r, err == nil
}

// until polls.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it does not come about: %s", what)
		}
	}
}

// Who may take part in the fleet may do nothing else, and nobody else but an admin may.
func TestProxyRole(t *testing.T) {
	w := fleetWorld(t, memstore.New(nil), "http://c1")
	w.cluster("a")
	w.tenant("acme", "a")
	for _, path := range []string{"/fleet/table", "/fleet/barrier?tenant=acme", "/fleet/clusters"} {
		for token, ok := range map[string]bool{"p1": true, "a": true, "v": false, "o": false} {
			if got := w.with(token, "GET", path, ""); ok {
				got.is(200, nil)
			} else {
				got.fails(api.CodeForbidden)
			}
		}
	}
	for _, path := range []string{"/tenants", "/clusters", "/moves", "/sessions", "/audit", "/events"} {
		w.with("p1", "GET", path, "").fails(api.CodeForbidden)
	}
	w.with("p1", "POST", "/moves", `{"tenant":"acme","to":"a"}`).fails(api.CodeForbidden)
	w.with("o", "POST", "/fleet/sessions", asP1+"}").fails(api.CodeForbidden)
	w.ask("POST", "/fleet/sessions", asP1+"}").fails(api.CodeUnauthenticated)
}

func TestSessionOfAProxy(t *testing.T) { sessionOfAProxy(t, memstore.New(nil)) }

func sessionOfAProxy(t *testing.T, d driver.Driver) {
	w := fleetWorld(t, d, "http://c1")
	w.cluster("a")
	e := w.tenant("acme", "a")
	for _, bad := range []string{
		`{"name":"p","address":"http://127.0.0.1:1","capabilities":["holds"]}`, `{"name":"p","address":"http://127.0.0.1:1","capabilities":[]}`,
		`{"name":"p","address":"127.0.0.1:1","capabilities":["journal"]}`, `{"name":"p","address":"http://u:p@h","capabilities":["journal"]}`, asP1 + `,"ttl":1000000000}`,
		`{"name":"","address":"http://h","capabilities":["journal"]}`,
	} {
		w.with("p1", "POST", "/fleet/sessions", bad).fails(api.CodeInvalid)
	}
	o := w.open(`,"build":"py","ttl":30000000000,"pending":["acme"],"unresolved":["other"]`)
	if o.Controller != "http://c1" || o.Token != "token of "+o.Session || o.TTL != 30*time.Second || o.ValidFor != 24*time.Second || o.MustApply < e.Epoch {
		t.Errorf("%+v", o)
	}
	want := store.SessionRecord{Info: store.Info{ID: o.Session, Kind: store.KindProxy, Name: "p1", Address: "http://127.0.0.1:1", Build: "py", Via: "http://c1"},
		Report: store.Report{Pending: []placement.PartitionID{"acme"}, Unresolved: []placement.PartitionID{"other"}}}
	if r, roster := w.record(o.Session); !roster || cmp.Diff(&want, r) != "" {
		t.Errorf("on the roster: %t\n%s", roster, cmp.Diff(&want, r))
	}
	at := "/fleet/sessions/" + o.Session
	report := func(seq uint64, applied placement.Epoch, more string) answer {
		return w.with("p1", "PUT", at+"/report", fmt.Sprintf(`{"sequence":%d,"applied":%d%s}`, seq, applied, more))
	}
	report(1, o.MustApply-1, "").fails(api.CodeStaleReport) // it has not listed the table since
	report(2, o.MustApply+5, `,"pending":["acme"],"old_reads":["acme"],"journals":{"acme":{"head":7,"lost":true}},"closing":true`).is(200, nil)
	want.Report = store.Report{Applied: o.MustApply + 5, Pending: []placement.PartitionID{"acme"}, OldReads: []placement.PartitionID{"acme"},
		Journals: map[placement.PartitionID]store.JournalHead{"acme": {Head: 7, Lost: true}}, Closing: true}
	if r, _ := w.record(o.Session); cmp.Diff(&want, r) != "" {
		t.Error(cmp.Diff(&want, r))
	}
	report(2, o.MustApply+6, "").fails(api.CodeStaleReport) // delayed, or repeated
	report(1, o.MustApply+6, "").fails(api.CodeStaleReport)
	report(3, o.MustApply+4, "").fails(api.CodeStaleReport)
	w.with("p1", "PUT", at+"/report", `{"sequence":9223372036854775808,"applied":99}`).fails(api.CodeInvalid) // the document says int64
	w.with("p1", "PUT", at+"/report", `{"sequence":-1,"applied":99}`).fails(api.CodeInvalid)
	if r, _ := w.record(o.Session); cmp.Diff(&want, r) != "" {
		t.Errorf("a report that was refused has changed something:\n%s", cmp.Diff(&want, r))
	}
	var renewed struct {
		ValidFor time.Duration `json:"valid_for"`
	}
	if w.with("p1", "POST", at+"/renew", "").is(200, &renewed); renewed.ValidFor != o.ValidFor {
		t.Errorf("renewed for %s", renewed.ValidFor)
	}
	// Nobody but who has opened it, and nowhere but at its controller.
	w.with("p2", "POST", at+"/renew", "").fails(api.CodeForbidden)
	w.with("p2", "DELETE", at, "").fails(api.CodeForbidden)
	other := fleetWorld(t, d, "http://c2")
	for _, x := range []struct{ method, path, body string }{{"POST", at + "/renew", ""}, {"PUT", at + "/report", `{"sequence":9,"applied":99}`}, {"DELETE", at + "?clean=true", ""}} {
		if p := other.with("p1", x.method, x.path, x.body).fails(api.CodeElsewhere); p.At != "http://c1" {
			t.Errorf("%s %s leads to %q", x.method, x.path, p.At)
		}
	}
	fleetWorld(t, d, "http://c1").with("p1", "POST", at+"/renew", "").fails(api.CodeSessionOver) // the controller has started anew
	if r, roster := w.record(o.Session); !roster || cmp.Diff(&want, r) != "" {
		t.Errorf("somebody else has changed the session:\n%s", cmp.Diff(&want, r))
	}
	w.with("p1", "DELETE", at+"?clean=true", "").is(200, nil)
	if r, roster := w.record(o.Session); r != nil || roster {
		t.Errorf("closed cleanly, and there is %v, on the roster: %t", r, roster)
	}
	w.with("p1", "DELETE", at+"?clean=true", "").fails(api.CodeSessionOver)
	w.with("p1", "POST", at+"/renew", "").fails(api.CodeSessionOver)
	report(10, 99, "").fails(api.CodeSessionOver)
	other.with("p1", "POST", at+"/renew", "").fails(api.CodeSessionOver)
	// One that is not closed cleanly has to be accounted for.
	o = w.open("")
	w.with("p1", "DELETE", "/fleet/sessions/"+o.Session, "").is(200, nil)
	if r, roster := w.record(o.Session); r != nil || !roster {
		t.Errorf("closed, and there is %v, on the roster: %t", r, roster)
	}
}

// Nobody renews a session but its proxy. One that may have been used is left to lapse, and
// to be accounted for; one that cannot have been leaves nothing behind.
func TestSessionsThatNobodyRenews(t *testing.T) {
	w := fleetWorld(t, memstore.New(nil), "http://c1")
	unused, used := w.open(`,"ttl":2000000000`), w.open(`,"ttl":5000000000`) // long enough to be used on a busy machine
	w.with("p1", "PUT", "/fleet/sessions/"+used.Session+"/report", fmt.Sprintf(`{"sequence":1,"applied":%d}`, used.MustApply)).is(200, nil)
	until(t, "both sessions end", func() bool {
		a, _ := w.record(unused.Session)
		b, _ := w.record(used.Session)
		return a == nil && b == nil
	})
	until(t, "the unused one leaves the roster", func() bool { _, roster := w.record(unused.Session); return !roster })
	if _, roster := w.record(used.Session); !roster {
		t.Error("a session that may have been used has left the roster by itself")
	}
	for _, o := range []opened{unused, used} {
		w.with("p1", "POST", "/fleet/sessions/"+o.Session+"/renew", "").fails(api.CodeSessionOver)
		w.with("p1", "PUT", "/fleet/sessions/"+o.Session+"/report", `{"sequence":2,"applied":99}`).fails(api.CodeSessionOver)
	}
}

// trickster is a driver whose sessions' calls take effect, or not, and fail.
type trickster struct {
	*memstore.Store
	fail   atomic.Bool // calls fail
	effect atomic.Bool // and take effect all the same
}

type tricked struct {
	driver.Session
	d *trickster
}

var errLost = errors.New("the answer is lost")

func (d *trickster) Open(ctx context.Context, key driver.Key, value []byte, ttl time.Duration) (driver.Session, error) {
	s, err := d.Store.Open(ctx, key, value, ttl)
	return tricked{s, d}, err
}

func (x tricked) Renew(ctx context.Context) error {
	if x.d.fail.Load() && !x.d.effect.Load() {
		return errLost
	}
	err := x.Session.Renew(ctx)
	if x.d.fail.Load() {
		return errLost
	}
	return err
}

func (x tricked) Update(ctx context.Context, value []byte) (driver.Version, error) {
	if x.d.fail.Load() && !x.d.effect.Load() {
		return 0, errLost
	}
	v, err := x.Session.Update(ctx, value)
	if x.d.fail.Load() {
		return 0, errLost
	}
	return v, err
}

// What has failed may have taken effect; whoever asks is told so, and repeating it is safe.
func TestSessionCallsOfUnknownOutcome(t *testing.T) {
	for _, effect := range []bool{false, true} {
		d := &trickster{Store: memstore.New(nil)}
		w := fleetWorld(t, d, "http://c1")
		o := w.open("")
		at := "/fleet/sessions/" + o.Session
		d.effect.Store(effect)
		d.fail.Store(true)
		w.with("p1", "POST", at+"/renew", "").fails(api.CodeOutcomeUnknown)
		w.with("p1", "PUT", at+"/report", fmt.Sprintf(`{"sequence":1,"applied":%d}`, o.MustApply+1)).fails(api.CodeOutcomeUnknown)
		if r, _ := w.record(o.Session); (r.Applied == o.MustApply+1) != effect {
			t.Errorf("effect %t: %+v", effect, r)
		}
		d.fail.Store(false)
		w.with("p1", "POST", at+"/renew", "").is(200, nil)
		w.with("p1", "PUT", at+"/report", fmt.Sprintf(`{"sequence":1,"applied":%d}`, o.MustApply+1)).fails(api.CodeStaleReport) // it has begun
		w.with("p1", "PUT", at+"/report", fmt.Sprintf(`{"sequence":2,"applied":%d,"unresolved":["acme"]}`, o.MustApply+1)).is(200, nil)
		if r, _ := w.record(o.Session); r.Applied != o.MustApply+1 || len(r.Unresolved) != 1 {
			t.Errorf("repeated: %+v", r)
		}
	}
}

// A controller that holds as many sessions as it may opens no other, until some have ended.
func TestSessionsAreBounded(t *testing.T) {
	w := fleetWorld(t, memstore.New(nil), "http://c1")
	var last opened
	for range 1000 {
		last = w.open(`,"ttl":60000000000`) // none ends before the last is there
	}
	w.with("p1", "POST", "/fleet/sessions", asP1+"}").fails(api.CodeTooMany)
	w.with("p1", "DELETE", "/fleet/sessions/"+last.Session+"?clean=true", "").is(200, nil)
	if a := w.with("p1", "POST", "/fleet/sessions", asP1+"}"); a.status != http.StatusCreated {
		t.Errorf("%d: %s", a.status, a.body)
	}
}
