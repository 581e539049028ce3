package redisstore_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/store/driver"
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

// Log entries that are taken for events are the very next ones, without a gap, and
// of the table that was read before.
func FuzzEvents(f *testing.F) {
	f.Add("4-0 n=a t=x b=w x=1\n5-0 n=b t=y b=x\n", uint64(3), "w")
	f.Add("5-0 n=a t=x b=w x=1", uint64(3), "w")
	f.Add("4-0 n=a t=x b=other", uint64(3), "w")
	f.Add("4 n=a t=x", uint64(3), "")
	f.Add("0-0 n= t= b=", uint64(0), "")
	f.Fuzz(func(t *testing.T, text string, version uint64, tag string) {
		version &= 1<<62 - 1
		var entries []redis.XMessage
		for line := range strings.Lines(text) {
			e := redis.XMessage{Values: map[string]any{}}
			for i, part := range strings.Split(strings.TrimSuffix(line, "\n"), " ") {
				if k, v, ok := strings.Cut(part, "="); i == 0 {
					e.ID = part
				} else if ok {
					e.Values[k] = v
				} else {
					e.Values[k] = int64(i)
				}
			}
			entries = append(entries, e)
		}
		evs, end, endTag, err := redisstore.Events(driver.Version(version), tag, entries)
		if err != nil {
			return
		}
		if len(evs) != len(entries) || end != driver.Version(version)+driver.Version(len(entries)) {
			t.Fatalf("%q after %d: %d events, up to %d", text, version, len(evs), end)
		}
		for i, ev := range evs {
			x, put := entries[i].Values["x"].(string)
			if ev.Version != driver.Version(version)+driver.Version(i)+1 || ev.Version == 0 || ev.Deleted == put || put && string(ev.Value) != x || ev.Name != entries[i].Values["n"] {
				t.Fatalf("%q after %d: event %d is %+v", text, version, i, ev)
			}
			if b := entries[i].Values["b"]; tag != "" && b != tag {
				t.Fatalf("%q after %d: event %d follows %q, not %q", text, version, i, b, tag)
			}
			tag, _ = entries[i].Values["t"].(string)
		}
		if endTag != tag {
			t.Fatalf("%q after %d ends with the tag %q", text, version, endTag)
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
