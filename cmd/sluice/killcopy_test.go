package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/child"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/etcdstore"
)

// meter stands before the target. It counts what is written there, document by document,
// and has somebody killed when so many have passed.
type meter struct {
	t    *testing.T
	url  string // of the target
	http *http.Client
	kill func()

	mu     sync.Mutex
	random *mathrand.Rand
	writes map[string]int // by id: how often it was written
	passed int
	due    []int // when somebody is killed, of passed
}

// bulkIDs are the ids of a bulk's documents.
func bulkIDs(body []byte) ([]string, error) {
	var ids []string
	lines := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
	for i := 0; i < len(lines); i += 2 { // documents are all that a copy writes
		var action struct {
			Index struct {
				ID string `json:"_id"`
			} `json:"index"`
		}
		if err := json.Unmarshal(lines[i], &action); err != nil || action.Index.ID == "" {
			return nil, fmt.Errorf("not a document: %v: %.100s", err, lines[i])
		}
		ids = append(ids, action.Index.ID)
	}
	return ids, nil
}

func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // half a request has no effect on a cluster, either
	}
	var ids []string
	var before, after bool // it is answered, when somebody is killed
	var late time.Duration
	if strings.HasSuffix(r.URL.Path, "/_bulk") {
		if ids, err = bulkIDs(body); err != nil {
			m.t.Error(err)
		}
		m.mu.Lock()
		if m.passed += len(ids); len(m.due) > 0 && m.passed >= m.due[0] {
			m.due = m.due[1:]
			before, late = m.random.IntN(3) == 0, time.Duration(m.random.IntN(30))*time.Millisecond
			after = !before
		}
		m.mu.Unlock()
	}
	if before {
		time.Sleep(late) // a moment by chance: others write meanwhile
		m.kill()
		return // nothing of it has arrived
	}
	// It goes on when the client is killed: a cluster does, too.
	req, err := http.NewRequestWithContext(context.WithoutCancel(r.Context()), r.Method, m.url+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		m.t.Error(err)
		return
	}
	req.Header = r.Header.Clone()
	resp, err := m.http.Do(req)
	if err != nil {
		m.t.Error(err)
		return
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		m.t.Error(err)
		return
	}
	if resp.StatusCode == http.StatusOK && len(ids) > 0 {
		m.mu.Lock()
		for _, id := range ids {
			m.writes[id]++
		}
		m.mu.Unlock()
	}
	if after {
		time.Sleep(late)
		m.kill()
	}
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

// again is how often a document was written that had been.
func (m *meter) again() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, w := range m.writes {
		n += w - 1
	}
	return n
}

// killCopy is two controllers, real processes, of which the one that drives the only move
// is killed, and started again.
type killCopy struct {
	t     *testing.T
	d     driver.Driver
	s     *store.Store
	flags []string
	ended chan struct{} // has one for each kill

	mu      sync.Mutex
	running map[string]*child.Child // by the name of the session, which ends in the process id
	midway  int                     // kills while part of a shard was noted
}

func (k *killCopy) start() {
	cmd := exec.Command(os.Args[0], "-test.run", "^TestKill9CostsABatchOfEachWriter$")
	cmd.Env = append(os.Environ(), "TEST_SLUICE_ARGS="+strings.Join(append([]string{"controller", "--admin.listen", freeAddress(k.t)}, k.flags...), "\n"))
	c, err := child.Start(cmd)
	if err != nil {
		k.t.Error(err)
		return
	}
	host, err := os.Hostname()
	if err != nil {
		k.t.Error(err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running[fmt.Sprintf("%s-%d", host, c.PID())] = c
}

func (k *killCopy) stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.running {
		c.Kill()
	}
}

// killDriver kills the process that drives the move, by SIGKILL, and starts another in its
// place. Its session is removed as the store would after its time: that takes nothing
// from a process that is gone, and the test does not wait for it.
func (k *killCopy) killDriver() {
	all, _, err := control.Moves(k.s).List(context.Background())
	if err != nil || len(all) != 1 {
		k.t.Errorf("%d moves, %v", len(all), err)
		return
	}
	m := all[0].Value
	key := driver.Key{Space: store.SpaceSessions, Name: m.Owner}
	r, err := store.RecordsOf[store.SessionRecord](k.s, store.SpaceSessions).Get(context.Background(), m.Owner)
	if err != nil {
		k.t.Errorf("the session of the move's driver: %v", err)
		return
	}
	k.mu.Lock()
	c := k.running[r.Value.Name]
	delete(k.running, r.Value.Name)
	if m.Checkpoint.At != nil {
		k.midway++
	}
	k.mu.Unlock()
	if c == nil {
		k.t.Errorf("%q drives the move", r.Value.Name)
		return
	}
	c.Kill()
	for err = driver.ErrConflict; errors.Is(err, driver.ErrConflict); { // its last renewal may come in between
		var kv driver.KV
		if kv, err = k.d.Get(context.Background(), key); err == nil {
			_, err = k.d.Write(context.Background(), driver.Write{Key: key, Expect: kv.Version, Delete: true})
		}
	}
	if err != nil && !errors.Is(err, driver.ErrNotFound) {
		k.t.Errorf("remove the session: %v", err)
	}
	k.start()
	k.ended <- struct{}{}
}

// Controllers, real processes, are killed at moments by chance while they copy. What their
// successors write once more is counted where it arrives: for each kill no more than what
// the writers of the dead one had in hand.
func TestKill9CostsABatchOfEachWriter(t *testing.T) {
	if args := os.Getenv("TEST_SLUICE_ARGS"); args != "" { // this is a controller
		os.Exit(run(strings.Split(args, "\n"), os.Stdout, os.Stderr))
	}
	t.Parallel()
	// A batch has 4 MiB at most, so these documents make batches of few.
	const n, shards, size, workers, kills, batch = 2400, 3, 48 << 10, 2, 6, (4 << 20) / (48 << 10)
	node := enginetest.LendOpenSearch(t, engines.OpenSearch2)
	e, err := etcdstore.StartEmbedded(t.Context(), etcdstore.EmbeddedConfig{DataDir: t.TempDir(), ClientURL: "http://127.0.0.1:0"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	c := cli{t, []string{"--store.etcd.endpoints", e.Endpoint()}}
	k := &killCopy{t: t, d: e.Store(), s: store.New(e.Store(), nil), ended: make(chan struct{}, kills), running: map[string]*child.Child{},
		flags: append([]string{"--fleet.secret_file", secretFile(t), "--controller.copy_workers", fmt.Sprint(workers)}, c.flags...)}
	t.Cleanup(k.stop)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := mathrand.New(mathrand.NewPCG(seed, 1))
	m := &meter{t: t, url: node.URL(), http: &http.Client{Transport: &http.Transport{}}, kill: k.killDriver, random: random, writes: map[string]int{}}
	for i := range kills { // one in each part of the copy, but for its end
		part := n * 9 / 10 / kills
		m.due = append(m.due, i*part+1+random.IntN(part))
	}
	front := httptest.NewServer(m)
	t.Cleanup(func() { front.Close(); m.http.CloseIdleConnections(); http.DefaultClient.CloseIdleConnections() })
	fillForKills(t, node.URL()+"/acme-docs", n, shards, size)
	c.ok("cluster", "add", "a", node.URL())
	c.ok("cluster", "add", "b", front.URL)
	c.ok("tenant", "add", "acme", "--cluster", "a", "--index", "acme-docs", "--as", "docs")

	k.start()
	k.start()
	var id control.Move
	if err := json.Unmarshal([]byte(c.ok("move", "acme", "--to", "b", "--index", "acme-new", "--copy-throttle", "off", "--pause-budget", "3s", "--cutover-deadline", "4s", "-o", "json")), &id); err != nil {
		t.Fatal(err)
	}
	c.ok("moves", "watch", id.ID)
	r, err := control.Moves(k.s).Get(t.Context(), id.ID)
	if err != nil || r.Value.Stage != control.StageFlipped {
		t.Fatalf("it ended as %s: %s, %v", r.Value.Stage, r.Value.Error, err)
	}
	if len(k.ended) != kills {
		t.Errorf("%d were killed, want %d", len(k.ended), kills)
	}
	for _, st := range r.Value.Timeline {
		t.Logf("%s took %v", st.Stage, st.Duration.Round(time.Millisecond))
	}
	again, interrupted := m.again(), int(r.Value.Attempt)-1
	t.Logf("%d kills, %d of them with part of a shard noted, %d interruptions in all: %d of %d documents were written again, %d are allowed", len(k.ended), k.midway, interrupted, again, n, interrupted*workers*batch)
	if again > interrupted*workers*batch {
		t.Errorf("%d documents were written again after %d interruptions, at most %d are allowed", again, interrupted, interrupted*workers*batch)
	}
	if k.midway < kills/2 {
		t.Error("too few kills were within a shard: this shows little")
	}
	if got := indexed(t, node.URL()+"/acme-new"); got != int64(n+again) || len(m.writes) != n {
		t.Errorf("the cluster has performed %d writes of %d documents, and %d of %d were counted on the way", got, n, n+again, len(m.writes))
	}
	if d := r.Value.Receipt.Docs; d != n {
		t.Errorf("the receipt has %d documents, want %d", d, n)
	}
}

// fillForKills makes an index of documents that say nothing, and are not compressible.
func fillForKills(t *testing.T, index string, n, shards, size int) {
	t.Helper()
	must2xx(t, "", "PUT", index, fmt.Sprintf(`{"settings":{"number_of_shards":%d,"number_of_replicas":0,"refresh_interval":"-1"},"mappings":{"dynamic":false}}`, shards))
	raw := make([]byte, 4<<20)
	_, _ = rand.Read(raw)
	text := hex.EncodeToString(raw)
	random := mathrand.New(mathrand.NewPCG(1, 2))
	for from := 0; from < n; from += 100 {
		var b strings.Builder
		for i := from; i < min(n, from+100); i++ {
			at := random.IntN(len(text) - size)
			fmt.Fprintf(&b, "{\"index\":{\"_id\":\"d%d\"}}\n{\"p\":%q}\n", i, text[at:at+size-len(`{"p":""}`)])
		}
		must2xx(t, "", "POST", index+"/_bulk", b.String())
	}
	must2xx(t, "", "POST", index+"/_refresh", "")
}

// indexed is how many index operations a cluster has performed on an index.
func indexed(t *testing.T, index string) int64 {
	t.Helper()
	var st struct {
		All struct {
			Primaries struct {
				Indexing struct {
					Total int64 `json:"index_total"`
				}
			}
		} `json:"_all"`
	}
	if err := json.Unmarshal([]byte(must2xx(t, "", "GET", index+"/_stats/indexing", "")), &st); err != nil {
		t.Fatal(err)
	}
	return st.All.Primaries.Indexing.Total
}
