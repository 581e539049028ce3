package tenancy

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// Role is what a request may do with its tenant. Each may do what the one before may.
type Role int

// The roles. The zero Role may do nothing.
const (
	RoleRead  Role = iota + 1 // read and search documents, look at indices
	RoleWrite                 // change documents
	RoleAdmin                 // change indices
)

// Roles are the names of the roles, from the least.
var Roles = []string{"read", "write", "admin"}

// ParseRole returns the role of a name, and false if it is none.
func ParseRole(name string) (Role, bool) {
	for i, n := range Roles {
		if n == name {
			return Role(i + 1), true
		}
	}
	return 0, false
}

// String implements fmt.Stringer.
func (r Role) String() string {
	if r < RoleRead || r > RoleAdmin {
		return "none"
	}
	return Roles[r-1]
}

// ErrNoRole is the refusal of a request that must say what it may do, and does not.
var ErrNoRole = catalog.New("sluice_role", "the request has no role")

// roleHeader is a header that holds a role. It can lower what a proof gives, and
// never raise it.
type roleHeader string

func (h roleHeader) find(r *http.Request) (Role, error) {
	values := r.Header.Values(string(h))
	if len(values) == 0 {
		return 0, nil
	}
	role, ok := ParseRole(values[0])
	if !ok || len(values) > 1 {
		return 0, fmt.Errorf("%w: the header %s must be there once and be one of %s", ErrNoRole, string(h), strings.Join(Roles, ", "))
	}
	return role, nil
}

// splitRole takes a role off the end of a field of a line, as in "HASH read".
func splitRole(field string) (rest string, role Role, err error) {
	rest, name, found := strings.Cut(field, " ")
	if !found {
		return field, 0, nil
	}
	role, ok := ParseRole(name)
	if !ok {
		return "", 0, errors.New("has a word after the hash that is no role: one of " + strings.Join(Roles, ", "))
	}
	return rest, role, nil
}

// lesser is the lesser of two roles, of which 0 says nothing.
func lesser(a, b Role) Role {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
