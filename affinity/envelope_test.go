package affinity_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
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
	want := envelope()
	text := sealer(t, keyA).Wrap(want)
	got, err := sealer(t, keyB, keyA).Unwrap(text, want.Partition, noon.Add(-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
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

func FuzzUnwrap(f *testing.F) {
	s := sealer(f, keyA)
	f.Add(s.Wrap(envelope()), "docs")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, text, id string) {
		e, err := s.Unwrap(text, "acme/日本", noon.Add(-1))
		if err == nil && s.Wrap(e) != text {
			t.Fatal("two texts open to one envelope")
		}
		in := envelope()
		in.ID, in.Partition = id, placement.PartitionID(text)
		if out, err := s.Unwrap(s.Wrap(in), in.Partition, noon.Add(-1)); err == nil && out != in {
			t.Fatalf("%+v came back as %+v", in, out)
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
