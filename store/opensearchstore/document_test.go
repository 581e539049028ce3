package opensearchstore_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/opensearchstore"
)

func TestVersions(t *testing.T) {
	// Growing in the order of _seq_no, whatever the terms, and never 0.
	order := []driver.Version{opensearchstore.UpTo(-1), opensearchstore.VersionOf(0, 1), opensearchstore.UpTo(0), opensearchstore.VersionOf(1, 1), opensearchstore.VersionOf(1, 2), opensearchstore.UpTo(1), opensearchstore.VersionOf(2, 2), opensearchstore.VersionOf(opensearchstore.MaxSeq, 7), opensearchstore.UpTo(opensearchstore.MaxSeq)}
	for i, v := range order {
		if v == 0 || i > 0 && v <= order[i-1] {
			t.Errorf("version %d is %d, after %d", i, v, order[max(0, i-1)])
		}
	}
	for _, seq := range []int64{0, 1, 41, opensearchstore.MaxSeq} {
		for _, term := range []int64{1, 4095, 4096, 1 << 40} {
			if got := opensearchstore.SeqOf(opensearchstore.VersionOf(seq, term)); got != seq {
				t.Errorf("the _seq_no of version %d/%d is %d", seq, term, got)
			}
		}
	}
	if v := uint64(opensearchstore.UpTo(opensearchstore.MaxSeq)); v >= 1<<63 {
		t.Errorf("the largest version is %d, which does not fit a long", v)
	}
	if opensearchstore.SeqOf(0) != -1 || opensearchstore.SeqOf(opensearchstore.UpTo(-1)) != -1 {
		t.Errorf("the _seq_no from before the first is %d, %d", opensearchstore.SeqOf(0), opensearchstore.SeqOf(opensearchstore.UpTo(-1)))
	}
	// What a deposed primary has numbered is told apart from its successor's.
	if opensearchstore.VersionOf(12, 3) == opensearchstore.VersionOf(12, 4) {
		t.Error("two terms have the same version")
	}
	for _, bad := range [][2]int64{{-1, 1}, {opensearchstore.MaxSeq + 1, 1}, {0, 0}} {
		if opensearchstore.Bounded(bad[0], bad[1]) == nil {
			t.Errorf("%v is taken for a version", bad)
		}
	}
}

// life is a record that lives through changes, as the engine would number them.
type life struct {
	cur *opensearchstore.Stored
	seq int64
}

var k = driver.Key{Space: "entries", Name: "k"}

func (l *life) change(value string, deleted bool) *opensearchstore.Stored {
	return l.store(l.cur.Next(k, []byte(value), deleted))
}

func (l *life) renew() *opensearchstore.Stored { return l.store(l.cur.Renewed()) }

func (l *life) store(d *opensearchstore.Document) *opensearchstore.Stored {
	l.seq += 3
	l.cur = opensearchstore.NewStored(*d, l.seq, 1)
	return l.cur
}

func TestAWatchReadsThePast(t *testing.T) {
	var l life
	versions := []driver.Version{}
	for i := range 5 {
		versions = append(versions, l.change(fmt.Sprint(i), i == 3).Version())
		l.renew()
	}
	describe := func(evs []driver.Event) (out []string) {
		for _, ev := range evs {
			out = append(out, fmt.Sprintf("%d %s %t", ev.Version, ev.Value, ev.Deleted))
		}
		return out
	}
	all := []string{}
	for i, v := range versions {
		value := fmt.Sprint(i)
		if i == 3 {
			value = ""
		}
		all = append(all, fmt.Sprintf("%d %s %t", v, value, i == 3))
	}
	for from := range versions {
		for upto := from; upto < len(versions); upto++ {
			evs, err := l.cur.Changes(versions[from], versions[upto])
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(append([]string(nil), all[from+1:upto+1]...), describe(evs)); diff != "" {
				t.Errorf("changes after %d and up to %d (-want +got):\n%s", from, upto, diff)
			}
		}
		kv, there, err := l.cur.Moment(versions[from])
		if err != nil || there != (from != 3) || there && (kv.Version != versions[from] || string(kv.Value) != fmt.Sprint(from)) {
			t.Errorf("the moment %d is %v, %t, %v", from, kv, there, err)
		}
	}
	if _, there, err := l.cur.Moment(versions[0] - 1); there || err != nil {
		t.Errorf("before it was created the record is there: %t, %v", there, err)
	}
}

func TestARenewalIsNoChange(t *testing.T) {
	var l life
	v := l.change("x", false).Version()
	nonce := l.cur.Nonce
	for range 3 {
		if l.renew(); l.cur.Version() != v || l.cur.At() != v || string(l.cur.Value) != "x" || l.cur.Nonce != nonce {
			t.Fatalf("after a renewal the record is %+v at %d", l.cur, l.cur.Version())
		}
	}
	if l.cur.Beat != 3 {
		t.Errorf("three renewals count %d", l.cur.Beat)
	}
	next := l.change("y", false)
	if got := next.Has(nonce); got != v {
		t.Errorf("the change that was renewed is remembered at %d, not %d", got, v)
	}
	if next.Version() != opensearchstore.VersionOf(next.Seq(), 1) {
		t.Errorf("the change after renewals is at %d", next.Version())
	}
}

func TestThePastIsBounded(t *testing.T) {
	const most = opensearchstore.MaxPast / opensearchstore.AChange
	for _, test := range []struct {
		size, want int
	}{{0, most}, {1000, opensearchstore.MaxPast / (1000 + opensearchstore.AChange)}, {opensearchstore.MaxPast, opensearchstore.MinPast}} {
		var l life
		var versions []driver.Version
		for range most + 10 {
			versions = append(versions, l.change(strings.Repeat("x", test.size), false).Version())
		}
		if len(l.cur.History) != test.want {
			t.Errorf("of values of %d bytes %d are remembered, want %d", test.size, len(l.cur.History), test.want)
		}
		oldest := len(versions) - 1 - test.want
		if got := driver.Version(l.cur.Base); got != versions[oldest-1] {
			t.Errorf("the newest that is forgotten is %d, want %d", got, versions[oldest-1])
		}
		if evs, err := l.cur.Changes(versions[oldest-1], opensearchstore.UpTo(l.seq)); err != nil || len(evs) != test.want+1 {
			t.Errorf("a watch from the newest that is forgotten gets %d changes, %v", len(evs), err)
		}
		if _, err := l.cur.Changes(versions[oldest-1]-1, opensearchstore.UpTo(l.seq)); err == nil {
			t.Error("a watch from before it was not told")
		}
		if _, _, err := l.cur.Moment(versions[oldest-1]); err == nil {
			t.Error("a list at a moment that is forgotten was not told")
		}
	}
}

// A conflict is settled by what is there.
func TestSettle(t *testing.T) {
	var l life
	first := l.change("first", false)
	mine := first.Next(k, []byte("mine"), false)
	theirs := l.change("theirs", false)
	if now, err := opensearchstore.Settle(mine, first, theirs); now != nil || err != nil {
		t.Errorf("somebody else's change: %v, %v; want a conflict", now, err)
	}

	l.cur = first
	took := l.store(mine)
	for name, fresh := range map[string]*opensearchstore.Stored{"as it is": took, "renewed": l.renew(), "changed since": l.change("later", false)} {
		now, err := opensearchstore.Settle(mine, first, fresh)
		if err != nil || now == nil || now.Version() != took.Version() || string(now.Value) != "mine" {
			t.Errorf("its own effect, %s: %v, %v; want version %d", name, now, err, took.Version())
		}
	}
	if now, err := opensearchstore.Settle(mine, first, first); err == nil {
		t.Errorf("a conflict with what was expected: %v; want an error", now)
	}
	for range opensearchstore.MaxPast/opensearchstore.AChange + 1 {
		l.change("x", false)
	}
	if now, err := opensearchstore.Settle(mine, first, l.cur); err == nil {
		t.Errorf("after more changes than are remembered: %v; want an error", now)
	}
}

func TestDocumentIDs(t *testing.T) {
	seen := map[string]driver.Key{}
	for _, key := range []driver.Key{{Space: "a", Name: "b"}, {Space: "ab", Name: "c"}, {Space: "a", Name: "bc"}, {Space: "a", Name: strings.Repeat("\xff", driver.MaxName)}, {Space: strings.Repeat("a", 600), Name: "\x00"}} {
		id := opensearchstore.DocumentID(key)
		if other, ok := seen[id]; ok {
			t.Errorf("%v and %v have the same id", key, other)
		}
		if seen[id] = key; len(id) > 512 || strings.HasPrefix(id, opensearchstore.MetaID) && len(id) == len(opensearchstore.MetaID) {
			t.Errorf("the id of %v is %q", key, id)
		}
	}
}

// Whatever is in the index, reading a record's past neither panics nor invents
// changes outside of what was asked for.
func FuzzDocument(f *testing.F) {
	var l life
	l.change("x", false)
	l.renew()
	l.change("", true)
	b, err := json.Marshal(l.cur.Source())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, uint64(0), uint64(1<<40))
	f.Add([]byte(`{"space":"entries","name":"aw==","history":[{"v":5},{"v":3}],"base":9}`), uint64(4), uint64(6))
	f.Fuzz(func(t *testing.T, b []byte, from, upto uint64) {
		var d opensearchstore.Document
		if json.Unmarshal(b, &d) != nil {
			return
		}
		s := opensearchstore.NewStored(d, 7, 1)
		evs, err := s.Changes(driver.Version(from), driver.Version(upto))
		if err != nil && driver.Version(s.Base) <= driver.Version(from) {
			t.Fatalf("changes: %v", err)
		}
		for _, ev := range evs {
			if uint64(ev.Version) <= from || uint64(ev.Version) > upto || ev.Deleted && ev.Value != nil {
				t.Fatalf("%v is not between %d and %d", ev, from, upto)
			}
		}
		if kv, there, err := s.Moment(driver.Version(upto)); err == nil && there && uint64(kv.Version) > upto {
			t.Fatalf("at %d the record is at %d", upto, kv.Version)
		}
		next := s.Next(k, b, false)
		if len(next.History) > max(opensearchstore.MaxPast/opensearchstore.AChange, opensearchstore.MinPast) {
			t.Fatal("the past grows without bound")
		}
		// As it is stored, and with what it was still in it.
		text, err := json.Marshal(next)
		if err != nil {
			t.Fatal(err)
		}
		var again opensearchstore.Document
		if err := json.Unmarshal(text, &again); err != nil || !cmp.Equal(*next, again, cmpopts.EquateEmpty()) {
			t.Fatalf("%v (-written +read):\n%s", err, cmp.Diff(*next, again))
		}
		if now := opensearchstore.NewStored(again, 9, 1); d.Nonce != "" && d.Nonce != next.Nonce && now.Has(d.Nonce) == 0 {
			t.Fatalf("the change %q is forgotten at once", d.Nonce)
		}
	})
}
