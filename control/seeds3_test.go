package control_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/mover"
)

// bucket is a bucket of a server that speaks S3.
type bucket struct {
	*s3mem.Backend
	server   *httptest.Server
	closed   atomic.Bool // to everybody
	requests atomic.Int64
}

const bucketName, accessKey = "snapshots", "the-key-of-this-test"

// newBucket starts one that lets in who shows the key.
func newBucket(t *testing.T) *bucket {
	t.Helper()
	b := &bucket{Backend: s3mem.New()}
	if err := b.CreateBucket(bucketName); err != nil {
		t.Fatal(err)
	}
	s3 := gofakes3.New(b.Backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	b.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.requests.Add(1)
		if b.closed.Load() || !strings.Contains(r.Header.Get("Authorization"), "Credential="+accessKey+"/") {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>not with these credentials</Message></Error>`)
			return
		}
		s3.ServeHTTP(w, r)
	}))
	t.Cleanup(b.server.Close)
	return b
}

// objects are the keys below a path.
func (b *bucket) objects(t *testing.T, path string) []string {
	t.Helper()
	list, err := b.ListBucket(bucketName, &gofakes3.Prefix{HasPrefix: true, Prefix: path}, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, o := range list.Contents {
		keys = append(keys, o.Key)
	}
	return keys
}

// options are those of a node that reaches the bucket, with its credentials in the
// keystore.
func (b *bucket) options() *engines.OpenSearchOptions {
	return &engines.OpenSearchOptions{Version: engines.OpenSearch3S3, Progress: os.Stderr, Settings: map[string]string{
		"s3.client.default.endpoint": strings.TrimPrefix(b.server.URL, "http://"), "s3.client.default.protocol": "http",
		"s3.client.default.path_style_access": "true", "s3.client.default.region": "us-east-1",
		"secure.s3.client.default.access_key": accessKey, "secure.s3.client.default.secret_key": "a secret of this test",
	}}
}

// A tenant moves by snapshot, through a bucket, between two clusters that share nothing
// else, while it writes. Before that, what is registered wrongly is refused.
func TestMoveBySnapshotThroughS3(t *testing.T) {
	t.Parallel()
	s3 := newBucket(t)
	var second *engines.OpenSearch
	var failed error
	var starting sync.WaitGroup
	starting.Go(func() { second, failed = engines.StartOpenSearch(context.Background(), s3.options()) })
	t.Cleanup(func() {
		if starting.Wait(); failed == nil {
			failed = second.Stop()
		}
		if failed != nil {
			t.Log(failed)
		}
	})
	first := enginetest.OpenSearchWith(t, s3.options()) // skips the test if it cannot be had
	if starting.Wait(); failed != nil {
		t.Fatal(failed)
	}
	b := newBenchOn(t, map[string]string{"a": first.URL(), "b": second.URL()}, "s3", 3000)
	register := func(cluster, path string, readonly bool) {
		t.Helper()
		b.call(t, cluster, http.MethodPut, "/_snapshot/s3", fmt.Sprintf(`{"type":"s3","settings":{"bucket":%q,"base_path":%q,"readonly":%t}}`, bucketName, path, readonly), nil)
	}
	precheck := func() mover.Report {
		t.Helper()
		rep, err := control.Precheck(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "b", Options: control.MoveOptions{Copy: mover.CopyOptions{Method: mover.CopySnapshot, Repository: "s3"}}})
		if err != nil {
			t.Fatal(err)
		}
		return rep
	}
	refused := func(rep mover.Report, why string) {
		t.Helper()
		for _, c := range rep.Checks {
			if c.Name == "copy" && c.Verdict == mover.Fail && strings.Contains(c.Detail, why) {
				return
			}
		}
		t.Errorf("not refused because of %q: %+v", why, rep.Checks)
	}
	register("a", "tenants", false)
	refused(precheck(), "b has no snapshot repository of that name")
	register("b", "elsewhere", true)
	refused(precheck(), `base_path "tenants" and "elsewhere"`)
	register("b", "tenants", true)
	s3.closed.Store(true)
	refused(precheck(), "a cannot use it")
	s3.closed.Store(false)
	if rep := precheck(); rep.Failed() || rep.Copy == nil || rep.Copy.Method != mover.CopySnapshot {
		t.Fatalf("%+v, %+v", rep.Copy, rep.Checks)
	}

	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 4)
	b.start(t, b.s, "c1")
	m := b.await(t, b.requestBy(t, "b", "s3").ID, settled)
	cancel()
	wg.Wait()
	if m.Stage != control.StageFlipped || m.Receipt == nil {
		t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
	}
	r := m.Receipt
	t.Logf("%d docs (%d bytes), %d rounds, %d caught up, pause %+v, fence %s, %d writes, %d requests to S3", r.Docs, r.Bytes, r.Rounds, r.CaughtUp, r.Pause, r.Fence, b.writes.Load(), s3.requests.Load())
	if r.CopiedBy == nil || r.CopiedBy.Method != mover.CopySnapshot || r.Fence != control.FenceClean || r.Verification.Unsettled != 0 || r.Pause.Refused != 0 || r.Docs < 2000 || r.Bytes == 0 {
		t.Errorf("receipt %+v", r)
	}
	b.check(t)
	b.noSnapshot(t, "a", "s3")
	for _, key := range s3.objects(t, "") {
		if strings.Contains(key, "/indices/") || strings.Contains(key, "/snap-") || !strings.HasPrefix(key, "tenants/") {
			t.Errorf("the bucket still has %s", key)
		}
	}
}
