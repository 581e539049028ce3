package control_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/store"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// fill sets every field of v, nested ones included, out of text and n: a field that
// the record does not carry comes back as another value.
func fill(v reflect.Value, text string, n int64) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text, n)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(n&(1<<37-1), n&(1<<29-1)).UTC()))
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i), text, n+int64(i)+1)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), text, n)
		fill(v.Index(1), text+"x", n+1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, text, n)
		fill(elem, text, n)
		v.SetMapIndex(key, elem)
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(n%2 != 0)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(int64(int32(n)))
		if v.Kind() != reflect.Int32 {
			v.SetInt(n)
		}
	case reflect.Uint32:
		v.SetUint(uint64(uint32(n)))
	case reflect.Uint64:
		v.SetUint(uint64(n))
	case reflect.Float64:
		v.SetFloat(float64(n) / 3)
	default:
		panic("a field of kind " + v.Kind().String()) // a new kind of field wants a line here
	}
}

// A move's successor finds everything that its record was written with.
func FuzzMove(f *testing.F) {
	f.Add("m1", int64(7))
	f.Add("größe\u2028<>&\"\x00", int64(-1<<63))
	f.Fuzz(func(t *testing.T, text string, n int64) {
		if !utf8.ValidString(text) {
			return
		}
		var want control.Move
		fill(reflect.ValueOf(&want).Elem(), text, n)
		moves := control.Moves(store.New(memstore.New(nil), nil))
		if _, err := moves.Put(t.Context(), "m", want, 0); err != nil {
			t.Fatal(err)
		}
		got, err := moves.Get(t.Context(), "m")
		if err != nil || !cmp.Equal(want, got.Value) {
			t.Fatalf("%v (-written +read):\n%s", err, cmp.Diff(want, got.Value))
		}
	})
}

// Whatever a move's record is, reading it gives a move that can be written again,
// or says that it is corrupt.
func FuzzReadMove(f *testing.F) {
	f.Add([]byte(`{"id":"m1","partition":"acme","stage":"copying","attempt":2,"checkpoint":{"done":[{"index":"i","shard":0}]},"timeline":[{"stage":"preparing"}]}`))
	f.Add([]byte(`{"attempt":-1}`))
	f.Add([]byte(`{"options":{"copy_rate":1e400}}`))
	f.Add([]byte(`null`))
	f.Add([]byte(`{"created":"2026-01-01T00:00:00+25:00","indices":null,"receipt":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d := memstore.New(nil)
		if _, err := d.Write(t.Context(), driver.Write{Key: driver.Key{Space: store.SpaceMoves, Name: "m"}, Value: b}); err != nil {
			t.Fatal(err)
		}
		moves := control.Moves(store.New(d, nil))
		got, err := moves.Get(t.Context(), "m")
		if err != nil {
			if !cmp.Equal(got.Value, control.Move{}) {
				t.Fatalf("%v, and %+v", err, got.Value)
			}
			return
		}
		if got.Value.Terminal() && !got.Value.Settled() {
			t.Fatalf("stage %q has ended and is not settled", got.Value.Stage)
		}
		if _, err := moves.Put(t.Context(), "m", got.Value, got.Version); err != nil {
			t.Fatalf("%q cannot be written again: %v", b, err)
		}
		again, err := moves.Get(t.Context(), "m")
		if err != nil {
			t.Fatal(err)
		}
		first, _ := json.Marshal(got.Value)
		if second, _ := json.Marshal(again.Value); string(first) != string(second) {
			t.Fatalf("%q became %s and then %s", b, first, second)
		}
	})
}
