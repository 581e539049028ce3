package affinity_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/sluiceproxy/sluice/affinity"
	"github.com/sluiceproxy/sluice/placement"
)

var (
	keyA = bytes.Repeat([]byte("a"), 32)
	keyB = bytes.Repeat([]byte("b"), 32)
	noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
)

func sealer(t testing.TB, keys ...[]byte) *affinity.Sealer {
	t.Helper()
	s, err := affinity.NewSealer(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func envelope() affinity.Envelope {
	return affinity.Envelope{
		Partition: "acme/日本", Incarnation: 3, Kind: affinity.PIT, ID: strings.Repeat("x", 2000), Expires: noon.Local(),
		Placement: placement.Placement{Kind: placement.DedicatedIndex, Cluster: "east", Index: "acme-1", Logical: "docs"},
	}
}

func TestRoundTripAcrossInstancesAndKeys(t *testing.T) {
	shared := envelope()
	shared.Placement = placement.Placement{Kind: placement.SharedIndex, Cluster: "east", Index: "pool", Logical: "docs", PartitionField: "tenant"}
	for _, want := range []affinity.Envelope{envelope(), shared} {
		text := sealer(t, keyA).Wrap(want)
		got, err := sealer(t, keyB, keyA).Unwrap(text, want.Partition, noon.Add(-time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
}

// A key is replaced in three steps, each of which reaches the instances one after
// another: all learn to open with the new one, then seal with it, then forget the
// old one. No cursor is refused on the way that was sealed by any instance before
// the last step, and everyone's are once it is done.
func TestKeyRotation(t *testing.T) {
	e, at := envelope(), noon.Add(-1)
	steps := []*affinity.Sealer{sealer(t, keyA), sealer(t, keyA, keyB), sealer(t, keyB, keyA), sealer(t, keyB)}
	for i, by := range steps {
		text := by.Wrap(e)
		for j, reader := range steps {
			_, err := reader.Unwrap(text, e.Partition, at)
			next := j >= i-1 && j <= i+1 // instances are a step apart at most
			old := i < 2 && j == 3 || i > 1 && j == 0
			if (next || !old) && err != nil || old && !errors.Is(err, affinity.ErrTampered) {
				t.Errorf("sealed in step %d, opened in step %d: %v", i, j, err)
			}
		}
	}
}

// Ids of thousands of bytes, as of points in time over hundreds of shards.
func TestLongIDs(t *testing.T) {
	e, s := envelope(), sealer(t, keyA)
	for _, n := range []int{0, 1, 10 << 10, 100 << 10} {
		e.ID = strings.Repeat("i", n)
		text := s.Wrap(e)
		got, err := s.Unwrap(text, e.Partition, noon.Add(-1))
		if err != nil || got.ID != e.ID {
			t.Errorf("%d bytes: %d came back, %v", n, len(got.ID), err)
		}
		for _, i := range []int{0, len(text) / 2, len(text) - 1} {
			changed := text[:i] + string(text[i]^1) + text[i+1:]
			if _, err := s.Unwrap(changed, e.Partition, noon.Add(-1)); !errors.Is(err, affinity.ErrTampered) {
				t.Errorf("%d bytes, character %d changed: %v", n, i, err)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	e := envelope()
	s := sealer(t, keyA)
	text := s.Wrap(e)
	for _, test := range []struct {
		name, text string
		who        placement.PartitionID
		at         time.Time
		want       error
	}{
		{"expired", text, e.Partition, noon, affinity.ErrExpired},
		{"other tenant", text, "other", noon.Add(-1), affinity.ErrOtherTenant},
		{"other tenant, expired", text, "other", noon, affinity.ErrOtherTenant},
		{"other key", sealer(t, keyB).Wrap(e), e.Partition, noon.Add(-1), affinity.ErrTampered},
		{"cut", text[:len(text)-1], e.Partition, noon.Add(-1), affinity.ErrTampered},
		{"longer", text + "A", e.Partition, noon.Add(-1), affinity.ErrTampered},
		{"empty", "", e.Partition, noon.Add(-1), affinity.ErrTampered},
		{"a raw scroll id", "FGluY2x1ZGVfY29udGV4dF91dWlkDXF1ZXJ5QW5kRmV0Y2g=", e.Partition, noon.Add(-1), affinity.ErrTampered},
		{"huge", strings.Repeat("A", affinity.MaxSealed+1), e.Partition, noon.Add(-1), affinity.ErrTampered},
	} {
		if _, err := s.Unwrap(test.text, test.who, test.at); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	for i := range text { // any change of any character
		b := []byte(text)
		b[i] ^= 1
		if _, err := s.Unwrap(string(b), e.Partition, noon.Add(-1)); !errors.Is(err, affinity.ErrTampered) {
			t.Fatalf("character %d changed: %v", i, err)
		}
	}
}

func TestWeakKeysAreRefused(t *testing.T) {
	for _, keys := range [][][]byte{nil, {nil}, {keyA, []byte("short")}} {
		if _, err := affinity.NewSealer(keys...); err == nil {
			t.Errorf("%d keys accepted", len(keys))
		}
	}
}

// An envelope comes back as it was to whoever it was made for, in time, under the
// same key; nobody else opens it, and of no other text.
func FuzzEnvelope(f *testing.F) {
	f.Add("acme", "dedicated_index", "east", "acme-1", "docs", "FGluY2x1ZGVf", uint32(3), uint8(1), int64(1893499200), "other", 7)
	f.Add("", "", "", "", "", "", uint32(1<<32-1), uint8(255), int64(-1), "", 0)
	f.Add("a\xff/\u65e5", "\x00", "\x80", "..", "{}", strings.Repeat("x", 3000), uint32(0), uint8(2), int64(1)<<40, "a\xff/\u65e6", 1<<20)
	f.Fuzz(func(t *testing.T, partition, kind, cluster, index, logical, id string, incarnation uint32, k uint8, expires int64, other string, at int) {
		s := sealer(t, keyA)
		want := affinity.Envelope{
			Partition: placement.PartitionID(partition), Incarnation: incarnation, Kind: affinity.Kind(k), ID: id, Expires: time.Unix(expires, 0),
			Placement: placement.Placement{Kind: placement.Kind(kind), Cluster: cluster, Index: index, Logical: logical},
		}
		text := s.Wrap(want)
		if len(text) > affinity.MaxSealed {
			return
		}
		if strings.Trim(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Fatalf("%q is not safe in a URL", text)
		}
		before := time.Unix(expires, 0).Add(-1)
		got, err := sealer(t, keyB, keyA).Unwrap(text, want.Partition, before)
		if err != nil || got != want {
			t.Fatalf("%+v came back as %+v, %v", want, got, err)
		}
		if _, err := s.Unwrap(text, want.Partition, want.Expires); !errors.Is(err, affinity.ErrExpired) {
			t.Fatalf("opened when it had expired: %v", err)
		}
		if _, err := s.Unwrap(text, placement.PartitionID(other), before); other != partition && !errors.Is(err, affinity.ErrOtherTenant) {
			t.Fatalf("opened for %q: %v", other, err)
		}
		if _, err := sealer(t, keyB).Unwrap(text, want.Partition, before); !errors.Is(err, affinity.ErrTampered) {
			t.Fatalf("opened with another key: %v", err)
		}
		changed := []byte(text)
		i := int(uint(at) % uint(len(text)))
		for _, c := range []byte("A-z\x00=") {
			if changed[i] = c; c == text[i] {
				continue
			}
			if _, err := s.Unwrap(string(changed), want.Partition, before); !errors.Is(err, affinity.ErrTampered) {
				t.Fatalf("opened with %q at %d of %s: %v", c, i, text, err)
			}
		}
		for _, cut := range []string{text[:i], text[i+1:], text + "A", "A" + text, text + text} {
			if _, err := s.Unwrap(cut, want.Partition, before); !errors.Is(err, affinity.ErrTampered) {
				t.Fatalf("opened as %s of %s: %v", cut, text, err)
			}
		}
	})
}

// Bytes that are signed, by a later version of this program say, open to an
// envelope that can be sealed and opened again, or not at all.
func FuzzUnwrap(f *testing.F) {
	s := sealer(f, keyA)
	raw, err := base64.RawURLEncoding.DecodeString(s.Wrap(envelope()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw[:len(raw)-affinity.MACSize])
	f.Add([]byte{1, 1})
	f.Add(append([]byte{1, 2, 0x80, 0}, raw[3:40]...)) // a number with more bytes than it needs
	f.Fuzz(func(t *testing.T, b []byte) {
		text := s.Seal(b)
		e, err := s.Unwrap(text, affinity.Owner(b), time.Unix(-1<<40, 0))
		if err != nil {
			if !errors.Is(err, affinity.ErrTampered) && !errors.Is(err, affinity.ErrExpired) && !errors.Is(err, affinity.ErrOtherTenant) {
				t.Fatalf("refused for another reason: %v", err)
			}
			return
		}
		if again, err := s.Unwrap(s.Wrap(e), e.Partition, time.Unix(-1<<40, 0)); err != nil || again != e {
			t.Fatalf("%x opens to %+v and then to %+v, %v", b, e, again, err)
		}
	})
}

func ExampleSealer() {
	s, err := affinity.NewSealer([]byte("a key of 32 bytes from your vault"))
	if err != nil {
		panic(err)
	}
	text := s.Wrap(affinity.Envelope{
		Partition: "acme", Kind: affinity.Scroll, ID: "FGluY2x1ZGVf", Expires: time.Now().Add(time.Minute),
		Placement: placement.Placement{Kind: placement.DedicatedCluster, Cluster: "east"},
	})
	e, err := s.Unwrap(text, "acme", time.Now())
	fmt.Println(e.Placement.Cluster, e.ID, err)
	_, err = s.Unwrap(text, "someone-else", time.Now())
	fmt.Println(err)
	// Output:
	// east FGluY2x1ZGVf <nil>
	// the cursor belongs to another tenant
}

// What instances of earlier versions have sealed, and will be asked to open.
func TestSealedAsEver(t *testing.T) {
	e := envelope()
	e.ID = "DXF1ZXJ5QW5kRmV0Y2gBAAAAAAAAAD4WYm9laVYtZndUQlNsdDcwakFMNjU1QQ=="
	shared := e
	shared.Kind, shared.Placement = affinity.Scroll, placement.Placement{Kind: placement.SharedIndex, Cluster: "east", Index: "pool", Logical: "docs", PartitionField: "tenant"}
	for _, x := range []struct {
		e    affinity.Envelope
		text string
	}{
		{e, "AQKAheSNDgMLYWNtZS_ml6XmnKwPZGVkaWNhdGVkX2luZGV4BGVhc3QGYWNtZS0xBGRvY3NARFhGMVpYSjVRVzVrUm1WMFkyZ0JBQUFBQUFBQUFENFdZbTlsYVZZdFpuZFVRbE5zZERjd2FrRk1OalUxUVE9PS_wj1KUjPXFcY4Hg5uvAvI"},
		{shared, "AgGAheSNDgMLYWNtZS_ml6XmnKwMc2hhcmVkX2luZGV4BGVhc3QEcG9vbARkb2NzQERYRjFaWEo1UVc1a1JtVjBZMmdCQUFBQUFBQUFBRDRXWW05bGFWWXRabmRVUWxOc2REY3dha0ZNTmpVMVFRPT0GdGVuYW50UeOmZbx8A6EHM4AR7oADPw"},
	} {
		if text := sealer(t, keyA).Wrap(x.e); text != x.text {
			t.Errorf("sealed as %q", text)
		}
	}
}

// One Sealer is everybody's: what one request computes is not another's.
func TestSealAtOnce(t *testing.T) {
	s := sealer(t, keyA, keyB)
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			e := envelope()
			e.ID = strings.Repeat(fmt.Sprint(n), 100*n+1)
			want := s.Wrap(e)
			for range 500 {
				if text := s.Wrap(e); text != want {
					t.Errorf("sealed as %q, before as %q", text, want)
					return
				}
				if got, err := s.Unwrap(want, e.Partition, noon.Add(-1)); err != nil || got.ID != e.ID {
					t.Errorf("opened as %q: %v", got.ID, err)
					return
				}
			}
		})
	}
	all.Wait()
}
