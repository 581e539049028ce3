package transfer_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
	"github.com/sluiceproxy/sluice/store/transfer"
)

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func engine(t testing.TB) *memstore.Store {
	t.Helper()
	d := memstore.New(nil)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func at(cluster, index string) placement.Placement {
	return placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: index, Logical: "docs"}
}

// fill registers n tenants, of which the first is moving, over an engine that
// has counted to about age.
func fill(t testing.TB, d driver.Driver, n, age int) *store.Store {
	t.Helper()
	ctx := t.Context()
	key := driver.Key{Space: "age", Name: "x"}
	for range age {
		v := must[driver.Version](t)(d.Write(ctx, driver.Write{Key: key, Value: []byte("1")}))
		must[driver.Version](t)(d.Write(ctx, driver.Write{Key: key, Expect: v, Delete: true}))
	}
	s := must[*store.Store](t)(store.Open(ctx, d, nil))
	for _, c := range []string{"a", "b"} {
		must[driver.Version](t)(s.Clusters().Put(ctx, c, placement.Cluster{Name: c, Endpoints: []string{"http://" + c}}, 0))
	}
	for i := range n {
		id := placement.PartitionID(fmt.Sprintf("t<%d>", i))
		if i == n-1 {
			id = "odd\x00\n\u2028"
		}
		must[placement.Entry](t)(s.Register(ctx, id, at("a", fmt.Sprint("i", i))))
	}
	return s
}

// stir changes the first n tenants, so that an import has to write them again.
func stir(t testing.TB, s *store.Store, n int) {
	t.Helper()
	for i := range n {
		must[placement.Entry](t)(s.Apply(t.Context(), placement.PartitionID(fmt.Sprintf("t<%d>", i)),
			placement.Command{Op: placement.OpBegin, To: at("b", "x"), Attempt: placement.Attempt{Move: "m"}}))
	}
}

func export(t testing.TB, d driver.Driver, closing bool) []byte {
	t.Helper()
	var b bytes.Buffer
	must[*transfer.ExportResult](t)(transfer.Export(t.Context(), d, &b, &transfer.ExportOptions{Close: closing, Store: "memory"}))
	return b.Bytes()
}

func entries(t testing.TB, s *store.Store) (map[placement.PartitionID]placement.Entry, placement.Epoch) {
	t.Helper()
	out := map[placement.PartitionID]placement.Entry{}
	at := must[placement.Epoch](t)(s.Entries(t.Context(), func(e placement.Entry, err error) bool {
		if err != nil {
			t.Error(err)
		}
		out[e.Partition] = e
		return true
	}))
	return out, at
}

func TestRoundTrip(t *testing.T) {
	a := engine(t)
	sa := fill(t, a, 20, 500)
	before, newest := entries(t, sa)
	file := export(t, a, true)

	b := engine(t)
	res := must[*transfer.ImportResult](t)(transfer.Import(t.Context(), b, bytes.NewReader(file), nil))
	if res.Written != 22 || res.Records != 22 || res.Base < newest {
		t.Errorf("%+v", res)
	}
	sb := must[*store.Store](t)(store.Open(t.Context(), b, nil))
	after, _ := entries(t, sb)
	for id, e := range after {
		if e.Epoch <= newest {
			t.Errorf("%q: epoch %d, was %d, the table's newest was %d", id, e.Epoch, before[id].Epoch, newest)
		}
		e.Epoch = before[id].Epoch
		after[id] = e
	}
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("entries (-before +after):\n%s", d)
	}
	ca, _, _ := sa.Clusters().List(t.Context())
	cb, _, _ := sb.Clusters().List(t.Context())
	if len(ca) != 2 || len(cb) != 2 {
		t.Errorf("clusters %v, then %v", ca, cb)
	}
	// The source is closed, whoever had it open or not.
	var no *store.NotOpenError
	if _, err := store.Open(t.Context(), a, nil); !errors.As(err, &no) || no.Table.State != store.TableClosed {
		t.Errorf("the source opens: %v", err)
	}
	if _, err := sa.OpenSession(t.Context(), store.Info{}, store.Report{}, nil); !errors.As(err, &no) {
		t.Errorf("a session in the source: %v", err)
	}
	// The table goes on counting, and moves on: a third engine, and back to the first.
	e := must[placement.Entry](t)(sb.Apply(t.Context(), "t<3>", placement.Command{Op: placement.OpBegin, To: at("b", "x"), Attempt: placement.Attempt{Move: "m"}}))
	must[placement.Entry](t)(sb.Apply(t.Context(), "t<3>", placement.Command{Op: placement.OpAbort, Expect: e.Epoch}))
	_, newest = entries(t, sb)
	second := export(t, b, true)
	if _, err := transfer.Import(t.Context(), a, bytes.NewReader(second), nil); !errors.Is(err, transfer.ErrClosed) {
		t.Errorf("into the closed source: %v", err)
	}
	res = must[*transfer.ImportResult](t)(transfer.Import(t.Context(), a, bytes.NewReader(second), &transfer.ImportOptions{Replace: true}))
	back, _ := entries(t, must[*store.Store](t)(store.Open(t.Context(), a, nil)))
	for id, e := range back {
		if e.Epoch <= newest {
			t.Errorf("back: %q has epoch %d, the newest was %d", id, e.Epoch, newest)
		}
	}
	if len(back) != 20 || res.Written != 0 {
		t.Errorf("back: %d entries, %+v", len(back), res)
	}
	// Once more is done already.
	if res := must[*transfer.ImportResult](t)(transfer.Import(t.Context(), a, bytes.NewReader(second), nil)); !res.Already {
		t.Errorf("%+v", res)
	}
}

func TestRefusals(t *testing.T) {
	src := engine(t)
	s := fill(t, src, 3, 0)
	backup := export(t, src, false)
	must[placement.Entry](t)(s.Apply(t.Context(), "t<0>", placement.Command{Op: placement.OpBegin, To: at("b", "x"), Attempt: placement.Attempt{Move: "m"}}))
	moving := export(t, src, true)
	for _, tt := range []struct {
		name string
		file []byte
		into func(driver.Driver)
		opt  transfer.ImportOptions
		want error
	}{
		{"the source was not closed", backup, nil, transfer.ImportOptions{}, transfer.ErrSource},
		{"the source is gone", backup, nil, transfer.ImportOptions{SourceGone: true}, nil},
		{"migrating", moving, nil, transfer.ImportOptions{}, transfer.ErrMigrating},
		{"migrating, allowed", moving, nil, transfer.ImportOptions{AllowMigrating: true}, nil},
		{"not empty", moving, func(d driver.Driver) { fill(t, d, 2, 0) }, transfer.ImportOptions{AllowMigrating: true}, transfer.ErrNotEmpty},
		{"not empty, replaced", moving, func(d driver.Driver) { fill(t, d, 9, 0) }, transfer.ImportOptions{AllowMigrating: true, Replace: true}, nil},
		{"another import has begun", moving, func(d driver.Driver) {
			must[store.Table](t)(store.WriteTable(t.Context(), d, store.Table{State: store.TableImporting, File: "other"}))
		}, transfer.ImportOptions{AllowMigrating: true}, transfer.ErrOther},
		{"another import is replaced", moving, func(d driver.Driver) {
			must[store.Table](t)(store.WriteTable(t.Context(), d, store.Table{State: store.TableImporting, File: "other", Base: 1 << 40}))
		}, transfer.ImportOptions{AllowMigrating: true, Replace: true}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := engine(t)
			if tt.into != nil {
				tt.into(d)
			}
			was := must[store.Table](t)(store.ReadTable(t.Context(), d))
			_, err := transfer.Import(t.Context(), d, bytes.NewReader(tt.file), &tt.opt)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Fatalf("%v, want %v", err, tt.want)
			}
			now := must[store.Table](t)(store.ReadTable(t.Context(), d))
			if err != nil {
				if now != was {
					t.Errorf("refused, but the table was %+v and is %+v", was, now)
				}
				return
			}
			got, _ := entries(t, must[*store.Store](t)(store.Open(t.Context(), d, nil)))
			if len(got) != 3 || now.Base < was.Base {
				t.Errorf("%d entries, %+v", len(got), now)
			}
		})
	}
}

// Whoever serves the source or the target stops the transfer, and nothing is
// left changed.
func TestServing(t *testing.T) {
	src := engine(t)
	s := fill(t, src, 3, 0)
	x := must[*store.Session](t)(s.OpenSession(t.Context(), store.Info{Kind: store.KindProxy, Name: "p1"}, store.Report{}, nil))
	var serving *transfer.ServingError
	_, err := transfer.Export(t.Context(), src, io.Discard, &transfer.ExportOptions{Close: true})
	if !errors.As(err, &serving) || !strings.Contains(err.Error(), "proxy p1") {
		t.Errorf("close: %v", err)
	}
	must[*store.Store](t)(store.Open(t.Context(), src, nil))
	if h, _, err := transfer.Read(bytes.NewReader(export(t, src, false)), func(transfer.Line) error { return nil }); err != nil || h.Sessions != 1 || h.Closed {
		t.Errorf("backup: %+v, %v", h, err)
	}
	if err := x.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	file := export(t, src, true)

	target := engine(t)
	ts := must[*store.Store](t)(store.Open(t.Context(), target, nil))
	x = must[*store.Session](t)(ts.OpenSession(t.Context(), store.Info{Kind: store.KindController, Name: "c1"}, store.Report{}, nil))
	for range 2 {
		if _, err := transfer.Import(t.Context(), target, bytes.NewReader(file), nil); !errors.As(err, &serving) {
			t.Errorf("import: %v", err)
		}
	}
	must[*store.Store](t)(store.Open(t.Context(), target, nil))
	if err := x.Close(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	must[*transfer.ImportResult](t)(transfer.Import(t.Context(), target, bytes.NewReader(file), nil))

	for _, want := range []bool{true, false} {
		if was := must[bool](t)(transfer.Reopen(t.Context(), src)); was != want {
			t.Errorf("reopen: was closed %v, want %v", was, want)
		}
	}
	must[*store.Store](t)(store.Open(t.Context(), src, nil))
}

// dying fails everything from the nth call on; the nth write takes effect or not.
type dying struct {
	driver.Driver
	left    *int
	applied bool
}

var errDied = errors.New("died")

func (d dying) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if *d.left--; *d.left < 0 {
		if *d.left == -1 && d.applied {
			_, _ = d.Driver.Write(ctx, w)
		}
		return 0, errDied
	}
	return d.Driver.Write(ctx, w)
}

func (d dying) Get(ctx context.Context, k driver.Key) (driver.KV, error) {
	if *d.left < 0 {
		return driver.KV{}, errDied
	}
	return d.Driver.Get(ctx, k)
}

func (d dying) List(ctx context.Context, space string, yield func(driver.KV) bool) (driver.Version, error) {
	if *d.left < 0 {
		return 0, errDied
	}
	return d.Driver.List(ctx, space, yield)
}

// An import that dies at any write, applied or not, is never served half, and the
// same again completes it, also when that dies too.
func TestDiesAnywhere(t *testing.T) {
	src := engine(t)
	fill(t, src, 6, 100)
	want, newest := entries(t, must[*store.Store](t)(store.Open(t.Context(), src, nil)))
	file := export(t, src, true)
	for _, replace := range []bool{false, true} {
		for _, applied := range []bool{false, true} {
			for n := 0; ; n++ {
				d := engine(t)
				if replace {
					stir(t, fill(t, d, 9, 0), 4)
				}
				opt := &transfer.ImportOptions{Replace: replace, Workers: 1}
				left := n
				_, err := transfer.Import(t.Context(), dying{d, &left, applied}, bytes.NewReader(file), opt)
				if err == nil {
					if n < 8 {
						t.Fatalf("done after %d writes", n)
					}
					break
				}
				tab := must[store.Table](t)(store.ReadTable(t.Context(), d))
				_, oerr := store.Open(t.Context(), d, nil)
				begun, finished := tab.Version != 0, tab.State == store.TableOpen && tab.File != ""
				if begun && !finished && oerr == nil {
					t.Fatalf("died at write %d and can be served: %+v", n, tab)
				}
				left = 3 // and it dies again
				_, _ = transfer.Import(t.Context(), dying{d, &left, applied}, bytes.NewReader(file), opt)
				res, err := transfer.Import(t.Context(), d, bytes.NewReader(file), &transfer.ImportOptions{Replace: replace && !begun})
				if err != nil || begun && !res.Resumed && !res.Already {
					t.Fatalf("died at write %d (applied %v, replace %v), then: %+v, %v", n, applied, replace, res, err)
				}
				got, _ := entries(t, must[*store.Store](t)(store.Open(t.Context(), d, nil)))
				for id, e := range got {
					if e.Epoch <= newest {
						t.Errorf("%q has epoch %d, newest was %d", id, e.Epoch, newest)
					}
					e.Epoch = want[id].Epoch
					got[id] = e
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("died at write %d:\n%s", n, d)
				}
			}
		}
	}
}

// overtaken lets another import finish, and a fleet change entries, before the
// nth call of this one, be it a read or a write.
type overtaken struct {
	driver.Driver
	n    *int
	then func()
}

func (o overtaken) Write(ctx context.Context, w driver.Write) (driver.Version, error) {
	if *o.n--; *o.n == 0 {
		o.then()
	}
	return o.Driver.Write(ctx, w)
}

func (o overtaken) Get(ctx context.Context, k driver.Key) (driver.KV, error) {
	if *o.n--; *o.n == 0 {
		o.then()
	}
	return o.Driver.Get(ctx, k)
}

func TestTwoImportsAtOnce(t *testing.T) {
	src := engine(t)
	fill(t, src, 6, 0)
	file := export(t, src, true)
	for n := 3; ; n++ { // after its mark
		d := engine(t)
		stir(t, fill(t, d, 6, 0), 5)
		left, opt := n, &transfer.ImportOptions{Replace: true, Workers: 1}
		var served map[placement.PartitionID]placement.Entry
		_, err := transfer.Import(t.Context(), overtaken{d, &left, func() {
			must[*transfer.ImportResult](t)(transfer.Import(t.Context(), d, bytes.NewReader(file), nil))
			s := must[*store.Store](t)(store.Open(t.Context(), d, nil))
			stir(t, s, 5)
			served, _ = entries(t, s)
		}}, bytes.NewReader(file), opt)
		if served == nil {
			if n < 20 {
				t.Fatalf("the import did %d calls only", n-1)
			}
			break
		}
		now, _ := entries(t, must[*store.Store](t)(store.Open(t.Context(), d, nil)))
		if diff := cmp.Diff(served, now); diff != "" || err == nil {
			t.Errorf("overtaken at call %d (%v), and yet it changed what is served:\n%s", n, err, diff)
		}
	}
}

func TestFiles(t *testing.T) {
	src := engine(t)
	fill(t, src, 3, 0)
	good := export(t, src, true)
	lines := bytes.SplitAfter(good, []byte("\n"))
	join := func(l ...[]byte) []byte { return bytes.Join(l, nil) }
	for _, tt := range []struct {
		name string
		file []byte
		says string
	}{
		{"empty", nil, "cut short"},
		{"cut after a line", join(lines[:3]...), "cut short"},
		{"cut in a line", good[:len(good)-5], "cut short"},
		{"a line is missing", join(append(append([][]byte{}, lines[:2]...), lines[3:]...)...), "checksum"},
		{"a byte was changed", bytes.Replace(good, []byte(`"cluster":"a"`), []byte(`"cluster":"b"`), 1), "checksum"},
		{"more at the end", append(bytes.Clone(good), "{}\n"...), "after the last line"},
		{"a newer format", bytes.Replace(good, []byte(`{"sluice_table":1`), []byte(`{"sluice_table":2`), 1), "format 2, this program reads 1"},
		{"another file", []byte("name: x\n"), "no export"},
		{"another JSON", []byte("{}\n"), "no export"},
	} {
		d := engine(t)
		_, err := transfer.Import(t.Context(), d, bytes.NewReader(tt.file), nil)
		var bad *transfer.FileError
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.says)
		}
		if tab := must[store.Table](t)(store.ReadTable(t.Context(), d)); tab.Version != 0 {
			t.Errorf("%s: the target was touched", tt.name)
		}
	}
}

func TestExportRefuses(t *testing.T) {
	d := engine(t)
	must[store.Table](t)(store.WriteTable(t.Context(), d, store.Table{State: store.TableImporting}))
	var no *store.NotOpenError
	if _, err := transfer.Export(t.Context(), d, io.Discard, nil); !errors.As(err, &no) {
		t.Errorf("half a table: %v", err)
	}
	for _, space := range []string{store.SpaceEntries, store.SpaceMoves} {
		d := engine(t)
		must[driver.Version](t)(d.Write(t.Context(), driver.Write{Key: driver.Key{Space: space, Name: "x"}, Value: []byte("{")}))
		var corrupt *store.CorruptError
		if _, err := transfer.Export(t.Context(), d, io.Discard, &transfer.ExportOptions{Timeout: time.Second}); !errors.As(err, &corrupt) || corrupt.Name != "x" {
			t.Errorf("a corrupt record of %s: %v", space, err)
		}
	}
}
