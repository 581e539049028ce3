package shared

import "strings"

// Some queries first look for words that are like the one that was asked for, and
// go on with a limited number of them. They look in the list of words of the whole
// index: the words of other tenants would take the places of the client's own, so
// that its answers would tell of them. Such a query is either made one that takes
// all such words, whose answer depends on the client's documents alone, or refused.

const expands = "it takes a limited number of words, and counts those of all tenants"

// constantScore is the one way of searching many words that has no limit.
func constantScore(_ *walker, key string, v *node) error {
	if v.kind != '"' || v.text != "constant_score" {
		return refuse("[%s] must be constant_score in a shared index; another way takes a limited number of words, and counts those of all tenants", key)
	}
	return nil
}

// matchType is how several fields are matched.
func matchType(_ *walker, key string, v *node) error {
	if v.kind == '"' {
		switch strings.ToLower(v.text) {
		case "best_fields", "most_fields", "cross_fields", "phrase", "bool_prefix":
			return nil
		}
	}
	return refuse("[%s] [%s] is not possible in a shared index: %s", key, v.text, expands)
}

// fuzzy lets a query for one field that allows for errors search all similar words.
func fuzzy(c check) check {
	return func(w *walker, key string, v *node) error {
		if err := c(w, key, v); err != nil {
			return err
		}
		takeAll(v.members[0].value)
		return nil
	}
}

// fuzzyObject is fuzzy for a query whose options are its own members.
func fuzzyObject(c check) check {
	return func(w *walker, key string, v *node) error {
		if err := c(w, key, v); err != nil {
			return err
		}
		takeAll(v)
		return nil
	}
}

func takeAll(options *node) {
	if options.kind == '{' && options.get("fuzziness") != nil {
		options.set("fuzzy_rewrite", text("constant_score"))
	}
}

// allSimilar is fuzzy for the query that is always so.
func allSimilar(c check) check {
	return func(w *walker, key string, v *node) error {
		if err := c(w, key, v); err != nil {
			return err
		}
		m := &v.members[0]
		if m.value.kind != '{' {
			m.value = object(pair{"value", m.value})
		}
		m.value.set("rewrite", text("constant_score"))
		return nil
	}
}

// unfuzzy checks the text of a simple query string.
func unfuzzy(c check) check {
	return func(w *walker, key string, v *node) error {
		if err := c(w, key, v); err != nil {
			return err
		}
		q := v.get("query")
		if q == nil {
			return refuse("[%s] has no [query]", key)
		}
		return exact(key, q.text, v.get("flags") != nil)
	}
}

// exact refuses a query string that asks for similar words: not every version of
// OpenSearch can be told to take all of them. A tilde behind a phrase is its slop,
// unless flags say that quotes mean nothing.
func exact(key, query string, flags bool) error {
	for i := range len(query) {
		if query[i] != '~' {
			continue
		}
		if flags || i == 0 || query[i-1] != '"' || i > 1 && query[i-2] == '\\' {
			return refuse("[~] behind a word of [%s] is not possible in a shared index: %s; use [match] with [fuzziness]", key, expands)
		}
	}
	return nil
}
