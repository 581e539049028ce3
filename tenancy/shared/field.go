package shared

import "strings"

// fieldName checks the name of a field that the client wants to see or to search.
// The partition field is not a client's to name. Of OpenSearch's own, which begin
// with an underscore, _id and _routing hold more than the client's, _index the
// physical name, and others bookkeeping.
func (t *Tenant) fieldName(name string) error {
	switch {
	case name == "":
		return refuse("a name of a field must not be empty")
	case name[0] == '_':
		return refuse("the field [%s] is OpenSearch's own and not available here in a shared index", name)
	case t.owns(name):
		return refuse("the field [%s] belongs to the shared index and is not available", name)
	}
	return nil
}

// searched checks a field that a query looks into. A pattern that the partition
// field fits would find every document by the tenant's name.
func (t *Tenant) searched(name string) error {
	name, _, _ = strings.Cut(name, "^") // its boost
	if strings.ContainsRune(name, '*') && fits(name, t.field) {
		return refuse("the pattern [%s] also stands for the field [%s], which belongs to the shared index; name the fields", name, t.field)
	}
	return t.fieldName(name)
}

// fits reports whether name is one that the pattern stands for.
func fits(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return pattern == name
	}
	name, ok := strings.CutPrefix(name, first)
	if !ok {
		return false
	}
	if name, ok = strings.CutSuffix(name, last); !ok {
		return false
	}
	for _, p := range parts[1 : len(parts)-1] {
		if _, name, ok = strings.Cut(name, p); !ok {
			return false
		}
	}
	return true
}

// fieldList checks fields that a client wants to see: a name or a list of names.
// Patterns are harmless: what they bring of the index's own is taken out of the
// answer.
func (t *Tenant) fieldList(v *node) error {
	names := []*node{v}
	if v.kind == '[' {
		names = v.items
	}
	for _, n := range names {
		if n.kind != '"' {
			return refuse("a name of a field must be text")
		}
		if n.text == "_none_" || n.text == "_source" {
			continue
		}
		if err := t.fieldName(n.text); err != nil {
			return err
		}
	}
	return nil
}

// FieldNames checks a list of fields with commas, from the parameters of a
// request.
func (t *Tenant) FieldNames(names string) error {
	for n := range strings.SplitSeq(names, ",") {
		if n = strings.TrimSpace(n); n == "" || n == "_none_" || n == "_source" {
			continue
		}
		if err := t.fieldName(n); err != nil {
			return err
		}
	}
	return nil
}

// Hidden reports whether a field in an answer is not the client's.
func (t *Tenant) Hidden(field string) bool { return field == t.field || strings.HasPrefix(field, "_") }
