package proxy

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/sluiceproxy/sluice/tenancy"
)

// Cleartext says what is done with a request that would change something and came
// without TLS. The zero value is CleartextLoopback.
type Cleartext string

// The values of Cleartext.
const (
	CleartextLoopback Cleartext = "loopback" // refused unless it comes from this machine
	CleartextAllow    Cleartext = "allow"
	CleartextRefuse   Cleartext = "refuse"
)

// needs is the role that a request needs, from what its row of the table does. A row
// that is refused for everybody needs none.
func (e *endpoint) needs(method string) tenancy.Role {
	switch {
	case e.op == opAllPITs && method == http.MethodDelete: // of all who use the tenant
		return tenancy.RoleWrite
	case e.op == opRefresh, e.op == opMaintain, e.op == opCancelTask, e.op == opRethrottle:
		return tenancy.RoleWrite
	}
	switch e.class {
	case classRead, classCursor, classTask:
		return tenancy.RoleRead
	case classWrite, classBulk, classByQuery:
		return tenancy.RoleWrite
	case classNone:
		return 0
	}
	return tenancy.RoleAdmin // classAdmin, and what somebody adds and forgets here
}

// permit refuses what the role does not allow, and changes that whoever is on the
// way could have made up.
func (q *request) permit() error {
	need := q.needs(q.r.Method)
	if q.role < need {
		return fail(http.StatusForbidden, TypeRole, "[%s %s] needs the role %s, and the credentials give %s", q.r.Method, q.r.URL.Path, need, q.role)
	}
	if need > tenancy.RoleRead && !q.p.mayChange(q.r) {
		return fail(http.StatusForbidden, TypeCleartext, "[%s %s] changes something and came without TLS; use https, or have the operator set proxy.cleartext", q.r.Method, q.r.URL.Path)
	}
	return nil
}

// mayChange reports whether a change is taken from the connection that r came by.
func (p *Proxy) mayChange(r *http.Request) bool {
	if p.o.Cleartext == CleartextAllow {
		return true
	}
	peer := peerOf(r)
	if !p.trusts(peer) {
		return r.TLS != nil || p.o.Cleartext == CleartextLoopback && peer.IsLoopback()
	}
	proto := r.Header.Values("X-Forwarded-Proto")
	if len(proto) == 0 {
		return r.TLS != nil
	}
	// Two values are two hops, and one of them may have been in the clear.
	return len(proto) == 1 && strings.EqualFold(proto[0], "https")
}

// peerOf is the other end of the connection; the zero address if it has none.
func peerOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a, _ := netip.ParseAddr(host)
	return a.Unmap().WithZone("")
}

// trusts reports whether an address is of a proxy in front that says the truth about
// its clients.
func (p *Proxy) trusts(a netip.Addr) bool {
	for _, t := range p.o.TrustedProxies {
		if t.Contains(a) {
			return true
		}
	}
	return false
}
