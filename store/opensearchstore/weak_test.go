package opensearchstore_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

// cluster starts three nodes and a table on them with two replicas, as many as there
// are other nodes, and returns when all copies are in sync.
func cluster(t *testing.T) (*engines.OpenSearchCluster, string) {
	t.Helper()
	c := enginetest.OpenSearchCluster(t, 3, &engines.OpenSearchOptions{Version: version(), HeapMB: 256})
	name := table()
	connectTo(t, c, name)
	green(t, c, name)
	return c, name
}

func green(t *testing.T, c *engines.OpenSearchCluster, name string) {
	t.Helper()
	ask(t, http.MethodGet, c.URLs()[0]+"/_cluster/health/"+name+"?wait_for_status=green&wait_for_nodes=3&timeout=120s", nil)
}

func connectTo(t *testing.T, c *engines.OpenSearchCluster, name string, only ...string) *opensearchstore.Store {
	t.Helper()
	if only == nil {
		only = c.URLs()
	}
	two := 2
	return connectWith(t, opensearchstore.Config{Addresses: only, Index: name, Replicas: &two},
		&opensearchstore.Options{Timeout: timeout, DialTimeout: time.Minute})
}

// ask sends a request that must succeed.
func ask(t *testing.T, method, url string, body any) []byte {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Body, req.ContentLength = nil, 0
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s %s, %v", method, url, resp.Status, out, err)
	}
	return out
}

// staleGet and staleVersions return what a Get, and a Versions, missed that were
// answered by a primary that had been deposed while it was frozen.
func staleGet(t *testing.T) string      { return stale(t).get }
func staleVersions(t *testing.T) string { return stale(t).versions }

func stale(t *testing.T) missed {
	shown.Do(func() { shown.missed = provoke(t) })
	return shown.missed
}

// shown is what was seen; several guarantees have the same weakness.
var shown struct {
	sync.Once
	missed
}

// missed is what each kind of read missed; empty when it did not.
type missed struct{ get, versions string }

// provoke makes reads and a write of a primary that was deposed while it was frozen:
// all were sent to it in its sleep, so that it meets them as the first thing when it
// wakes up. The write must not have been acknowledged, and nothing that it did may be
// left.
func provoke(t *testing.T) (seen missed) {
	c, name := cluster(t)
	k := key("k")
	for try := range 10 {
		green(t, c, name)
		primary, err := c.Primary(t.Context(), c.URLs()[0], name)
		if err != nil {
			t.Fatal(err)
		}
		others := slices.DeleteFunc(c.URLs(), func(u string) bool { return u == primary.URL() })
		old, rest := connectTo(t, c, name, primary.URL()), connectTo(t, c, name, others...)
		before, err := current(t.Context(), old, k)
		if err != nil {
			t.Fatal(err)
		}
		other, err := current(t.Context(), old, key("other"))
		if err != nil {
			t.Fatal(err)
		}
		if err := primary.Pause(); err != nil {
			t.Fatal(err)
		}
		acknowledged := persist(t, rest, k, before.Version, fmt.Sprint("new-", try))

		type result struct {
			kv  driver.KV
			v   driver.Version
			err error
		}
		reads, glances, writes := make(chan result, 1), make(chan result, 1), make(chan result, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		sent := make(chan struct{}, 3)
		go func() {
			sent <- struct{}{}
			kv, err := old.Get(ctx, k)
			reads <- result{kv: kv, err: err}
		}()
		go func() {
			sent <- struct{}{}
			all, err := old.Versions(ctx, k.Space, []string{k.Name})
			if err == nil {
				err = all[0].Err
			}
			if err != nil {
				glances <- result{err: err}
				return
			}
			glances <- result{v: all[0].Version}
		}()
		go func() {
			sent <- struct{}{}
			v, err := old.Write(ctx, driver.Write{Key: key("other"), Value: []byte("from the deposed"), Expect: other.Version})
			writes <- result{v: v, err: err}
		}()
		for range cap(sent) {
			<-sent
		}
		if err := primary.Resume(); err != nil {
			t.Fatal(err)
		}
		read, glance, write := <-reads, <-glances, <-writes
		// The write may have been made on the new primary in the end, and be acknowledged
		// by it; what is acknowledged is there, for everybody.
		green(t, c, name)
		now, err := rest.Get(t.Context(), key("other"))
		if err != nil {
			t.Fatal(err)
		}
		if write.err == nil && now.Version != write.v {
			t.Fatalf("the deposed primary acknowledged version %d; there is %d", write.v, now.Version)
		}
		if kv, err := rest.Get(t.Context(), k); err != nil || kv.Version != acknowledged {
			t.Fatalf("%d was acknowledged; there is %d, %v", acknowledged, kv.Version, err)
		}
		const text = "at try %d a read of the deposed primary, begun after version %d had been acknowledged, returned version %d; a write through it ended with version %d, %v"
		if seen.get == "" && read.err == nil && read.kv.Version < acknowledged {
			seen.get = fmt.Sprintf(text, try+1, acknowledged, read.kv.Version, write.v, write.err)
		}
		if seen.versions == "" && glance.err == nil && glance.v < acknowledged {
			seen.versions = fmt.Sprintf(text, try+1, acknowledged, glance.v, write.v, write.err)
		}
		if seen.get != "" && seen.versions != "" {
			break
		}
		t.Logf("try %d: the reads returned versions %d, %v, and %d, %v", try+1, read.kv.Version, read.err, glance.v, glance.err)
	}
	return seen
}

// current reads a key, and creates it first if it is not there.
func current(ctx context.Context, d driver.Driver, k driver.Key) (driver.KV, error) {
	kv, err := d.Get(ctx, k)
	if err == nil {
		return kv, nil
	}
	if _, err := d.Write(ctx, driver.Write{Key: k, Value: []byte("old")}); err != nil {
		return kv, err
	}
	return d.Get(ctx, k)
}

// persist writes until the write is acknowledged.
func persist(t *testing.T, d driver.Driver, k driver.Key, at driver.Version, value string) driver.Version {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
		v, err := d.Write(t.Context(), driver.Write{Key: k, Value: []byte(value), Expect: at})
		if err == nil {
			return v
		}
		if kv, err := d.Get(t.Context(), k); err == nil && string(kv.Value) == value {
			return kv.Version
		} else if err == nil {
			at = kv.Version
		}
	}
	t.Fatal("no write was acknowledged")
	return 0
}
