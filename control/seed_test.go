package control_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
)

// repository registers one place on both clusters, first where it may be written to: a
// place that is not there cannot be read. The rates are bytes a second, 0 for no limit.
func (b *bench) repository(t *testing.T, name, source, target, snapshot, restore string) {
	t.Helper()
	place := filepath.Join(enginetest.SharedOpenSearch(t, engines.OpenSearch2).SnapshotDir(), name)
	for _, cluster := range []string{source, target} {
		b.call(t, cluster, http.MethodPut, "/_snapshot/"+name, fmt.Sprintf(`{"type":"fs","settings":{"location":%q,"readonly":%t,"max_snapshot_bytes_per_sec":%q,"max_restore_bytes_per_sec":%q}}`,
			place, cluster == target, snapshot, restore), nil)
	}
}

// requestBy asks for a move that copies by snapshot.
func (b *bench) requestBy(t *testing.T, cluster, repository string) control.Move {
	t.Helper()
	m, err := control.RequestMove(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: cluster, Options: control.MoveOptions{
		DrainBarrier: 2 * time.Second, PauseBudget: 2 * time.Second, CutoverDeadline: 4 * time.Second,
		Copy: mover.CopyOptions{Method: mover.CopySnapshot, Repository: repository},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// noSnapshot fails the test if the repository holds one.
func (b *bench) noSnapshot(t *testing.T, cluster, repository string) {
	t.Helper()
	var ans struct{ Snapshots []struct{ Snapshot string } }
	b.call(t, cluster, http.MethodGet, "/_snapshot/"+repository+"/_all?verbose=false", "", &ans)
	if len(ans.Snapshots) > 0 {
		t.Errorf("snapshots are left: %v", ans.Snapshots)
	}
}

// A tenant moves from 2.19 to 3.9 by snapshot while it writes.
func TestMoveBySnapshotUnderLoad(t *testing.T) {
	t.Parallel()
	b := newBench(t, "snap", 3000)
	a := enginetest.SharedOpenSearch(t, engines.OpenSearch2)
	c := enginetest.OpenSearchWith(t, &engines.OpenSearchOptions{Version: engines.OpenSearch3, Settings: map[string]string{"path.repo": a.SnapshotDir()}})
	b.urls["c"] = c.URL()
	if _, err := b.s.Clusters().Put(t.Context(), "c", placement.Cluster{Name: "c", Endpoints: []string{c.URL()}}, 0); err != nil {
		t.Fatal(err)
	}
	b.repository(t, "under-load", "a", "c", "0", "0")
	ctx, cancel := context.WithCancel(t.Context())
	wg := b.load(ctx, t, 4)
	b.start(t, b.s, "c1")
	options := control.MoveOptions{Copy: mover.CopyOptions{Method: mover.CopyAuto, Repository: "under-load", SnapshotAbove: 1000}}
	rep, err := control.Precheck(t.Context(), b.s, control.Request{Partition: b.tenant, Cluster: "c", Options: options})
	if err != nil || rep.Failed() || rep.Copy == nil || rep.Copy.Method != mover.CopySnapshot {
		t.Fatalf("precheck: %+v, %+v, %v", rep.Copy, rep.Checks, err)
	}
	m := b.await(t, b.requestBy(t, "c", "under-load").ID, settled)
	cancel()
	wg.Wait()
	if m.Stage != control.StageFlipped || m.Receipt == nil {
		t.Fatalf("it ended as %s: %s", m.Stage, m.Error)
	}
	r := m.Receipt
	t.Logf("%d docs (%d bytes), %d rounds, %d caught up, pause %+v, fence %s, %d writes", r.Docs, r.Bytes, r.Rounds, r.CaughtUp, r.Pause, r.Fence, b.writes.Load())
	if r.CopiedBy == nil || r.CopiedBy.Method != mover.CopySnapshot || r.CopiedBy.Reason == "" || r.Fence != "clean" || r.Verification.Unsettled != 0 || r.Pause.Refused != 0 || r.Docs < 2000 || r.Bytes == 0 {
		t.Errorf("receipt %+v", r)
	}
	if m.Seed == nil || m.Seed.Step != mover.SeedDone {
		t.Errorf("seed %+v", m.Seed)
	}
	b.check(t)
	b.noSnapshot(t, "a", "under-load")
	var have map[string]struct {
		Aliases  map[string]any
		Settings map[string]any
	}
	b.call(t, "c", http.MethodGet, "/"+m.To.Index+"?flat_settings=true", "", &have)
	if got := have[m.To.Index]; len(got.Aliases) > 0 || got.Settings["index.routing.allocation.exclude._name"] != nil || got.Settings["index.gc_deletes"] != nil || got.Settings["index.refresh_interval"] != nil {
		t.Errorf("the target has %+v", got)
	}
}

// An abort while the snapshot is taken, or restored, leaves no index and no snapshot. A
// pause waits at the end of the step.
func TestAbortOfACopyBySnapshot(t *testing.T) {
	t.Parallel()
	b := newBench(t, "snapabort", 0)
	var bulk strings.Builder
	for i := range 200 {
		var text [2000]byte
		_, _ = rand.Read(text[:])
		id := fmt.Sprintf("d%d", i)
		fmt.Fprintf(&bulk, "{\"index\":{\"_id\":%q}}\n{\"n\":0,\"text\":%q}\n", id, hex.EncodeToString(text[:]))
		b.docs[id] = doc{version: 1}
	}
	b.call(t, "a", http.MethodPost, "/snapabort-0/_bulk", bulk.String(), nil)
	b.start(t, b.s, "c1")
	// At this rate a step takes the better part of a minute, if it is not ended.
	for step, rates := range map[string][2]string{mover.SeedTaking: {"20kb", "0"}, mover.SeedRestoring: {"0", "20kb"}} {
		b.repository(t, "abort", "a", "b", rates[0], rates[1])
		m := b.requestBy(t, "b", "abort")
		b.await(t, m.ID, func(m control.Move) bool { return m.Seed != nil && m.Seed.Step == step && m.Progress.Step != "" })
		if step == mover.SeedTaking {
			if _, err := control.RequestPause(t.Context(), b.s, m.ID, true); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := control.RequestAbort(t.Context(), b.s, m.ID); err != nil {
			t.Fatal(err)
		}
		m = b.await(t, m.ID, settled)
		if m.Stage != control.StageAborted || m.Seed.Step != step {
			t.Errorf("it ended as %s in %s: %s", m.Stage, m.Seed.Step, m.Error)
		}
		if code := b.call(t, "b", http.MethodGet, "/"+m.To.Index, "", nil); code != http.StatusNotFound {
			t.Errorf("something is left at the target: %d", code)
		}
		b.noSnapshot(t, "a", "abort")
	}
	b.check(t)
}

// A paused move takes no further step, and goes on from there.
func TestPauseOfACopyBySnapshot(t *testing.T) {
	t.Parallel()
	b := newBench(t, "snappause", 300)
	b.repository(t, "pause", "a", "b", "0", "0")
	m := b.requestBy(t, "b", "pause")
	if _, err := control.RequestPause(t.Context(), b.s, m.ID, true); err != nil {
		t.Fatal(err)
	}
	b.start(t, b.s, "c1")
	b.await(t, m.ID, func(m control.Move) bool { return strings.HasPrefix(m.Progress.Note, "paused") })
	b.noSnapshot(t, "a", "pause")
	if _, err := control.RequestPause(t.Context(), b.s, m.ID, false); err != nil {
		t.Fatal(err)
	}
	if m = b.await(t, m.ID, settled); m.Stage != control.StageFlipped {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	b.check(t)
	b.noSnapshot(t, "a", "pause")
}

// doomed is a controller's view of the store. Its controller dies at the first write of a
// move's record that has the word.
type doomed struct {
	*mortal
	word string
}

func (d doomed) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if w.Key.Space == store.SpaceMoves && bytes.Contains(w.Value, []byte(d.word)) {
		d.left.Store(1)
	}
	return d.mortal.Write(ctx, w)
}

// The controller is killed at each write in which it takes note of a step, which fails,
// or takes effect and seems to fail; another takes the move to its end, under load.
func TestKilledWhileCopyingBySnapshot(t *testing.T) {
	t.Parallel()
	b := newBench(t, "snapkill", 300)
	b.repository(t, "kill-b", "a", "b", "0", "0")
	b.repository(t, "kill-a", "b", "a", "0", "0")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wg := b.load(ctx, t, 2)
	for n, kill := range []struct {
		word    string
		persist bool
		left    string // the step in the record that the victim leaves
	}{
		{`"copied_by"`, true, ""}, {`"step":"taking"`, true, mover.SeedTaking}, {`"step":"restoring"`, false, mover.SeedTaking},
		{`"step":"restoring"`, true, mover.SeedRestoring}, {`"step":"restored"`, true, mover.SeedRestored}, {`"step":"done"`, false, mover.SeedRestored},
	} {
		to := []string{"b", "a"}[n%2]
		v := doomed{&mortal{Driver: b.d, dead: make(chan struct{}), persist: kill.persist}, kill.word}
		v.left.Store(1 << 40)
		stop := b.start(t, store.New(v, nil), fmt.Sprintf("victim-%d", n))
		m := b.requestBy(t, to, "kill-"+to)
		select {
		case <-v.dead:
		case <-time.After(60 * time.Second):
			t.Fatalf("the victim did not write %s", kill.word)
		}
		stop()
		r, err := control.Moves(b.s).Get(t.Context(), m.ID)
		if err != nil {
			t.Fatal(err)
		}
		left := ""
		if r.Value.Seed != nil {
			left = r.Value.Seed.Step
		}
		if left != kill.left {
			t.Errorf("killed at %s (persisted %v), it left the move at %q, want %q", kill.word, kill.persist, left, kill.left)
		}
		heir := b.start(t, b.s, fmt.Sprintf("heir-%d", n))
		done := b.await(t, m.ID, settled)
		heir()
		if done.Stage != control.StageFlipped {
			t.Fatalf("killed at %s (persisted %v): it ended as %s: %s", kill.word, kill.persist, done.Stage, done.Error)
		}
		b.noSnapshot(t, done.From.Cluster, "kill-"+to)
	}
	cancel()
	wg.Wait()
	b.check(t)
}

// What cannot be copied by snapshot is refused before anything begins.
func TestCopyBySnapshotRefusals(t *testing.T) {
	t.Parallel()
	b := newBench(t, "snaprefuse", 10)
	b.start(t, b.s, "c1")
	m := b.await(t, b.requestBy(t, "b", "nowhere").ID, settled)
	if m.Stage != control.StageFailed || !strings.Contains(m.Error, "a has no snapshot repository of that name") {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	// The same name, and another place.
	for cluster, place := range map[string]string{"a": "apart-a", "b": "apart-b"} {
		place = filepath.Join(enginetest.SharedOpenSearch(t, engines.OpenSearch2).SnapshotDir(), place)
		b.call(t, cluster, http.MethodPut, "/_snapshot/apart", fmt.Sprintf(`{"type":"fs","settings":{"location":%q}}`, place), nil)
	}
	b.call(t, "a", http.MethodPut, "/_snapshot/apart/nightly?wait_for_completion=true", `{"indices":"snaprefuse-0"}`, nil)
	m = b.await(t, b.requestBy(t, "b", "apart").ID, settled)
	if m.Stage != control.StageFailed || !strings.Contains(m.Error, "not the same place") {
		t.Errorf("it ended as %s: %s", m.Stage, m.Error)
	}
	if code := b.call(t, "b", http.MethodGet, "/"+m.To.Index, "", nil); code != http.StatusNotFound {
		t.Errorf("something is left at the target: %d", code)
	}
	b.check(t)
}
