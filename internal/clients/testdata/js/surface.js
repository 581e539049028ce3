// Calls what opensearch-js offers, and prints one line of JSON for each call.
//
// The one argument is JSON: url, headers, user, password, compress, and surface, the
// file with documents and searches that the clients of all languages use. The client
// is looked for in the folder that NODE_PATH names.
'use strict'

const fs = require('fs')
const { Client, errors } = require('@opensearch-project/opensearch')

const args = JSON.parse(process.argv[2])
const surface = JSON.parse(fs.readFileSync(args.surface, 'utf8'))
const index = 'docs'
const made = 'docs-made'
const copy = 'docs-copy'

// Large numbers become big ones, which JSON.stringify does not take.
function show (line) {
  const big = (_, v) => typeof v === 'bigint' ? { number: v.toString() } : v
  process.stdout.write(JSON.stringify(line, big) + '\n')
}

function headers (h) {
  const out = {}
  for (const name of ['content-type', 'warning', 'location', 'x-opaque-id']) {
    if (h && h[name] !== undefined) out[name] = h[name].replace(/(_doc\/)[\w-]{20}$/, '$1(made up)')
  }
  return out
}

// call shows what came of a call; pick takes the part of an answer that can be compared.
async function call (name, f, pick) {
  let r
  try {
    r = await f()
  } catch (e) {
    if (!(e instanceof errors.OpenSearchClientError)) throw e
    show({ name, error: e.name, status: e.statusCode, header: headers(e.headers), body: e.body === undefined ? e.message : e.body })
    return {}
  }
  show({ name, status: r.statusCode, header: headers(r.headers), body: pick ? pick(r.body) : r.body })
  return r.body
}

// result is call for helpers, which return no answer but what they made of several.
async function result (name, f) {
  return call(name, async () => ({ statusCode: 0, headers: {}, body: await f() }))
}

async function documents (c) {
  await call('info', () => c.info())
  await call('ping', () => c.ping())
  for (const d of surface.documents) {
    await call('index', () => c.index({ index, id: d.id, body: d.doc }))
  }
  await call('index_refresh', () => c.index({ index, id: '1', body: surface.documents[0].doc, refresh: true }))
  await call('index_auto', () => c.index({ index, body: { n: 20, tag: 'auto' } }), b => ({ ...b, _id: b._id.length }))
  await call('index_routing', () => c.index({ index, id: 'routed', body: { n: 21 }, routing: 'r1' }))
  await call('index_external', () => c.index({ index, id: 'ext', body: { n: 22 }, version: 7, version_type: 'external' }))
  await call('index_external_old', () => c.index({ index, id: 'ext', body: { n: 22 }, version: 6, version_type: 'external' }))
  await call('index_op_create', () => c.index({ index, id: '1', body: {}, op_type: 'create' }))
  await call('index_bad_value', () => c.index({ index, id: 'bad', body: { n: 'text' } }))
  await call('create', () => c.create({ index, id: 'created', body: { n: 23 } }))
  await call('create_conflict', () => c.create({ index, id: 'created', body: { n: 24 } }))
  for (const d of surface.documents) {
    await call('get', () => c.get({ index, id: d.id }))
    await call('get_source', () => c.getSource({ index, id: d.id }))
  }
  await call('get_missing', () => c.get({ index, id: 'none' }))
  await call('get_foreign', () => c.get({ index: 'foreign', id: '1' }))
  await call('get_routing', () => c.get({ index, id: 'routed', routing: 'r1' }))
  await call('get_filtered', () => c.get({ index, id: '1', _source_includes: ['t*', 'n'], realtime: true }))
  await call('get_stored', () => c.get({ index, id: '1', stored_fields: ['title'], realtime: false }))
  await call('get_source_missing', () => c.getSource({ index, id: 'none' }))
  await call('exists', () => c.exists({ index, id: 'a/b c' }))
  await call('exists_missing', () => c.exists({ index, id: 'none' }))
  await call('exists_source', () => c.existsSource({ index, id: '1' }))
  await call('exists_source_missing', () => c.existsSource({ index, id: 'none' }))
  await call('update_doc', () => c.update({ index, id: 'created', body: { doc: { m: 1 } }, _source: true }))
  await call('update_noop', () => c.update({ index, id: 'created', body: { doc: { m: 1 } } }))
  await call('index_scripted', () => c.index({ index, id: 'scripted', body: { n: 25 } }))
  await call('update_script', () => c.update({ index, id: 'scripted', body: { script: { source: 'ctx._source.n += params.d', params: { d: 4 } } }, retry_on_conflict: 2 }))
  await call('update_upsert', () => c.update({ index, id: 'upserted', body: { doc: { n: 1 }, upsert: { n: 30 } } }))
  await call('update_doc_as_upsert', () => c.update({ index, id: 'upserted2', body: { doc: { n: 31 }, doc_as_upsert: true } }))
  await call('update_missing', () => c.update({ index, id: 'none', body: { doc: {} } }))
  // Numbers of JavaScript are exact up to 2^53, and so must tokens be.
  const token = async name => {
    const got = await call(name, () => c.get({ index, id: 'created' }))
    return { if_seq_no: got._seq_no, if_primary_term: got._primary_term }
  }
  const first = await token('token_get')
  await call('token_index', () => c.index({ index, id: 'created', body: { n: 40 }, ...first }))
  await call('token_stale', () => c.index({ index, id: 'created', body: { n: 41 }, ...first }))
  const second = await token('token_get_again')
  await call('token_update', () => c.update({ index, id: 'created', body: { doc: { n: 42 } }, ...second }))
  await call('token_delete_stale', () => c.delete({ index, id: 'created', ...second }))
  await call('mget', () => c.mget({ index, body: { ids: ['1', 'none', 'a/b c'] } }))
  await call('mget_docs', () => c.mget({ body: { docs: [{ _index: index, _id: '1', _source: ['n'] }, { _index: index, _id: 'routed', routing: 'r1' }] } }))
  await call('termvectors', () => c.termvectors({ index, id: '1', body: { fields: ['title'] } }))
  await call('mtermvectors', () => c.mtermvectors({ index, body: { ids: ['1', '2'], parameters: { fields: ['title'] } } }))
  await call('delete', () => c.delete({ index, id: 'created' }))
  await call('delete_missing', () => c.delete({ index, id: 'created' }))
  await call('opaque_id', () => c.get({ index, id: '1' }, { opaqueId: 'o-1' }))
}

async function bulk (c) {
  await call('bulk', () => c.bulk({
    index,
    refresh: true,
    body: [
      { index: { _id: 'b1' } }, { n: 100 },
      { create: { _id: 'b2' } }, { n: 101 },
      { update: { _id: 'b1' } }, { doc: { m: 1 } },
      { update: { _id: 'b3' } }, { doc: { n: 1 }, doc_as_upsert: true },
      { delete: { _id: 'b2' } }
    ]
  }))
  await call('bulk_errors', () => c.bulk({
    body: [
      { create: { _index: index, _id: 'b1' } }, { n: 1 },
      { index: { _index: index, _id: 'b4' } }, { n: 'text' },
      { delete: { _index: index, _id: 'none' } },
      { update: { _index: index, _id: 'none' } }, { doc: {} },
      { index: { _index: index, _id: 'b5', if_seq_no: 9999, if_primary_term: 1 } }, { n: 1 }
    ]
  }))
  await call('bulk_script', () => c.bulk({ index, body: [{ update: { _id: 'scripted' } }, { script: { source: 'ctx._source.n += 1' } }] }))
  await call('bulk_malformed', () => c.bulk({ index, body: '{"nope":{}}\n{}\n' }))
  const ids = ['b1', 'b3', 'upserted', 'upserted2', 'ext']
  await call('bulk_delete', () => c.bulk({ index, body: ids.map(_id => ({ delete: { _id } })), refresh: true }))
  await call('delete_by_query_rest', () => c.deleteByQuery({ index, body: { query: { bool: { must_not: [{ exists: { field: 'title' } }] } } }, refresh: true }))
}

async function search (c) {
  for (const [name, body] of Object.entries(surface.searches)) {
    await call('search_' + name, () => c.search({ index, body }))
  }
  await call('search_uri', () => c.search({ index, q: 'title:red', sort: 'n:asc', size: 2, _source_includes: 'n' }))
  await call('search_foreign', () => c.search({ index: 'foreign', body: {} }))
  await call('search_total_int', () => c.search({ index, body: {}, rest_total_hits_as_int: true, size: 0 }))
  await call('search_typed_keys', () => c.search({ index, body: surface.searches.agg_terms, typed_keys: true }))
  const lines = []
  for (const name of ['match', 'agg_terms', 'bad_query']) lines.push({ index }, surface.searches[name])
  await call('msearch', () => c.msearch({ body: lines }))
  await call('msearch_index', () => c.msearch({ index, body: [{}, { size: 1, sort: ['n'] }, { preference: '_local' }, { size: 0 }] }))
  const template = { source: { query: { bool: { filter: { term: { tag: '{{t}}' } } } } }, params: { t: 'odd' } }
  await call('search_template', () => c.searchTemplate({ index, body: template }))
  await call('msearch_template', () => c.msearchTemplate({ index, body: [{}, template] }))
  await call('count', () => c.count({ index }))
  await call('count_query', () => c.count({ index, body: { query: { match: { title: 'red' } } } }))
  await call('explain', () => c.explain({ index, id: '1', body: { query: { match: { title: 'red' } } } }))
  await call('validate', () => c.indices.validateQuery({ index, body: { query: { match: { title: 'red' } } } }))
  await call('validate_explain', () => c.indices.validateQuery({ index, explain: true, body: { query: { match: { title: 'red' } } } }))
  await call('field_caps', () => c.fieldCaps({ index, fields: 't*' }))
  await call('analyze', () => c.indices.analyze({ index, body: { analyzer: 'standard', text: 'The Quick fox' } }))
}

async function cursors (c) {
  const first = await call('scroll_open', () => c.search({ index, body: { sort: ['n'], size: 4 }, scroll: '1m' }))
  for (let got = first; got.hits && got.hits.hits.length;) {
    const id = got._scroll_id
    got = await call('scroll_next', () => c.scroll({ body: { scroll_id: id, scroll: '1m' } }))
  }
  await call('scroll_clear', () => c.clearScroll({ body: { scroll_id: [first._scroll_id] } }))
  await call('scroll_cleared', () => c.scroll({ scroll_id: first._scroll_id }))
  const pit = await call('pit_open', () => c.createPit({ index, keep_alive: '1m' }))
  for (let i = 0, after; i < 2; i++) {
    const body = { size: 5, sort: ['n'], pit: { id: pit.pit_id, keep_alive: '1m' } }
    if (after) body.search_after = after
    const got = await call('pit_search', () => c.search({ body }))
    after = got.hits.hits[got.hits.hits.length - 1].sort
  }
  await call('pit_list', () => c.getAllPits(), b => b.pits.length)
  await call('pit_close', () => c.deletePit({ body: { pit_id: [pit.pit_id] } }))
}

async function byQuery (c) {
  const odd = { term: { tag: 'odd' } }
  await call('update_by_query', () => c.updateByQuery({ index, body: { query: odd }, refresh: true }))
  await call('update_by_query_script', () => c.updateByQuery({ index, body: { query: odd, script: { source: 'ctx._source.seen = true' } }, refresh: true, conflicts: 'proceed' }))
  await call('delete_by_query', () => c.deleteByQuery({ index, body: { query: { term: { n: 5 } } }, refresh: true }))
  await call('reindex', () => c.reindex({ body: { source: { index }, dest: { index: copy } }, refresh: true }))
  await call('reindex_count', () => c.count({ index: copy }))
  const task = await call('by_query_task', () => c.updateByQuery({ index, body: { query: { term: { tag: 'thing' } } }, wait_for_completion: false }), b => Object.keys(b))
  await call('task_get', () => c.tasks.get({ task_id: task.task, wait_for_completion: true }), b => [b.completed, b.response.updated, b.response.failures])
}

async function helpers (c) {
  const datasource = Array.from({ length: 50 }, (_, i) => ({ id: 'h' + i, n: 1000 + i, tag: 'helper' }))
  const plain = stats => ({ ...stats, time: 0 })
  await result('helpers_bulk', async () => plain(await c.helpers.bulk({
    datasource, flushBytes: 1000, concurrency: 2, refreshOnCompletion: index, onDocument: d => ({ index: { _index: index, _id: d.id } })
  })))
  const dropped = []
  await result('helpers_bulk_create', async () => plain(await c.helpers.bulk({
    datasource: datasource.slice(0, 3), retries: 0, onDocument: d => ({ create: { _index: index, _id: d.id } }), onDrop: d => dropped.push([d.status, d.error.type])
  })))
  await result('helpers_bulk_dropped', async () => dropped)
  await result('helpers_bulk_update', async () => plain(await c.helpers.bulk({
    datasource: datasource.slice(0, 3), onDocument: d => [{ update: { _index: index, _id: d.id } }, { doc_as_upsert: true }]
  })))
  await result('helpers_bulk_delete', async () => plain(await c.helpers.bulk({
    datasource: datasource.slice(0, 3), refreshOnCompletion: true, onDocument: d => ({ delete: { _index: index, _id: d.id } })
  })))
  const query = () => ({ index, body: { query: { term: { tag: 'helper' } }, sort: ['n'] } }) // helpers write into it
  await result('helpers_search', () => c.helpers.search(query()))
  await result('helpers_scroll_search', async () => {
    const pages = []
    for await (const r of c.helpers.scrollSearch({ ...query(), size: 20 })) pages.push([r.statusCode, r.documents.length, r.body.hits.total])
    return pages
  })
  await result('helpers_scroll_documents', async () => {
    const ids = []
    for await (const d of c.helpers.scrollDocuments({ ...query(), size: 15 })) ids.push(d.id)
    return ids
  })
  const m = c.helpers.msearch({ operations: 2 })
  const searches = ['page', 'exists', 'agg_filters'].map(name => m.search({ index }, surface.searches[name]))
  await result('helpers_msearch', async () => (await Promise.all(searches)).map(r => r.body))
  m.stop()
}

async function raw (c) {
  for (const r of surface.raw) {
    const [path, querystring] = r.path.split('?')
    await call(r.name, () => c.transport.request({ method: r.method, path, querystring, body: r.text === undefined ? r.body : r.text }))
  }
}

async function admin (c) {
  const i = c.indices
  await call('indices_exists', () => i.exists({ index }))
  await call('indices_exists_not', () => i.exists({ index: 'docs-none' }))
  await call('indices_create', () => i.create({ index: made, body: { settings: { number_of_replicas: 0 }, mappings: { properties: { k: { type: 'keyword' } } }, aliases: { 'docs-alias': {} } } }))
  await call('indices_get', () => i.get({ index }))
  await call('indices_get_mapping', () => i.getMapping({ index }))
  await call('indices_get_field_mapping', () => i.getFieldMapping({ index, fields: ['title', 'n'] }))
  await call('indices_put_mapping', () => i.putMapping({ index, body: { properties: { extra: { type: 'keyword' } } } }))
  await call('indices_get_settings', () => i.getSettings({ index }))
  await call('indices_put_settings', () => i.putSettings({ index, body: { index: { max_result_window: 20000 } } }))
  await call('indices_put_alias', () => i.putAlias({ index, name: 'docs-other' }))
  await call('indices_get_alias', () => i.getAlias({ index }))
  await call('indices_exists_alias', () => i.existsAlias({ name: 'docs-other' }))
  await call('indices_update_aliases', () => i.updateAliases({ body: { actions: [{ remove: { index, alias: 'docs-other' } }] } }))
  await call('indices_refresh', () => i.refresh({ index }))
  await call('indices_flush', () => i.flush({ index }))
  await call('indices_forcemerge', () => i.forcemerge({ index, max_num_segments: 1 }))
  await call('indices_stats', () => i.stats({ index, metric: 'docs' }), b => [b._shards, b._all.primaries.docs.count, Object.keys(b.indices)])
  await call('indices_close', () => i.close({ index }))
  await call('indices_open', () => i.open({ index }))
  await call('cat_indices', () => c.cat.indices({ index, h: 'health,status,index,pri,rep,docs.count', v: true }))
  await call('cat_indices_json', () => c.cat.indices({ index, h: 'index,docs.count', format: 'json' }))
  await call('cat_count', () => c.cat.count({ index, h: 'count' }))
  await call('cat_nodes', () => c.cat.nodes({ h: 'name' }))
  await call('put_index_template', () => i.putIndexTemplate({ name: 'docs-t', body: { index_patterns: ['docs-t*'] } }))
  await call('put_pipeline', () => c.ingest.putPipeline({ id: 'docs-p', body: { processors: [] } }))
  await call('indices_delete', () => i.delete({ index: made }))
  await call('indices_delete_missing', () => i.delete({ index: made }))
  await call('indices_delete_copy', () => i.delete({ index: copy }))
}

async function main () {
  const options = { node: args.url, headers: args.headers, maxRetries: 0, enableLongNumeralSupport: true }
  if (args.user) options.auth = { username: args.user, password: args.password }
  if (args.compress) options.compression = 'gzip'
  const c = new Client(options)
  for (const part of [documents, bulk, search, cursors, byQuery, helpers, raw, admin]) await part(c)
  await c.close()
}

main().catch(e => { console.error(e); process.exit(1) })
