package drivertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// certain reports whether err is one of the answers that programs conclude from.
func certain(err error) bool {
	return err == nil || errors.Is(err, driver.ErrNotFound) || errors.Is(err, driver.ErrConflict) ||
		errors.Is(err, driver.ErrSessionLost) || errors.Is(err, driver.ErrCompacted)
}

// A write that could not reach the engine is an error that is none of the certain
// answers; so are reads. Nothing was changed, and the write succeeds when it is
// repeated at the same version.
func testFailed(t *testing.T, h Harness) {
	if h.Faults == nil {
		return
	}
	f := h.Faults(t)
	k := key("k")
	v := put(t, f.Driver, k, "before", 0)
	f.Cut()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := f.Driver.Write(ctx, driver.Write{Key: k, Value: []byte("lost"), Expect: v})
	if certain(err) {
		t.Fatalf("write without a connection: %v", err)
	}
	short, cancel2 := context.WithTimeout(t.Context(), time.Second)
	defer cancel2()
	if _, err := f.Driver.Get(short, k); certain(err) {
		t.Fatalf("get without a connection: %v", err)
	}
	want(t, f.Direct, k, "before", v)
	f.Heal()
	eventually(t, "the connection works again", patience, func() bool {
		_, err := f.Driver.Get(t.Context(), k)
		return err == nil
	})
	put(t, f.Driver, k, "after", v)
}

// A write that took effect although its answer was lost is an error that is none
// of the certain answers; reading tells that it took effect, and repeating it at
// the old version is ErrConflict.
func testFailedButPersisted(t *testing.T, h Harness) {
	if h.Faults == nil {
		return
	}
	f := h.Faults(t)
	k := key("k")
	v := put(t, f.Driver, k, "before", 0)
	kv := driver.KV{}
	for try := 0; string(kv.Value) != "after"; try++ {
		if try == 20 {
			t.Fatalf("in %d tries no write took effect whose answer was cut", try)
		}
		kv = writeWithoutAnswer(t, f, k, "after", v)
	}
	want(t, f.Driver, k, "after", kv.Version)
	if _, err := f.Driver.Write(t.Context(), driver.Write{Key: k, Value: []byte("after"), Expect: v}); !errors.Is(err, driver.ErrConflict) {
		t.Fatalf("repeated at the old version: %v, want ErrConflict", err)
	}
}

// writeWithoutAnswer writes over a connection that loses every answer, and
// returns what is there once the connection works again. The engine may talk
// first, a keep-alive for instance, and lose the connection before the write was
// sent: then the write has failed without effect, and the caller tries again.
func writeWithoutAnswer(t *testing.T, f Faults, k driver.Key, value string, expect driver.Version) driver.KV {
	t.Helper()
	f.CutReplies()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := f.Driver.Write(ctx, driver.Write{Key: k, Value: []byte(value), Expect: expect}); certain(err) {
		t.Fatalf("write without an answer: %v", err)
	}
	f.Heal()
	eventually(t, "the connection works again", patience, func() bool {
		_, err := f.Driver.Get(t.Context(), k)
		return err == nil
	})
	// What was sent before the connection was cut is applied by now, or soon.
	var kv driver.KV
	for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end) && string(kv.Value) != value; time.Sleep(5 * time.Millisecond) {
		var err error
		if kv, err = f.Direct.Get(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	return kv
}
