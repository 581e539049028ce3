package tenancy

import (
	"errors"
	"net/http"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/sluiceproxy/sluice/internal/reload"
	"github.com/sluiceproxy/sluice/internal/token"
)

// tokens is a claim of a signed token.
type tokens struct {
	authorized
	c       JWT
	checker token.Checker
}

func newTokens(c JWT, o *Options) (*tokens, error) {
	v, err := reload.New(func() ([]jose.JSONWebKey, error) { return token.ReadKeys("tenancy.jwt.keys_file", c.KeysFile) }, []string{c.KeysFile}, o.reload())
	if err != nil {
		return nil, err
	}
	return &tokens{c: c, checker: token.Checker{Issuer: c.Issuer, Audience: c.Audience, Algorithms: c.Algorithms, Keys: v.Get, Now: o.Now}}, nil
}

func (t *tokens) find(r *http.Request) (string, Role, error) {
	text, err := authorization(r, "Bearer")
	if err != nil || text == "" {
		return "", 0, err
	}
	claims, err := t.checker.Check(text)
	var no *token.RefusedError
	if errors.As(err, &no) {
		return "", 0, refused(no.Reason)
	}
	if err != nil {
		return "", 0, err
	}
	id, ok := claims[t.c.Claim].(string)
	if !ok || id == "" {
		return "", 0, refused("the token names no tenant: it has no claim " + t.c.Claim + " that is a string")
	}
	role, err := t.roleOf(claims)
	return id, role, err
}

// roleOf is the role that a token gives; 0 if none is asked of it.
func (t *tokens) roleOf(claims map[string]any) (Role, error) {
	if t.c.RoleClaim == "" {
		return 0, nil
	}
	var role Role
	for _, name := range token.Strings(claims, t.c.RoleClaim) {
		r, _ := ParseRole(name) // other names are for other services
		role = max(role, r)
	}
	if role == 0 {
		return 0, refused("the token names no role: its claim " + t.c.RoleClaim + " holds none of " + strings.Join(Roles, ", "))
	}
	return role, nil
}
