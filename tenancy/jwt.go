package tenancy

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/sluiceproxy/sluice/internal/reload"
)

const (
	clockLeeway = 30 * time.Second // between the issuer's clock and ours
	maxToken    = 16 << 10         // bytes
	minRSA      = 2048             // bits
)

// tokens is a claim of a signed token.
type tokens struct {
	authorized
	c          JWT
	algorithms []jose.SignatureAlgorithm
	keys       *reload.Value[[]jose.JSONWebKey]
	now        func() time.Time
}

func newTokens(c JWT, o *Options) (*tokens, error) {
	t := &tokens{c: c, now: o.Now}
	for _, a := range c.Algorithms {
		t.algorithms = append(t.algorithms, jose.SignatureAlgorithm(a))
	}
	v, err := reload.New(func() ([]jose.JSONWebKey, error) { return readKeys(c.KeysFile) }, []string{c.KeysFile}, o.reload())
	if err != nil {
		return nil, err
	}
	t.keys = v
	return t, nil
}

// readKeys reads the public keys for signatures from a key set. Keys of a type that
// is not known here are left out, as the standard has it; a secret one is refused,
// since it would let whoever reads this file make tokens.
func readKeys(file string) ([]jose.JSONWebKey, error) {
	const field = "jwt.keys_file"
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("tenancy.%s: %w", field, err)
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(b, &set); err != nil {
		return nil, invalid(field, file, "must be a JSON Web Key Set: "+err.Error())
	}
	var keys []jose.JSONWebKey
	ids := map[string]bool{}
	for i, raw := range set.Keys {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(raw); errors.Is(err, jose.ErrUnsupportedKeyType) {
			continue
		} else if err != nil {
			return nil, invalid(field, file, fmt.Sprintf("key %d: %s", i+1, err))
		}
		r, isRSA := k.Key.(*rsa.PublicKey)
		switch {
		case !k.IsPublic():
			return nil, invalid(field, file, fmt.Sprintf("key %d: must be a public key; leave the secret ones with the issuer", i+1))
		case k.Use != "" && k.Use != "sig":
			continue
		case isRSA && r.N.BitLen() < minRSA:
			return nil, invalid(field, file, fmt.Sprintf("key %d: must have at least %d bits", i+1, minRSA))
		case ids[k.KeyID]:
			return nil, invalid(field, file, fmt.Sprintf("key %d: has the kid of a key before it", i+1))
		}
		ids[k.KeyID] = true
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, invalid(field, file, "must hold at least one public key for signatures")
	}
	return keys, nil
}

func (t *tokens) find(r *http.Request) (string, Role, error) {
	text, err := authorization(r, "Bearer")
	if err != nil || text == "" {
		return "", 0, err
	}
	if len(text) > maxToken {
		return "", 0, refused(fmt.Sprintf("the token is longer than %d bytes", maxToken))
	}
	token, err := jwt.ParseSigned(text, t.algorithms)
	if err != nil || len(token.Headers) != 1 {
		return "", 0, refused("the token is none, or is signed with an algorithm that is not accepted")
	}
	key, ok := choose(t.keys.Get(), token.Headers[0])
	if !ok {
		return "", 0, refused("the token is signed with a key that is not known")
	}
	var std jwt.Claims
	own := map[string]any{}
	if err := token.Claims(key, &std, &own); err != nil {
		return "", 0, refused("the token's signature is wrong")
	}
	return t.check(std, own)
}

// choose returns the key that a token names, or the only one if it names none.
func choose(keys []jose.JSONWebKey, h jose.Header) (any, bool) {
	if h.KeyID == "" && len(keys) != 1 {
		return nil, false
	}
	for _, k := range keys {
		if h.KeyID == "" || k.KeyID == h.KeyID {
			return k.Key, k.Algorithm == "" || k.Algorithm == h.Algorithm
		}
	}
	return nil, false
}

func (t *tokens) check(std jwt.Claims, own map[string]any) (string, Role, error) {
	if std.Expiry == nil {
		return "", 0, refused("the token never expires")
	}
	err := std.ValidateWithLeeway(jwt.Expected{Issuer: t.c.Issuer, AnyAudience: jwt.Audience{t.c.Audience}, Time: t.now()}, clockLeeway)
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return "", 0, refused("the token has expired")
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return "", 0, refused("the token is not valid yet")
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return "", 0, refused("the token is of another issuer")
	case errors.Is(err, jwt.ErrInvalidAudience):
		return "", 0, refused("the token is for another audience")
	case err != nil:
		return "", 0, refused("the token is not valid")
	}
	id, ok := own[t.c.Claim].(string)
	if !ok || id == "" {
		return "", 0, refused("the token names no tenant: it has no claim " + t.c.Claim + " that is a string")
	}
	role, err := t.roleOf(own)
	return id, role, err
}

// roleOf is the role that a token gives; 0 if none is asked of it.
func (t *tokens) roleOf(own map[string]any) (Role, error) {
	if t.c.RoleClaim == "" {
		return 0, nil
	}
	names, _ := own[t.c.RoleClaim].([]any)
	if one, ok := own[t.c.RoleClaim].(string); ok {
		names = []any{one}
	}
	var role Role
	for _, n := range names {
		if name, ok := n.(string); ok {
			r, _ := ParseRole(name) // other names are for other services
			role = max(role, r)
		}
	}
	if role == 0 {
		return 0, refused("the token names no role: its claim " + t.c.RoleClaim + " holds none of " + strings.Join(Roles, ", "))
	}
	return role, nil
}
