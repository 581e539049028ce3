package mover

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// thawed is a target that has A's mapping with every dynamic as A has it, or may have it.
type thawed struct {
	sent   bool            // B has said that it has it
	cold   json.RawMessage // the mapping with every dynamic false
	fields *fields         // what is mapped
}

// thaw gives the targets A's mapping as it is, before the cutover. Documents of which every
// field is mapped are at B from then on what they are at A; for others see freezeFor.
//
// It holds the gate as a rotation does, so no bulk is under way: one that began before sees
// a mapping that is frozen, and one that comes after sees m.thawed, which is set before the
// request is sent, because that may take effect whatever becomes of its answer. A taker
// does not know of it, and syncs: its SyncMeta finds a mapping that is not frozen, after
// its Take has removed the name that this is sent to.
func (m *Mover) thaw(ctx context.Context) error {
	idx, err := m.indices()
	if err != nil {
		return err
	}
	if err := m.gate.Acquire(ctx, rotation); err != nil {
		return err
	}
	defer m.gate.Release(rotation)
	for n, i := range idx {
		m.mu.Lock()
		have, last := m.thawed[n], m.meta[i.Source]
		m.mu.Unlock()
		if have != nil && have.sent {
			continue
		}
		cold, held, err := frozen(last.as.mappings)
		if err != nil {
			return err
		}
		known, ok := readFields(orEmpty(last.as.mappings), false)
		if !held || !ok {
			continue
		}
		if err := m.opt.Lease(); err != nil {
			return err
		}
		if m.turn == 0 {
			return fmt.Errorf("change the mapping of %s on %s before Take: %w", i.Target, m.dst.Name(), ErrFenced)
		}
		t := &thawed{cold: cold, fields: known}
		m.mu.Lock()
		m.thawed[n] = t
		m.mu.Unlock()
		if err := m.putMapping(ctx, m.writeAlias(m.turn, n), i.Target, last.as.mappings); err != nil {
			return err
		}
		m.mu.Lock()
		t.sent = true
		m.mu.Unlock()
	}
	return nil
}

// freezeFor makes dynamic false again at those targets for which a bulk has a document with
// a field that is not mapped. The caller holds the gate; others may do the same meanwhile,
// and none of them sends before B has answered.
func (m *Mover) freezeFor(ctx context.Context, turn int, ops []op, part []int) error {
	m.mu.Lock()
	thawed := maps.Clone(m.thawed)
	m.mu.Unlock()
	for _, k := range part {
		if len(thawed) == 0 {
			return nil // as ever while it is copied to
		}
		o := &ops[k]
		t := thawed[o.index]
		if t == nil || o.delete || t.fields.cover(o.source) {
			continue
		}
		i := m.Indexes()[o.index]
		m.log.InfoContext(ctx, "a document has a field that is not mapped: the target maps nothing by itself until it is sealed", "index", i.Target)
		if err := m.putMapping(ctx, m.writeAlias(turn, o.index), i.Target, t.cold); err != nil {
			return err
		}
		m.mu.Lock()
		delete(m.thawed, o.index)
		m.mu.Unlock()
		delete(thawed, o.index)
	}
	return nil
}

// fields is what a mapping says of the fields of an object. nil: a field whose value maps
// nothing, whatever it is.
type fields struct {
	has     map[string]*fields
	ignores bool // what it does not have is not mapped: dynamic is false
}

// readFields reads a mapping, or an object or a field within it; ignores is what the object
// around it says. ok is false if it has words by which a value may map what it does not name.
func readFields(mapping json.RawMessage, ignores bool) (f *fields, ok bool) {
	var words map[string]json.RawMessage
	if json.Unmarshal(mapping, &words) != nil {
		return nil, false
	}
	for _, w := range []string{"copy_to", "disable_objects", "subobjects"} {
		if _, has := words[w]; has {
			return nil, false
		}
	}
	if t := string(words["type"]); t != "" && t != `"object"` && t != `"nested"` || isFalse(words["enabled"]) {
		return nil, true
	}
	if d, has := words["dynamic"]; has {
		ignores = isFalse(d)
	}
	var properties map[string]json.RawMessage
	if p, has := words["properties"]; has && json.Unmarshal(p, &properties) != nil {
		return nil, false
	}
	f = &fields{has: map[string]*fields{}, ignores: ignores}
	for name, p := range properties {
		if f.has[name], ok = readFields(p, ignores); !ok {
			return nil, false
		}
	}
	return f, true
}

func isFalse(word json.RawMessage) bool { return string(word) == "false" || string(word) == `"false"` }

// cover reports whether a document maps nothing: all of its fields are mapped, or are in an
// object that maps none. In doubt it says no.
func (f *fields) cover(source json.RawMessage) bool {
	var v map[string]any
	return json.Unmarshal(source, &v) == nil && f.covers(v)
}

func (f *fields) covers(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case []any:
		for _, x := range v {
			if !f.covers(x) {
				return false
			}
		}
		return true
	case map[string]any:
		for name, x := range v {
			if !f.coversField(name, x) {
				return false
			}
		}
		return true
	}
	return false // a value where an object should be
}

func (f *fields) coversField(name string, v any) bool {
	for rest, more := name, true; more; {
		if name, rest, more = strings.Cut(rest, "."); f == nil {
			return false // a name within a field
		}
		in, has := f.has[name]
		if !has {
			return f.ignores
		}
		f = in
	}
	return f == nil || f.covers(v)
}
