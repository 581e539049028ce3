package drivertest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
)

func wrote(name, value string, v driver.Version) driver.Event {
	return driver.Event{KV: driver.KV{Name: name, Value: []byte(value), Version: v}}
}

func deleted(name string, v driver.Version) driver.Event {
	return driver.Event{KV: driver.KV{Name: name, Version: v}, Deleted: true}
}

// good is a history in which everything that can happen does, and what the watch
// reported of it.
func good() ([]drivertest.Call, []driver.Event) {
	kv := func(name, value string, v driver.Version) driver.KV {
		return driver.KV{Name: name, Value: []byte(value), Version: v}
	}
	return []drivertest.Call{
			{Verb: "get", Name: "a", Outcome: "absent", Began: 1, Ended: 2},
			{Verb: "write", Name: "a", Value: "1", Outcome: "done", Version: 10, Began: 3, Ended: 4},
			{Verb: "write", Name: "a", Value: "2", Outcome: "conflict", Floor: 10, Began: 5, Ended: 6},
			{Verb: "get", Name: "a", Value: "1", Outcome: "done", Version: 10, Floor: 10, Began: 7, Ended: 8},
			{Verb: "write", Name: "a", Value: "3", Expect: 10, Outcome: "unknown", Floor: 10, Began: 9, Ended: 10}, // it takes effect
			{Verb: "write", Name: "b", Value: "4", Outcome: "unknown", Floor: 10, Began: 11, Ended: 12},            // it does not
			{Verb: "write", Name: "a", Value: "5", Expect: 10, Outcome: "conflict", Floor: 10, Began: 13, Ended: 14},
			{Verb: "get", Name: "a", Value: "3", Outcome: "done", Version: 20, Floor: 10, Began: 15, Ended: 16},
			{Verb: "list", Outcome: "done", Version: 25, All: map[string]driver.KV{"a": kv("a", "3", 20)}, Floor: 10, Began: 17, Ended: 18},
			{Verb: "head", Outcome: "done", Version: 20, Floor: 10, Began: 19, Ended: 20},
			{Verb: "delete", Name: "a", Expect: 20, Outcome: "done", Version: 30, Floor: 10, Began: 21, Ended: 22},
			{Verb: "get", Name: "a", Outcome: "absent", Floor: 30, Began: 23, Ended: 24},
			{Verb: "write", Name: "a", Value: "6", Outcome: "done", Version: 40, Floor: 30, Began: 25, Ended: 26},
			{Verb: "delete", Name: "a", Expect: 40, Outcome: "unknown", Floor: 40, Began: 27, Ended: 28}, // it takes effect
			{Verb: "delete", Name: "a", Expect: 40, Outcome: "conflict", Floor: 40, Began: 29, Ended: 30},
			{Verb: "write", Name: "b", Value: "7", Outcome: "done", Version: 60, Floor: 40, Began: 31, Ended: 32},
			{Verb: "list", Outcome: "done", Version: 60, All: map[string]driver.KV{"b": kv("b", "7", 60)}, Floor: 60, Began: 33, Ended: 34},
			{Verb: "version", Name: "b", Outcome: "done", Version: 60, Floor: 60, Began: 35, Ended: 36},
			{Verb: "version", Name: "a", Outcome: "absent", Floor: 40, Began: 37, Ended: 38},
			{Verb: "since", Expect: 40, Outcome: "done", Version: 65, Changes: []driver.Event{deleted("a", 50), wrote("b", "7", 60)}, Floor: 60, Began: 39, Ended: 40},
		}, []driver.Event{
			wrote("a", "1", 10), wrote("a", "3", 20), deleted("a", 30), wrote("a", "6", 40), deleted("a", 50), wrote("b", "7", 60),
		}
}

// A history that is right is found right, and each way in which one can be wrong
// is found: otherwise no test that is judged so would mean anything.
func TestVerify(t *testing.T) {
	calls, tape := good()
	if took, err := drivertest.Verify(calls, tape); err != nil || took != 2 {
		t.Fatalf("the good history: %v, %d took effect; want 2", err, took)
	}
	for _, c := range []struct {
		name string
		want string
		harm func(calls []drivertest.Call, tape []driver.Event) ([]drivertest.Call, []driver.Event)
	}{
		{"an acknowledged write is lost", "is lost", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			return c[:16], e[:5]
		}},
		{"an acknowledged write is replaced as if it had not been", "took effect at 20 over 10", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[4].Expect = 9
			return c, e
		}},
		{"a deletion that nobody made", "nobody made", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			return c, append(e, deleted("b", 70))
		}},
		{"a write that nobody made", "nobody made", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			return c, append(e, wrote("b", "?", 70))
		}},
		{"a write under another key", "nobody made", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			e[5].Name = "c"
			return c, e
		}},
		{"a write that took effect twice", "twice", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			return c, append(e, wrote("b", "7", 70))
		}},
		{"a conflict that took effect", "was answered with a conflict and took effect", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			e[1].Value = []byte("5")
			return c, e
		}},
		{"a version other than the acknowledged", "was acknowledged at 60 and is at 61", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			e[5].Version = 61
			return c, e
		}},
		{"a write that took effect in the past", "was acknowledged already", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[15].Floor = 65
			return c, e
		}},
		{"a watch that goes back", "after", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			e[0], e[5] = e[5], e[0]
			return c, e
		}},
		{"a watch that repeats", "after", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			return c, append(e, e[5])
		}},
		{"a read of what was replaced", "which had been replaced", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[7].Value, c[7].Version, c[7].Floor = "1", 10, 20
			return c, e
		}},
		{"a read of what was never there", "never there", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[7].Value = "4"
			return c, e
		}},
		{"absent, though it is there", "no such key", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[16] = drivertest.Call{Verb: "get", Name: "b", Outcome: "absent", Floor: 60, Began: 33, Ended: 34}
			return c, e
		}},
		{"absent, before it was deleted", "no such key", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			e = e[:1]
			return append(c[:4:4], drivertest.Call{Verb: "get", Name: "a", Outcome: "absent", Floor: 10, Began: 9, Ended: 10}), e
		}},
		{"a conflict for nothing", "though it was right", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			return append(c, drivertest.Call{Verb: "write", Name: "b", Value: "8", Expect: 60, Outcome: "conflict", Floor: 60, Began: 35, Ended: 36}), e
		}},
		{"a conflict for nothing at a creation", "though it was right", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			return append(c, drivertest.Call{Verb: "write", Name: "c", Value: "8", Outcome: "conflict", Floor: 60, Began: 35, Ended: 36}), e
		}},
		{"a conflict before its reason", "though it was right", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			return slices.Insert(c, 1, drivertest.Call{Verb: "write", Name: "b", Value: "8", Outcome: "conflict", Began: 1, Ended: 2}), e
		}},
		{"a list that misses a record", "has 0 records", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[16].All = nil
			return c, e
		}},
		{"a list of another moment", "a list at 19", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[8].Version = 19
			return c, e
		}},
		{"a list that is too old", "was acknowledged already", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[8].Floor = 30
			return c, e
		}},
		{"a head that is behind", "it read 20", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[9].Floor = 30
			return c, e
		}},
		{"a head that no watch reaches", "the newest change is at 60", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[9].Version = 61
			return c, e
		}},
		{"a version that was replaced", "which had been replaced", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[17].Name, c[17].Version = "a", 40
			return c, e
		}},
		{"a version that was never there", "never there", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[17].Version = 61
			return c, e
		}},
		{"no version, though it is there", "no such key", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[18].Name, c[18].Floor = "b", 60
			return c, e
		}},
		{"changes up to what is too old", "it came to 59", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[19].Version = 59
			return c, e
		}},
		{"changes of which one is missing", "with 1 changes; there were 2", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[19].Changes = c[19].Changes[1:]
			return c, e
		}},
		{"changes of which one is another", "or others", func(c []drivertest.Call, e []driver.Event) ([]drivertest.Call, []driver.Event) {
			c[19].Changes[1].Value = []byte("8")
			return c, e
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := drivertest.Verify(c.harm(good()))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v; want one that contains %q", err, c.want)
			}
		})
	}
}
