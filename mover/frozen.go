package mover

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// A field may get its type at A only. That has two sides.
//
// What A has mapped is mapped at B before a document that has it is written: SyncMeta
// runs after the documents were read, and A maps a field before it takes the document.
//
// What A has not mapped must not be mapped by B, which would choose a type by
// whichever document came first. A document has such fields if it was written while
// the mapping, or the object that they are in, said that dynamic is false; and it may
// say otherwise by now. So while the mover writes, each dynamic of A's mapping is
// false at B, where such a field is then what it is at A: a part of the source and no
// field. It is false and not strict, which would refuse those documents.
//
// A mapping is a change of B's cluster state, which is time in which writes would be held.
// So Ready gives B what A has before the cutover, and from then on a bulk with a document
// of which not every field is mapped makes it false again before it is sent: see thaw. Only
// then is it left to Seal.
//
// A mapping that says nothing of dynamic has never said anything, for it cannot be
// taken back. It has always been true then, so every field of every document is
// mapped, and there is nothing to freeze.

// frozen returns a mapping with every dynamic that it has set to false, and whether
// that changed anything.
func frozen(mappings json.RawMessage) (json.RawMessage, bool, error) {
	out, changed, err := freeze(orEmpty(mappings))
	if err != nil {
		return nil, false, fmt.Errorf("read a mapping: %w", err)
	}
	if !changed {
		return mappings, false, nil
	}
	return out, true, nil
}

// freeze does so for one object and those within it. A field may be called dynamic, or
// properties: names are told from words by where they are.
func freeze(object json.RawMessage) (json.RawMessage, bool, error) {
	var words map[string]json.RawMessage
	if err := json.Unmarshal(object, &words); err != nil {
		return nil, false, err
	}
	changed := false
	if d, ok := words["dynamic"]; ok && !isFalse(d) {
		words["dynamic"], changed = json.RawMessage(`"false"`), true
	}
	if p, ok := words["properties"]; ok {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(p, &fields); err != nil {
			return nil, false, err
		}
		for name, f := range fields {
			cold, c, err := freeze(f)
			if err != nil {
				return nil, false, err
			}
			if c {
				fields[name], changed = cold, true
			}
		}
		words["properties"], _ = json.Marshal(fields) // raw messages that were decoded encode
	}
	out, err := json.Marshal(words)
	return out, changed, err
}

// sameMapping compares two mappings, whatever the order of their words.
func sameMapping(a, b json.RawMessage) bool {
	if string(orEmpty(a)) == string(orEmpty(b)) {
		return true
	}
	var plain [2]any
	for n, raw := range []json.RawMessage{a, b} {
		d := json.NewDecoder(bytes.NewReader(orEmpty(raw)))
		d.UseNumber()
		if d.Decode(&plain[n]) != nil {
			return false
		}
	}
	x, _ := json.Marshal(plain[0]) // what was decoded encodes
	y, _ := json.Marshal(plain[1])
	return bytes.Equal(x, y)
}

// unasked returns a field of a target's mapping that the mapping it was created with
// did not have: an index template of the cluster has added it.
func unasked(asked, got json.RawMessage) (string, error) {
	want, err := fieldsOf("", orEmpty(asked), map[string]bool{})
	if err != nil {
		return "", err
	}
	have, err := fieldsOf("", orEmpty(got), map[string]bool{})
	if err != nil {
		return "", err
	}
	for _, f := range slices.Sorted(maps.Keys(have)) {
		if !want[f] {
			return f, nil
		}
	}
	return "", nil
}

// fieldsOf adds the paths of a mapping's fields, objects and multi-fields to into.
func fieldsOf(path string, object json.RawMessage, into map[string]bool) (map[string]bool, error) {
	var words struct {
		Properties map[string]json.RawMessage `json:"properties"`
		Fields     map[string]json.RawMessage `json:"fields"`
	}
	if err := json.Unmarshal(object, &words); err != nil {
		return into, fmt.Errorf("read a mapping: %w", err)
	}
	for _, in := range []map[string]json.RawMessage{words.Properties, words.Fields} {
		for name, f := range in {
			into[path+name] = true
			if _, err := fieldsOf(path+name+".", f, into); err != nil {
				return into, err
			}
		}
	}
	return into, nil
}
