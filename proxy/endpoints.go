package proxy

//go:generate go test -run TestEndpointsPage . -update

// op is what an endpoint does.
type op int

const (
	opRefused op = iota // for every tenant
	opInfo
	opIndex
	opIndexAuto
	opCreate
	opUpdate
	opDelete
	opGet
	opSource
	opBulk
	opSearch
	opMsearch
	opSearchTemplate
	opMsearchTemplate
	opRender
	opMget
	opCount
	opValidate
	opExplain
	opFieldCaps
	opTermvectors
	opMtermvectors
	opAnalyze
	opByQuery
	opReindex
	opRefresh
	opMaintain // flush, merge, clear caches: documents stay as they are
	opStats
	opExists   // of an index
	opGetAdmin // mapping, settings, alias, or the index itself
	opPutAdmin
	opPutAlias
	opAliases
	opOpen
	opClose
	opMakeIndex
	opDropIndex
	opCat
	opClusterRead
	opScroll
	opClearScroll
	opOpenPIT
	opClosePIT
	opAllPITs
	opTask
	opCancelTask
	opRethrottle
)

// cell says whether tenants of one kind of placement may call an endpoint.
type cell struct {
	kind string // error.type of the refusal; empty: served
	note string // why it is refused and what to do instead; or what to know of one that is served
}

// support is what the kinds of placement do with an endpoint.
type support struct{ cluster, index, shared cell }

func served(note string) cell       { return cell{note: note} }
func unconfined(why string) cell    { return cell{TypeSharedIndex, why} }
func operators(why string) cell     { return cell{TypeNotAllowed, why} }
func unsupported(why string) cell   { return cell{TypeUnsupported, why} }
func nobody(why string) support     { c := unsupported(why); return support{c, c, c} }
func noTenant(why string) support   { c := operators(why); return support{c, c, c} }
func dedicated(shared cell) support { return support{shared: shared} }
func ownCluster(other cell) support { return support{index: other, shared: other} }

var everyone = support{}

// inline is everyone, with templates of the request.
var inline = support{served(sentOnly), served(sentOnly), served(sentOnly)}

const sentOnly = "a template that is sent, none that is stored"

// Reasons that several rows share. Each says what to do.
const (
	whyChanged   = "the index is shared with other tenants, and it would be changed for all of them; ask its operator"
	whyShown     = "the index is shared with other tenants, and it shows what their documents are made of; ask its operator"
	whyNumbers   = "the index is shared with other tenants, and it shows numbers of all their documents; move the tenant into an index of its own to have it"
	whyPlacement = "the index is created, moved and removed by the operator of its placement; ask for it there"
	whyOneIndex  = "the tenant has one index in this kind of placement, and OpenSearch does not copy an index into itself; use _update_by_query"
	whyCluster   = "it concerns a whole cluster, which is not the tenant's alone, and which a move changes; the operator calls it at the cluster itself"
	whyAlias     = "aliases and indices of all tenants of the cluster share their names, so an alias could take the name that another tenant's index is to have; ask the operator for one"
	whyStays     = "what it changes belongs to a cluster and would stay behind when the tenant moves; the operator sets it on each cluster, at the cluster itself"
	whyStored    = "stored templates do not move with a tenant; send the template as [source]"
	whyNoMove    = "it makes indices or documents in a way that a move cannot follow; create an index and use _reindex"
	whyOther     = "its request or its answer cannot be kept inside a tenant by this version; use the document and search endpoints"
)

// endpoint is one row of the table. In a pattern {i} is an index, {id} and {name}
// stand for one segment, and ** for any number of them.
type endpoint struct {
	methods string // * for all
	pattern string
	op      op
	class   class
	support support
	does    string
}

// section is a part of the table, as the manual shows it.
type section struct {
	title string
	rows  []endpoint
}

// table is everything that the proxy knows of. It is searched from the top.
var table = []section{
	{"Documents", []endpoint{
		{"PUT POST", "/{i}/_doc/{id}", opIndex, classWrite, everyone, "write a document"},
		{"POST", "/{i}/_doc", opIndexAuto, classWrite, everyone, "write a document under a new id"},
		{"PUT POST", "/{i}/_create/{id}", opCreate, classWrite, everyone, "write a document that must not exist"},
		{"POST", "/{i}/_update/{id}", opUpdate, classWrite, support{shared: served("without scripts")}, "change a document"},
		{"DELETE", "/{i}/_doc/{id}", opDelete, classWrite, everyone, "delete a document"},
		{"GET HEAD", "/{i}/_doc/{id}", opGet, classRead, everyone, "get a document"},
		{"GET HEAD", "/{i}/_source/{id}", opSource, classRead, everyone, "get a document's source"},
		{"GET POST", "/_mget", opMget, classRead, everyone, "get several documents"},
		{"GET POST", "/{i}/_mget", opMget, classRead, everyone, "get several documents"},
		{"PUT POST", "/_bulk", opBulk, classBulk, support{shared: served("without scripts and pipelines")}, "write several documents"},
		{"PUT POST", "/{i}/_bulk", opBulk, classBulk, support{shared: served("without scripts and pipelines")}, "write several documents"},
		{"GET POST", "/{i}/_termvectors", opTermvectors, classRead, dedicated(unconfined(whyNumbers)), "the terms of a document of the request"},
		{"GET POST", "/{i}/_termvectors/{id}", opTermvectors, classRead, dedicated(unconfined(whyNumbers)), "the terms of a document"},
		{"GET POST", "/_mtermvectors", opMtermvectors, classRead, dedicated(unconfined(whyNumbers)), "the terms of several documents"},
		{"GET POST", "/{i}/_mtermvectors", opMtermvectors, classRead, dedicated(unconfined(whyNumbers)), "the terms of several documents"},
	}},
	{"Search", []endpoint{
		{"GET POST", "/_search", opSearch, classRead, everyone, "search, also in a point in time"},
		{"GET POST", "/{i}/_search", opSearch, classRead, everyone, "search"},
		{"GET POST", "/_msearch", opMsearch, classRead, everyone, "several searches"},
		{"GET POST", "/{i}/_msearch", opMsearch, classRead, everyone, "several searches"},
		{"GET POST", "/_count", opCount, classRead, everyone, "count documents"},
		{"GET POST", "/{i}/_count", opCount, classRead, everyone, "count documents"},
		{"GET POST", "/_validate/query", opValidate, classRead, support{shared: served("without explain and rewrite")}, "check a query"},
		{"GET POST", "/{i}/_validate/query", opValidate, classRead, support{shared: served("without explain and rewrite")}, "check a query"},
		{"GET POST", "/{i}/_explain/{id}", opExplain, classRead, dedicated(unconfined(whyNumbers)), "why a document matches"},
		{"GET POST", "/_field_caps", opFieldCaps, classRead, dedicated(operators(whyShown)), "what can be done with fields"},
		{"GET POST", "/{i}/_field_caps", opFieldCaps, classRead, dedicated(operators(whyShown)), "what can be done with fields"},
		{"GET POST", "/_analyze", opAnalyze, classRead, support{index: served("no files of the cluster"), shared: served("with the names of analyzers and fields only")}, "take a text apart"},
		{"GET POST", "/{i}/_analyze", opAnalyze, classRead, support{index: served("no files of the cluster"), shared: served("with the names of analyzers and fields only")}, "take a text apart"},
		{"GET POST", "/_search/template", opSearchTemplate, classRead, inline, "search by a template"},
		{"GET POST", "/{i}/_search/template", opSearchTemplate, classRead, inline, "search by a template"},
		{"GET POST", "/_msearch/template", opMsearchTemplate, classRead, inline, "search by templates"},
		{"GET POST", "/{i}/_msearch/template", opMsearchTemplate, classRead, inline, "search by templates"},
		{"GET POST", "/_render/template", opRender, classRead, inline, "fill in a template"},
		{"*", "/_render/template/{id}", opRefused, classNone, nobody(whyStored), "fill in a stored template"},
		{"*", "/_rank_eval", opRefused, classNone, nobody(whyOther), "rate searches"},
		{"*", "/{i}/_rank_eval", opRefused, classNone, nobody(whyOther), "rate searches"},
		{"*", "/_search_shards", opRefused, classNone, noTenant(whyCluster), "where a search would go"},
		{"*", "/{i}/_search_shards", opRefused, classNone, noTenant(whyCluster), "where a search would go"},
		{"*", "/_sql/**", opRefused, classNone, nobody("its statements name indices in a language that this proxy does not check; send the query to _search"), "search by SQL"},
	}},
	{"Cursors", []endpoint{
		{"GET POST", "/_search/scroll", opScroll, classCursor, everyone, "the next page of a scroll, where it was opened"},
		{"GET POST", "/_search/scroll/{id}", opScroll, classCursor, everyone, "the next page of a scroll, where it was opened"},
		{"DELETE", "/_search/scroll", opClearScroll, classCursor, everyone, "end scrolls"},
		{"DELETE", "/_search/scroll/{id}", opClearScroll, classCursor, support{cluster: served("not _all"), index: served("not _all"), shared: served("not _all")}, "end a scroll"},
		{"POST", "/{i}/_search/point_in_time", opOpenPIT, classCursor, everyone, "open a point in time"},
		{"DELETE", "/_search/point_in_time", opClosePIT, classCursor, everyone, "close points in time"},
		{"GET DELETE", "/_search/point_in_time/_all", opAllPITs, classCursor,
			support{served("of its cluster, not those from before a move, and not during one"), served("of its index, not those from before a move, and not during one"),
				unconfined("the cluster does not say whose a point in time of the shared index is; close each by its id")}, "list or close all points in time"},
	}},
	{"By query, and tasks", []endpoint{
		{"POST", "/{i}/_update_by_query", opByQuery, classByQuery, support{shared: served("without scripts")}, "write every document that matches"},
		{"POST", "/{i}/_delete_by_query", opByQuery, classByQuery, everyone, "delete every document that matches"},
		{"POST", "/_reindex", opReindex, classByQuery, support{cluster: served("not from another cluster"), index: unsupported(whyOneIndex), shared: unconfined(whyOneIndex)}, "copy documents between indices"},
		{"POST", "/_tasks/_cancel", opRefused, classNone, noTenant("it would cancel the tasks of all tenants; cancel a task by the id that you were given"), "cancel all tasks"},
		{"GET", "/_tasks/{id}", opTask, classTask, everyone, "a task that the tenant has started, by the id that it was given"},
		{"POST", "/_tasks/{id}/_cancel", opCancelTask, classTask, everyone, "cancel such a task"},
		{"POST", "/_update_by_query/{id}/_rethrottle", opRethrottle, classTask, everyone, "change how fast such a task goes"},
		{"POST", "/_delete_by_query/{id}/_rethrottle", opRethrottle, classTask, everyone, "change how fast such a task goes"},
		{"POST", "/_reindex/{id}/_rethrottle", opRethrottle, classTask, everyone, "change how fast such a task goes"},
		{"*", "/_tasks/**", opRefused, classNone, noTenant("the list holds the tasks of all tenants; ask for a task by the id that you were given"), "list or cancel tasks"},
	}},
	{"The tenant's indices", []endpoint{
		{"HEAD", "/{i}", opExists, classRead, everyone, "whether an index exists"},
		{"GET", "/{i}", opGetAdmin, classRead, dedicated(operators(whyShown)), "describe an index"},
		{"PUT", "/{i}", opMakeIndex, classAdmin, support{index: operators(whyPlacement), shared: operators(whyChanged)}, "create an index"},
		{"DELETE", "/{i}", opDropIndex, classAdmin, support{cluster: served("not while the tenant moves"), index: operators(whyPlacement), shared: operators(whyChanged)}, "remove an index"},
		{"POST", "/{i}/_open", opOpen, classAdmin, dedicated(operators(whyChanged)), "open an index"},
		{"POST", "/{i}/_close", opClose, classAdmin, support{served("not while the tenant moves; a closed index is not moved"), served("not while the tenant moves; a closed index is not moved"), operators(whyChanged)}, "close an index"},
		{"GET", "/_mapping", opGetAdmin, classRead, dedicated(operators(whyShown)), "mappings"},
		{"GET", "/{i}/_mapping", opGetAdmin, classRead, dedicated(operators(whyShown)), "mappings"},
		{"GET", "/_mapping/field/{name}", opGetAdmin, classRead, dedicated(operators(whyShown)), "the mapping of a field"},
		{"GET", "/{i}/_mapping/field/{name}", opGetAdmin, classRead, dedicated(operators(whyShown)), "the mapping of a field"},
		{"PUT POST", "/{i}/_mapping", opPutAdmin, classAdmin, dedicated(operators(whyChanged)), "add to a mapping"},
		{"GET", "/_settings", opGetAdmin, classRead, dedicated(operators(whyShown)), "settings"},
		{"GET", "/_settings/{name}", opGetAdmin, classRead, dedicated(operators(whyShown)), "a setting"},
		{"GET", "/{i}/_settings", opGetAdmin, classRead, dedicated(operators(whyShown)), "settings"},
		{"GET", "/{i}/_settings/{name}", opGetAdmin, classRead, dedicated(operators(whyShown)), "a setting"},
		{"PUT", "/{i}/_settings", opPutAdmin, classAdmin, dedicated(operators(whyChanged)), "change settings"},
		{"GET HEAD", "/_alias", opGetAdmin, classRead, dedicated(operators(whyShown)), "aliases"},
		{"GET HEAD", "/_alias/{name}", opGetAdmin, classRead, dedicated(operators(whyShown)), "an alias"},
		{"GET HEAD", "/{i}/_alias", opGetAdmin, classRead, dedicated(operators(whyShown)), "aliases"},
		{"GET HEAD", "/{i}/_alias/{name}", opGetAdmin, classRead, dedicated(operators(whyShown)), "an alias"},
		{"PUT POST DELETE", "/{i}/_alias/{name}", opPutAlias, classAdmin, support{index: operators(whyAlias), shared: operators(whyChanged)}, "add or remove an alias"},
		{"PUT POST DELETE", "/{i}/_aliases/{name}", opPutAlias, classAdmin, support{index: operators(whyAlias), shared: operators(whyChanged)}, "add or remove an alias"},
		{"POST", "/_aliases", opAliases, classAdmin, support{served("removes no index while the tenant moves"), operators(whyAlias), operators(whyChanged)}, "change aliases"},
		{"GET POST", "/_refresh", opRefresh, classRead, everyone, "make writes visible"},
		{"GET POST", "/{i}/_refresh", opRefresh, classRead, everyone, "make writes visible"},
		{"GET POST", "/_flush", opMaintain, classRead, dedicated(operators(whyChanged)), "flush"},
		{"GET POST", "/{i}/_flush", opMaintain, classRead, dedicated(operators(whyChanged)), "flush"},
		{"POST", "/_forcemerge", opMaintain, classRead, dedicated(operators(whyChanged)), "merge segments"},
		{"POST", "/{i}/_forcemerge", opMaintain, classRead, dedicated(operators(whyChanged)), "merge segments"},
		{"POST", "/_cache/clear", opMaintain, classRead, dedicated(operators(whyChanged)), "clear caches"},
		{"POST", "/{i}/_cache/clear", opMaintain, classRead, dedicated(operators(whyChanged)), "clear caches"},
		{"GET", "/_stats", opStats, classRead, dedicated(unconfined(whyNumbers)), "statistics"},
		{"GET", "/_stats/{name}", opStats, classRead, dedicated(unconfined(whyNumbers)), "statistics"},
		{"GET", "/{i}/_stats", opStats, classRead, dedicated(unconfined(whyNumbers)), "statistics"},
		{"GET", "/{i}/_stats/{name}", opStats, classRead, dedicated(unconfined(whyNumbers)), "statistics"},
		{"*", "/{i}/_rollover/**", opRefused, classNone, nobody(whyNoMove), "roll over to a new index"},
		{"*", "/{i}/_shrink/{name}", opRefused, classNone, nobody(whyNoMove), "make a smaller index of one"},
		{"*", "/{i}/_split/{name}", opRefused, classNone, nobody(whyNoMove), "make a larger index of one"},
		{"*", "/{i}/_clone/{name}", opRefused, classNone, nobody(whyNoMove), "copy an index"},
		{"*", "/{i}/_block/{name}", opRefused, classNone, noTenant("a move sets and removes such blocks itself, and must know whose they are; use the settings index.blocks.*, or ask the operator"), "block an index"},
		{"*", "/_data_stream/**", opRefused, classNone, nobody("data streams cannot be moved; use an index"), "data streams"},
	}},
	{"Lists for people", []endpoint{
		{"GET", "/_cat/indices", opCat, classRead, dedicated(unconfined(whyNumbers)), "the tenant's indices"},
		{"GET", "/_cat/indices/{i}", opCat, classRead, dedicated(unconfined(whyNumbers)), "an index"},
		{"GET", "/_cat/count", opCat, classRead, everyone, "how many documents the tenant has"},
		{"GET", "/_cat/count/{i}", opCat, classRead, everyone, "how many documents an index has"},
		{"GET", "/_cat/aliases", opCat, classRead, dedicated(operators(whyShown)), "the aliases of the tenant's indices"},
		{"GET", "/_cat/aliases/{name}", opCat, classRead, dedicated(operators(whyShown)), "an alias"},
		{"*", "/_cat/**", opRefused, classNone, noTenant(whyCluster), "all other lists"},
	}},
	{"The cluster", []endpoint{
		{"GET HEAD", "/", opInfo, classRead, everyone, "name and version of the cluster"},
		{"GET", "/_cluster/health", opClusterRead, classRead, ownCluster(operators(whyCluster)), "how the cluster is"},
		{"*", "/_cluster/**", opRefused, classNone, noTenant(whyCluster), "state and settings of the cluster"},
		{"*", "/_nodes/**", opRefused, classNone, noTenant(whyCluster), "nodes"},
		{"GET HEAD", "/_index_template", opClusterRead, classRead, ownCluster(operators(whyCluster)), "index templates"},
		{"GET HEAD", "/_index_template/{name}", opClusterRead, classRead, ownCluster(operators(whyCluster)), "an index template"},
		{"GET HEAD", "/_component_template", opClusterRead, classRead, ownCluster(operators(whyCluster)), "component templates"},
		{"GET HEAD", "/_component_template/{name}", opClusterRead, classRead, ownCluster(operators(whyCluster)), "a component template"},
		{"GET HEAD", "/_template", opClusterRead, classRead, ownCluster(operators(whyCluster)), "legacy templates"},
		{"GET HEAD", "/_template/{name}", opClusterRead, classRead, ownCluster(operators(whyCluster)), "a legacy template"},
		{"PUT POST DELETE", "/_index_template/**", opRefused, classNone, noTenant(whyStays), "change index templates"},
		{"PUT POST DELETE", "/_component_template/**", opRefused, classNone, noTenant(whyStays), "change component templates"},
		{"PUT POST DELETE", "/_template/**", opRefused, classNone, noTenant(whyStays), "change legacy templates"},
		{"GET", "/_ingest/pipeline", opClusterRead, classRead, ownCluster(operators(whyCluster)), "ingest pipelines"},
		{"GET", "/_ingest/pipeline/{name}", opClusterRead, classRead, ownCluster(operators(whyCluster)), "an ingest pipeline"},
		{"PUT DELETE", "/_ingest/pipeline/{name}", opRefused, classNone, noTenant(whyStays), "change an ingest pipeline"},
		{"*", "/_ingest/**", opRefused, classNone, noTenant(whyStays), "try ingest pipelines, and whatever else of ingestion"},
		{"*", "/_scripts/**", opRefused, classNone, noTenant(whyStays), "stored scripts"},
		{"*", "/_snapshot/**", opRefused, classNone, noTenant(whyCluster), "snapshots"},
		{"*", "/_plugins/**", opRefused, classNone, noTenant(whyCluster), "what plugins add"},
		{"*", "/_resolve/**", opRefused, classNone, noTenant(whyCluster), "what a name stands for; use GET /{i}"},
		{"*", "/_remote/**", opRefused, classNone, noTenant(whyCluster), "other clusters"},
		{"*", "/_dangling/**", opRefused, classNone, noTenant(whyCluster), "lost indices"},
	}},
}
