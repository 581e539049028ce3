package consulstore_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
)

func init() { shows["SurvivesFullDisk"] = showFullDisk }

// Reads fail as writes do, and both are told from answers; when there is room
// again everything is there.
func showFullDisk(t *testing.T) string {
	v := fullDisk(t)
	at := put(t, v.Driver, key("k"), "x", 0)
	v.Strike()
	var reading, writing error
	for range 20 { // until it has noticed that it does not lead any more
		_, writing = v.Driver.Write(t.Context(), driver.Write{Key: key("k"), Value: []byte("y"), Expect: at})
		if _, reading = v.Peer.Get(t.Context(), key("k")); reading != nil {
			break
		}
	}
	if errors.Is(reading, driver.ErrNotFound) || errors.Is(writing, driver.ErrConflict) {
		t.Errorf("reading: %v, writing: %v; want errors that are no answers", reading, writing)
	}
	v.Heal()
	deadline := time.Now().Add(time.Minute)
	for {
		kv, err := v.Driver.Get(t.Context(), key("k"))
		if err == nil {
			if kv.Version < at {
				t.Errorf("the record is at %d; %d was acknowledged", kv.Version, at)
			}
			put(t, v.Peer, key("other"), "z", 0)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("there is room again, but: %v", err)
		}
	}
	if reading == nil {
		return ""
	}
	return "with a full disk reading said: " + reading.Error()
}

// fullDisk is a server whose files cannot grow any more: a limit of the kernel,
// set while it runs, which no privilege is needed for. A write to its log then
// fails as one to a full disk does. Strike uses up what is free within the file.
func fullDisk(t *testing.T) drivertest.Victim {
	m := enginetest.ConsulWith(t, &engines.ConsulOptions{Settings: quick})
	limit := func(bytes uint64) error {
		var now unix.Rlimit
		if err := unix.Prlimit(m.PID(), unix.RLIMIT_FSIZE, nil, &now); err != nil {
			return err
		}
		return unix.Prlimit(m.PID(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: min(bytes, now.Max), Max: now.Max}, nil)
	}
	strike := func() error {
		info, err := os.Stat(filepath.Join(m.Dir(), "data", "raft", "raft.db"))
		if err != nil {
			return err
		}
		if err := limit(uint64(info.Size())); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for refused := 0; refused < 3; {
			taken, err := putRaw(ctx, m.URL()+"/v1/kv/filler", bytes.Repeat([]byte("x"), 2000))
			if err != nil {
				return err
			}
			if !taken {
				refused++
			}
		}
		return nil
	}
	return victim(t, []string{m.URL()}, strike, func() error { return limit(unix.RLIM_INFINITY) }).Victim
}

// putRaw reports whether a server took a value.
func putRaw(ctx context.Context, url string, value []byte) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(value))
	if err != nil {
		return false, err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	return resp.StatusCode == http.StatusOK, errors.Join(resp.Body.Close())
}
