//go:build unix

package engines_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

func TestOpenSearchLife(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			prepared(t, version)
			start := time.Now()
			node := enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{Version: version, Name: "life", HeapMB: 256})
			t.Logf("started in %v", time.Since(start))

			info := mustCall(t, "GET", node.URL(), "")
			if got := info["version"].(map[string]any)["number"]; got != version || node.Version() != version {
				t.Fatalf("version %v, %v", got, node.Version())
			}
			if info["name"] != "life" || node.Name() != "life" {
				t.Fatalf("name %v, %v", info["name"], node.Name())
			}
			doc := node.URL() + "/books/_doc/1"
			mustCall(t, "PUT", doc, `{"title":"Sluices"}`)
			wantTitle(t, doc)

			pid := node.PID()
			must(t, node.Kill())
			must(t, node.Kill()) // nothing more
			if alive(pid) || node.PID() != 0 {
				t.Fatalf("process %d is still there", pid)
			}
			if err := node.Pause(); !errors.Is(err, engines.ErrNotRunning) {
				t.Fatalf("pause: %v", err)
			}
			start = time.Now()
			must(t, node.Restart(t.Context()))
			t.Logf("started again in %v", time.Since(start))
			wantTitle(t, doc)

			must(t, node.Pause())
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			if _, err := call(ctx, "GET", doc, ""); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("a paused node: %v", err)
			}
			must(t, node.Resume())
			wantTitle(t, doc)

			must(t, node.Pause()) // Stop does not depend on the state
			start = time.Now()
			must(t, node.Stop())
			must(t, node.Stop())
			t.Logf("stopped in %v", time.Since(start))
			if _, err := os.Stat(node.Dir()); !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("the temporary directory is still there: %v", err)
			}
			if err := node.Restart(t.Context()); !errors.Is(err, engines.ErrStopped) {
				t.Fatalf("restart after stop: %v", err)
			}
		})
	}
}

func wantTitle(t *testing.T, doc string) {
	t.Helper()
	if got := mustCall(t, "GET", doc, "")["_source"].(map[string]any)["title"]; got != "Sluices" {
		t.Fatalf("title %v", got)
	}
}

func TestOpenSearchTakesUpADirectory(t *testing.T) {
	dir := t.TempDir()
	for i := range 2 {
		node := enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{Dir: dir})
		doc := node.URL() + "/books/_doc/1"
		if i == 0 {
			mustCall(t, "PUT", doc, `{"title":"Sluices"}`)
		}
		wantTitle(t, doc)
		must(t, node.Stop())
	}
}

// prepared keeps a first build out of the start times that tests log.
func prepared(t *testing.T, version string) {
	t.Helper()
	_ = engines.PrepareOpenSearch(t.Context(), version, os.Stderr) // the start that follows deals with the error
}

// Each request needs a module or a setting that a bare node does not have.
func TestOpenSearchModules(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			node := enginetest.OpenSearch(t, version)
			requests := []struct{ what, method, path, body string }{
				{"parent-join and analysis-common", "PUT", "/a", `{"settings":{"analysis":{"analyzer":{"x":{"tokenizer":"standard",
					"filter":["porter_stem"]}}}},"mappings":{"properties":{"j":{"type":"join","relations":{"p":"c"}}}}}`},
				{"mapper-extras", "PUT", "/b", `{"mappings":{"properties":{"r":{"type":"rank_feature"}}}}`},
				{"a document", "PUT", "/b/_doc/1?refresh=true", `{"r":1.5,"n":1}`},
				{"lang-painless", "POST", "/b/_update/1?refresh=true", `{"script":{"source":"ctx._source.n += 1"}}`},
				{"update by query", "POST", "/b/_update_by_query?refresh=true", `{"script":{"source":"ctx._source.n += 1"}}`},
				{"reindex", "POST", "/_reindex", `{"source":{"index":"b"},"dest":{"index":"c"}}`},
				{"remote reindex", "POST", "/_reindex", `{"source":{"index":"b","remote":{"host":"` + node.URL() + `"}},"dest":{"index":"d"}}`},
				{"snapshots", "PUT", "/_snapshot/s", `{"type":"fs","settings":{"location":"` + node.SnapshotDir() + `"}}`},
				{"a snapshot", "PUT", "/_snapshot/s/one?wait_for_completion=true", `{"indices":"b"}`},
				{"lang-mustache", "POST", "/b/_search/template", `{"source":{"size":"{{n}}"},"params":{"n":1}}`},
				{"an index nobody created", "PUT", "/e/_doc/1", `{"x":1}`},
			}
			if version == engines.OpenSearch2 {
				requests = append(requests, []struct{ what, method, path, body string }{
					{"ingest-common", "PUT", "/_ingest/pipeline/p", `{"processors":[{"set":{"field":"x","value":1}}]}`},
					{"percolator", "PUT", "/f", `{"mappings":{"properties":{"q":{"type":"percolator"}}}}`},
				}...)
			}
			for _, r := range requests {
				reply, err := call(t.Context(), r.method, node.URL()+r.path, r.body)
				if err != nil {
					t.Errorf("%s: %v", r.what, err)
				}
				if failures, _ := reply["failures"].([]any); len(failures) > 0 {
					t.Errorf("%s: %v", r.what, failures)
				}
			}
		})
	}
}

func TestOpenSearchStartFailureQuotesTheLog(t *testing.T) {
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			_, err := engines.StartOpenSearch(t.Context(), &engines.OpenSearchOptions{
				Version: version, Dir: dir, Settings: map[string]string{"no.such.setting": "1"}, Progress: os.Stderr,
			})
			var missing *engines.MissingError
			if errors.As(err, &missing) {
				enginetest.OpenSearch(t, version) // skips or fails
			}
			var start *engines.StartError
			if !errors.As(err, &start) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(err.Error(), "unknown setting [no.such.setting]") || !strings.Contains(err.Error(), version) {
				t.Errorf("the error does not say why: %v", err)
			}
			if _, err := os.Stat(filepath.Join(dir, "logs", "engine.log")); err != nil {
				t.Errorf("the log of a directory that was given is gone: %v", err)
			}
		})
	}
}

func TestOpenSearchOptionsThatAreRefused(t *testing.T) {
	for _, test := range []struct {
		o    engines.OpenSearchOptions
		want string
	}{
		{engines.OpenSearchOptions{Version: "1.0.0"}, `"1.0.0" is not one of 2.19.6, 3.9.0`},
		{engines.OpenSearchOptions{Settings: map[string]string{"http.port": "9200"}}, "http.port"},
	} {
		node, err := engines.StartOpenSearch(t.Context(), &test.o)
		if err == nil {
			_ = node.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.o, err, test.want)
		}
	}
}

func TestOpenSearchStartEndsWithItsContext(t *testing.T) {
	prepared(t, engines.OpenSearch2)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	node, err := engines.StartOpenSearch(ctx, nil)
	if err == nil {
		_ = node.Stop()
		t.Fatal("a node started in half a second")
	}
	var missing *engines.MissingError
	if !errors.As(err, &missing) && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestOpenSearchFromScratch(t *testing.T) {
	if testing.Short() {
		t.Skip("builds everything anew")
	}
	t.Setenv(engines.CacheEnv, t.TempDir())
	var progress bytes.Buffer
	err := engines.PrepareOpenSearch(t.Context(), engines.OpenSearch2, &progress)
	var missing *engines.MissingError
	if errors.As(err, &missing) {
		enginetest.OpenSearch(t, engines.OpenSearch2) // skips or fails
	}
	must(t, err)
	for line := range strings.Lines(progress.String()) {
		if !strings.HasPrefix(line, "opensearch 2.19.6: ") || strings.Contains(line, "://") {
			t.Errorf("not for people: %q", line)
		}
	}
	if !strings.Contains(progress.String(), "has 85 jars") || !strings.HasSuffix(progress.String(), ": ready\n") {
		t.Errorf("progress:\n%s", &progress)
	}
	left, err := os.ReadDir(os.Getenv(engines.CacheEnv))
	must(t, err)
	if len(left) != 2 { // the build and its lock
		t.Errorf("the cache holds %v", left)
	}

	progress.Reset()
	start := time.Now()
	must(t, engines.PrepareOpenSearch(t.Context(), engines.OpenSearch2, &progress))
	if took := time.Since(start); took > 10*time.Second || progress.Len() > 0 {
		t.Errorf("the second time took %v and said %q", took, &progress)
	}
}
