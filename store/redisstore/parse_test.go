package redisstore_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/store/redisstore"
)

// A record that is taken apart is the one that was put together; anything else is
// an error.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{"1:x", "9007199254740992:", "1::", "0:x", ":x", "x", "", "-1:x", "18446744073709551616:x", "+1:x", "01:x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		kv, err := redisstore.Record("k", raw)
		if err != nil {
			return
		}
		digits, value, _ := strings.Cut(raw, ":")
		if n, err := strconv.ParseUint(digits, 10, 64); err != nil || n == 0 || uint64(kv.Version) != n || string(kv.Value) != value || kv.Name != "k" {
			t.Fatalf("%q is %q at %d", raw, kv.Value, kv.Version)
		}
	})
}

// A lease is three parts that count and a fourth that does not.
func FuzzLease(f *testing.F) {
	for _, s := range []string{"id:1000:0:0", "id:1000:5:17", "id:0:0:0", "id:-1:0:0", "id:99999999999999999:0:0", "", ":::", "id:1000:0", "a:b:1000:0:0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		beat, ttl, err := redisstore.Lease(raw)
		if err != nil {
			return
		}
		if !strings.HasPrefix(raw, beat+":") || strings.Count(beat, ":") != 2 || ttl <= 0 || ttl+ttl/10 <= 0 {
			t.Fatalf("%q is %q for %v", raw, beat, ttl)
		}
	})
}

// An answer of another form than a script gives is an error, never a panic.
func TestAnswersOfAnotherForm(t *testing.T) {
	for _, raw := range []any{
		nil, "ok", []any{}, []any{"ok", int64(1)}, []any{"ok", "1", "tag"}, []any{int64(1), int64(1), "tag"}, []any{"ok", int64(-1), "tag"},
		[]any{"ok", int64(1), nil}, []any{"ok", int64(1), "tag"}, []any{"ok", int64(1), "tag", []any{"odd"}}, []any{"ok", int64(1), "tag", []any{int64(1), "x"}},
	} {
		if err := redisstore.Decode(raw); err == nil {
			t.Errorf("%v is taken for an answer", raw)
		}
	}
}
