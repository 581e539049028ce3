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
	out := &shape{members: map[string]*shape{}}
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
	hitAt          = found.with(named("_score", "sort", "matched_queries").members).with(map[string]*shape{"highlight": fieldsAt})
	hitsAt         = named("total", "max_score").with(map[string]*shape{"hits": hitAt})
	// aggsAt are aggregations: names and values of the client's, and hits. No name
	// is one that means something here; the request was refused otherwise.
	aggsAt = func() *shape {
		s := &shape{hide: func(_ *sharedRules, key string) bool { return key == "meta" }}
		s.rest, s.members = s, map[string]*shape{"hits": hitsAt, "key": asIs, "after_key": asIs}
		return s
	}()
	searchAnswer = named("took", "timed_out", "terminated_early", "num_reduce_phases", "status").with(map[string]*shape{
		"_shards": shardsAt, "hits": hitsAt, "aggregations": aggsAt, "error": errorAt, "_scroll_id": scrollAt, "pit_id": pitAt,
	})
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
		"task":     named("type", "action", "start_time_in_millis", "running_time_in_nanos", "cancellable", "cancelled").with(map[string]*shape{"status": byQueryAnswer}),
		"response": byQueryAnswer, "error": errorAt,
	})
	shardsAnswer   = &shape{members: map[string]*shape{"_shards": shardsAt}}
	validAnswer    = named("valid").with(shardsAnswer.members)
	analysisAnswer = named("tokens")
	infoAnswer     = &shape{rest: asIs}
	nothing        = &shape{}
)

// answerShapes are the answers to what a shared index is asked.
var answerShapes = map[op]*shape{
	opInfo: infoAnswer, opIndex: documentAnswer, opIndexAuto: documentAnswer, opCreate: documentAnswer, opUpdate: documentAnswer,
	opDelete: documentAnswer, opGet: documentAnswer, opSource: documentAt, opMget: mgetAnswer, opBulk: bulkAnswer, opRefresh: shardsAnswer,
	opExists: nothing, opValidate: validAnswer, opAnalyze: analysisAnswer,
	opSearch: searchAnswer, opScroll: searchAnswer, opMsearch: msearchAnswer, opCount: countAnswer, opOpenPIT: pitAnswer, opByQuery: byQueryAnswer, opTask: taskAbout, opCancelTask: taskAbout, opRethrottle: taskAbout,
}
