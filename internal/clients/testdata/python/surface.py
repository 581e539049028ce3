"""Calls what opensearch-py offers, and prints one line of JSON for each call.

The one argument is JSON: url, headers, user, password, compress, and surface, the
file with documents and searches that the clients of all languages use.
"""

import asyncio
import json
import sys

from opensearchpy import AsyncOpenSearch, OpenSearch, helpers
from opensearchpy.exceptions import OpenSearchException

ARGS = json.loads(sys.argv[1])
with open(ARGS["surface"], encoding="utf-8") as f:
    SURFACE = json.load(f)
INDEX, MADE, COPY = "docs", "docs-made", "docs-copy"


def show(name, /, **line):
    print(json.dumps({"name": name, **line}), flush=True)


def failed(name, e):
    status = getattr(e, "status_code", None)
    body = getattr(e, "info", None)
    if isinstance(e, helpers.BulkIndexError):
        status, body = None, e.errors
    if not isinstance(body, (dict, list, str)):
        body = str(body)
    show(name, error=type(e).__name__, status=status, body=body)


def call(name, f, /, *args, pick=None, **kw):
    """Calls f and shows what came of it; pick takes the part of an answer that can be compared."""
    try:
        body = f(*args, **kw)
    except OpenSearchException as e:
        failed(name, e)
        return {}
    shown = body
    if pick is not None:
        try:
            shown = pick(body)
        except (KeyError, IndexError, TypeError) as e:
            shown = {"unexpected": repr(e), "body": body}
    show(name, body=shown)
    return body


def client(cls, **more):
    kw = dict(hosts=[ARGS["url"]], headers=ARGS["headers"], timeout=60, max_retries=0, **more)
    if ARGS.get("user"):
        kw["http_auth"] = (ARGS["user"], ARGS["password"])
    if ARGS.get("compress"):
        kw["http_compress"] = True
    return cls(**kw)


def documents(c):
    call("info", c.info)
    call("ping", c.ping)
    for d in SURFACE["documents"]:
        call("index", c.index, index=INDEX, id=d["id"], body=d["doc"])
    call("index_refresh", c.index, index=INDEX, id="1", body=SURFACE["documents"][0]["doc"], refresh=True)
    call("index_auto", c.index, index=INDEX, body={"n": 20, "tag": "auto"}, pick=lambda b: {**b, "_id": len(b["_id"])})
    call("index_routing", c.index, index=INDEX, id="routed", body={"n": 21}, routing="r1")
    call("index_external", c.index, index=INDEX, id="ext", body={"n": 22}, version=7, version_type="external")
    call("index_external_old", c.index, index=INDEX, id="ext", body={"n": 22}, version=6, version_type="external")
    call("index_op_create", c.index, index=INDEX, id="1", body={}, op_type="create")
    call("index_bad_value", c.index, index=INDEX, id="bad", body={"n": "text"})
    call("create", c.create, index=INDEX, id="created", body={"n": 23})
    call("create_conflict", c.create, index=INDEX, id="created", body={"n": 24})
    for d in SURFACE["documents"]:
        call("get", c.get, index=INDEX, id=d["id"])
        call("get_source", c.get_source, index=INDEX, id=d["id"])
    call("get_missing", c.get, index=INDEX, id="none")
    call("get_foreign", c.get, index="foreign", id="1")
    call("get_routing", c.get, index=INDEX, id="routed", routing="r1")
    call("get_filtered", c.get, index=INDEX, id="1", _source_includes="t*", realtime=True)
    call("get_stored", c.get, index=INDEX, id="1", stored_fields="title", realtime=False)
    call("get_source_missing", c.get_source, index=INDEX, id="none")
    call("exists", c.exists, index=INDEX, id="a/b c")
    call("exists_missing", c.exists, index=INDEX, id="none")
    call("exists_source", c.exists_source, index=INDEX, id="1")
    call("exists_source_missing", c.exists_source, index=INDEX, id="none")
    call("update_doc", c.update, index=INDEX, id="created", body={"doc": {"m": 1}}, _source=True)
    call("update_noop", c.update, index=INDEX, id="created", body={"doc": {"m": 1}})
    call("index_scripted", c.index, index=INDEX, id="scripted", body={"n": 25})
    call("update_script", c.update, index=INDEX, id="scripted", body={"script": {"source": "ctx._source.n += params.d", "params": {"d": 4}}}, retry_on_conflict=2)
    call("update_upsert", c.update, index=INDEX, id="upserted", body={"doc": {"n": 1}, "upsert": {"n": 30}})
    call("update_doc_as_upsert", c.update, index=INDEX, id="upserted2", body={"doc": {"n": 31}, "doc_as_upsert": True})
    call("update_missing", c.update, index=INDEX, id="none", body={"doc": {}})
    got = call("token_get", c.get, index=INDEX, id="created")
    token = {"if_seq_no": got.get("_seq_no"), "if_primary_term": got.get("_primary_term")}
    call("token_index", c.index, index=INDEX, id="created", body={"n": 40}, **token)
    call("token_stale", c.index, index=INDEX, id="created", body={"n": 41}, **token)
    got = call("token_get_again", c.get, index=INDEX, id="created")
    token = {"if_seq_no": got.get("_seq_no"), "if_primary_term": got.get("_primary_term")}
    call("token_update", c.update, index=INDEX, id="created", body={"doc": {"n": 42}}, **token)
    call("token_delete_stale", c.delete, index=INDEX, id="created", **token)
    call("mget", c.mget, index=INDEX, body={"ids": ["1", "none", "a/b c"]})
    call("mget_docs", c.mget, body={"docs": [{"_index": INDEX, "_id": "1", "_source": ["n"]}, {"_index": INDEX, "_id": "routed", "routing": "r1"}]})
    call("termvectors", c.termvectors, index=INDEX, id="1", body={"fields": ["title"]})
    call("mtermvectors", c.mtermvectors, index=INDEX, body={"ids": ["1", "2"], "parameters": {"fields": ["title"]}})
    call("delete", c.delete, index=INDEX, id="created")
    call("delete_missing", c.delete, index=INDEX, id="created")
    call("opaque_id", c.get, index=INDEX, id="1", headers={"X-Opaque-Id": "o-1"})


def bulk(c):
    call("bulk", c.bulk, index=INDEX, body=[
        {"index": {"_id": "b1"}}, {"n": 100},
        {"create": {"_id": "b2"}}, {"n": 101},
        {"update": {"_id": "b1"}}, {"doc": {"m": 1}},
        {"update": {"_id": "b3"}}, {"doc": {"n": 1}, "doc_as_upsert": True},
        {"delete": {"_id": "b2"}},
    ], refresh=True)
    call("bulk_errors", c.bulk, body=[
        {"create": {"_index": INDEX, "_id": "b1"}}, {"n": 1},
        {"index": {"_index": INDEX, "_id": "b4"}}, {"n": "text"},
        {"delete": {"_index": INDEX, "_id": "none"}},
        {"update": {"_index": INDEX, "_id": "none"}}, {"doc": {}},
        {"index": {"_index": INDEX, "_id": "b5", "if_seq_no": 9999, "if_primary_term": 1}}, {"n": 1},
    ])
    call("bulk_script", c.bulk, index=INDEX, body=[{"update": {"_id": "scripted"}}, {"script": {"source": "ctx._source.n += 1"}}])
    call("bulk_auto", c.bulk, index=INDEX, body=[{"index": {}}, {"n": 102}], pick=lambda b: {**b, "items": [len(i["index"].pop("_id")) and i for i in b["items"]]})
    call("bulk_wait_for", c.bulk, index=INDEX, body=[{"index": {"_id": "b6"}}, {"n": 103}], refresh="true", _source=True)
    call("bulk_malformed", c.bulk, index=INDEX, body='{"nope":{}}\n{}\n')
    call("bulk_delete", c.bulk, index=INDEX, body=[{"delete": {"_id": i}} for i in ("b1", "b3", "b6", "upserted", "upserted2", "ext")], refresh=True)
    call("bulk_delete_by_tag", c.delete_by_query, index=INDEX, body={"query": {"bool": {"must_not": [{"exists": {"field": "title"}}]}}}, refresh=True)


def search(c):
    for name, body in SURFACE["searches"].items():
        call("search_" + name, c.search, index=INDEX, body=body)
    call("search_uri", c.search, index=INDEX, q="title:red", sort="n:asc", size=2, _source_includes="n")
    call("search_no_index", c.search, body={"query": {"term": {"tag": "odd"}}, "sort": [{"n": {"unmapped_type": "long"}}]})
    call("search_routing", c.search, index=INDEX, body={"sort": ["n"]}, routing="x", preference="_local")
    call("search_foreign", c.search, index="foreign", body={})
    call("search_total_int", c.search, index=INDEX, body={}, rest_total_hits_as_int=True, size=0)
    call("search_typed_keys", c.search, index=INDEX, body=SURFACE["searches"]["agg_terms"], typed_keys=True)
    call("search_request_cache", c.search, index=INDEX, body=SURFACE["searches"]["agg_filters"], request_cache=True, ignore_unavailable=True, allow_no_indices=True)
    lines = []
    for name in ("match", "agg_terms", "bad_query"):
        lines += [{"index": INDEX}, SURFACE["searches"][name]]
    call("msearch", c.msearch, body=lines)
    call("msearch_index", c.msearch, index=INDEX, body=[{}, {"size": 1, "sort": ["n"]}, {"preference": "_local"}, {"size": 0}])
    call("search_template", c.search_template, index=INDEX, body={"source": {"query": {"bool": {"filter": {"term": {"tag": "{{t}}"}}}}}, "params": {"t": "odd"}})
    call("msearch_template", c.msearch_template, index=INDEX, body=[{}, {"source": {"query": {"bool": {"filter": {"term": {"tag": "{{t}}"}}}}}, "params": {"t": "odd"}}])
    call("count", c.count, index=INDEX)
    call("count_query", c.count, index=INDEX, body={"query": {"match": {"title": "red"}}})
    call("explain", c.explain, index=INDEX, id="1", body={"query": {"match": {"title": "red"}}})
    call("validate", c.indices.validate_query, index=INDEX, body={"query": {"match": {"title": "red"}}})
    call("validate_explain", c.indices.validate_query, index=INDEX, body={"query": {"match": {"title": "red"}}}, explain=True)
    call("validate_bad", c.indices.validate_query, index=INDEX, body={"query": {"nope": {}}})
    call("field_caps", c.field_caps, index=INDEX, fields="t*")
    call("analyze", c.indices.analyze, index=INDEX, body={"analyzer": "standard", "text": "The Quick fox"})
    call("analyze_field", c.indices.analyze, index=INDEX, body={"field": "title", "text": "The Quick fox"})


def cursors(c):
    body = c_body = call("scroll_open", c.search, index=INDEX, body={"sort": ["n"], "size": 4}, scroll="1m")
    while body.get("hits", {}).get("hits"):
        body = call("scroll_next", c.scroll, body={"scroll_id": body["_scroll_id"], "scroll": "1m"})
    call("scroll_clear", c.clear_scroll, body={"scroll_id": [c_body.get("_scroll_id", "x")]})
    call("scroll_cleared", c.scroll, scroll_id=c_body.get("_scroll_id", "x"))
    pit = call("pit_open", c.create_pit, index=INDEX, params={"keep_alive": "1m"})
    after = None
    for _ in range(2):
        q = {"size": 5, "sort": ["n"], "pit": {"id": pit.get("pit_id"), "keep_alive": "1m"}}
        if after:
            q["search_after"] = after
        got = call("pit_search", c.search, body=q)
        after = (got.get("hits", {}).get("hits") or [{}])[-1].get("sort")
    call("pit_list", c.get_all_pits, pick=lambda b: len(b["pits"]))
    call("pit_close", c.delete_pit, body={"pit_id": [pit.get("pit_id")]})
    call("pit_closed", c.search, body={"pit": {"id": pit.get("pit_id")}})


def by_query(c):
    call("update_by_query", c.update_by_query, index=INDEX, body={"query": {"term": {"tag": "odd"}}}, refresh=True)
    call("update_by_query_script", c.update_by_query, index=INDEX, body={"query": {"term": {"tag": "odd"}}, "script": {"source": "ctx._source.seen = true"}}, refresh=True, conflicts="proceed")
    call("delete_by_query", c.delete_by_query, index=INDEX, body={"query": {"term": {"n": 5}}}, refresh=True)
    call("reindex", c.reindex, body={"source": {"index": INDEX}, "dest": {"index": COPY}}, refresh=True)
    call("reindex_count", c.count, index=COPY)
    task = call("by_query_task", c.update_by_query, index=INDEX, body={"query": {"term": {"tag": "thing"}}}, wait_for_completion=False, pick=lambda b: list(b))
    call("task_get", c.tasks.get, task_id=task.get("task", "x:1"), params={"wait_for_completion": "true"}, pick=lambda b: [b["completed"], b["response"]["updated"], b["response"]["failures"]])


def admin(c):
    i = c.indices
    call("indices_exists", i.exists, index=INDEX)
    call("indices_exists_not", i.exists, index="docs-none")
    call("indices_create", i.create, index=MADE, body={"settings": {"number_of_replicas": 0}, "mappings": {"properties": {"k": {"type": "keyword"}}}, "aliases": {"docs-alias": {}}})
    call("indices_create_again", i.create, index=MADE)
    call("indices_get", i.get, index=INDEX)
    call("indices_get_mapping", i.get_mapping, index=INDEX)
    call("indices_get_field_mapping", i.get_field_mapping, index=INDEX, fields="title,n")
    call("indices_put_mapping", i.put_mapping, index=INDEX, body={"properties": {"extra": {"type": "keyword"}}})
    call("indices_get_settings", i.get_settings, index=INDEX)
    call("indices_get_setting", i.get_settings, index=INDEX, name="index.number_of_shards", flat_settings=True)
    call("indices_put_settings", i.put_settings, index=INDEX, body={"index": {"max_result_window": 20000}})
    call("indices_put_alias", i.put_alias, index=INDEX, name="docs-other")
    call("indices_get_alias", i.get_alias, index=INDEX)
    call("indices_exists_alias", i.exists_alias, name="docs-other")
    call("indices_update_aliases", i.update_aliases, body={"actions": [{"remove": {"index": INDEX, "alias": "docs-other"}}]})
    call("indices_delete_alias", i.delete_alias, index=INDEX, name="docs-other")
    call("indices_refresh", i.refresh, index=INDEX)
    call("indices_flush", i.flush, index=INDEX)
    call("indices_forcemerge", i.forcemerge, index=INDEX, max_num_segments=1)
    call("indices_clear_cache", i.clear_cache, index=INDEX)
    call("indices_stats", i.stats, index=INDEX, metric="docs", pick=lambda b: [b["_shards"], b["_all"]["primaries"]["docs"]["count"], list(b["indices"])])
    call("indices_close", i.close, index=INDEX)
    call("indices_closed", c.search, index=INDEX, body={})
    call("indices_open", i.open, index=INDEX)
    call("cat_indices", c.cat.indices, index=INDEX, h="health,status,index,pri,rep,docs.count")
    call("cat_indices_json", c.cat.indices, index=INDEX, h="index,docs.count", format="json")
    call("cat_count", c.cat.count, index=INDEX, h="count")
    call("cat_aliases", c.cat.aliases, h="alias,index")
    call("cat_nodes", c.cat.nodes, h="name")
    call("cluster_health", c.cluster.health, pick=lambda b: b["status"])
    call("nodes_info", c.nodes.info, pick=lambda b: len(b["nodes"]))
    call("put_index_template", i.put_index_template, name="docs-t", body={"index_patterns": ["docs-t*"]})
    call("put_pipeline", c.ingest.put_pipeline, id="docs-p", body={"processors": []})
    call("put_script", c.put_script, id="docs-s", body={"script": {"lang": "painless", "source": "1"}})
    call("indices_delete", i.delete, index=MADE)
    call("indices_delete_missing", i.delete, index=MADE)
    call("indices_delete_copy", i.delete, index=COPY)


def help_bulk(c):
    actions = [{"_index": INDEX, "_id": f"h{i}", "_source": {"n": 1000 + i, "tag": "helper"}} for i in range(50)]
    call("helpers_bulk", helpers.bulk, c, actions, refresh=True)
    odd = [
        {"_op_type": "create", "_index": INDEX, "_id": "h1", "n": 1},
        {"_op_type": "update", "_index": INDEX, "_id": "h2", "doc": {"m": 1}},
        {"_op_type": "delete", "_index": INDEX, "_id": "h3"},
        {"_op_type": "delete", "_index": INDEX, "_id": "h-none"},
    ]
    call("helpers_bulk_errors", helpers.bulk, c, odd)
    call("helpers_bulk_stats", helpers.bulk, c, odd, stats_only=True, raise_on_error=False)
    call("helpers_streaming_bulk", lambda: list(helpers.streaming_bulk(c, odd, chunk_size=2, raise_on_error=False)))
    more = [{"_index": INDEX, "_id": f"p{i}", "n": 2000 + i, "tag": "parallel"} for i in range(40)]
    call("helpers_parallel_bulk", lambda: sorted((ok, r["index"]["_id"], r["index"]["status"]) for ok, r in helpers.parallel_bulk(c, more, thread_count=4, chunk_size=10)))
    call("helpers_scan", lambda: list(helpers.scan(c, index=INDEX, query={"query": {"term": {"tag": "helper"}}, "sort": ["n"]}, size=20, preserve_order=True)))
    call("helpers_scan_unordered", lambda: sorted(h["_id"] for h in helpers.scan(c, index=INDEX, query={"query": {"terms": {"tag": ["helper", "odd"]}}}, size=20)))
    call("helpers_reindex", helpers.reindex, c, INDEX, COPY, query={"query": {"term": {"tag": "helper"}}})
    call("helpers_reindex_delete", c.indices.delete, index=COPY)


async def asynchronous():
    async with client(AsyncOpenSearch) as c:
        async def acall(name, awaitable):
            try:
                show(name, body=await awaitable)
            except OpenSearchException as e:
                failed(name, e)

        await acall("async_info", c.info())
        await acall("async_index", c.index(index=INDEX, id="as/1 ü", body={"n": 1, "tag": "async"}, refresh=True))
        await acall("async_get", c.get(index=INDEX, id="as/1 ü"))
        await acall("async_exists", c.exists(index=INDEX, id="none"))
        await acall("async_get_missing", c.get(index=INDEX, id="none"))
        await acall("async_search", c.search(index=INDEX, body={"query": {"term": {"tag": "async"}}, "sort": ["n"]}))
        await acall("async_bulk", helpers.async_bulk(c, [{"_index": INDEX, "_id": f"as{i}", "tag": "async", "n": i} for i in range(10)], refresh=True))

        async def scan():
            return sorted([h["_id"] async for h in helpers.async_scan(c, index=INDEX, query={"query": {"term": {"tag": "async"}}}, size=3)])

        await acall("async_scan", scan())


def raw(c):
    for r in SURFACE["raw"]:
        path, _, query = r["path"].partition("?")
        params = dict(p.split("=", 1) for p in query.split("&")) if query else {}
        body = r.get("text", r.get("body"))
        call(r["name"], c.transport.perform_request, r["method"], path, params=params, body=body)


def main():
    with client(OpenSearch) as c:
        for part in (documents, bulk, search, cursors, by_query, help_bulk, raw):
            part(c)
        asyncio.run(asynchronous())
        admin(c)


main()
