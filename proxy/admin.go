package proxy

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/placement"
)

// checkAdmin checks the body of a change of indices, and refuses what a move that
// is under way could not follow. The ticket is open: the state cannot change.
func (q *request) checkAdmin(p *payload, pl placement.Placement) (*payload, error) {
	moving := q.entry.State.Migrating()
	switch q.op {
	case opDropIndex:
		// Its copy is being made, and a name that comes back would be another index.
		// Creating one is let through; the mover takes it in.
		if moving {
			return nil, errMoving("indices cannot be removed")
		}
	case opClose:
		if moving { // it could not be read any more
			return nil, errMoving("indices cannot be closed")
		}
	case opMakeIndex:
		if many := patternOf(pl); many != nil {
			if p.rest != nil {
				return nil, errLarge
			}
			return p, many.checkCreation(p.head)
		}
		var body struct {
			Aliases map[string]json.RawMessage `json:"aliases"`
		}
		if json.Unmarshal(p.head, &body) == nil { // else the cluster says what is wrong with it
			for name := range body.Aliases {
				if err := aliasName(name); err != nil {
					return nil, err
				}
			}
		}
	case opPutAdmin:
		if pl.Kind == placement.DedicatedCluster {
			return p, nil
		}
		if p.rest != nil {
			return nil, errLarge
		}
		return p, checkAnalysis(p.head)
	case opPutAlias, opAliases:
		if p.rest != nil {
			return nil, errLarge
		}
		if q.op == opPutAlias {
			if err := aliasName(q.id); err != nil {
				return nil, err
			}
		} else if err := checkActions(p.head, moving); err != nil {
			return nil, err
		}
		b, err := checkQuery(p.head, pl, nil) // a filter is a query
		if err != nil {
			return nil, err
		}
		return bytesPayload(b, p.mime), nil
	}
	return p, nil
}

var errLarge = fail(http.StatusRequestEntityTooLarge, TypeTooLarge, "the body of a change of an index may have %d bytes", bufferBody)

func errMoving(what string) error {
	return fail(http.StatusConflict, TypeMoving, "the tenant is being moved to another cluster, and its %s until that has ended; nothing was changed, repeat the request then", what)
}

// aliasName refuses the names that moves use: such aliases of a tenant's would not
// move with it.
func aliasName(name string) error {
	if strings.HasPrefix(name, placement.ReservedPrefix) {
		return fail(http.StatusForbidden, TypeNotAllowed, "the alias [%s] is not allowed: names that begin with sluice- are those of moves; choose another", name)
	}
	return nil
}

// checkActions checks changes of aliases.
func checkActions(b []byte, moving bool) error {
	var body struct {
		Actions aliasActions `json:"actions"`
	}
	if err := json.Unmarshal(b, &body); err != nil {
		return fail(http.StatusBadRequest, "parsing_exception", "the body is not a list of alias actions: %s", err)
	}
	for _, a := range body.Actions {
		for _, raw := range a {
			var names struct{ Alias, Aliases oneOrMany }
			_ = json.Unmarshal(raw, &names) // else the cluster says what is wrong with it
			for _, name := range append(names.Alias, names.Aliases...) {
				if err := aliasName(name); err != nil {
					return err
				}
			}
		}
		if _, ok := a["remove_index"]; !ok {
			continue
		}
		if moving {
			return errMoving("indices cannot be removed")
		}
	}
	return nil
}

// aliasActions is a list of actions, or one in its place, as OpenSearch takes it.
type aliasActions []map[string]json.RawMessage

func (a *aliasActions) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '{' {
		*a = make(aliasActions, 1)
		return json.Unmarshal(b, &(*a)[0])
	}
	return json.Unmarshal(b, (*[]map[string]json.RawMessage)(a))
}

// checkReindex refuses a copy from another cluster, and of a tenant that does not
// have all of its cluster a script, which could say to which index a document goes.
func checkReindex(b []byte, pl placement.Placement) error {
	if !utf8.Valid(b) {
		return badBody(errUTF8)
	}
	var body struct {
		Source map[string]json.RawMessage `json:"source"`
		Script json.RawMessage            `json:"script"`
	}
	if err := json.Unmarshal(b, &body); err != nil {
		return fail(http.StatusBadRequest, "parsing_exception", "the body is not one of a reindex: %s", err)
	}
	if _, ok := body.Source["remote"]; ok {
		return fail(http.StatusForbidden, TypeNotAllowed, "[source.remote] is not allowed: it leads out of the tenant; read there, and write here")
	}
	if body.Script != nil && pl.Many() {
		return fail(http.StatusForbidden, TypeNotAllowed, "[script] is not allowed in _reindex: it may choose another index, of whomever; use _update_by_query behind it")
	}
	return nil
}

// checkAnalysis refuses what makes the cluster read its own files, of which an
// error may quote lines, or documents of any index.
func checkAnalysis(b []byte) error {
	if len(bytes.TrimSpace(b)) == 0 {
		return nil
	}
	if !utf8.Valid(b) {
		return badBody(errUTF8)
	}
	if _, err := rewriteBytes(b, reachFinder{}); err != nil {
		return badBody(err)
	}
	return nil
}

// reachFinder refuses a text that names a file of the cluster's, or a type of fields
// that hold queries: a lookup in one of those is carried out as a document is
// written, in whatever index it names, and can be searched for what it has found.
type reachFinder struct{}

func (reachFinder) key(_ []string, key string) (string, fate) { return key, look }

func (reachFinder) wants(path []string) bool {
	name := last(path, 1)
	return name == "type" || strings.HasSuffix(name, "_path") || strings.HasSuffix(name, "user_dictionary") || strings.HasSuffix(name, "rule_files")
}

func (reachFinder) scalar(path []string, v string, _ bool) (string, bool, error) {
	if last(path, 1) == "type" {
		if v != "percolator" {
			return v, false, nil
		}
		return v, false, fail(http.StatusForbidden, TypeNotAllowed, "the type [percolator] is not allowed: lookups in such a field read documents of any index of the cluster; move the tenant to a cluster of its own to have it")
	}
	return v, false, fail(http.StatusForbidden, TypeNotAllowed, "[%s] is not allowed: it reads a file of the cluster's; put the words themselves into the request", last(path, 1))
}
