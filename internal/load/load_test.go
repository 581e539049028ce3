package load_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/history"
	"github.com/sluiceproxy/sluice/internal/load"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCorpus(t *testing.T) {
	docs, err := load.Corpus(t.Context(), 50_000)
	must(t, err)
	if len(docs) != 50_000 {
		t.Fatalf("%d documents", len(docs))
	}
	kinds, ids := map[string]int{}, map[string]bool{}
	for _, d := range docs {
		kinds[d.Kind]++
		if ids[d.ID] {
			t.Fatalf("%s is there twice", d.ID)
		}
		ids[d.ID] = true
		if d.UID != d.ID || d.Name == "" || d.File == "" || d.Line == 0 || d.Package == "" {
			t.Fatalf("not whole: %+v", d)
		}
	}
	t.Log(kinds)
	all, err := load.Corpus(t.Context(), 10_000_000)
	must(t, err)
	t.Logf("all there is: %d", len(all))
	for _, kind := range []string{"package", "func", "method", "type", "field", "const", "var"} {
		if kinds[kind] < 100 {
			t.Errorf("only %d of kind %s", kinds[kind], kind)
		}
	}
}

// run starts a node, seeds an index and lets the clients work for a while, and until they have done enough to show something.
func run(t *testing.T, index string, n int, d time.Duration) (*engines.OpenSearch, *load.Load, *bytes.Buffer) {
	t.Helper()
	node := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	send(t, http.MethodPut, node.URL()+"/"+index, load.Mapping)
	docs, err := load.Corpus(t.Context(), n+n/10)
	must(t, err)
	var file bytes.Buffer
	var ops []history.Op
	l, err := load.New(load.Target{URLs: []string{node.URL(), node.URL()}, Index: index}, docs, n,
		&load.Options{Rate: 400, Log: &file, Observe: func(o history.Op) { ops = append(ops, o) }})
	must(t, err)
	t.Cleanup(l.Close)
	must(t, l.Seed(t.Context(), nil))
	stop := make(chan struct{})
	go func() {
		defer close(stop)
		enough := func() bool { c := l.Counts(); return c.Acknowledged >= int64(n)+300 && c.Reads >= 100 }
		time.Sleep(d)
		for end := time.Now().Add(time.Minute); time.Now().Before(end) && !enough(); {
			time.Sleep(50 * time.Millisecond)
		}
	}()
	must(t, l.Run(t.Context(), stop))
	observed(t, ops)
	return node, l, &file
}

// observed checks that the history has operations of every kind and is that of documents.
func observed(t *testing.T, ops []history.Op) {
	t.Helper()
	n := map[string]int{}
	for _, o := range ops {
		n[o.Verb]++
	}
	if n[history.Put] == 0 || n[history.Delete] == 0 || n[history.Get] == 0 {
		t.Errorf("observed were %v", n)
	}
	if err := history.Check(ops, time.Minute); err != nil {
		t.Error(err)
	}
}

func send(t *testing.T, method, url, body string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	var b bytes.Buffer
	_, err = b.ReadFrom(resp.Body)
	must(t, err)
	if resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s", method, url, resp.Status, b.String())
	}
	return b.Bytes()
}

func TestLoadOnAHealthyClusterFindsNothing(t *testing.T) {
	_, l, file := run(t, "healthy", 2000, 4*time.Second)
	cursors, err := l.OpenCursors(t.Context())
	must(t, err)
	must(t, cursors.Finish(t.Context()))
	if !cursors.Scroll.Complete() || !cursors.PIT.Complete() || cursors.PIT.Read < 1500 {
		t.Errorf("scroll %+v, PIT %+v", cursors.Scroll, cursors.PIT)
	}
	report, err := l.Check(t.Context())
	must(t, err)
	if !report.OK() {
		t.Errorf("%+v", report)
	}
	c := l.Counts()
	t.Logf("%+v, %+v, %+v", c, report, l.Writes(time.Time{}, time.Now()))
	if c.Failed+c.Retried+c.Stale+c.Unknown+c.Jumps != 0 || c.Reads < 100 || c.Acknowledged < 2300 || len(l.Trouble()) > 0 {
		t.Errorf("%+v %v", c, l.Trouble())
	}
	if got := int64(bytes.Count(file.Bytes(), []byte("acknowledged"))); got != c.Acknowledged {
		t.Errorf("%d acknowledged writes in the file, %d counted", got, c.Acknowledged)
	}
}

// existing returns the id and the whole hit of a document of the standard library that was not changed since Seed.
func existing(t *testing.T, node *engines.OpenSearch, index string, version int) (string, json.RawMessage) {
	t.Helper()
	send(t, http.MethodPost, node.URL()+"/"+index+"/_refresh", "")
	b := send(t, http.MethodPost, node.URL()+"/"+index+"/_search", `{"size":2000,"version":true,"query":{"prefix":{"uid":"a"}}}`)
	var got struct {
		Hits struct {
			Hits []struct {
				ID      string          `json:"_id"`
				Version int             `json:"_version"`
				Source  json.RawMessage `json:"_source"`
			}
		}
	}
	must(t, json.Unmarshal(b, &got))
	for _, h := range got.Hits.Hits {
		if h.Version >= version && !strings.HasPrefix(h.ID, "counter") && strings.Contains(string(h.Source), `"file"`) {
			return h.ID, h.Source
		}
	}
	t.Fatalf("no document with version %d in %s", version, b[:min(len(b), 500)])
	return "", nil
}

// TestCheckerFindsPlantedFaults changes an index behind the clients' back.
func TestCheckerFindsPlantedFaults(t *testing.T) {
	node, l, file := run(t, "planted", 1000, 5*time.Second)
	base := node.URL() + "/planted"
	doc := func(id string) string { return base + "/_doc/" + url.PathEscape(id) }
	check := func(name string, want load.CheckReport) {
		t.Helper()
		got, err := l.Check(t.Context())
		must(t, err)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(load.CheckReport{}, "IDs", "Existing", "Took", "Findings")); diff != "" {
			t.Errorf("%s: %s%v", name, diff, got.Findings)
		}
	}
	check("nothing planted", load.CheckReport{})

	// The same content once more is another version.
	id, source := existing(t, node, "planted", 1)
	send(t, http.MethodPut, doc(id), string(source))
	check("version", load.CheckReport{WrongVersion: 1})

	// Gone, which takes the place of the wrong version of the same document.
	send(t, http.MethodDelete, doc(id), "")
	check("lost", load.CheckReport{Lost: 1})

	// An update that is not there, under the right version: what a copy of an older state looks like.
	id, source = existing(t, node, "planted", 2)
	var older map[string]any
	must(t, json.Unmarshal(source, &older))
	version := getVersion(t, doc(id))
	older["marker"] = 1
	text, err := json.Marshal(older)
	must(t, err)
	send(t, http.MethodPut, fmt.Sprintf("%s?version=%d&version_type=external_gte", doc(id), version), string(text))
	check("older content", load.CheckReport{Lost: 2})

	// A deletion that was acknowledged, undone.
	send(t, http.MethodPut, doc(deletedID(t, file, l)), string(source))
	check("resurrected", load.CheckReport{Lost: 2, Resurrected: 1})

	send(t, http.MethodPut, doc("from nowhere"), string(source))
	check("extra", load.CheckReport{Lost: 2, Resurrected: 1, Extra: 1})

	// Counters: an increment too many, then two lost.
	send(t, http.MethodPost, base+"/_update/counter-1", `{"script":{"source":"ctx._source.counter += 1"}}`)
	check("counted twice", load.CheckReport{Lost: 2, Resurrected: 1, Extra: 2})
	send(t, http.MethodPost, base+"/_update/counter-1", `{"script":{"source":"ctx._source.counter -= 3"}}`)
	check("increments lost", load.CheckReport{Lost: 4, Resurrected: 1, Extra: 1, WrongVersion: 1})
}

func getVersion(t *testing.T, doc string) int {
	t.Helper()
	var got struct {
		Version int `json:"_version"`
	}
	must(t, json.Unmarshal(send(t, http.MethodGet, doc, ""), &got))
	return got.Version
}

// deletedID returns an id whose newest line in the ledger's file is a deletion.
func deletedID(t *testing.T, file *bytes.Buffer, _ *load.Load) string {
	t.Helper()
	exists := map[string]bool{}
	lines := json.NewDecoder(bytes.NewReader(file.Bytes()))
	for lines.More() {
		var line struct {
			ID     string
			Exists bool
		}
		must(t, lines.Decode(&line))
		exists[line.ID] = line.Exists
	}
	for id, there := range exists {
		if !there {
			return id
		}
	}
	t.Fatal("no document was deleted")
	return ""
}

// TestStaleReadIsCounted takes a document away between an acknowledgement and a read.
func TestStaleReadIsCounted(t *testing.T) {
	node, l, _ := run(t, "stale", 500, time.Second)
	send(t, http.MethodPost, node.URL()+"/stale/_delete_by_query?refresh=true&conflicts=proceed", `{"query":{"match_all":{}}}`)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	stop := make(chan struct{})
	time.AfterFunc(2*time.Second, func() { close(stop) })
	must(t, l.Run(ctx, stop))
	if c := l.Counts(); c.Stale == 0 || c.Failed == 0 {
		t.Errorf("an emptied index went unnoticed: %+v", c)
	}
}

func TestNewRefuses(t *testing.T) {
	good := load.Target{URLs: []string{"http://127.0.0.1:1"}, Index: "i"}
	docs := []load.Doc{{ID: "a"}, {ID: "b"}}
	for name, make := range map[string]func() error{
		"URLs":    func() error { _, err := load.New(load.Target{Index: "i"}, docs, 0, nil); return err },
		"Index":   func() error { _, err := load.New(load.Target{URLs: good.URLs}, docs, 0, nil); return err },
		"Tenant":  func() error { g := good; g.Header = "x"; _, err := load.New(g, docs, 0, nil); return err },
		"workers": func() error { _, err := load.New(good, docs, 0, nil); return err },
		"seed":    func() error { _, err := load.New(good, docs, 3, &load.Options{Workers: 1}); return err },
		"two documents": func() error {
			_, err := load.New(good, []load.Doc{{ID: "a"}, {ID: "a"}}, 0, &load.Options{Workers: 1})
			return err
		},
		"Rate": func() error { _, err := load.New(good, docs, 0, &load.Options{Workers: 1, Rate: -1}); return err },
	} {
		if err := make(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
