package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/sluiceproxy/sluice/internal/credentials"
	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/internal/token"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/tenancy"
)

// AuthConfig says who may ask, and as what. The zero value: nobody is known.
type AuthConfig struct {
	// TokensFile has a line NAME ROLE SHA256 for each token: who has it, what he may do,
	// and the SHA-256 of the token in hexadecimal.
	TokensFile string
	// Certificates are entries ROLE FIELD=VALUE: what whoever shows a verified certificate
	// with this value may do. FIELD is one of tenancy.ClientCertFields.
	Certificates []string

	// Issuer and Audience are what iss and aud of signed tokens must be, and contain. An
	// empty issuer: no such tokens.
	Issuer, Audience string
	// KeysFile or KeysURL is the issuer's JSON Web Key Set; KeysCAFile verifies the latter.
	KeysFile, KeysURL, KeysCAFile string
	// NameClaim holds the name, RoleClaim what Roles are about: a string or several.
	NameClaim, RoleClaim string
	// Algorithms that are accepted, of token.Algorithms.
	Algorithms []string
	// Roles are entries VALUE=ROLE; empty: the claim holds names of roles.
	Roles []string
}

// Configured reports whether anybody is known.
func (c AuthConfig) Configured() bool {
	return c.TokensFile != "" || len(c.Certificates) > 0 || c.Issuer != ""
}

func authInvalid(field, value, fix string) error {
	return &placement.InvalidError{Field: "api.auth." + field, Value: value, Fix: fix}
}

// Validate returns a *placement.InvalidError that names the setting and the fix, or nil.
// It opens no file.
func (c AuthConfig) Validate() error {
	for i, text := range c.Certificates {
		if _, err := parseCert(text); err != nil {
			return authInvalid(fmt.Sprintf("certificates[%d]", i), text, err.Error())
		}
	}
	if _, err := parseRoles(c.Roles); err != nil {
		return err
	}
	if c.Issuer == "" {
		if c.Audience+c.KeysFile+c.KeysURL+c.KeysCAFile+strings.Join(c.Roles, "") != "" {
			return authInvalid("oidc.issuer", "", "must be set, because others of api.auth.oidc are")
		}
		return nil
	}
	switch {
	case c.Audience == "":
		return authInvalid("oidc.audience", "", "must be set: a token for another service must not be taken here")
	case (c.KeysFile == "") == (c.KeysURL == ""):
		return authInvalid("oidc.keys_url", c.KeysURL, "must be set, or api.auth.oidc.keys_file, and not both")
	case c.NameClaim == "" || c.RoleClaim == "":
		return authInvalid("oidc.role_claim", c.RoleClaim, "must be set, and name_claim too")
	case len(c.Algorithms) == 0:
		return authInvalid("oidc.algorithms", "", "must list what is accepted, such as RS256")
	}
	for _, a := range c.Algorithms {
		if !slices.Contains(token.Algorithms, a) {
			return authInvalid("oidc.algorithms", a, "must be some of "+strings.Join(token.Algorithms, ", "))
		}
	}
	if u, err := url.Parse(c.KeysURL); c.KeysURL != "" && (err != nil || u.User != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !credentials.Loopback(u.Hostname()))) {
		return authInvalid("oidc.keys_url", placement.HideUser(c.KeysURL), "must be an https:// URL without credentials: whoever can answer for it can make tokens")
	}
	return nil
}

// Principal is who asks.
type Principal struct {
	Name string // with how he has proved it in front, such as token:ci
	Role Role
}

type principalKey struct{}

// principalOf is who asks, in the context of an operation.
func principalOf(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

// authenticator knows who asks.
type authenticator struct {
	tokens  *reload.Value[[]knownToken] // nil: none
	own     *knownToken                 // generated for this machine; nil: none
	certs   []knownCert
	open    bool // whoever is on this machine may look
	names   AuthConfig
	roles   map[string]Role
	checker *token.Checker // nil: no signed tokens
	fetched *token.Fetched // its keys, if they are not in a file
}

type knownToken struct {
	name string
	role Role
	hash [sha256.Size]byte
}

type knownCert struct {
	role         Role
	field, value string
}

// newAuthenticator reads the files. adminToken is one that was generated for this
// machine, or empty.
func newAuthenticator(c AuthConfig, adminToken string, log *slog.Logger) (*authenticator, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	a := &authenticator{names: c, open: !c.Configured()}
	if adminToken != "" {
		a.own = &knownToken{name: "generated", role: Admin, hash: sha256.Sum256([]byte(adminToken))}
	}
	for _, text := range c.Certificates {
		x, _ := parseCert(text) // validated
		a.certs = append(a.certs, x)
	}
	a.roles, _ = parseRoles(c.Roles) // validated
	o := &reload.Options{Logger: log}
	var err error
	if c.TokensFile != "" {
		if a.tokens, err = reload.New(func() ([]knownToken, error) { return readTokens(c.TokensFile) }, []string{c.TokensFile}, o); err != nil {
			return nil, err
		}
	}
	if c.Issuer == "" {
		return a, nil
	}
	a.checker = &token.Checker{Issuer: c.Issuer, Audience: c.Audience, Algorithms: c.Algorithms, Now: time.Now}
	if c.KeysFile != "" {
		v, err := reload.New(func() ([]jose.JSONWebKey, error) { return token.ReadKeys("api.auth.oidc.keys_file", c.KeysFile) }, []string{c.KeysFile}, o)
		if err != nil {
			return nil, err
		}
		a.checker.Keys = v.Get
		return a, nil
	}
	var t *tls.Config
	if c.KeysCAFile != "" {
		if t, err = (credentials.TLS{CAFile: c.KeysCAFile}).Config("api.auth.oidc"); err != nil {
			return nil, err
		}
	}
	a.fetched = token.NewFetched("api.auth.oidc.keys_url", c.KeysURL, t, log)
	return a, nil
}

// who says who asks, or what problem that is.
func (a *authenticator) who(r *http.Request) (Principal, error) {
	if p, ok := own(r.Context()); ok {
		return p, nil
	}
	values := r.Header.Values("Authorization")
	switch {
	case len(values) > 1:
		return Principal{}, problem(CodeUnauthenticated, "there is more than one Authorization header")
	case len(values) == 1:
		scheme, text, _ := strings.Cut(values[0], " ")
		if text = strings.Trim(text, " "); !strings.EqualFold(scheme, "Bearer") || text == "" {
			return Principal{}, problem(CodeUnauthenticated, "the Authorization header must be Bearer and a token")
		}
		return a.bearer(r.Context(), text)
	}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 && len(a.certs) > 0 {
		var best knownCert
		for _, c := range a.certs {
			if c.role > best.role && slices.Contains(tenancy.CertValues(r.TLS.VerifiedChains[0][0], c.field), c.value) {
				best = c
			}
		}
		if best.role > 0 {
			return Principal{"certificate:" + best.field + "=" + best.value, best.role}, nil
		}
	}
	if a.open && local(r.RemoteAddr) && localName(r.Host) {
		return Principal{"local", Viewer}, nil
	}
	return Principal{}, problem(CodeUnauthenticated, "there are no credentials that are known")
}

// bearer is who has a token. A signed one has two dots, which no other needs.
func (a *authenticator) bearer(ctx context.Context, text string) (Principal, error) {
	hash := sha256.Sum256([]byte(text))
	known := []knownToken{}
	if a.tokens != nil {
		known = a.tokens.Get()
	}
	if a.own != nil {
		known = append(slices.Clone(known), *a.own)
	}
	found := Principal{}
	for _, k := range known { // all of them, whichever it is
		if subtle.ConstantTimeCompare(hash[:], k.hash[:]) == 1 {
			found = Principal{"token:" + k.name, k.role}
		}
	}
	switch {
	case found.Role > 0:
		return found, nil
	case a.checker == nil || strings.Count(text, ".") != 2:
		return Principal{}, problem(CodeUnauthenticated, "the token is not known")
	}
	claims, err := a.check(ctx, text)
	var no *token.RefusedError
	switch {
	case errors.As(err, &no):
		return Principal{}, problem(CodeUnauthenticated, no.Reason)
	case err != nil:
		return Principal{}, problem(CodeKeysUnavailable, err.Error())
	}
	return a.claimed(claims)
}

func (a *authenticator) check(ctx context.Context, text string) (map[string]any, error) {
	if a.fetched != nil {
		return a.fetched.Check(ctx, *a.checker, text)
	}
	return a.checker.Check(text)
}

// claimed is who a valid token names.
func (a *authenticator) claimed(claims map[string]any) (Principal, error) {
	names := token.Strings(claims, a.names.NameClaim)
	if len(names) != 1 || names[0] == "" || len(names[0]) > 256 {
		return Principal{}, problem(CodeUnauthenticated, "the token names nobody: it has no claim "+a.names.NameClaim+" that is a string")
	}
	p := Principal{Name: "oidc:" + names[0]}
	for _, v := range token.Strings(claims, a.names.RoleClaim) {
		role := a.roles[v]
		if len(a.roles) == 0 {
			role, _ = ParseRole(v) // other names are for other services
		}
		p.Role = max(p.Role, role)
	}
	return p, nil
}

// readTokens reads lines NAME ROLE SHA256.
func readTokens(file string) ([]knownToken, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("api.auth.tokens_file: %w", err)
	}
	var out []knownToken
	for n, line := range strings.Split(string(b), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 || strings.HasPrefix(f[0], "#") {
			continue
		}
		// Never the line itself: it is half a secret.
		bad := func(fix string) ([]knownToken, error) {
			return nil, authInvalid("tokens_file", file, fmt.Sprintf("line %d %s", n+1, fix))
		}
		if len(f) != 3 {
			return bad("must be NAME ROLE SHA256")
		}
		role, ok := ParseRole(f[1])
		hash, err := hex.DecodeString(f[2])
		if !ok || err != nil || len(hash) != sha256.Size {
			return bad("must be a name, one of " + strings.Join(Roles, ", ") + ", and the token's SHA-256 in 64 hexadecimal digits")
		}
		k := knownToken{f[0], role, [sha256.Size]byte(hash)}
		if slices.ContainsFunc(out, func(o knownToken) bool { return o.name == k.name || o.hash == k.hash }) {
			return bad("has the name or the hash of a line before it")
		}
		out = append(out, k)
	}
	return out, nil
}

// parseCert reads ROLE FIELD=VALUE.
func parseCert(text string) (knownCert, error) {
	word, rest, _ := strings.Cut(text, " ")
	role, ok := ParseRole(word)
	field, value, _ := strings.Cut(strings.TrimSpace(rest), "=")
	if !ok || !slices.Contains(tenancy.ClientCertFields, field) || value == "" {
		return knownCert{}, errors.New("must be a role, a blank and a field with its value, such as admin cn=ops; fields are " + strings.Join(tenancy.ClientCertFields, ", "))
	}
	return knownCert{role, field, value}, nil
}

// parseRoles reads entries VALUE=ROLE. A value may hold an equals sign.
func parseRoles(entries []string) (map[string]Role, error) {
	out := map[string]Role{}
	for i, e := range entries {
		at := strings.LastIndexByte(e, '=')
		role, ok := ParseRole(e[at+1:])
		if at < 1 || !ok {
			return nil, authInvalid(fmt.Sprintf("oidc.roles[%d]", i), e, "must be VALUE=ROLE, with one of "+strings.Join(Roles, ", "))
		}
		out[e[:at]] = max(out[e[:at]], role)
	}
	return out, nil
}
