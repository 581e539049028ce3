package transfer_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/transfer"
)

// sealed gives lines the last line that makes a file of them, so that what is
// looked at behind the checksum is reached.
func sealed(lines []byte, epoch uint64) []byte {
	sum := sha256.Sum256(lines)
	return append(bytes.Clone(lines), fmt.Sprintf("{\"end\":true,\"records\":%d,\"epoch\":%d,\"sha256\":%q}\n", max(bytes.Count(lines, []byte("\n"))-1, 0), epoch, hex.EncodeToString(sum[:]))...)
}

// No file makes Read or Import panic. What Import takes can be opened and read,
// every epoch is above every one in the file, and exported and imported again it
// is the same table. What it refuses leaves no trace.
func FuzzImport(f *testing.F) {
	src := engine(f)
	fill(f, src, 2, 0)
	stir(f, store.New(src, nil), 1)
	file := export(f, src, true)
	f.Add(file, uint64(0), false)
	f.Add(file[:bytes.LastIndexByte(file[:len(file)-1], '\n')+1], uint64(1<<62), true)
	const header = "{\"sluice_table\":1,\"closed\":true}\n"
	const entry = `{"space":"entries","name":"a","epoch":%d,"value":{"v":1,"phase":"Active","from":{"kind":"dedicated_cluster","cluster":"a"}}}` + "\n"
	f.Add([]byte(header), uint64(0), true)
	f.Add([]byte(header+"{\"space\":\"moves\",\"name\":\"a\",\"epoch\":1,\"value\":1}\n"), uint64(0), true)
	f.Add([]byte(header+"{\"space\":\"roster\",\"name\":\"a\",\"epoch\":1,\"value\":null}\n"), uint64(0), true)
	f.Add([]byte(header+"{\"space\":\"clusters\",\"name\":\"\xff\",\"epoch\":1,\"value\":{}}\n"), uint64(0), true)
	f.Add([]byte(header+fmt.Sprintf(entry, uint64(1<<63))), uint64(1), true)
	f.Add([]byte("{\"sluice_table\":1}\n"+fmt.Sprintf(entry, uint64(1<<64-1))), uint64(1), true)
	f.Add([]byte("{\"sluice_table\":1,\"base\":4611686018427387904}\n"), uint64(1<<64-2), true)
	f.Fuzz(func(t *testing.T, file []byte, epoch uint64, seal bool) {
		if seal {
			file = sealed(file, epoch)
		}
		var newest placement.Epoch
		_, trailer, rerr := transfer.Read(bytes.NewReader(file), func(l transfer.Line) error {
			if !utf8.ValidString(l.Name) || !bytes.Contains(file, l.Value) || l.Key().Validate() != nil {
				t.Fatalf("%+v is not in the file", l)
			}
			newest = max(newest, l.Epoch)
			return nil
		})
		d := engine(t)
		res, err := transfer.Import(t.Context(), d, bytes.NewReader(file), &transfer.ImportOptions{SourceGone: true, AllowMigrating: true})
		if err != nil {
			if tab := must[store.Table](t)(store.ReadTable(t.Context(), d)); tab.Version != 0 {
				t.Fatalf("refused (%v), and the target was touched", err)
			}
			return
		}
		if rerr != nil {
			t.Fatalf("imported, and cannot be read: %v", rerr)
		}
		s := must[*store.Store](t)(store.Open(t.Context(), d, nil))
		all, _ := entries(t, s)
		for id, e := range all {
			if e.Epoch <= newest && e.Epoch <= trailer.Epoch || id.Validate() != nil {
				t.Fatalf("%q is at epoch %d, in the file are %d and %d", id, e.Epoch, newest, trailer.Epoch)
			}
		}
		if res.Base < trailer.Epoch || res.Base > store.MaxBase {
			t.Fatalf("base %d under a file at %d", res.Base, trailer.Epoch)
		}
		before := table(t, d)
		if _, _, err := s.Roster().List(t.Context()); err != nil {
			t.Fatalf("imported, and cannot be listed: %v", err)
		}
		if _, _, err := s.Clusters().List(t.Context()); err != nil {
			t.Fatalf("imported, and cannot be listed: %v", err)
		}
		if res.Base > store.MaxBase/2 {
			return // the copy's epochs may be above what a file may have
		}
		var second bytes.Buffer
		must[*transfer.ExportResult](t)(transfer.Export(t.Context(), d, &second, &transfer.ExportOptions{Close: true}))
		e := engine(t)
		if again := must[*transfer.ImportResult](t)(transfer.Import(t.Context(), e, bytes.NewReader(second.Bytes()), &transfer.ImportOptions{AllowMigrating: true})); again.Base < res.Base {
			t.Fatalf("the base went from %d to %d", res.Base, again.Base)
		}
		if diff := cmp.Diff(before, table(t, e)); diff != "" {
			t.Fatalf("the tables differ (-first +second):\n%s", diff)
		}
	})
}

// table is all that an engine holds of it, as text.
func table(t testing.TB, d driver.Driver) map[driver.Key]string {
	out := map[driver.Key]string{}
	for _, space := range []string{store.SpaceRoster, store.SpaceMoves, store.SpaceEntries, store.SpaceClusters} {
		must[driver.Version](t)(d.List(t.Context(), space, func(kv driver.KV) bool {
			var b bytes.Buffer
			if err := json.Compact(&b, kv.Value); err != nil {
				t.Fatalf("%s %q: %v", space, kv.Name, err)
			}
			out[driver.Key{Space: space, Name: kv.Name}] = b.String()
			return true
		}))
	}
	return out
}

// A line without an end is not kept in memory for longer than the longest line.
func TestReadKeepsLittle(t *testing.T) {
	n := 0
	endless := readerFunc(func(b []byte) (int, error) {
		n += len(b)
		for i := range b {
			b[i] = 'x'
		}
		return len(b), nil
	})
	if _, _, err := transfer.Read(endless, func(transfer.Line) error { return nil }); err == nil || n > 80<<20 {
		t.Errorf("%v after %d bytes", err, n)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
