package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// A key that does not exist, or not any more, is ErrNotFound; an empty space
// lists nothing.
func missingKey(s *suite) {
	s.lacks(key("never"))
	if all, _ := s.list(s.Driver, entries); len(all) != 0 {
		s.Fatalf("an empty space lists %v", all)
	}
	v := s.put(s.Driver, key("gone"), "x", 0)
	s.delete(s.Driver, key("gone"), v)
	s.lacks(key("gone"))
	s.conflicts(driver.Write{Key: key("never"), Value: []byte("x"), Expect: v})
	s.conflicts(driver.Write{Key: key("gone"), Expect: v, Delete: true})
	s.lacks(key("never"))
}

// Names that are empty or too long, spaces that are not letters, and deletions
// without a version, and sessions without time, are refused, not taken for something else.
func invalidKeys(s *suite) {
	for _, w := range []driver.Write{
		{Key: driver.Key{Space: entries}},
		{Key: driver.Key{Space: entries, Name: strings.Repeat("n", driver.MaxName+1)}},
		{Key: driver.Key{Space: "a/b", Name: "n"}},
		{Key: driver.Key{Name: "n"}},
		{Key: key("n"), Delete: true},
	} {
		if _, err := s.Driver.Write(s.ctx, w); err == nil || answer(err) {
			s.Errorf("write to %q of a name of %d bytes (delete %t): %v; want a refusal", w.Key.Space, len(w.Key.Name), w.Delete, err)
		}
	}
	for _, x := range []struct {
		key driver.Key
		ttl time.Duration
	}{{driver.Key{Space: sessions}, s.TTL}, {driver.Key{Space: "", Name: "n"}, s.TTL}, {session("n"), 0}, {session("n"), -s.TTL}} {
		if _, err := s.Driver.Open(s.ctx, x.key, nil, x.ttl); err == nil || answer(err) {
			s.Errorf("open %q in %q for %v: %v; want a refusal", x.key.Name, x.key.Space, x.ttl, err)
		}
	}
	if all, _ := s.list(s.Driver, sessions); len(all) != 0 {
		s.Fatalf("a refused open left %d records", len(all))
	}
	if all, _ := s.list(s.Driver, entries); len(all) != 0 {
		s.Fatalf("a refused write left %d records", len(all))
	}
}

// Of any number of writers that create the same key exactly one succeeds, and
// its value is there, at its version; the others get ErrConflict.
func createRace(s *suite) {
	const writers, keys = 16, 8
	for k := range keys {
		name := key("contended-" + strconv.Itoa(k))
		var winner atomic.Pointer[driver.KV]
		var group sync.WaitGroup
		for w := range writers {
			d := s.Driver
			if w%2 == 1 {
				d = s.Peer
			}
			group.Go(func() {
				value := []byte(strconv.Itoa(w))
				v, err := d.Write(s.ctx, driver.Write{Key: name, Value: value})
				switch {
				case err == nil:
					if !winner.CompareAndSwap(nil, &driver.KV{Value: value, Version: v}) {
						s.Errorf("%q was created twice", name.Name)
					}
				case !errors.Is(err, driver.ErrConflict):
					s.Errorf("create %q: %v", name.Name, err)
				}
			})
		}
		group.Wait()
		kv := winner.Load()
		if kv == nil {
			s.Fatalf("nobody created %q", name.Name)
		}
		s.has(name, string(kv.Value), kv.Version)
	}
}

// A write takes effect at exactly the expected version; at any other it is
// ErrConflict and changes nothing.
func versionConflict(s *suite) {
	k := key("k")
	v1 := s.put(s.Driver, k, "one", 0)
	v2 := s.put(s.Peer, k, "two", v1)
	for _, wrong := range []driver.Version{0, v1, v2 - 1, v2 + 1, 1 << 62} {
		if wrong != v2 {
			s.conflicts(driver.Write{Key: k, Value: []byte("wrong"), Expect: wrong})
		}
	}
	s.has(k, "two", v2)
	v3 := s.put(s.Driver, k, "three", v2)
	s.has(k, "three", v3)
}

// A write of the value that is there is a change: a new version, and seen.
func sameValue(s *suite) {
	k := key("k")
	v1 := s.put(s.Driver, k, "same", 0)
	tape := s.record(s.Driver, entries, v1)
	v2 := s.put(s.Driver, k, "same", v1)
	s.has(k, "same", v2)
	s.conflicts(driver.Write{Key: k, Value: []byte("same"), Expect: v1})
	evs := tape.reach(v2)
	if len(evs) != 1 || evs[0].Deleted || evs[0].Name != "k" || string(evs[0].Value) != "same" || evs[0].Version != v2 {
		s.Fatalf("watch reported %v", evs)
	}
}

// A deletion needs the version too, has a version of its own, and a key that is
// created again is newer than its deletion.
func deletion(s *suite) {
	k := key("k")
	v1 := s.put(s.Driver, k, "one", 0)
	tape := s.record(s.Driver, entries, v1)
	v2 := s.put(s.Driver, k, "two", v1)
	s.conflicts(driver.Write{Key: k, Expect: v1, Delete: true})
	s.has(k, "two", v2)
	v3 := s.delete(s.Driver, k, v2)
	s.lacks(k)
	s.conflicts(driver.Write{Key: k, Expect: v2, Delete: true})
	s.conflicts(driver.Write{Key: k, Value: []byte("x"), Expect: v3})
	v4 := s.put(s.Driver, k, "again", 0)
	if v4 <= v3 {
		s.Fatalf("created again at %d, deleted at %d", v4, v3)
	}
	s.has(k, "again", v4)
	evs := tape.reach(v4)
	want := []driver.Version{v2, v3, v4}
	for i, ev := range evs {
		if ev.Version != want[i] || ev.Deleted != (i == 1) {
			s.Fatalf("watch reported %v; want %v, the second a deletion", evs, want)
		}
	}
}

// Concurrent read-modify-write loops lose nothing: as many successes as the
// count says, each with a version of its own.
func counter(s *suite) {
	const writers, each = 6, 10
	k := key("count")
	s.put(s.Driver, k, "0", 0)
	var versions sync.Map
	var group sync.WaitGroup
	for w := range writers {
		d := s.Driver
		if w%2 == 1 {
			d = s.Peer
		}
		group.Go(func() {
			for done := 0; done < each; {
				kv, err := d.Get(s.ctx, k)
				if err != nil {
					s.Errorf("get: %v", err)
					return
				}
				n, err := strconv.Atoi(string(kv.Value))
				if err != nil {
					s.Error(err)
					return
				}
				v, err := d.Write(s.ctx, driver.Write{Key: k, Value: []byte(strconv.Itoa(n + 1)), Expect: kv.Version})
				switch {
				case err == nil:
					if _, twice := versions.LoadOrStore(v, true); twice {
						s.Errorf("two writes have version %d", v)
					}
					done++
				case !errors.Is(err, driver.ErrConflict):
					s.Errorf("write: %v", err)
					return
				}
			}
		})
	}
	group.Wait()
	kv, err := s.Driver.Get(s.ctx, k)
	if err != nil || string(kv.Value) != strconv.Itoa(writers*each) {
		s.Fatalf("the count is %q, %v; want %d", kv.Value, err, writers*each)
	}
}

// Names and values are bytes: none has a meaning, and a name that begins with
// another is another key, for Get, Write, List and Watch.
func anyBytes(s *suite) {
	names := []string{
		"a", "a/", "a/b", "ab", "a\x00", "a\x00b", "A", "\x00", "\x00\x00", "/", "//", "\xff", "\xff\xff", "\xfe", ".", "..", "../x",
		"entries", "gen/entries", "sessions/a", "*", "%2F", "%", "?", "#", " ", "\n", "é", "e\u0301", "\u2028", "{\"a\":1}", "$1", "a:b", "a|b",
		strings.Repeat("n", driver.MaxName), strings.Repeat("\xff", driver.MaxName), strings.Repeat("/", 64),
	}
	values := [][]byte{nil, {}, {0}, []byte("\xff\x00\r\n"), bytes.Repeat([]byte("0123456789abcdef"), 4096)}
	_, start := s.list(s.Driver, entries)
	versions := map[string]driver.Version{}
	value := func(i int) []byte { return values[i%len(values)] }
	var last driver.Version
	for i, name := range names {
		last = s.put(s.Driver, key(name), string(value(i)), 0)
		versions[name] = last
	}
	all, _ := s.list(s.Peer, entries)
	for i, name := range names {
		s.has(key(name), string(value(i)), versions[name])
		if kv := all[name]; !bytes.Equal(kv.Value, value(i)) || kv.Version != versions[name] {
			s.Fatalf("list has %d bytes for %q at %d", len(kv.Value), name, kv.Version)
		}
	}
	if len(all) != len(names) {
		s.Fatalf("list has %d records, want %d", len(all), len(names))
	}
	s.delete(s.Driver, key("a"), versions["a"])
	last = s.delete(s.Driver, key("\x00"), versions["\x00"])
	for i, name := range names {
		if name != "a" && name != "\x00" {
			s.has(key(name), string(value(i)), versions[name])
		}
	}
	evs := s.record(s.Driver, entries, start).reach(last)
	if len(evs) != len(names)+2 {
		s.Fatalf("watch reported %d changes, want %d", len(evs), len(names)+2)
	}
	for i, name := range append(names, "a", "\x00") {
		if ev := evs[i]; ev.Name != name || !ev.Deleted && !bytes.Equal(ev.Value, value(i)) || ev.Deleted != (i >= len(names)) {
			s.Fatalf("change %d is of %q (deleted %t), want %q", i, ev.Name, ev.Deleted, name)
		}
	}
}

// Spaces do not see each other, whatever their names: not for Get, Write, List
// nor Watch.
func spaces(s *suite) {
	names := []string{"ab", "abc", "b"}
	k := func(space string) driver.Key { return driver.Key{Space: space, Name: "same"} }
	tapes, versions := map[string]*tape{}, map[string]driver.Version{}
	for _, space := range names {
		_, v := s.list(s.Driver, space)
		tapes[space] = s.record(s.Driver, space, v)
	}
	for _, space := range names {
		versions[space] = s.put(s.Driver, k(space), space, 0)
	}
	for _, space := range names {
		s.has(k(space), space, versions[space])
		if all, _ := s.list(s.Driver, space); len(all) != 1 || string(all["same"].Value) != space {
			s.Fatalf("%s lists %v", space, all)
		}
	}
	deleted := s.delete(s.Driver, k("ab"), versions["ab"])
	s.has(k("abc"), "abc", versions["abc"])
	if evs := tapes["ab"].reach(deleted); len(evs) != 2 {
		s.Fatalf("the watch of ab reported %v", evs)
	}
	for _, space := range []string{"abc", "b"} {
		// One more change ends the wait: had a foreign one been on its way, it came first.
		v := s.put(s.Driver, driver.Key{Space: space, Name: "last"}, "", 0)
		if evs := tapes[space].reach(v); len(evs) != 2 {
			s.Fatalf("the watch of %s reported %v", space, evs)
		}
	}
}

// Get sees every write that was acknowledged, to anyone, before it was called.
func linearizableGet(s *suite) {
	k := key("k")
	var v driver.Version
	ways := [2]driver.Driver{s.Driver, s.Peer}
	for i := range 40 {
		value := strconv.Itoa(i)
		writer, reader := ways[i%2], ways[(i+1)%2]
		v = s.put(writer, k, value, v)
		kv, err := reader.Get(s.ctx, k)
		if err != nil || kv.Version != v || string(kv.Value) != value {
			s.Fatalf("get after write %d: %q at %d, %v; want version %d", i, kv.Value, kv.Version, err, v)
		}
	}
	// And under load: what is read is never older than what was acknowledged.
	var acked atomic.Uint64
	acked.Store(uint64(v))
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	var group sync.WaitGroup
	for r := range 2 {
		group.Go(func() {
			for ctx.Err() == nil {
				floor := driver.Version(acked.Load())
				if kv, err := ways[r%2].Get(s.ctx, k); err != nil || kv.Version < floor {
					s.Errorf("get: version %d, %v; %d was acknowledged", kv.Version, err, floor)
					return
				}
			}
		})
	}
	for i := range 40 {
		v = s.put(ways[i%2], k, fmt.Sprint("x", i), v)
		acked.Store(uint64(v))
	}
	stop()
	group.Wait()
}
