//go:build unix

package engines_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// parentEnv makes this test binary be a parent that is going to be killed.
const parentEnv = "ENGINES_TEST_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(parentEnv) != "" {
		os.Exit(parent())
	}
	os.Exit(m.Run())
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// call sends a JSON request and returns the reply. A status other than 2xx is an error.
func call(ctx context.Context, method, url, body string) (map[string]any, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewBufferString(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, text)
	}
	var reply map[string]any
	return reply, json.Unmarshal(text, &reply)
}

func mustCall(t *testing.T, method, url, body string) map[string]any {
	t.Helper()
	reply, err := call(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var versions = []string{engines.OpenSearch2, engines.OpenSearch3}
