package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/placement"
	tables "github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

// partition is the i-th one's name, and placed where it is.
func partition(i int) placement.PartitionID {
	return placement.PartitionID(fmt.Sprintf("tenant-%07d", i))
}

func placed(i int) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedIndex, Cluster: "cluster-a", Index: fmt.Sprintf("tenant-%07d-docs", i), Logical: "docs"}
}

func value(i int) []byte {
	return tables.EncodeEntry(placement.Entry{State: placement.State{Phase: placement.Active, From: placed(i)}})
}

func entrySize() int { return len(partition(0)) + len(value(0)) }

// register fills a table as users do, with many at a time. It returns how many are
// there when the context ends, and no error for that.
func (b *bench) register(ctx context.Context, table string, n int) (int, error) {
	var next, done atomic.Int64
	stopSaying := b.sayProgress(&done, n)
	defer stopSaying()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// Several connections: a client library may bound the calls of one.
	connections := min(4, b.writers)
	var opened []store
	defer func() {
		for _, d := range opened {
			_ = d.Close()
		}
	}()
	for range connections {
		d, err := b.direct(ctx, table)
		if err != nil {
			return 0, err
		}
		opened = append(opened, d)
	}
	var wg sync.WaitGroup
	for w := range b.writers {
		s := tables.New(opened[w%connections], &tables.Options{Timeout: 30 * time.Second})
		wg.Go(func() {
			// Each number is taken by one writer, so the first that fails is the only one
			// to miss; and a number that was taken is written or ends everything.
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				// The last writes are let end, so that none is of unknown outcome.
				if _, err := s.Register(context.WithoutCancel(ctx), partition(i), placed(i)); err != nil {
					cancel(fmt.Errorf("register entry %d: %w", i, err))
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	err := context.Cause(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return int(done.Load()), err
}

// sayProgress tells how many are there every ten seconds until the function that it
// returns is called.
func (b *bench) sayProgress(done *atomic.Int64, n int) func() {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(10 * time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				b.say("  %d of %d entries", done.Load(), n)
			case <-end:
				return
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// document is an entry as opensearchstore writes it: one that was never changed.
type document struct {
	Space   string `json:"space"`
	Name    []byte `json:"name"`
	Value   []byte `json:"value"`
	Deleted bool   `json:"deleted"`
	Nonce   string `json:"nonce"`
}

func documentOf(i int) (id string, d document) {
	name := string(partition(i))
	h := sha256.Sum256([]byte(tables.SpaceEntries + "\x00" + name))
	return base64.RawURLEncoding.EncodeToString(h[:]),
		document{Space: tables.SpaceEntries, Name: []byte(name), Value: value(i), Nonce: rand.Text()}
}

// bulkSize is how many documents one bulk request has.
const bulkSize = 2000

// fillOpenSearch fills a table by bulk requests, because the driver's one request an
// entry would take a quarter of an hour for a million. The documents are those that the
// driver would have written: the first is written by the driver, and if it is not
// exactly what this function would have sent, but for the random nonce, nothing is
// filled.
func fillOpenSearch(ctx context.Context, addr, table string, n int, done func(int)) error {
	none := 0
	d, err := opensearchstore.Open(ctx, opensearchstore.Config{Addresses: []string{"http://" + addr}, Index: table, Replicas: &none}, nil)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	if _, err := tables.New(d, nil).Register(ctx, partition(0), placed(0)); err != nil {
		return err
	}
	if err := sameAsDriver(ctx, "http://"+addr+"/"+table); err != nil {
		return err
	}
	done(1)
	next := atomic.Int64{}
	next.Store(1)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for { // each range of numbers is taken by one worker
				from := int(next.Add(bulkSize)) - bulkSize
				to := min(from+bulkSize, n)
				if from >= to || ctx.Err() != nil {
					return
				}
				if err := bulk(context.WithoutCancel(ctx), "http://"+addr+"/"+table, from, to); err != nil {
					cancel(err)
					return
				}
				done(to - from)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// sameAsDriver compares the first document with what documentOf makes of it.
func sameAsDriver(ctx context.Context, url string) error {
	id, want := documentOf(0)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/_source/"+id, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var have document
	body := json.NewDecoder(resp.Body)
	body.DisallowUnknownFields()
	if err := body.Decode(&have); err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("read the driver's first document: %s: %w", resp.Status, err)
	}
	have.Nonce = want.Nonce
	a, _ := json.Marshal(have)
	b, _ := json.Marshal(want)
	if !bytes.Equal(a, b) {
		return fmt.Errorf("the driver writes other documents than this benchmark: %s, not %s", a, b)
	}
	return nil
}

// bulk creates the documents from..to-1; all of them, or it is an error.
func bulk(ctx context.Context, url string, from, to int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	for i := from; i < to; i++ {
		id, d := documentOf(i)
		fmt.Fprintf(&body, "{\"create\":{\"_id\":%q}}\n", id)
		if err := enc.Encode(d); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/_bulk?require_alias=true&filter_path=errors,items.*.error", bufio.NewReader(&body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Errors *bool `json:"errors"`
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil || answer.Errors == nil || *answer.Errors {
		return fmt.Errorf("create documents %d to %d: %s: %.300s (%w)", from, to, resp.Status, text, err)
	}
	return nil
}
