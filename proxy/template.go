package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/sluiceproxy/sluice/placement"
	"golang.org/x/sync/errgroup"
)

// Searches by template are put together by the cluster, then sent as the searches
// that they are, through the same checks as any: the proxy never sends a query that
// it has not seen. Filling in a template reads nothing but the request itself, so
// which cluster does it makes no difference.

const (
	maxTemplates    = 1000 // of one multi-search
	templatesAtOnce = 4    // filled in side by side, for one request
)

// templateBody is a template and what is filled in.
type templateBody struct {
	source, params   json.RawMessage
	explain, profile bool
}

// parseTemplate reads a template of a request. Stored ones are refused.
func parseTemplate(body []byte) (t templateBody, err error) {
	var m map[string]json.RawMessage
	if json.Unmarshal(body, &m) != nil || m == nil {
		return t, fail(http.StatusBadRequest, "parsing_exception", "a template must be a JSON object with a [source]")
	}
	for k, v := range m {
		switch k {
		case "source":
			t.source = v
		case "params":
			t.params = v
		case "explain", "profile":
			to := &t.explain
			if k == "profile" {
				to = &t.profile
			}
			if json.Unmarshal(v, to) != nil {
				return t, fail(http.StatusBadRequest, "parsing_exception", "[%s] of a template must be true or false", k)
			}
		case "id":
			return t, fail(http.StatusBadRequest, TypeUnsupported, "[id] of a template is not supported: stored templates stay behind when a tenant moves; send the template as [source]")
		default:
			return t, fail(http.StatusBadRequest, "parsing_exception", "a template has no field [%s], only [source], [params], [explain] and [profile]", k)
		}
	}
	if t.source == nil {
		return t, fail(http.StatusBadRequest, "action_request_validation_exception", "a template needs a [source]")
	}
	return t, checkTags(t.source)
}

// readsFile is a tag that puts another template in its place, which OpenSearch 2
// reads from a file of its own, or that changes what tags look like.
var readsFile = regexp.MustCompile(`\{\{[{\s\pZ\pC]*[<>=]`)

// checkTags refuses such a tag in any text of a template's source, keys included.
func checkTags(source json.RawMessage) error {
	if !utf8.Valid(source) { // the cluster could make a brace of what is none here
		return badBody(errUTF8)
	}
	d := json.NewDecoder(bytes.NewReader(source))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fail(http.StatusBadRequest, "parsing_exception", "[source] of a template is not JSON: %s", err)
		}
		if text, ok := t.(string); ok && readsFile.MatchString(text) {
			return fail(http.StatusForbidden, TypeNotAllowed, "tags such as {{>name}}, {{<name}} and {{=<%% %%>=}} are not allowed in a template: the cluster could read a file of its own for them; put what they stand for into the template")
		}
	}
}

// rendering is an answer of a cluster that is no rendered template; the client is
// given it as it is.
type rendering struct {
	resp *http.Response
	raw  []byte
}

func (r *rendering) Error() string {
	return fmt.Sprintf("a template was not filled in: status %d", r.resp.StatusCode)
}

func (r *rendering) ErrorCode() string { return TypeUpstream }

// fillIn has the cluster of origin at fill in a template.
func (q *request) fillIn(ctx context.Context, t templateBody, at origin) (json.RawMessage, error) {
	in := map[string]json.RawMessage{"source": t.source}
	if t.params != nil {
		in["params"] = t.params
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fail(http.StatusBadRequest, "parsing_exception", "the template is not JSON: %s", err)
	}
	resp, err := q.sendRead(ctx, at.place.Cluster, http.MethodPost, "/_render/template", nil, bytesPayload(body, "application/json"))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if err := upstreamStatus(resp, at.place.Cluster); err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, q.p.o.QueryBody+1))
	switch {
	case err != nil:
		return nil, fail(http.StatusBadGateway, TypeUpstream, "cluster %s broke off its answer", at.place.Cluster)
	case int64(len(raw)) > q.p.o.QueryBody:
		return nil, fail(http.StatusRequestEntityTooLarge, TypeTooLarge, "the template, filled in, is larger than %d bytes", q.p.o.QueryBody)
	case resp.StatusCode >= 300:
		return nil, &rendering{resp, raw}
	}
	var out struct {
		Output json.RawMessage `json:"template_output"`
	}
	if json.Unmarshal(raw, &out) != nil || len(out.Output) == 0 {
		return nil, fail(http.StatusBadRequest, "parsing_exception", "the template, filled in, is not JSON")
	}
	return out.Output, nil
}

// fillInSearch fills a template in and returns the body of the search that it stands for.
func (q *request) fillInSearch(ctx context.Context, body []byte, at origin) ([]byte, error) {
	t, err := parseTemplate(body)
	if err != nil {
		return nil, err
	}
	out, err := q.fillIn(ctx, t, at)
	if err != nil || !t.explain && !t.profile {
		return out, err
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(out, &m) != nil || m == nil {
		return nil, fail(http.StatusBadRequest, "parsing_exception", "the template, filled in, is not a JSON object")
	}
	if t.explain {
		m["explain"] = json.RawMessage("true")
	}
	if t.profile {
		m["profile"] = json.RawMessage("true")
	}
	return json.Marshal(m)
}

// template turns a search by template into a search, and the request's endpoint into
// that of a search. answered says that the client has its answer already.
func (q *request) template(ctx context.Context, body []byte, at origin) (out []byte, answered bool, err error) {
	if err := q.supported(at.place); err != nil {
		return nil, false, err
	}
	switch q.op {
	case opRender:
		t, err := parseTemplate(body)
		if err == nil {
			out, err = q.fillIn(ctx, t, at)
		}
		if err == nil {
			return nil, true, q.answerBytes(http.StatusOK, slices.Concat([]byte(`{"template_output":`), out, []byte("}")))
		}
		return q.notFilledIn(err, at)
	case opSearchTemplate:
		out, err = q.fillInSearch(ctx, body, at)
	case opMsearchTemplate:
		out, err = q.fillInSearches(ctx, body, at)
	}
	if err != nil {
		return q.notFilledIn(err, at)
	}
	q.target, err = q.asSearch()
	return out, false, err
}

// asSearch is the search that a search by template becomes.
func (t *target) asSearch() (*target, error) {
	path := strings.TrimSuffix(strings.TrimPrefix(t.pattern, "/{i}"), "/template")
	if t.index != "" {
		path = "/" + escape(t.index) + path
	}
	s, aerr := classify(http.MethodPost, path)
	if aerr != nil {
		return nil, aerr
	}
	return s, nil
}

// fillInSearches is fillInSearch for every second line. A template that cannot be
// filled in fails the request as a whole.
func (q *request) fillInSearches(ctx context.Context, body []byte, at origin) ([]byte, error) {
	var templates [][]byte
	keep := func(line []byte) ([]byte, error) { return line, nil }
	if _, err := msearchBody(body, keep, func(line []byte) ([]byte, error) {
		templates = append(templates, line)
		return line, nil
	}); err != nil {
		return nil, err
	}
	if len(templates) > maxTemplates {
		return nil, fail(http.StatusBadRequest, TypeUnsupported, "%d templates in one request, of which %d are supported; send them in several", len(templates), maxTemplates)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(templatesAtOnce)
	for i, t := range templates {
		g.Go(func() (err error) {
			defer q.p.caught(&err)
			out, err := q.fillInSearch(ctx, t, at)
			if err != nil {
				return err
			}
			var line bytes.Buffer
			if json.Compact(&line, out) != nil {
				return fail(http.StatusBadRequest, "parsing_exception", "the template of search %d, filled in, is not JSON", i+1)
			}
			templates[i] = line.Bytes()
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	next := -1
	return msearchBody(body, keep, func([]byte) ([]byte, error) {
		next++
		return templates[next], nil
	})
}

// notFilledIn passes a cluster's refusal of a template on.
func (q *request) notFilledIn(err error, at origin) ([]byte, bool, error) {
	var r *rendering
	if !errors.As(err, &r) {
		return nil, false, err
	}
	if at.place.Kind == placement.SharedIndex {
		if e, ok := sharedError(r.resp.StatusCode, r.raw); ok {
			return nil, false, e
		}
		return nil, false, fail(http.StatusBadGateway, TypeUpstream, "cluster %s did not fill in the template: status %d", at.place.Cluster, r.resp.StatusCode)
	}
	return nil, true, q.answer(r.resp, r.raw, at)
}
