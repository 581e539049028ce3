// Package token checks signed tokens (JWT) against the public keys of their issuer, for
// whoever takes such a token as a proof: of a tenant at a proxy, of an operator at the
// API.
//
// What it refuses: symmetric algorithms, with which whoever can check a token could make
// one; a token that never expires, or is of another issuer or for another audience; keys
// that are short or secret.
package token

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/sluiceproxy/sluice/placement"
)

const (
	clockLeeway = 30 * time.Second // between the issuer's clock and ours
	maxToken    = 16 << 10         // bytes
	minRSA      = 2048             // bits
)

// Algorithms are those that may be accepted. All are asymmetric.
var Algorithms = []string{
	string(jose.RS256), string(jose.RS384), string(jose.RS512), string(jose.PS256), string(jose.PS384), string(jose.PS512),
	string(jose.ES256), string(jose.ES384), string(jose.ES512), string(jose.EdDSA),
}

// RefusedError is a token that proves nothing. The reason is for the client, and holds
// nothing of the token.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return e.Reason }

// ErrorCode is its code in the catalogue of errors.
func (e *RefusedError) ErrorCode() string { return "unauthenticated" }

func refused(reason string) error { return &RefusedError{reason} }

// errUnknownKey is a token whose key is not there; newer keys may have it.
var errUnknownKey = refused("the token is signed with a key that is not known")

// Checker checks tokens of one issuer for one audience. It is safe for concurrent use if
// Keys is.
type Checker struct {
	Issuer, Audience string
	Algorithms       []string // of Algorithms
	Keys             func() []jose.JSONWebKey
	Now              func() time.Time
}

// Check returns the claims of a token that is valid, or a *RefusedError.
func (c *Checker) Check(text string) (map[string]any, error) {
	if len(text) > maxToken {
		return nil, refused(fmt.Sprintf("the token is longer than %d bytes", maxToken))
	}
	algorithms := make([]jose.SignatureAlgorithm, len(c.Algorithms))
	for i, a := range c.Algorithms {
		algorithms[i] = jose.SignatureAlgorithm(a)
	}
	parsed, err := jwt.ParseSigned(text, algorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return nil, refused("the token is none, or is signed with an algorithm that is not accepted")
	}
	key, ok := choose(c.Keys(), parsed.Headers[0])
	if !ok {
		return nil, errUnknownKey
	}
	var std jwt.Claims
	own := map[string]any{}
	if err := parsed.Claims(key, &std, &own); err != nil {
		return nil, refused("the token's signature is wrong")
	}
	return own, c.valid(std)
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

func (c *Checker) valid(std jwt.Claims) error {
	if std.Expiry == nil {
		return refused("the token never expires")
	}
	err := std.ValidateWithLeeway(jwt.Expected{Issuer: c.Issuer, AnyAudience: jwt.Audience{c.Audience}, Time: c.Now()}, clockLeeway)
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return refused("the token has expired")
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return refused("the token is not valid yet")
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return refused("the token is of another issuer")
	case errors.Is(err, jwt.ErrInvalidAudience):
		return refused("the token is for another audience")
	case err != nil:
		return refused("the token is not valid")
	}
	return nil
}

// Strings are the texts of a claim that is a string, or a list of them.
func Strings(claims map[string]any, name string) (texts []string) {
	list, _ := claims[name].([]any)
	if one, ok := claims[name].(string); ok {
		list = []any{one}
	}
	for _, x := range list {
		if s, ok := x.(string); ok {
			texts = append(texts, s)
		}
	}
	return texts
}

// ReadKeys reads a key set from a file. A bad one is a *placement.InvalidError of the
// field.
func ReadKeys(field, file string) ([]jose.JSONWebKey, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return ParseKeys(field, file, b)
}

// ParseKeys reads the public keys for signatures from a key set, which came from a file
// or an address. Keys of a type that is not known here are left out, as the standard has
// it; a secret one is refused, since it would let whoever reads the set make tokens.
func ParseKeys(field, from string, b []byte) ([]jose.JSONWebKey, error) {
	bad := func(format string, a ...any) ([]jose.JSONWebKey, error) {
		return nil, &placement.InvalidError{Field: field, Value: from, Fix: fmt.Sprintf(format, a...)}
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(b, &set); err != nil {
		return bad("must be a JSON Web Key Set: %s", err)
	}
	var keys []jose.JSONWebKey
	ids := map[string]bool{}
	for i, raw := range set.Keys {
		var k jose.JSONWebKey
		if err := k.UnmarshalJSON(raw); errors.Is(err, jose.ErrUnsupportedKeyType) {
			continue
		} else if err != nil {
			return bad("key %d: %s", i+1, err)
		}
		r, isRSA := k.Key.(*rsa.PublicKey)
		switch {
		case !k.IsPublic():
			return bad("key %d: must be a public key; leave the secret ones with the issuer", i+1)
		case k.Use != "" && k.Use != "sig":
			continue
		case isRSA && r.N.BitLen() < minRSA:
			return bad("key %d: must have at least %d bits", i+1, minRSA)
		case ids[k.KeyID]:
			return bad("key %d: has the kid of a key before it", i+1)
		}
		ids[k.KeyID] = true
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return bad("must hold at least one public key for signatures")
	}
	return keys, nil
}
