import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.json.stream.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.hc.client5.http.auth.AuthScope;
import org.apache.hc.client5.http.auth.UsernamePasswordCredentials;
import org.apache.hc.client5.http.impl.auth.BasicCredentialsProvider;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.io.entity.EntityUtils;
import org.apache.hc.core5.http.io.entity.StringEntity;
import org.apache.hc.core5.http.message.BasicHeader;
import org.opensearch.client.Request;
import org.opensearch.client.Response;
import org.opensearch.client.ResponseException;
import org.opensearch.client.RestClient;
import org.opensearch.client.json.JsonpDeserializer;
import org.opensearch.client.json.JsonpSerializable;
import org.opensearch.client.json.jackson.JacksonJsonpMapper;
import org.opensearch.client.opensearch.OpenSearchClient;
import org.opensearch.client.opensearch._types.FieldValue;
import org.opensearch.client.opensearch._types.OpType;
import org.opensearch.client.opensearch._types.OpenSearchException;
import org.opensearch.client.opensearch._types.Refresh;
import org.opensearch.client.opensearch._types.Time;
import org.opensearch.client.opensearch._types.VersionType;
import org.opensearch.client.opensearch._types.mapping.Property;
import org.opensearch.client.opensearch._types.query_dsl.Query;
import org.opensearch.client.opensearch.core.BulkRequest;
import org.opensearch.client.opensearch.core.GetResponse;
import org.opensearch.client.opensearch.core.ScrollResponse;
import org.opensearch.client.opensearch.core.SearchRequest;
import org.opensearch.client.opensearch.core.SearchResponse;
import org.opensearch.client.opensearch.core.search.Pit;
import org.opensearch.client.opensearch.indices.PutMappingRequest;
import org.opensearch.client.transport.OpenSearchTransport;
import org.opensearch.client.transport.endpoints.BooleanResponse;
import org.opensearch.client.transport.httpclient5.ApacheHttpClient5TransportBuilder;

/**
 * Calls what OpenSearch's clients for Java offer, and prints one line of JSON for each call. The
 * first argument names the client: java or rest. The second is JSON: url, headers, user, password,
 * compress, and surface, the file with documents and searches that the clients of all languages use.
 */
public final class Surface {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JacksonJsonpMapper MAPPER = new JacksonJsonpMapper();
  private static final String INDEX = "docs";
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private final JsonNode args;
  private final JsonNode surface;
  private OpenSearchClient c;

  private Surface(JsonNode args) throws IOException {
    this.args = args;
    this.surface = JSON.readTree(new File(args.get("surface").asText()));
  }

  public static void main(String[] argv) throws Exception {
    Surface s = new Surface(JSON.readTree(argv[1]));
    if (argv[0].equals("rest")) {
      s.rest();
    } else {
      s.java();
    }
  }

  private interface Call {
    Object now() throws IOException;
  }

  private static void show(String name, Integer status, String error, JsonNode header, JsonNode body) {
    ObjectNode line = JSON.createObjectNode().put("name", name).put("error", error == null ? "" : error);
    line.put("status", status == null ? 0 : status);
    line.set("header", header);
    line.set("body", body);
    OUT.println(line);
  }

  /** Shows what came of a call, and returns what it returned, or null. */
  private static Object call(String name, Call call) throws IOException {
    try {
      Object r = call.now();
      if (r instanceof Response) {
        Response answer = (Response) r;
        show(name, answer.getStatusLine().getStatusCode(), null, header(answer), entity(answer));
      } else {
        show(name, null, null, null, tree(r));
      }
      return r;
    } catch (OpenSearchException e) {
      show(name, e.status(), e.getClass().getSimpleName(), null, tree(e.response()));
    } catch (ResponseException e) {
      Response answer = e.getResponse();
      show(name, answer.getStatusLine().getStatusCode(), e.getClass().getSimpleName(), header(answer), entity(answer));
    } catch (IOException e) {
      // What the typed client makes of 401 and 403, and of errors that its classes do not fit.
      for (Throwable t = e; t != null; t = t.getCause()) {
        if (t instanceof org.opensearch.client.transport.httpclient5.ResponseException) {
          String text = t.getMessage().substring(t.getMessage().indexOf('\n') + 1); // behind the address
          int status = ((org.opensearch.client.transport.httpclient5.ResponseException) t).status();
          show(name, status, e.getClass().getSimpleName(), null, text.startsWith("{") ? JSON.readTree(text) : JSON.valueToTree(text));
          return null;
        }
      }
      throw e;
    }
    return null;
  }

  private static JsonNode tree(Object r) throws IOException {
    if (r instanceof BooleanResponse) {
      return JSON.valueToTree(((BooleanResponse) r).value());
    }
    if (!(r instanceof JsonpSerializable)) {
      return JSON.valueToTree(r);
    }
    StringWriter w = new StringWriter();
    try (JsonGenerator g = MAPPER.jsonProvider().createGenerator(w)) {
      ((JsonpSerializable) r).serialize(g, MAPPER);
    }
    return JSON.readTree(w.toString());
  }

  private static <T> T parse(String json, JsonpDeserializer<T> of) {
    return of.deserialize(MAPPER.jsonProvider().createParser(new StringReader(json)), MAPPER);
  }

  private static Query query(String json) {
    return parse(json, Query._DESERIALIZER);
  }

  private Header[] headers() {
    List<Header> out = new ArrayList<>();
    args.get("headers").fields().forEachRemaining(h -> out.add(new BasicHeader(h.getKey(), h.getValue().asText())));
    return out.toArray(new Header[0]);
  }

  private BasicCredentialsProvider credentials(HttpHost host) {
    BasicCredentialsProvider p = new BasicCredentialsProvider();
    if (args.has("user")) {
      p.setCredentials(new AuthScope(host), new UsernamePasswordCredentials(args.get("user").asText(), args.get("password").asText().toCharArray()));
    }
    return p;
  }

  // The low-level client.

  private static JsonNode header(Response r) {
    ObjectNode out = JSON.createObjectNode();
    for (String name : new String[] {"content-type", "warning", "x-opaque-id"}) {
      if (r.getHeader(name) != null) {
        out.put(name, r.getHeader(name));
      }
    }
    return out;
  }

  private static JsonNode entity(Response r) throws IOException {
    if (r.getEntity() == null) {
      return null;
    }
    try {
      String text = EntityUtils.toString(r.getEntity());
      return text.startsWith("{") || text.startsWith("[") ? JSON.readTree(text) : JSON.valueToTree(text);
    } catch (org.apache.hc.core5.http.ParseException e) {
      throw new IOException(e);
    }
  }

  private void rest() throws Exception {
    HttpHost host = HttpHost.create(args.get("url").asText());
    boolean compress = args.get("compress").asBoolean();
    for (boolean chunked : new boolean[] {false, true}) {
      try (RestClient client = RestClient.builder(host).setDefaultHeaders(headers()).setCompressionEnabled(compress).setChunkedEnabled(chunked)
          .setHttpClientConfigCallback(b -> b.setDefaultCredentialsProvider(credentials(host))).build()) {
        for (JsonNode r : surface.get("raw")) {
          if (r.get("method").asText().equals("PATCH")) {
            continue; // this client sends none
          }
          restCall(client, r.get("name").asText(), r.get("method").asText(), r.get("path").asText(),
              r.has("text") ? r.get("text").asText() : r.has("body") ? r.get("body").toString() : null);
        }
        for (JsonNode d : surface.get("documents")) {
          restCall(client, "index", "PUT", "/docs/_doc/" + java.net.URLEncoder.encode(d.get("id").asText(), StandardCharsets.UTF_8).replace("+", "%20"), d.get("doc").toString());
        }
        restCall(client, "index_refresh", "POST", "/docs/_refresh", null);
        Iterator<Map.Entry<String, JsonNode>> all = surface.get("searches").fields();
        while (all.hasNext()) {
          Map.Entry<String, JsonNode> e = all.next();
          restCall(client, "search_" + e.getKey(), "POST", "/docs/_search", e.getValue().toString());
        }
        restCall(client, "bulk_delete_all", "POST", "/docs/_delete_by_query?refresh=true", "{\"query\":{\"match_all\":{}}}");
      }
    }
  }

  private static void restCall(RestClient client, String name, String method, String endpoint, String body) throws IOException {
    String path = endpoint.contains("?") ? endpoint.substring(0, endpoint.indexOf('?')) : endpoint;
    Request request = new Request(method, path);
    if (endpoint.contains("?")) {
      for (String pair : endpoint.substring(endpoint.indexOf('?') + 1).split("&")) {
        request.addParameter(pair.substring(0, pair.indexOf('=')), pair.substring(pair.indexOf('=') + 1));
      }
    }
    request.setOptions(request.getOptions().toBuilder().addHeader("X-Opaque-Id", name));
    if (body != null) {
      request.setEntity(new StringEntity(body, ContentType.APPLICATION_JSON));
    }
    call(name, () -> client.performRequest(request));
  }

  // The typed client.

  private void java() throws Exception {
    HttpHost host = HttpHost.create(args.get("url").asText());
    OpenSearchTransport transport = ApacheHttpClient5TransportBuilder.builder(host).setMapper(MAPPER).setDefaultHeaders(headers())
        .setCompressionEnabled(args.get("compress").asBoolean())
        .setHttpClientConfigCallback(b -> b.setDefaultCredentialsProvider(credentials(host))).build();
    try {
      c = new OpenSearchClient(transport);
      documents();
      bulk();
      search();
      cursors();
      byQuery();
      admin();
    } finally {
      transport.close();
    }
  }

  private void documents() throws IOException {
    call("info", () -> c.info());
    call("ping", () -> c.ping());
    for (JsonNode d : surface.get("documents")) {
      call("index", () -> c.index(r -> r.index(INDEX).id(d.get("id").asText()).document(d.get("doc"))));
    }
    call("index_refresh", () -> c.index(r -> r.index(INDEX).id("1").document(surface.get("documents").get(0).get("doc")).refresh(Refresh.True)));
    call("index_auto", () -> c.index(r -> r.index(INDEX).document(Map.of("n", 20, "tag", "auto"))).id().length());
    call("index_routing", () -> c.index(r -> r.index(INDEX).id("routed").document(Map.of("n", 21)).routing("r1")));
    call("index_external", () -> c.index(r -> r.index(INDEX).id("ext").document(Map.of("n", 22)).version(7L).versionType(VersionType.External)));
    call("index_external_old", () -> c.index(r -> r.index(INDEX).id("ext").document(Map.of("n", 22)).version(6L).versionType(VersionType.External)));
    call("index_op_create", () -> c.index(r -> r.index(INDEX).id("1").document(Map.of()).opType(OpType.Create)));
    call("index_bad_value", () -> c.index(r -> r.index(INDEX).id("bad").document(Map.of("n", "text"))));
    call("create", () -> c.create(r -> r.index(INDEX).id("created").document(Map.of("n", 23))));
    call("create_conflict", () -> c.create(r -> r.index(INDEX).id("created").document(Map.of("n", 24))));
    for (JsonNode d : surface.get("documents")) {
      call("get", () -> c.get(r -> r.index(INDEX).id(d.get("id").asText()), JsonNode.class));
      call("get_source", () -> c.getSource(r -> r.index(INDEX).id(d.get("id").asText()), JsonNode.class).valueBody());
    }
    call("get_missing", () -> c.get(r -> r.index(INDEX).id("none"), JsonNode.class));
    call("get_foreign", () -> c.get(r -> r.index("foreign").id("1"), JsonNode.class));
    call("get_routing", () -> c.get(r -> r.index(INDEX).id("routed").routing("r1"), JsonNode.class));
    call("get_filtered", () -> c.get(r -> r.index(INDEX).id("1").sourceIncludes("t*", "n").realtime(true), JsonNode.class));
    call("exists", () -> c.exists(r -> r.index(INDEX).id("a/b c")));
    call("exists_missing", () -> c.exists(r -> r.index(INDEX).id("none")));
    call("exists_source", () -> c.existsSource(r -> r.index(INDEX).id("1")));
    call("update_doc", () -> c.update(r -> r.index(INDEX).id("created").doc(Map.of("m", 1)), JsonNode.class));
    call("update_noop", () -> c.update(r -> r.index(INDEX).id("created").doc(Map.of("m", 1)), JsonNode.class));
    call("index_scripted", () -> c.index(r -> r.index(INDEX).id("scripted").document(Map.of("n", 25))));
    call("update_script", () -> c.update(r -> r.index(INDEX).id("scripted").retryOnConflict(2).script(s -> s.inline(i -> i.source("ctx._source.n += 4"))), JsonNode.class));
    call("update_upsert", () -> c.update(r -> r.index(INDEX).id("upserted").doc(Map.of("n", 1)).upsert(JSON.createObjectNode().put("n", 30)), JsonNode.class));
    call("update_missing", () -> c.update(r -> r.index(INDEX).id("none").doc(Map.of()), JsonNode.class));
    GetResponse<?> first = (GetResponse<?>) call("token_get", () -> c.get(r -> r.index(INDEX).id("created"), JsonNode.class));
    call("token_index", () -> c.index(r -> r.index(INDEX).id("created").document(Map.of("n", 40)).ifSeqNo(first.seqNo()).ifPrimaryTerm(first.primaryTerm())));
    call("token_stale", () -> c.index(r -> r.index(INDEX).id("created").document(Map.of("n", 41)).ifSeqNo(first.seqNo()).ifPrimaryTerm(first.primaryTerm())));
    GetResponse<?> second = (GetResponse<?>) call("token_get_again", () -> c.get(r -> r.index(INDEX).id("created"), JsonNode.class));
    call("token_update", () -> c.update(r -> r.index(INDEX).id("created").doc(Map.of("n", 42)).ifSeqNo(second.seqNo()).ifPrimaryTerm(second.primaryTerm()), JsonNode.class));
    call("token_delete_stale", () -> c.delete(r -> r.index(INDEX).id("created").ifSeqNo(second.seqNo()).ifPrimaryTerm(second.primaryTerm())));
    call("mget", () -> c.mget(r -> r.index(INDEX).ids("1", "none", "a/b c"), JsonNode.class));
    call("termvectors", () -> c.termvectors(r -> r.index(INDEX).id("1").fields("title")));
    call("delete", () -> c.delete(r -> r.index(INDEX).id("created")));
    call("delete_missing", () -> c.delete(r -> r.index(INDEX).id("created")));
  }

  private void bulk() throws IOException {
    BulkRequest.Builder b = new BulkRequest.Builder().index(INDEX).refresh(Refresh.True);
    b.operations(o -> o.index(i -> i.id("b1").document(Map.of("n", 100))));
    b.operations(o -> o.create(i -> i.id("b2").document(Map.of("n", 101))));
    b.operations(o -> o.update(i -> i.id("b1").document(Map.of("m", 1))));
    b.operations(o -> o.delete(i -> i.id("b2")));
    call("bulk", () -> c.bulk(b.build()));
    BulkRequest.Builder e = new BulkRequest.Builder();
    e.operations(o -> o.create(i -> i.index(INDEX).id("b1").document(Map.of("n", 1))));
    e.operations(o -> o.index(i -> i.index(INDEX).id("b4").document(Map.of("n", "text"))));
    e.operations(o -> o.delete(i -> i.index(INDEX).id("none")));
    e.operations(o -> o.update(i -> i.index(INDEX).id("none").document(Map.of())));
    e.operations(o -> o.index(i -> i.index(INDEX).id("b5").ifSeqNo(9999L).ifPrimaryTerm(1L).document(Map.of("n", 1))));
    call("bulk_errors", () -> c.bulk(e.build()));
    call("delete_by_query_rest", () -> c.deleteByQuery(r -> r.index(INDEX).refresh(Refresh.True)
        .query(query("{\"bool\":{\"must_not\":[{\"exists\":{\"field\":\"title\"}}]}}"))));
  }

  private SearchRequest searchOf(String name) {
    return parse(surface.get("searches").get(name).toString(), SearchRequest._DESERIALIZER).toBuilder().index(INDEX).build();
  }

  private void search() throws IOException {
    Iterator<String> names = surface.get("searches").fieldNames();
    while (names.hasNext()) {
      String name = names.next();
      if (!name.startsWith("bad_query")) { // the client knows no such query
        call("search_" + name, () -> c.search(searchOf(name), JsonNode.class));
      }
    }
    call("search_foreign", () -> c.search(r -> r.index("foreign"), JsonNode.class));
    call("msearch", () -> c.msearch(r -> r
        .searches(s -> s.header(h -> h.index(INDEX)).body(q -> q.query(query("{\"bool\":{\"filter\":[{\"match\":{\"title\":\"wine\"}}]}}"))))
        .searches(s -> s.header(h -> h.index(INDEX)).body(q -> q.size(0))), JsonNode.class));
    call("search_template", () -> c.searchTemplate(r -> r.index(INDEX).source("{\"query\":{\"term\":{\"tag\":\"{{t}}\"}}}")
        .params("t", org.opensearch.client.json.JsonData.of("odd")), JsonNode.class));
    call("count", () -> c.count(r -> r.index(INDEX)));
    call("count_query", () -> c.count(r -> r.index(INDEX).query(query("{\"match\":{\"title\":\"red\"}}"))));
    call("explain", () -> c.explain(r -> r.index(INDEX).id("1").query(query("{\"match\":{\"title\":\"red\"}}")), JsonNode.class));
    call("validate", () -> c.indices().validateQuery(r -> r.index(INDEX).query(query("{\"match\":{\"title\":\"red\"}}"))));
    call("field_caps", () -> c.fieldCaps(r -> r.index(INDEX).fields("t*")));
    call("analyze", () -> c.indices().analyze(r -> r.index(INDEX).analyzer("standard").text("The Quick fox")));
  }

  private void cursors() throws IOException {
    SearchResponse<?> first = (SearchResponse<?>) call("scroll_open", () -> c.search(r -> r.index(INDEX).size(4)
        .sort(s -> s.field(f -> f.field("n"))).scroll(Time.of(t -> t.time("1m"))), JsonNode.class));
    String id = first.scrollId();
    for (int hits = 1; hits > 0;) {
      String at = id;
      ScrollResponse<?> next = (ScrollResponse<?>) call("scroll_next", () -> c.scroll(r -> r.scrollId(at).scroll(Time.of(t -> t.time("1m"))), JsonNode.class));
      id = next.scrollId();
      hits = next.hits().hits().size();
    }
    String last = id;
    call("scroll_clear", () -> c.clearScroll(r -> r.scrollId(last)));
    call("scroll_cleared", () -> c.scroll(r -> r.scrollId(last), JsonNode.class));
    String pit = c.createPit(r -> r.index(INDEX).keepAlive(Time.of(t -> t.time("1m")))).pitId();
    Pit of = new Pit.Builder().id(pit).keepAlive("1m").build();
    call("pit_search", () -> c.search(r -> r.size(5).sort(s -> s.field(f -> f.field("n"))).pit(of), JsonNode.class));
    call("pit_search", () -> c.search(r -> r.size(5).sort(s -> s.field(f -> f.field("n"))).searchAfter(FieldValue.of(5)).pit(of), JsonNode.class));
    call("pit_close", () -> c.deletePit(r -> r.pitId(pit)));
  }

  private void byQuery() throws IOException {
    Query odd = query("{\"term\":{\"tag\":\"odd\"}}");
    call("update_by_query", () -> c.updateByQuery(r -> r.index(INDEX).query(odd).refresh(Refresh.True)));
    call("update_by_query_script", () -> c.updateByQuery(r -> r.index(INDEX).query(odd).script(s -> s.inline(i -> i.source("ctx._source.seen = true")))));
    call("delete_by_query", () -> c.deleteByQuery(r -> r.index(INDEX).query(query("{\"term\":{\"n\":5}}")).refresh(Refresh.True)));
    call("reindex", () -> c.reindex(r -> r.source(s -> s.index(INDEX)).dest(d -> d.index("docs-copy")).refresh(Refresh.True)));
    call("by_query_task", () -> {
      String task = c.updateByQuery(r -> r.index(INDEX).query(odd).waitForCompletion(false)).task();
      return c.tasks().get(r -> r.taskId(task).waitForCompletion(true)).completed();
    });
  }

  private void admin() throws IOException {
    call("indices_exists", () -> c.indices().exists(r -> r.index(INDEX)));
    call("indices_exists_not", () -> c.indices().exists(r -> r.index("docs-none")));
    call("indices_create", () -> c.indices().create(r -> r.index("docs-made").settings(s -> s.numberOfReplicas(0)).mappings(m -> m.properties("k", Property.of(p -> p.keyword(k -> k))))));
    call("indices_get", () -> c.indices().get(r -> r.index(INDEX)).result());
    call("indices_get_mapping", () -> c.indices().getMapping(r -> r.index(INDEX)).result());
    call("indices_put_mapping", () -> c.indices().putMapping(new PutMappingRequest.Builder().index(INDEX).properties("extra", Property.of(p -> p.keyword(k -> k))).build()));
    call("indices_get_settings", () -> c.indices().getSettings(r -> r.index(INDEX)).result());
    call("indices_put_settings", () -> c.indices().putSettings(r -> r.index(INDEX).settings(s -> s.maxResultWindow(20000))));
    call("indices_put_alias", () -> c.indices().putAlias(r -> r.index(INDEX).name("docs-other")));
    call("indices_exists_alias", () -> c.indices().existsAlias(r -> r.name("docs-other")));
    call("indices_update_aliases", () -> c.indices().updateAliases(r -> r.actions(a -> a.remove(x -> x.index(INDEX).alias("docs-other")))));
    call("indices_refresh", () -> c.indices().refresh(r -> r.index(INDEX)));
    call("indices_flush", () -> c.indices().flush(r -> r.index(INDEX)));
    call("indices_forcemerge", () -> c.indices().forcemerge(r -> r.index(INDEX).maxNumSegments(1L)));
    call("indices_stats", () -> c.indices().stats(r -> r.index(INDEX)).indices().keySet());
    call("indices_close", () -> c.indices().close(r -> r.index(INDEX)));
    call("indices_open", () -> c.indices().open(r -> r.index(INDEX)));
    call("cat_indices", () -> c.cat().indices(r -> r.index(INDEX).headers("index,docs.count")));
    call("cat_count", () -> c.cat().count(r -> r.index(INDEX)).valueBody().get(0).count());
    call("cluster_health", () -> c.cluster().health().status());
    call("indices_delete", () -> c.indices().delete(r -> r.index("docs-made")));
    call("indices_delete_copy", () -> c.indices().delete(r -> r.index("docs-copy")));
  }
}
