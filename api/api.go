package api

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/store"
)

// Prefix begins every path of the API.
const Prefix = "/api/v1"

var problemType = reflect.TypeFor[Problem]()

// Options of New. The zero value is useful.
type Options struct {
	Build  string // of this program
	Engine string // kind of the store, such as etcd
	Where  string // of the store, for people; without credentials
	Auth   AuthConfig
	// Defaults are what moves are asked for with, where a request does not say.
	Defaults control.MoveOptions
	// CopyWorkers is how many workers read at the same time for a comparison of two copies
	// (default: as of a move).
	CopyWorkers int
	AuditAge    time.Duration // how long the audit log is kept (default DefaultAuditAge)
	// AdminToken is a token of the role admin, generated for this machine; empty: none.
	AdminToken string
	// URL is the base URL at which proxies reach this very process.
	URL string
	// SessionToken is what controllers show to a proxy whose session this process holds;
	// nil: none that it will recognise.
	SessionToken func(session string) string
	Logger       *slog.Logger // default: discard
}

// API answers for one table. It is safe for concurrent use.
type API struct {
	s      *store.Store
	opt    Options
	log    *slog.Logger
	auth   *authenticator
	claims watched
	// What takes long, and is bounded.
	examining, comparing slots
	hub                  *hub
	held                 held
	huma                 huma.API
	mux                  *http.ServeMux

	// document makes the OpenAPI document when it is first asked for. It takes longer than
	// all else that New does, and a command that has an API of its own never asks.
	document func() (documents, error)
}

// documents are the OpenAPI document in both of its forms.
type documents struct{ json, yaml []byte }

// New returns the API over a table.
func New(s *store.Store, o *Options) (*API, error) {
	a := &API{s: s, hub: newHub(), examining: make(slots, maxExaminations), comparing: make(slots, maxComparisons), log: slog.New(slog.DiscardHandler), mux: http.NewServeMux()}
	if o != nil {
		a.opt = *o
	}
	if a.opt.Logger != nil {
		a.log = a.opt.Logger
	}
	var err error
	if a.auth, err = newAuthenticator(a.opt.Auth, a.opt.AdminToken, a.log); err != nil {
		return nil, err
	}
	config := huma.DefaultConfig("Sluice", "1")
	config.Info.Description = "Moves tenants between OpenSearch clusters. Durations are integers of nanoseconds, unless a name says otherwise."
	// Neither pages that fetch scripts from elsewhere, nor members of answers that the
	// types do not have.
	config.DocsPath, config.SchemasPath, config.OpenAPIPath, config.CreateHooks = "", "", "", nil
	config.RejectUnknownQueryParameters = true
	config.AllowAdditionalPropertiesByDefault = true // in answers: newer versions may have more
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer":      {Type: "http", Scheme: "bearer", Description: "A token of api.auth.tokens_file, or one that the issuer of api.auth.oidc has signed."},
		"certificate": {Type: "mutualTLS", Description: "A client certificate that api.auth.certificates has."},
	}
	a.huma = humago.NewWithPrefix(a.mux, Prefix, config)
	a.huma.UseMiddleware(a.authorize)
	a.readers()
	a.changes()
	a.describe()
	a.mux.HandleFunc("/", a.nowhere)
	return a, nil
}

// describe serves the OpenAPI document. Nothing is added to it later.
func (a *API) describe() {
	a.document = sync.OnceValues(func() (d documents, err error) {
		if d.json, err = a.huma.OpenAPI().MarshalJSON(); err == nil {
			d.yaml, err = a.huma.OpenAPI().YAML()
		}
		return d, err
	})
	for path, form := range map[string]struct {
		kind string
		of   func(documents) []byte
	}{
		"/openapi.json": {"application/openapi+json", func(d documents) []byte { return d.json }},
		"/openapi.yaml": {"application/openapi+yaml", func(d documents) []byte { return d.yaml }},
	} {
		a.mux.HandleFunc("GET "+Prefix+path, func(w http.ResponseWriter, r *http.Request) {
			d, err := a.document()
			if err != nil {
				a.write(w, a.problemOf(r.Context(), err))
				return
			}
			w.Header().Set("Content-Type", form.kind)
			_, _ = w.Write(form.of(d)) // the client has gone
		})
	}
}

// Close ends connections that the API has made.
func (a *API) Close() {
	a.held.stop()
	if a.auth.fetched != nil {
		a.auth.fetched.Close()
	}
}

// Document is the OpenAPI document, in YAML.
func (a *API) Document() ([]byte, error) {
	d, err := a.document()
	return slices.Clone(d.yaml), err
}

// Handler serves the API.
func (a *API) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r = r.WithContext(newRequest(r.Context(), r.Header.Get("X-Request-Id")))
		h := w.Header()
		h.Set("X-Request-Id", requestOf(r.Context()))
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if x := recover(); x != nil {
				if x == http.ErrAbortHandler {
					panic(x)
				}
				a.log.Error("a handler panicked", "request", requestOf(r.Context()), "panic", x)
				p := problem(CodeInternal, "see the log of the controller, request "+requestOf(r.Context()))
				p.Instance = instance(r.Context())
				a.write(w, p)
			}
		}()
		a.mux.ServeHTTP(w, r)
	})
}

// nowhere answers what no operation has: another path, or another method.
func (a *API) nowhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	fewest := 0 // parameters in the path: what has the path by name is it, and what would take a part of it for a name is not
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		_, pattern := a.mux.Handler(other)
		switch n := strings.Count(pattern, "{"); {
		case pattern == "/":
		case len(allowed) == 0 || n < fewest:
			allowed, fewest = []string{m}, n
		case n == fewest:
			allowed = append(allowed, m)
		}
	}
	p := problem(CodeNotFound, "there is nothing at "+r.URL.Path)
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		p = problem(CodeMethodNotAllowed, r.Method+" is none of "+strings.Join(allowed, ", "))
	}
	p.Instance = instance(r.Context())
	a.write(w, p)
}

// write answers with a problem outside of an operation.
func (a *API) write(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, p) // the client has gone
}

// handle adds an operation. Its errors become problems here, and nowhere else.
func handle[I, O any](a *API, op huma.Operation, role Role, do func(context.Context, *I) (*O, error)) {
	a.prepare(&op, role)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err != nil {
			return nil, a.problemOf(ctx, err)
		}
		return out, nil
	})
}

// prepare completes what the document says of an operation.
func (a *API) prepare(op *huma.Operation, role Role) {
	op.Metadata = map[string]any{roleKey: role}
	op.Security = []map[string][]string{{"bearer": {}}, {"certificate": {}}}
	if role == Viewer { // on the same machine, where nobody is known
		op.Security = append(op.Security, map[string][]string{})
	}
	op.Extensions = map[string]any{"x-role": role.String()}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{}
	}
	op.Responses["default"] = &huma.Response{
		Description: "A problem; docs/errors.md lists all.",
		Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(problemType, true, "Problem")},
		},
	}
}
