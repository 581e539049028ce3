package opensearchstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

// meddler stands in front of a real node and answers some requests itself.
type meddler struct {
	mu    sync.Mutex
	seen  map[string]int // requests by method
	rules []rule
}

// rule answers a request of a method, once; before or instead of what the node does.
type rule struct {
	method string
	status int
	kind   string
	after  bool // the node has done it
}

func (m *meddler) next(rules ...rule) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rules, m.seen = rules, map[string]int{}
}

func (m *meddler) count(method string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen[method]
}

func (m *meddler) take(r *http.Request) (rule, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !strings.Contains(r.URL.Path, "/_doc/") {
		return rule{}, false
	}
	m.seen[r.Method]++
	if len(m.rules) == 0 || m.rules[0].method != r.Method {
		return rule{}, false
	}
	first := m.rules[0]
	m.rules = m.rules[1:]
	return first, true
}

// meddle returns a store whose node is behind a meddler.
func meddle(t *testing.T) (*opensearchstore.Store, *meddler) {
	t.Helper()
	node := enginetest.SharedOpenSearch(t, version())
	target, err := url.Parse(node.URL())
	if err != nil {
		t.Fatal(err)
	}
	m := &meddler{seen: map[string]int{}}
	forward := httputil.NewSingleHostReverseProxy(target)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rule, ok := m.take(r)
		if !ok {
			forward.ServeHTTP(w, r)
			return
		}
		if rule.after {
			forward.ServeHTTP(httptest.NewRecorder(), r)
		} else {
			_, _ = io.Copy(io.Discard, r.Body)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(rule.status)
		_, _ = fmt.Fprintf(w, `{"error":{"type":%q,"reason":"meddled with"},"status":%d}`, rule.kind, rule.status)
	}))
	t.Cleanup(srv.Close)
	return connect(t, table(), srv.URL), m
}

const conflict = "version_conflict_engine_exception"

// What each answer to a write means.
func TestAnswersToAWrite(t *testing.T) {
	t.Parallel()
	s, m := meddle(t)
	rejected := rule{http.MethodPut, 429, "rejected_execution_exception", false}
	for _, test := range []struct {
		name  string
		rules []rule
		puts  int   // that were sent
		want  error // nil: success; errUnknown: none of the answers
		took  bool  // effect
	}{
		{"turned away twice, and then taken", []rule{rejected, rejected}, 3, nil, true},
		{"503 before it was applied", []rule{{http.MethodPut, 503, "unavailable_shards_exception", false}}, 1, errUnknown, false},
		{"503 after it was applied", []rule{{http.MethodPut, 503, "unavailable_shards_exception", true}}, 1, errUnknown, true},
		{"500 after it was applied", []rule{{http.MethodPut, 500, "internal", true}}, 1, errUnknown, true},
		{"a block", []rule{{http.MethodPut, 403, "cluster_block_exception", false}}, 1, errUnknown, false},
		{"a conflict with its own first effect", []rule{{http.MethodPut, 409, conflict, true}}, 1, nil, true},
		{"turned away after it was applied, as a failover can do", []rule{{http.MethodPut, 429, "x", true}}, 2, nil, true},
		{"a conflict that is none", []rule{{http.MethodPut, 409, conflict, false}}, 1, errUnknown, false},
		{"a conflict, and then no answer", []rule{{http.MethodPut, 409, conflict, true}, {http.MethodGet, 400, "x", false}}, 1, errUnknown, true},
	} {
		k := key(test.name)
		at := put(t, s, k, "old", 0)
		m.next(test.rules...)
		v, err := s.Write(t.Context(), driver.Write{Key: k, Value: []byte("new"), Expect: at})
		puts := m.count(http.MethodPut)
		m.next()
		if test.want == nil && err != nil || test.want != nil && (err == nil || errors.Is(err, driver.ErrConflict)) {
			t.Errorf("%s: %v", test.name, err)
		}
		if puts != test.puts {
			t.Errorf("%s: it was sent %d times, want %d", test.name, puts, test.puts)
		}
		kv, err := s.Get(t.Context(), k)
		if err != nil || (string(kv.Value) == "new") != test.took || test.want == nil && kv.Version != v {
			t.Errorf("%s: then there is %q at %d, %v; the write was told version %d", test.name, kv.Value, kv.Version, err, v)
		}
	}
}

var errUnknown = errors.New("none of the answers")

// What is read is asked for again, and what is an answer to a read is not.
func TestAnswersToARead(t *testing.T) {
	t.Parallel()
	s, m := meddle(t)
	put(t, s, key("k"), "x", 0)
	m.next(rule{http.MethodGet, 503, "x", false}, rule{http.MethodGet, 429, "x", false}, rule{http.MethodGet, 500, "x", false})
	if kv, err := s.Get(t.Context(), key("k")); err != nil || string(kv.Value) != "x" || m.count(http.MethodGet) != 4 {
		t.Errorf("%q, %v after %d requests; want the record with the fourth", kv.Value, err, m.count(http.MethodGet))
	}
	for _, r := range []rule{{http.MethodGet, 404, "index_not_found_exception", false}, {http.MethodGet, 404, "", false}, {http.MethodGet, 401, "", false}} {
		m.next(r)
		if _, err := s.Get(t.Context(), key("k")); err == nil || errors.Is(err, driver.ErrNotFound) || m.count(http.MethodGet) != 1 {
			t.Errorf("%d %s: %v after %d requests; want an error at once that is not absence", r.status, r.kind, err, m.count(http.MethodGet))
		}
	}
}

// Of many records that are read at once, one in whose place something else wrote what
// this package does not understand, or what is another record, hides no other.
func TestOneDamagedRecordHidesNoOther(t *testing.T) {
	t.Parallel()
	node := enginetest.SharedOpenSearch(t, version())
	name := table()
	s := connect(t, name, node.URL())
	want := map[string]driver.Version{}
	names := []string{"a", "foreign", "b", "broken", "c", "none"}
	for _, n := range names[:5] {
		want[n] = put(t, s, key(n), "x", 0)
	}
	damage := func(n string, doc map[string]any) {
		ask(t, http.MethodPut, node.URL()+"/"+name+"/_doc/"+opensearchstore.DocumentID(key(n)), doc)
	}
	damage("foreign", map[string]any{"space": "entries", "name": []byte("b"), "deleted": false})
	damage("broken", map[string]any{"space": "entries", "name": []byte("broken"), "rev": "1"})
	seen, err := s.Versions(t.Context(), "entries", names)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range names {
		if damaged := n == "foreign" || n == "broken"; damaged != (seen[i].Err != nil) || !damaged && seen[i].Version != want[n] {
			t.Errorf("%s is at %d, %v; want %d", n, seen[i].Version, seen[i].Err, want[n])
		}
	}
}

// A table that is gone, and one that is another under the same name, are errors: never
// absence, never a new table, and never the old versions again.
func TestAReplacedIndexIsRefused(t *testing.T) {
	t.Parallel()
	node := enginetest.SharedOpenSearch(t, version())
	name := table()
	s := connect(t, name, node.URL())
	put(t, s, key("k"), "x", 0)
	x, err := s.Open(t.Context(), driver.Key{Space: "sessions", Name: "s"}, nil, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- s.Watch(t.Context(), "entries", 0, func([]driver.Event) error { return nil })
	}()

	ask(t, http.MethodDelete, node.URL()+"/"+name+"-v1", nil)
	check := func(when string, also error) {
		t.Helper()
		_, get := s.Get(t.Context(), key("never"))
		_, list := s.List(t.Context(), "entries", func(driver.KV) bool { return true })
		_, versions := s.Versions(t.Context(), "entries", []string{"never"})
		_, _, since := s.Since(t.Context(), "entries", 0)
		_, create := s.Write(t.Context(), driver.Write{Key: key(when), Value: []byte("x")})
		_, write := s.Write(t.Context(), driver.Write{Key: key("k"), Value: []byte("y"), Expect: 1 << 40})
		for what, err := range map[string]error{
			"get": get, "list": list, "versions": versions, "since": since, "create": create, "write": write, "renew": x.Renew(t.Context()),
		} {
			if err == nil || errors.Is(err, driver.ErrNotFound) || errors.Is(err, driver.ErrConflict) || errors.Is(err, driver.ErrSessionLost) || also != nil && !errors.Is(err, also) {
				t.Errorf("%s, %s: %v", when, what, err)
			}
		}
	}
	check("deleted", nil)
	if err := <-ended; err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v", err)
	}
	if resp, err := http.Get(node.URL() + "/" + name); err != nil {
		t.Fatal(err)
	} else if _ = resp.Body.Close(); resp.StatusCode != http.StatusNotFound {
		t.Errorf("after writes to a table that is gone there is one: %s", resp.Status)
	}

	connect(t, name, node.URL())
	check("created again", opensearchstore.ErrReplaced)
	if err := s.AwaitLoss(t.Context()); !errors.Is(err, opensearchstore.ErrReplaced) || !errors.Is(err, driver.ErrHistoryLost) {
		t.Errorf("the loss is told as %v", err)
	}
}

// An index that is restored from a snapshot has the old records under old versions;
// neither a process that runs nor a new one takes it.
func TestARestoredIndexIsRefused(t *testing.T) {
	t.Parallel()
	node := enginetest.SharedOpenSearch(t, version())
	name := table()
	s := connect(t, name, node.URL())
	v := put(t, s, key("k"), "old", 0)
	repo := node.URL() + "/_snapshot/" + name
	ask(t, http.MethodPut, repo, map[string]any{"type": "fs", "settings": map[string]any{"location": node.SnapshotDir() + "/" + name}})
	ask(t, http.MethodPut, repo+"/one?wait_for_completion=true", map[string]any{"indices": name + "-v1"})
	put(t, s, key("k"), "new", v)
	ask(t, http.MethodDelete, node.URL()+"/"+name+"-v1", nil)
	ask(t, http.MethodPost, repo+"/one/_restore?wait_for_completion=true", map[string]any{"indices": name + "-v1"})

	if _, err := s.List(t.Context(), "entries", func(driver.KV) bool { return true }); !errors.Is(err, opensearchstore.ErrReplaced) {
		t.Errorf("a list of the restored index: %v; want ErrReplaced", err)
	}
	if seen, err := s.Versions(t.Context(), "entries", []string{"k"}); !errors.Is(err, opensearchstore.ErrReplaced) {
		t.Errorf("the restored index has %v, %v; want ErrReplaced", seen, err)
	}
	if kv, err := s.Get(t.Context(), key("k")); !errors.Is(err, opensearchstore.ErrReplaced) {
		t.Errorf("the restored index has %q, %v; want ErrReplaced", kv.Value, err)
	}
	other, err := opensearchstore.Open(t.Context(), opensearchstore.Config{Addresses: []string{node.URL()}, Index: name}, nil)
	if err == nil {
		_ = other.Close()
	}
	if !errors.Is(err, opensearchstore.ErrReplaced) {
		t.Errorf("opening the restored index: %v; want ErrReplaced", err)
	}
}

// Indices that cannot keep the promises are refused when they are opened.
func TestUnsuitableIndices(t *testing.T) {
	t.Parallel()
	node := enginetest.SharedOpenSearch(t, version())
	alias := func(name string) map[string]any { return map[string]any{name: map[string]any{}} }
	for _, test := range []struct {
		want string
		body map[string]any // of NAME-v1; nil: an index NAME instead
	}{
		{"primary shards", map[string]any{"settings": map[string]any{"number_of_shards": 2}}},
		{"durability", map[string]any{"settings": map[string]any{"translog.durability": "async"}}},
		{"not an alias", nil},
	} {
		name := table()
		index, body := name+"-v1", test.body
		if body == nil {
			index, body = name, map[string]any{}
		} else {
			body["aliases"] = alias(name)
		}
		ask(t, http.MethodPut, node.URL()+"/"+index, body)
		s, err := opensearchstore.Open(t.Context(), opensearchstore.Config{Addresses: []string{node.URL()}, Index: name}, nil)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v; want %q in it", err, test.want)
		}
	}
}
