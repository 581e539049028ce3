package proxy

// shape is what is known of one place in a cluster's answer about a shared index.
// What no shape speaks of is left out: an answer shows what is understood, and
// nothing else.
type shape struct {
	members map[string]*shape
	// rest is the shape of all other members; nil leaves them out.
	rest *shape
	// hide, if set, leaves out members for which it is true.
	hide func(r *sharedRules, key string) bool
	fate fate
	// do translates the scalars that stand here; nil copies them.
	do func(r *sharedRules, v string, number bool) (string, bool, error)
}

func (s *shape) child(r *sharedRules, key string) *shape {
	if s.hide != nil && s.hide(r, key) {
		return nil
	}
	if c, ok := s.members[key]; ok {
		return c
	}
	return s.rest
}

// with returns a shape of more members.
func (s *shape) with(more map[string]*shape) *shape {
	out := &shape{members: map[string]*shape{}, rest: s.rest}
	for k, v := range s.members {
		out.members[k] = v
	}
	for k, v := range more {
		out.members[k] = v
	}
	return out
}

// Single values.
var (
	asIs     = &shape{fate: opaque}
	idAt     = &shape{do: (*sharedRules).clientID}
	indexAt  = &shape{do: (*sharedRules).index}
	routeAt  = &shape{fate: hold, do: (*sharedRules).routing}
	termAt   = &shape{do: (*sharedRules).term}
	scrollAt = &shape{do: (*sharedRules).scroll}
	pitAt    = &shape{do: (*sharedRules).pit}
	typeAt   = &shape{do: (*sharedRules).errorType}
	reasonAt = &shape{do: (*sharedRules).reason}
	// fieldsAt are objects of the client's fields: a document, or what was asked of
	// one.
	documentAt = &shape{rest: asIs, hide: func(r *sharedRules, key string) bool { return key == r.tenant.Field() }}
	fieldsAt   = &shape{rest: asIs, hide: func(r *sharedRules, key string) bool { return r.tenant.Hidden(key) }}
)

// named makes a shape of members that are all copied.
func named(keys ...string) *shape {
	s := &shape{members: map[string]*shape{}}
	for _, k := range keys {
		s.members[k] = asIs
	}
	return s
}

var (
	shardsAt = named("total", "successful", "skipped", "failed")
	// errorAt is an error inside an answer. type stands before reason in what
	// OpenSearch writes; a reason without one is the general reason.
	errorAt = func() *shape {
		s := &shape{members: map[string]*shape{"type": typeAt, "reason": reasonAt}}
		s.members["root_cause"] = &shape{members: map[string]*shape{"type": typeAt, "reason": reasonAt}}
		return s
	}()
	found = named("_version", "_seq_no", "found", "result", "status", "forced_refresh", "_ignored").with(map[string]*shape{
		"_index": indexAt, "_id": idAt, "_routing": routeAt, "_primary_term": termAt,
		"_source": documentAt, "fields": fieldsAt, "_shards": shardsAt, "error": errorAt,
	})
	// documentAnswer is about one document, or one item of a bulk.
	documentAnswer = found.with(map[string]*shape{"get": found})
	mgetAnswer     = &shape{members: map[string]*shape{"docs": documentAnswer}}
	bulkAnswer     = named("took", "ingest_took", "errors").with(map[string]*shape{"items": {rest: documentAnswer}})
	shardsAnswer   = &shape{members: map[string]*shape{"_shards": shardsAt}}
	infoAnswer     = &shape{rest: asIs}
	nothing        = &shape{}
)

// answerShapes are the answers to what a shared index is asked.
var answerShapes = map[op]*shape{
	opInfo: infoAnswer, opIndex: documentAnswer, opIndexAuto: documentAnswer, opCreate: documentAnswer, opUpdate: documentAnswer,
	opDelete: documentAnswer, opGet: documentAnswer, opSource: documentAt, opMget: mgetAnswer, opBulk: bulkAnswer, opRefresh: shardsAnswer,
}
