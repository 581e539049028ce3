package load_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/internal/load"
)

const noIndex = "index_not_found_exception"

// What is excused is what a node that starts really answers, and nothing else: an index that is missing at any other time,
// or is missing for any other request, has been lost.
func TestAStartingNodeIsExcusedForItsOwnAnswersOnly(t *testing.T) {
	for _, c := range []struct {
		method, path, kind string
		starting, want     bool
	}{
		{http.MethodPost, "/i/_update/1?retry_on_conflict=30", noIndex, true, true},
		{http.MethodPost, "/i/_refresh", noIndex, true, true},
		{http.MethodPost, "/i/_update/1", noIndex, false, false},
		{http.MethodPost, "/i/_refresh", noIndex, false, false},
		{http.MethodPost, "/i/_update/1", "document_missing_exception", true, false},
		{http.MethodPost, "/i/_bulk", noIndex, true, false},
		{http.MethodPost, "/i/_search", noIndex, true, false},
		{http.MethodPut, "/i/_doc/1", noIndex, true, false},
		{http.MethodDelete, "/i/_doc/1", noIndex, true, false},
		{http.MethodGet, "/i/_doc/1", noIndex, true, false},
	} {
		if got := load.Excused(c.method, c.path, c.kind, c.starting); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

// The answers of a node between its start and the moment at which it has read what indices it has.
func TestAStartingNodeSaysThatThereIsNoIndex(t *testing.T) {
	t.Parallel()
	n := enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{Version: engines.OpenSearch2, HeapMB: 256, Settings: map[string]string{
		"action.auto_create_index":    "false",
		"gateway.expected_data_nodes": "2", "gateway.recover_after_time": "3s", // it waits so long for the second
	}})
	ask := func(method, path, body string) (int, string) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, n.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return 0, ""
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, err.Error()
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			return 0, err.Error()
		}
		return resp.StatusCode, string(text)
	}
	send(t, http.MethodPut, n.URL()+"/i", `{}`)
	send(t, http.MethodPut, n.URL()+"/i/_doc/1", `{"a":1}`)
	must(t, n.Kill())
	restarted := make(chan error, 1)
	go func() { restarted <- n.Restart(context.WithoutCancel(t.Context())) }()
	for {
		if status, _ := ask(http.MethodGet, "/i/_doc/1", ""); status == http.StatusServiceUnavailable {
			break
		} else if status == http.StatusOK {
			t.Fatal("it knew its indices at once")
		}
		time.Sleep(20 * time.Millisecond)
	}
	var all sync.WaitGroup
	for _, c := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{http.MethodPost, "/i/_update/1", `{"doc":{"a":2}}`, http.StatusNotFound, noIndex},
		{http.MethodPost, "/i/_refresh", "", http.StatusNotFound, noIndex},
		{http.MethodPost, "/i/_search", "{}", http.StatusServiceUnavailable, "cluster_block_exception"},
		{http.MethodPost, "/i/_mget", `{"ids":["1"]}`, http.StatusServiceUnavailable, "cluster_block_exception"},
		{http.MethodPut, "/i/_doc/2", `{"a":2}`, http.StatusCreated, "created"},
		{http.MethodDelete, "/i/_doc/1", "", http.StatusOK, "deleted"},
		{http.MethodPost, "/i/_bulk", `{"index":{"_id":"3"}}` + "\n" + `{"a":3}` + "\n", http.StatusOK, `"errors":false`},
	} {
		all.Go(func() {
			status, text := ask(c.method, c.path, c.body)
			if status != c.status || !strings.Contains(text, c.text) {
				t.Errorf("%s %s was answered with %d %s, want %d %s", c.method, c.path, status, text, c.status, c.text)
			}
		})
	}
	all.Wait()
	must(t, <-restarted)
}
