package api

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Role is what somebody may do. Each may do what those before it may.
type Role uint8

// The roles.
const (
	Viewer   Role = iota + 1 // look
	Operator                 // move tenants, and what belongs to it
	Admin                    // say what clusters and tenants there are, and read the audit log
)

// Roles are the names of all roles, the least first.
var Roles = []string{"viewer", "operator", "admin"}

func (r Role) String() string {
	if r < Viewer || r > Admin {
		return "none"
	}
	return Roles[r-1]
}

// roleKey is where an operation has the role that it needs.
const roleKey = "role"

// authorize lets through who has the role that the operation needs.
func (a *API) authorize(ctx huma.Context, next func(huma.Context)) {
	need, _ := ctx.Operation().Metadata[roleKey].(Role)
	r, _ := humago.Unwrap(ctx)
	who, err := a.auth.who(r)
	if err == nil && (who.Role < need || need == 0) {
		err = problem(CodeForbidden, "the role "+need.String()+" is needed, and "+who.Name+" has "+who.Role.String())
	}
	if err != nil {
		p := a.problemOf(ctx.Context(), err)
		if p.Code == CodeUnauthenticated {
			ctx.SetHeader("WWW-Authenticate", "Bearer")
		}
		ctx.SetHeader("Content-Type", p.ContentType(""))
		ctx.SetStatus(p.Status)
		_ = a.huma.Marshal(ctx.BodyWriter(), "application/json", p) // the client has gone
		return
	}
	next(huma.WithValue(ctx, principalKey{}, who))
}

// ParseRole reads a role's name.
func ParseRole(name string) (Role, bool) {
	i := slices.Index(Roles, name)
	return Role(i + 1), i >= 0
}

// local reports whether a connection comes from this machine.
func local(remote string) bool {
	a, err := netip.ParseAddrPort(remote)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// localName reports whether a request was meant for this machine. One that a page of
// somebody else's has a browser send, by a name of his that leads here, was not.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.Unmap().IsLoopback()
}
