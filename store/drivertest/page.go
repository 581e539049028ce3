package drivertest

import (
	"fmt"
	"slices"

	"github.com/sluiceproxy/sluice/store/driver"
)

// pages checks that pages of any size are the space in the order of its names: with
// what was written and without what was deleted just before, also by another client.
func pages(s *suite) {
	d := s.Driver.(driver.Pager)
	if all, more, err := d.Page(s.ctx, entries, "", 3); err != nil || len(all) != 0 || more {
		s.Fatalf("a page of an empty space: %d records, more: %t, %v", len(all), more, err)
	}
	want := map[string]string{}
	for i := range 60 {
		// Names of all lengths, some the beginning of another, and bytes of all kinds.
		name := fmt.Sprintf("%c%s", 'a'+i%7, string(slices.Repeat([]byte{byte(i * 37)}, i%4)))
		if _, ok := want[name]; ok {
			continue
		}
		want[name] = fmt.Sprint(i)
		s.put(s.Peer, key(name), want[name], 0)
	}
	s.put(s.Peer, driver.Key{Space: sessions, Name: "b"}, "of another space", 0)
	for name := range want {
		if len(name) == 2 {
			kv, err := s.Driver.Get(s.ctx, key(name))
			if err != nil {
				s.Fatal(err)
			}
			s.delete(s.Peer, key(name), kv.Version)
			delete(want, name)
		}
	}
	for _, limit := range []int{1, 7, len(want), 1000} {
		var names []string
		for more, after := true, ""; more; {
			var part []driver.KV
			var err error
			if part, more, err = d.Page(s.ctx, entries, after, limit); err != nil {
				s.Fatal(err)
			}
			if len(part) > limit || more && len(part) == 0 {
				s.Fatalf("a page of %d has %d records, and more: %t", limit, len(part), more)
			}
			for _, kv := range part {
				if string(kv.Value) != want[kv.Name] || kv.Version == 0 {
					s.Errorf("%q is %q at %d, want %q", kv.Name, kv.Value, kv.Version, want[kv.Name])
				}
				names, after = append(names, kv.Name), kv.Name
			}
		}
		if !slices.IsSorted(names) || len(names) != len(want) {
			s.Errorf("pages of %d have %d names, want %d in order: %q", limit, len(names), len(want), names)
		}
	}
}
