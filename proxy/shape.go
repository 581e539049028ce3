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
	// do translates the scalars that stand here; nil copies them. If bare is set, it
	// makes a bare value of a bare one.
	do   func(r *sharedRules, v string, number bool) (string, bool, error)
	bare bool
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
	out := &shape{members: map[string]*shape{}, hide: s.hide}
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
	termAt   = &shape{do: (*sharedRules).term, bare: true}
	sortAt   = &shape{do: (*sharedRules).sorted}
	scrollAt = &shape{do: (*sharedRules).scroll}
	pitAt    = &shape{do: (*sharedRules).pit}
	typeAt   = &shape{do: (*sharedRules).errorType}
	reasonAt = &shape{do: (*sharedRules).reason}
	// fieldsAt are objects of the client's fields: a document, or what was asked of
	// one. A part of a document may have a member that is called like the partition
	// field, and does not have that.
	documentAt = &shape{rest: asIs, hide: func(r *sharedRules, key string) bool { return key == r.tenant.Field() && !r.part }}
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
	// Whether a shard was skipped depends on the smallest and the largest value of a
	// field in it, of all tenants.
	shardsAt = named("total", "successful", "failed").with(map[string]*shape{"skipped": {do: (*sharedRules).zero, bare: true}})
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
	hitAt          = newHit()
	hitsAt         = named("total", "max_score").with(map[string]*shape{"hits": hitAt})
	// inside are the hits of a hit, by names of the client's.
	inside = &shape{rest: &shape{}}
	// aggsAt are aggregations: names and values of the client's, and hits. No name
	// is one that means something here; the request was refused otherwise.
	aggsAt = func() *shape {
		s := &shape{hide: func(_ *sharedRules, key string) bool { return key == "meta" }}
		s.rest, s.members = s, map[string]*shape{"hits": hitsAt, "key": asIs, "after_key": asIs}
		return s
	}()
	searchAnswer = newSearch()
	// sortedAnswer is searchAnswer where values of the sort are looked into.
	sortedAnswer  = searchAnswer.with(map[string]*shape{"hits": hitsAt.with(map[string]*shape{"hits": hitAt.with(map[string]*shape{"sort": sortAt})})})
	msearchAnswer = named("took").with(map[string]*shape{"responses": searchAnswer})
	countAnswer   = named("count", "terminated_early").with(shardsAnswer.members)
	pitAnswer     = named("creation_time").with(map[string]*shape{"pit_id": pitAt, "_shards": shardsAt})
	byQueryAnswer = func() *shape {
		s := named("took", "timed_out", "total", "updated", "created", "deleted", "batches", "version_conflicts", "noops", "retries", "throttled", "throttled_millis",
			"throttled_until", "throttled_until_millis", "requests_per_second", "canceled", "slice_id")
		s.members["failures"] = named("status", "type").with(map[string]*shape{"index": indexAt, "id": idAt, "cause": errorAt, "reason": errorAt})
		s.members["slices"] = s
		return s
	}()
	taskAbout = named("completed").with(map[string]*shape{
		// Clients demand a node and a number; those of the cluster are for its operator.
		"task": named("type", "action", "start_time_in_millis", "running_time_in_nanos", "cancellable", "cancelled").with(map[string]*shape{
			"status": byQueryAnswer, "headers": named("X-Opaque-Id"), "node": {do: (*sharedRules).nowhere}, "id": {do: (*sharedRules).zero, bare: true},
		}),
		"response": byQueryAnswer, "error": errorAt,
	})
	shardsAnswer   = &shape{members: map[string]*shape{"_shards": shardsAt}}
	validAnswer    = named("valid").with(shardsAnswer.members)
	analysisAnswer = named("tokens")
	infoAnswer     = &shape{rest: asIs}
	nothing        = &shape{}
)

// newHit makes the shape of a hit. _nested stands before _source in what OpenSearch
// writes.
func newHit() *shape {
	s := found.with(named("_score", "sort", "matched_queries", "_nested").members).with(map[string]*shape{"highlight": fieldsAt, "inner_hits": inside})
	s.hide = func(r *sharedRules, key string) bool {
		r.part = r.part || key == "_nested"
		return false
	}
	return s
}

func init() { inside.rest.members = map[string]*shape{"hits": hitsAt} }

// newSearch makes the shape of a search's answer. A cluster may end one of the
// narrowed query early where it would not end the client's own.
func newSearch() *shape {
	s := named("took", "timed_out", "terminated_early", "num_reduce_phases", "status").with(map[string]*shape{
		"_shards": shardsAt, "hits": hitsAt, "aggregations": aggsAt, "error": errorAt, "_scroll_id": scrollAt, "pit_id": pitAt,
	})
	s.hide = func(r *sharedRules, key string) bool { return key == "terminated_early" && !r.early }
	return s
}

// answerShapes are the answers to what a shared index is asked.
var answerShapes = map[op]*shape{
	opInfo: infoAnswer, opIndex: documentAnswer, opIndexAuto: documentAnswer, opCreate: documentAnswer, opUpdate: documentAnswer,
	opDelete: documentAnswer, opGet: documentAnswer, opSource: documentAt, opMget: mgetAnswer, opBulk: bulkAnswer, opRefresh: shardsAnswer,
	opExists: nothing, opValidate: validAnswer, opAnalyze: analysisAnswer,
	opSearch: searchAnswer, opScroll: searchAnswer, opMsearch: msearchAnswer, opCount: countAnswer, opOpenPIT: pitAnswer, opByQuery: byQueryAnswer, opTask: taskAbout, opCancelTask: taskAbout, opRethrottle: taskAbout,
}
