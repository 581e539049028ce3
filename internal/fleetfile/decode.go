package fleetfile

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Error is something wrong with a file: where, and what to do about it.
type Error struct {
	File  string
	Line  int    // from 1; 0: of the whole file
	Field string // path from the document's root, such as tenants[3].index; may be empty
	Fix   string
}

func (e *Error) Error() string {
	at := e.File
	if e.Line > 0 {
		at += ":" + strconv.Itoa(e.Line)
	}
	if e.Field != "" {
		at += ": " + e.Field
	}
	return at + ": " + e.Fix
}

// ErrorCode is its code in the catalogue of errors.
func (e *Error) ErrorCode() string { return "bad_fleet_file" }

// decoder puts the nodes of a document into Go values, and collects all that is wrong.
// It takes what the types have, and nothing else.
type decoder struct {
	file string
	errs []error
}

func (d *decoder) fail(n *yaml.Node, path, format string, a ...any) {
	d.errs = append(d.errs, &Error{d.file, n.Line, path, fmt.Sprintf(format, a...)})
}

var (
	textual = reflect.TypeFor[encoding.TextUnmarshaler]()
	kinds   = map[yaml.Kind]string{yaml.MappingNode: "a mapping", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}
)

// into decodes a node into a value that can be set.
func (d *decoder) into(n *yaml.Node, path string, v reflect.Value) {
	switch {
	case n.Kind == yaml.AliasNode || n.Anchor != "":
		d.fail(n, path, "anchors and aliases are not taken: write it out")
		return
	case n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null":
		return // as if it were left out; whoever needs it misses it
	}
	t := v.Type()
	if t.Kind() == reflect.Pointer {
		v.Set(reflect.New(t.Elem()))
		d.into(n, path, v.Elem())
		return
	}
	if reflect.PointerTo(t).Implements(textual) {
		if d.is(n, path, yaml.ScalarNode) {
			if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
				d.fail(n, path, "%q %v", n.Value, err)
			}
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		d.mapping(n, path, v)
	case reflect.Slice:
		d.sequence(n, path, v)
	case reflect.Map:
		d.words(n, path, v)
	default:
		d.scalar(n, path, v)
	}
}

// is refuses a node of another kind.
func (d *decoder) is(n *yaml.Node, path string, want yaml.Kind) bool {
	if n.Kind != want {
		d.fail(n, path, "must be %s, and is %s", kinds[want], kinds[n.Kind])
		return false
	}
	return true
}

// mapping decodes a struct by the names that JSON has for its fields.
func (d *decoder) mapping(n *yaml.Node, path string, v reflect.Value) {
	if !d.is(n, path, yaml.MappingNode) {
		return
	}
	fields, required := names(v.Type())
	seen := map[string]bool{}
	for key, value := range pairs(n) {
		at := below(path, key.Value)
		i, known := fields[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode || key.Anchor != "":
			d.fail(key, path, "must have plain words as keys")
		case !known:
			d.fail(key, at, "unknown field%s", suggestion(key.Value, fields))
		case seen[key.Value]:
			d.fail(key, at, "is there twice")
		default:
			seen[key.Value] = value.ShortTag() != "!!null"
			d.into(value, at, v.Field(i))
		}
	}
	for _, name := range required {
		if !seen[name] {
			d.fail(n, below(path, name), "must be given")
		}
	}
}

func (d *decoder) sequence(n *yaml.Node, path string, v reflect.Value) {
	if !d.is(n, path, yaml.SequenceNode) {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		at := path + "[" + strconv.Itoa(i) + "]"
		if item.Kind == yaml.ScalarNode && item.ShortTag() == "!!null" {
			d.fail(item, at, "must not be empty")
			continue
		}
		d.into(item, at, v.Index(i))
	}
}

// words decodes a map of words.
func (d *decoder) words(n *yaml.Node, path string, v reflect.Value) {
	if !d.is(n, path, yaml.MappingNode) {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for key, value := range pairs(n) {
		var k, word string
		before := len(d.errs)
		d.into(key, path, reflect.ValueOf(&k).Elem())
		if value.ShortTag() == "!!null" {
			d.fail(value, below(path, k), `must be a word; "" is the empty one`)
		}
		d.into(value, below(path, k), reflect.ValueOf(&word).Elem())
		switch {
		case len(d.errs) > before:
		case v.MapIndex(reflect.ValueOf(k)).IsValid():
			d.fail(key, below(path, k), "is there twice")
		default:
			v.SetMapIndex(reflect.ValueOf(k), reflect.ValueOf(word))
		}
	}
}

func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value) {
	if !d.is(n, path, yaml.ScalarNode) {
		return
	}
	tag := n.ShortTag()
	bad := func(what string) { d.fail(n, path, "%q must be %s", n.Value, what) }
	switch v.Kind() {
	case reflect.String:
		if tag != "!!str" {
			bad("text: put it into quotes")
			return
		}
		v.SetString(n.Value)
	case reflect.Bool:
		var b bool
		if tag != "!!bool" || n.Decode(&b) != nil {
			bad("true or false")
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		var i int64
		if tag != "!!int" || n.Decode(&i) != nil {
			bad("a whole number")
			return
		}
		v.SetInt(i)
	case reflect.Float64:
		var f float64
		if tag != "!!int" && tag != "!!float" || n.Decode(&f) != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			bad("a number")
			return
		}
		v.SetFloat(f)
	default:
		panic("fleetfile: a field of a kind that no file has: " + v.Type().String())
	}
}

// pairs are the keys and values of a mapping.
func pairs(n *yaml.Node) func(func(k, v *yaml.Node) bool) {
	return func(yield func(k, v *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// names are the fields of a struct by the names that JSON has for them, and those that
// must be there.
func names(t reflect.Type) (fields map[string]int, required []string) {
	fields = map[string]int{}
	for i := range t.NumField() {
		name, rest, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
		if !strings.Contains(rest, "omitempty") {
			required = append(required, name)
		}
	}
	return fields, required
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// suggestion names a field that differs little from a word.
func suggestion(word string, fields map[string]int) string {
	best, at := "", 3 // more is no typo
	for name := range fields {
		if n := distance(word, name); n < at || n == at && best != "" && name < best {
			best, at = name, n
		}
	}
	if best == "" {
		return "; sluice apply schema has all that there are"
	}
	return "; did you mean " + best + "?"
}

// distance is how many letters must be put in, taken out or replaced.
func distance(a, b string) int {
	if len(a) > 64 { // whatever it is, it is no field
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// invalidAt is what is wrong with a value, or nil.
func (d *decoder) invalid(n *yaml.Node, path string, err error) {
	if err == nil {
		return
	}
	field, fix := problem(err)
	at := below(path, field)
	first, _, _ := strings.Cut(strings.SplitN(field, "[", 2)[0], ".")
	for key, value := range pairs(n) {
		if n.Kind == yaml.MappingNode && key.Value == first {
			n = value
			break
		}
	}
	d.errs = append(d.errs, &Error{d.file, n.Line, at, fix})
}

// parsed is the error of YAML itself: its text has the line.
func parsed(file string, err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if n, more, ok := strings.Cut(rest, ": "); ok {
			if at, err := strconv.Atoi(n); err == nil {
				line, text = at, more
			}
		}
	}
	return &Error{File: file, Line: line, Fix: "is no YAML: " + text}
}

var errNothing = errors.New("holds no document")
