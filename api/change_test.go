package api_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sluiceproxy/sluice/api"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// operators is an API that knows one of each role: their tokens are the roles' names.
func operators(t *testing.T, d driver.Driver) *world {
	t.Helper()
	f := file(t, "v viewer "+hashOf("viewer")+"\no operator "+hashOf("operator")+"\na admin "+hashOf("admin")+"\n")
	return worldOver(t, d, &api.Options{Auth: api.AuthConfig{TokensFile: f}})
}

// as asks in a role; headers are pairs.
func (w *world) as(role, method, path, body string, headers ...string) answer {
	w.t.Helper()
	return w.ask(method, path, body, append(headers, "Authorization", "Bearer "+role)...)
}

// log is the audit log, newest first.
func (w *world) log(query string) []api.AuditEntry {
	w.t.Helper()
	var p pageOf[api.AuditEntry]
	w.as("admin", "GET", "/audit"+query, "").is(200, &p)
	return p.Items
}

// faulty fails a write to a space, once.
type faulty struct {
	driver.Driver
	mu     sync.Mutex
	space  string
	skip   int  // writes of the space before it
	effect bool // the write takes effect all the same
}

func (f *faulty) fail(space string, skip int, effect bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.space, f.skip, f.effect = space, skip, effect
}

func (f *faulty) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	f.mu.Lock()
	now := f.space == w.Key.Space && f.skip == 0
	if f.space == w.Key.Space {
		f.skip--
	}
	effect := f.effect
	if now {
		f.space = ""
	}
	f.mu.Unlock()
	if !now {
		return f.Driver.Write(ctx, w)
	}
	if effect {
		_, _ = f.Driver.Write(ctx, w)
	}
	return 0, errors.New("connection reset")
}

// A name that no path can have is refused. One that is there from before is moved by its
// body, and asked for by what stands for it.
func TestNamesThatNoPathHas(t *testing.T) {
	w := operators(t, memstore.New(nil))
	w.cluster("a")
	if p := w.as("admin", "POST", "/tenants", `{"tenant":"..","cluster":"a","index":"dots"}`).fails(api.CodeInvalid); p.Errors[0].Location != "body.tenant" {
		t.Errorf("%+v", p)
	}
	for _, name := range []string{".", ".."} {
		if _, err := w.s.Register(t.Context(), placement.PartitionID(name), place("a", "old"+strings.Repeat("x", len(name)))); err != nil {
			t.Fatal(err)
		}
		path := "/tenants/" + strings.ReplaceAll(name, ".", "%2E")
		var v control.TenantView
		if w.as("viewer", "GET", path, "").is(200, &v); string(v.Tenant) != name {
			t.Errorf("%s is %+v", path, v)
		}
		w.as("operator", "POST", "/moves", `{"tenant":"`+name+`","to":"a","index":"old`+strings.Repeat("x", len(name))+`"}`).fails(api.CodeSamePlace) // it is found
		w.as("admin", "DELETE", path, "").is(200, nil)
	}
}

func TestRegistry(t *testing.T) {
	w := operators(t, memstore.New(nil))
	cluster := `{"name":"a","endpoints":["http://127.0.0.1:1"]}`
	w.as("admin", "POST", "/clusters", cluster).fails(api.CodeClusterUnreachable)
	w.as("operator", "POST", "/clusters?no_check=true", cluster).fails(api.CodeForbidden)
	w.as("admin", "POST", "/clusters?no_check=true", cluster).is(201, nil)
	w.as("admin", "POST", "/clusters?no_check=true", cluster).fails(api.CodeExists)
	w.as("admin", "PUT", "/clusters/b?no_check=true", cluster).fails(api.CodeInvalid)
	w.as("admin", "PUT", "/clusters/b?no_check=true", strings.Replace(cluster, `"a"`, `"b"`, 1)).fails(api.CodeUnknownCluster)
	w.as("admin", "PUT", "/clusters/a?no_check=true", strings.Replace(cluster, ":1", ":2", 1)).is(200, nil)
	w.as("admin", "POST", "/clusters?no_check=true", `{"name":"c","endpoints":["ftp://x"]}`).fails(api.CodeInvalid)
	w.as("admin", "POST", "/clusters?no_check=true", `{"name":"c"`).fails(api.CodeMalformed)
	w.as("admin", "POST", "/clusters?no_check=true", "").fails(api.CodeMalformed)

	var v control.TenantView
	tenant := `{"tenant":"acme","cluster":"a","index":"acme-docs","logical":"docs"}`
	w.as("admin", "POST", "/tenants", tenant).is(201, &v)
	if v.Tenant != "acme" || v.Placement != place("a", "acme-docs") || v.Epoch == 0 {
		t.Errorf("%+v", v)
	}
	w.as("admin", "POST", "/tenants", tenant).fails(api.CodeExists)
	w.as("admin", "POST", "/tenants", `{"tenant":"x","cluster":"a","index":"acme-docs"}`).fails(api.CodePlaceTaken)
	w.as("admin", "POST", "/tenants", `{"tenant":"x","cluster":"z","index":"i"}`).fails(api.CodeUnknownCluster)
	if p := w.as("admin", "POST", "/tenants", `{"tenant":"x","cluster":"a","index":"i","colour":"red"}`).fails(api.CodeInvalid); len(p.Errors) != 1 || p.Errors[0].Location != "body.colour" {
		t.Errorf("%+v", p)
	}
	w.as("admin", "DELETE", "/clusters/a", "").fails(api.CodeInUse)

	var labels control.Labels
	w.as("operator", "PATCH", "/tenants/acme/labels", `{"set":{"tier":"small","eu":"1"}}`).is(200, nil)
	w.as("operator", "PATCH", "/tenants/acme/labels", `{"remove":["eu"]}`, "If-Match", w.as("viewer", "GET", "/tenants/acme", "").header.Get("ETag")).is(200, &labels)
	if len(labels) != 1 || labels["tier"] != "small" {
		t.Errorf("%v", labels)
	}
	w.as("operator", "PATCH", "/tenants/acme/labels", `{"set":{"tier":"big"}}`, "If-Match", `"1-0"`).fails(api.CodePrecondition)
	w.as("viewer", "PATCH", "/tenants/acme/labels", `{"set":{"tier":"big"}}`).fails(api.CodeForbidden)
	w.as("operator", "PATCH", "/tenants/nobody/labels", `{"set":{"a":"b"}}`).fails(api.CodeUnknownTenant)

	w.as("admin", "DELETE", "/tenants/acme", "", "If-Match", `"77"`).fails(api.CodePrecondition)
	w.as("admin", "DELETE", "/tenants/acme", "", "If-Match", fmt.Sprintf(`"%d"`, v.Epoch)).is(200, nil)
	w.as("admin", "DELETE", "/tenants/acme", "").fails(api.CodeUnknownTenant)
	w.as("admin", "DELETE", "/clusters/a", "").is(200, nil)

	// All of it is in the log, with what was before and after.
	w.as("operator", "GET", "/audit", "").fails(api.CodeForbidden)
	entries := w.log("?target=tenant/acme")
	var text []string
	for _, e := range entries {
		text = append(text, fmt.Sprintf("%s %s %s %s", e.Operation, e.Who, e.Outcome, e.Code))
		if e.Request == "" || e.Time.IsZero() || e.Ended.Before(e.Time) {
			t.Errorf("%+v", e)
		}
	}
	want := []string{"removeTenant token:a refused unknown_tenant", "removeTenant token:a done ", "removeTenant token:a refused precondition_failed",
		"labelTenant token:o refused precondition_failed", "labelTenant token:o done ", "labelTenant token:o done ", "addTenant token:a refused exists", "addTenant token:a done "}
	if len(text) != len(want) {
		t.Errorf("%q", text)
	}
	counts := map[string]int{}
	for i := range text { // entries of one millisecond are in any order
		counts[text[i]]++
	}
	for _, x := range want {
		if counts[x]--; counts[x] < 0 {
			t.Errorf("the log lacks %q: %q", x, text)
		}
	}
	for _, e := range w.log("?outcome=done") {
		if e.Operation == "removeTenant" && (!strings.Contains(string(e.Before), `"acme-docs"`) || string(e.After) != `{"removed":"acme"}`) {
			t.Errorf("%s, then %s", e.Before, e.After)
		}
		if e.Operation == "addTenant" && !strings.Contains(string(e.Asked), `"acme-docs"`) {
			t.Errorf("asked: %s", e.Asked)
		}
	}
}

func TestMoveChanges(t *testing.T) {
	w := operators(t, memstore.New(nil))
	w.cluster("a", "b")
	e := w.tenant("acme", "a")
	var m control.Move
	ask := func(path, body string, headers ...string) answer {
		return w.as("operator", "POST", path, body, headers...)
	}
	w.as("viewer", "POST", "/moves", `{"tenant":"acme","to":"b"}`).fails(api.CodeForbidden)
	ask("/moves", `{"tenant":"acme","to":"c"}`).fails(api.CodeUnknownCluster)
	ask("/moves", `{"tenant":"nobody","to":"b"}`).fails(api.CodeUnknownTenant)
	ask("/moves", `{"tenant":"acme","to":"b"}`, "If-Match", `"99"`).fails(api.CodePrecondition)
	ask("/moves", `{"tenant":"acme","to":"b","options":{"pause_budget":-1}}`).fails(api.CodeInvalid)
	ask("/moves", `{"tenant":"acme","to":"b","options":{"pause":1}}`).fails(api.CodeInvalid)
	var dry struct {
		OK     bool
		Checks []struct{ Verdict, Detail string }
	}
	ask("/moves/precheck", `{"tenant":"acme","to":"b"}`).is(200, &dry)
	if dry.OK || len(dry.Checks) != 1 || !strings.Contains(dry.Checks[0].Detail, "cluster a does not answer") {
		t.Errorf("%+v", dry)
	}
	ask("/moves", `{"tenant":"acme","to":"b","options":{"pause_budget":500000000,"copy_hours":[{"from":60,"to":120}],"retire_after":1000000000,"copy":{"method":"scan"}}}`,
		"If-Match", fmt.Sprintf(`"%d"`, e.Epoch)).is(201, &m)
	o := m.Options
	if m.Partition != "acme" || o.PauseBudget != 500*time.Millisecond || len(o.CopyHours) != 1 || o.CopyHours[0].Zone != "UTC" || o.RetireAfter != time.Second || o.CutoverDeadline != control.DefaultCutoverDeadline {
		t.Errorf("%+v", m)
	}
	ask("/moves", `{"tenant":"acme","to":"b"}`).fails(api.CodeMoving)
	at := "/moves/" + m.ID
	w.as("operator", "PATCH", at, `{"copy_rate":100}`).is(200, &m)
	w.as("operator", "PATCH", at, `{}`).fails(api.CodeInvalid)
	if m.Options.CopyRate != 100 {
		t.Errorf("%+v", m.Options)
	}
	if ask(at+"/pause", "").is(200, &m); !m.Paused {
		t.Error("not paused")
	}
	m.Paused = false
	ask(at+"/resume", "").is(200, nil)
	ask(at+"/retire", "").fails(api.CodeNotFlipped)
	ask(at+"/rollback", "").fails(api.CodeNotFlipped)
	if ask(at+"/abort", "").is(200, &m); !m.AbortRequested {
		t.Error("no abort is requested")
	}
	ask("/moves/m0/abort", "").fails(api.CodeUnknownMove)
	// One that has flipped is retired, and another rolled back.
	for id, do := range map[string]string{"one": "/retire", "two": "/rollback"} {
		w.tenant(id, "a")
		ask("/moves", `{"tenant":"`+id+`","to":"b"}`).is(201, &m)
		w.flip(m)
		if do == "/retire" {
			ask("/moves/"+m.ID+do, `{"now":true}`).is(200, &m)
			if !m.RetireRequested {
				t.Errorf("%+v", m)
			}
			continue
		}
		var back control.Move
		if ask("/moves/"+m.ID+do, `{"pause_budget":1000000000}`).is(201, &back); back.RollbackOf != m.ID || back.Options.PauseBudget != time.Second {
			t.Errorf("%+v", back)
		}
	}
}

// flip makes a move one that has flipped.
func (w *world) flip(m control.Move) {
	w.t.Helper()
	ctx := w.t.Context()
	e, err := w.s.State(ctx, m.Partition)
	if err != nil {
		w.t.Fatal(err)
	}
	e.State.From, e.Previous, e.PreviousMove = m.To, m.From, m.ID
	if _, err := w.d.Write(ctx, driver.Write{Key: driver.Key{Space: store.SpaceEntries, Name: string(m.Partition)}, Value: store.EncodeEntry(e), Expect: driver.Version(e.Epoch)}); err != nil {
		w.t.Fatal(err)
	}
	r, err := control.Moves(w.s).Get(ctx, m.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Value.Stage, r.Value.CompleteEpoch = control.StageFlipped, 1
	if _, err := control.Moves(w.s).Put(ctx, m.ID, r.Value, r.Version); err != nil {
		w.t.Fatal(err)
	}
}

func TestWaveChanges(t *testing.T) {
	w := operators(t, memstore.New(nil))
	w.cluster("a", "b")
	w.tenant("one", "a")
	w.tenant("two", "a")
	var x control.Wave
	ask := func(path, body string) answer { return w.as("operator", "POST", path, body) }
	ask("/waves", `{"items":[]}`).fails(api.CodeInvalid)
	ask("/waves", `{"items":[{"tenant":"one","to":"c"}]}`).fails(api.CodeUnknownCluster)
	ask("/waves", `{"items":[{"tenant":"one","to":"b"}],"windows":[{"from":5,"to":5}]}`).fails(api.CodeInvalid)
	ask("/waves", `{"items":[{"tenant":"one","to":"b"},{"tenant":"two","to":"b"}],"limits":{"at_once":3},"windows":[{"from":60,"to":0}],"paused":true}`).is(201, &x)
	if x.State != control.WavePaused || x.Items != 2 || x.Limits.AtOnce != 3 || len(x.Windows) != 1 {
		t.Errorf("%+v", x)
	}
	at := "/waves/" + x.ID
	ask(at+"/resume", "").is(200, &x)
	w.as("operator", "PATCH", at, `{"per_target":5}`).is(200, &x)
	w.as("operator", "PATCH", at, `{}`).fails(api.CodeInvalid)
	if x.State != control.WaveRunning || x.Limits.PerTarget != 5 || x.Limits.AtOnce != 3 {
		t.Errorf("%+v", x)
	}
	ask(at+"/pause", "").is(200, nil)
	ask(at+"/retire", "").is(200, nil)
	ask(at+"/abort", "").is(200, nil)
	ask(at+"/resume", "").fails(api.CodeSettled)
	for _, do := range []string{"pause", "resume", "abort", "retire"} {
		ask("/waves/w0/"+do, "").fails(api.CodeUnknownWave)
	}
}

// Every option of a move can be given, but for the one that is the controllers' own.
func TestEveryOption(t *testing.T) {
	var doc struct {
		Components struct {
			Schemas map[string]struct{ Properties map[string]any }
		}
	}
	newWorld(t, nil).get("/openapi.json").is(200, &doc)
	given := doc.Components.Schemas["GivenOptions"].Properties
	var walk func(reflect.Type)
	walk = func(x reflect.Type) {
		for f := range x.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous {
				walk(f.Type)
			} else if _, ok := given[name]; !ok && name != "drain_barrier" {
				t.Errorf("the option %s cannot be given", name)
			}
		}
	}
	walk(reflect.TypeFor[control.MoveOptions]())
}

func TestIdempotency(t *testing.T) {
	w := operators(t, memstore.New(nil))
	w.cluster("a", "b")
	w.tenant("acme", "a")
	body := `{"tenant":"acme","to":"b"}`
	var first, again control.Move
	ask := func(role, path, body string) answer {
		return w.as(role, "POST", path, body, "Idempotency-Key", "k1")
	}
	if a := ask("operator", "/moves", body).is(201, &first); a.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("%v", a.header)
	}
	if a := ask("operator", "/moves", body).is(201, &again); a.header.Get("Idempotency-Replayed") != "true" || again.ID != first.ID {
		t.Errorf("%v %s %s", a.header, again.ID, first.ID)
	}
	ask("operator", "/moves", body+" ").fails(api.CodeKeyReused)
	ask("operator", "/moves/"+first.ID+"/abort", "").fails(api.CodeKeyReused)
	ask("admin", "/moves", body).fails(api.CodeMoving) // a key is its caller's
	// A refusal is an answer; one that may pass by is none.
	refused := func(want api.Code, replayed string) {
		a := w.as("operator", "POST", "/moves", `{"tenant":"acme","to":"a"}`, "Idempotency-Key", string(want))
		if a.fails(want); a.header.Get("Idempotency-Replayed") != replayed {
			t.Errorf("%s: %v", want, a.header)
		}
	}
	refused(api.CodeMoving, "")
	refused(api.CodeMoving, "")
	unknown := `{"tenant":"nobody","to":"a"}`
	for _, replayed := range []string{"", "true"} {
		a := w.as("operator", "POST", "/moves", unknown, "Idempotency-Key", "k2")
		if a.fails(api.CodeUnknownTenant); a.header.Get("Idempotency-Replayed") != replayed {
			t.Errorf("%v", a.header)
		}
	}
	if n := len(w.log("?target=tenant/nobody")); n != 1 {
		t.Errorf("%d entries of what was done once", n)
	}
	w.as("operator", "POST", "/moves", body, "Idempotency-Key", strings.Repeat("k", 129)).fails(api.CodeInvalid)
}

// However many ask at once, it is done once.
func TestIdempotencyAtOnce(t *testing.T) {
	w := operators(t, memstore.New(nil))
	w.cluster("a", "b")
	w.tenant("acme", "a")
	var wg sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		wg.Go(func() {
			answers[i] = w.as("operator", "POST", "/moves", `{"tenant":"acme","to":"b"}`, "Idempotency-Key", "k")
		})
	}
	wg.Wait()
	var first control.Move
	for i, a := range answers {
		var m control.Move
		if a.is(201, &m); i == 0 {
			first = m
		} else if m.ID != first.ID {
			t.Errorf("moves %s and %s", m.ID, first.ID)
		}
	}
	if n := len(w.log("")); n != 1 {
		t.Errorf("it was done %d times", n)
	}
}

// A write that fails, with effect or without, at each place: nothing is done unseen, and
// whoever repeats the request with its key has it done, once.
func TestFaults(t *testing.T) {
	for _, space := range []struct {
		name string
		skip int
		code api.Code // of the first answer if the write has no effect; empty: 201
		sure bool     // the same if it has
	}{
		{store.SpaceReplays, 0, api.CodeStoreUnavailable, false}, // the claim
		{store.SpaceAudit, 0, api.CodeStoreUnavailable, false},   // what is intended
		{store.SpaceMoves, 0, api.CodeOutcomeUnknown, true},      // the move
		{store.SpaceAudit, 1, "", false},                         // what came of it
		{store.SpaceReplays, 1, "", false},                       // the answer
	} {
		for _, effect := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s-%d-%t", space.name, space.skip, effect), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := &faulty{Driver: memstore.New(nil)}
					w := operators(t, f)
					w.cluster("a", "b")
					w.tenant("acme", "a")
					ask := func() answer {
						return w.as("operator", "POST", "/moves", `{"tenant":"acme","to":"b"}`, "Idempotency-Key", "k")
					}
					f.fail(space.name, space.skip, effect)
					first := ask()
					code := space.code
					if effect && !space.sure {
						code = "" // it is read back
					}
					if code == "" {
						first.is(201, nil)
					} else {
						first.fails(code)
					}
					again := ask()
					if again.status == 409 { // its answer was not kept, and nobody knows that it has ended
						again.fails(api.CodeInProgress)
						time.Sleep(2 * time.Minute)
						again = ask()
					}
					again.is(201, nil)
					moves, _ := all[control.Move](&world{t: t, a: w.a, viewer: true}, "/moves", 10)
					if len(moves) != 1 {
						t.Errorf("%d moves", len(moves))
					}
					// What came of it could not be written in one case: then it says what was intended.
					last := api.OutcomeDone
					if space.name == store.SpaceAudit && space.skip == 1 && !effect {
						last = api.OutcomeIntended
					}
					if log := w.log("?outcome=" + string(last)); len(log) == 0 {
						t.Errorf("the log does not say that it was %s", last)
					}
				})
			})
		}
	}
}

// A controller that ends between the intention and the act leaves a trace, and another one
// takes its request over.
func TestControllerEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := memstore.New(nil)
		dead := &stuck{Driver: d, reached: make(chan struct{}), ctx: t.Context()}
		w := operators(t, dead)
		w.cluster("a", "b")
		w.tenant("acme", "a")
		go func() {
			r := w.as("operator", "POST", "/moves", `{"tenant":"acme","to":"b"}`, "Idempotency-Key", "k")
			if r.status == 201 {
				t.Error("it was done by a controller that had ended")
			}
		}()
		<-dead.reached
		other := operators(t, d)
		ask := func() answer {
			return other.as("operator", "POST", "/moves", `{"tenant":"acme","to":"b"}`, "Idempotency-Key", "k")
		}
		ask().fails(api.CodeInProgress)
		if log := other.log("?outcome=intended"); len(log) != 1 || log[0].Who != "token:o" || log[0].Operation != "requestMove" {
			t.Errorf("%+v", log)
		}
		time.Sleep(time.Minute)
		ask().is(201, nil)
		time.Sleep(time.Minute) // the dead one's handler has given up
		synctest.Wait()
	})
}

// stuck never comes back from a write of a move.
type stuck struct {
	driver.Driver
	once    sync.Once
	reached chan struct{}
	ctx     context.Context
}

func (s *stuck) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if w.Key.Space == store.SpaceMoves || w.Key.Space != store.SpaceEntries && w.Key.Space != store.SpaceClusters && s.gone() {
		s.once.Do(func() { close(s.reached) })
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return s.Driver.Write(ctx, w)
}

func (s *stuck) gone() bool {
	select {
	case <-s.reached:
		return true
	default:
		return false
	}
}

// What is too old is removed, and nothing else.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := operators(t, memstore.New(nil))
		w.cluster("a", "b")
		w.tenant("acme", "a")
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- w.a.Run(ctx) }()
		label := func(v string) {
			w.as("operator", "PATCH", "/tenants/acme/labels", `{"set":{"v":"`+v+`"}}`, "Idempotency-Key", "k").is(200, nil)
		}
		label("1")
		time.Sleep(23 * time.Hour)
		w.as("operator", "PATCH", "/tenants/acme/labels", `{"set":{"v":"2"}}`, "Idempotency-Key", "k").fails(api.CodeKeyReused)
		time.Sleep(3 * time.Hour)
		label("2")
		if n := len(w.log("")); n != 2 {
			t.Errorf("%d entries", n)
		}
		time.Sleep(api.DefaultAuditAge - 2*time.Hour)
		if n := len(w.log("")); n != 1 {
			t.Errorf("%d entries", n)
		}
		stop()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

// A key that is there and empty is a mistake, and not the same as none.
func TestEmptyKey(t *testing.T) {
	w := operators(t, memstore.New(nil))
	w.cluster("a")
	w.tenant("acme", "a")
	for _, key := range []string{"", strings.Repeat("k", 129)} {
		w.as("operator", "PATCH", "/tenants/acme/labels", `{"set":{"tier":"small"}}`, "Idempotency-Key", key).fails(api.CodeInvalid)
	}
	if labels := w.get("/tenants/acme", "Authorization", "Bearer viewer"); strings.Contains(labels.body, "small") {
		t.Errorf("it was done: %s", labels.body)
	}
	w.as("operator", "PATCH", "/tenants/acme/labels", `{"set":{"tier":"small"}}`, "Idempotency-Key", "k").is(200, nil)
}

// What has a path by its name is what the methods are of, and not what would take a part of
// it for a name.
func TestAllowedMethods(t *testing.T) {
	w := newWorld(t, nil)
	for path, want := range map[string]string{"/moves/precheck": "POST", "/moves/m1": "GET, PATCH", "/moves": "GET, POST", "/fleet/sessions": "POST"} {
		a := w.ask("OPTIONS", path, "")
		if a.fails(api.CodeMethodNotAllowed); a.header.Get("Allow") != want {
			t.Errorf("%s allows %q, want %q", path, a.header.Get("Allow"), want)
		}
	}
}
