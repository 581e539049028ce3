package api

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Role is what somebody may do. Viewer, Operator and Admin each may do what those before
// it may. Proxy is beside them: it may take part in the fleet, and nothing else.
type Role uint8

// The roles.
const (
	Proxy    Role = iota + 1 // be a proxy of the fleet
	Viewer                   // look
	Operator                 // move tenants, and what belongs to it
	Admin                    // say what clusters and tenants there are, and read the audit log
)

// Roles are the names of all roles, the least first. Of several that somebody has, the
// last counts.
var Roles = []string{"proxy", "viewer", "operator", "admin"}

// may reports whether whoever has the role may do what need is needed for. Nobody but an
// admin takes part in the fleet besides proxies: whoever holds a session can keep every
// move waiting, and whoever looks need not be able to.
func (r Role) may(need Role) bool {
	if need == Proxy {
		return r == Proxy || r == Admin
	}
	return need > 0 && r >= need
}

func (r Role) String() string {
	if r < Proxy || r > Admin {
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
	if err == nil && !who.Role.may(need) {
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
