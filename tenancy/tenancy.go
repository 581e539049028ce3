package tenancy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
)

// The refusals of Resolve, besides *UnauthenticatedError; a tenant name that may
// be none is a *placement.InvalidError.
var (
	ErrNoTenant      = catalog.New("sluice_tenant_required", "the request names no tenant")
	ErrContradiction = catalog.New("sluice_tenant_conflict", "the request names more than one tenant")
)

// UnauthenticatedError is the refusal of a request that does not prove its tenant.
type UnauthenticatedError struct {
	// Reason is for the client. It holds nothing of the credential.
	Reason string
	// Challenges are the values of WWW-Authenticate, for what is configured.
	Challenges []string
}

func (e *UnauthenticatedError) Error() string { return "not authenticated: " + e.Reason }

// ErrorCode is its code in the catalogue of errors.
func (e *UnauthenticatedError) ErrorCode() string { return "sluice_unauthenticated" }

// Identity is whose a request is, and what it may do.
type Identity struct {
	Tenant placement.PartitionID
	Role   Role // the zero Role may do nothing
}

// Resolver finds a request's partition.
type Resolver interface {
	// Resolve returns the partition and the role, and removes what named them from r:
	// r is the caller's own copy. On an error the request must not be served.
	Resolve(r *http.Request) (Identity, error)
}

// Options of New. The zero value is useful.
type Options struct {
	// Every is the least time between two looks at a file (default one second).
	Every time.Duration
	// Now is the clock that tokens expire by (default time.Now).
	Now    func() time.Time
	Logger *slog.Logger // default: discard
}

// place is one place in a request that may name its tenant.
type place interface {
	// find returns the name and the role, 0 if it says nothing of one; or no name and
	// no error if the request says nothing here. An error is a refusal.
	find(r *http.Request) (string, Role, error)
	// strip removes from the request what find looked at.
	strip(r *http.Request)
}

// named is a place with what it is called in errors.
type named struct {
	name string
	place
}

type resolver struct {
	proofs     []named
	claims     []named
	challenges []string
	role       Role       // of a request that says nothing of one
	header     roleHeader // empty: none
}

// New returns the Resolver of a valid configuration. It reads the files.
func New(c Config, o *Options) (Resolver, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	var opt Options
	if o != nil {
		opt = *o
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	x := &resolver{role: RoleAdmin, header: roleHeader(c.RoleHeader)}
	if c.Role != "" {
		x.role, _ = ParseRole(c.Role) // validated
	}
	if err := x.addProofs(c, &opt); err != nil {
		return nil, err
	}
	if c.Header != "" {
		x.claims = append(x.claims, named{"header " + c.Header, header(c.Header)})
	}
	if c.Host != "" {
		x.claims = append(x.claims, named{"host", newHost(c.Host)})
	}
	if c.PathPrefix != "" {
		x.claims = append(x.claims, named{"path", pathPrefix(c.PathPrefix)})
	}
	return x, nil
}

func (x *resolver) addProofs(c Config, o *Options) error {
	add := func(name string, p place, challenge ...string) {
		x.proofs = append(x.proofs, named{name, p})
		x.challenges = append(x.challenges, challenge...)
	}
	const basicChallenge = `Basic realm="sluice", charset="UTF-8"`
	if c.Basic.Trusted {
		add("user", trustedUser{}, basicChallenge)
	}
	if c.Basic.UsersFile != "" {
		p, err := newUsers(c.Basic, o)
		if err != nil {
			return err
		}
		add("user", p, basicChallenge)
	}
	if c.ClientCert.Field != "" {
		add("client certificate", newClientCert(c.ClientCert))
	}
	if c.JWT.KeysFile != "" {
		p, err := newTokens(c.JWT, o)
		if err != nil {
			return err
		}
		add("token", p, `Bearer realm="sluice"`)
	}
	if c.APIKey.KeysFile != "" {
		p, err := newAPIKeys(c.APIKey, o)
		if err != nil {
			return err
		}
		if c.APIKey.Header == "" {
			add("API key", p, `ApiKey realm="sluice"`)
		} else {
			add("API key", p)
		}
	}
	return nil
}

// Resolve implements Resolver.
func (x *resolver) Resolve(r *http.Request) (Identity, error) {
	var found placement.PartitionID
	var role Role
	look := func(places []named) error {
		for _, p := range places {
			id, may, err := p.find(r)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if id == "" {
				continue
			}
			name := placement.PartitionID(id)
			if err := name.Validate(); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if found != "" && found != name {
				return ErrContradiction
			}
			found, role = name, lesser(role, may)
		}
		return nil
	}
	// Proofs first: who proves nothing learns nothing about what would agree.
	if len(x.proofs) > 0 {
		err := look(x.proofs)
		if err == nil && found == "" {
			err = refused("the request has no credentials")
		}
		var un *UnauthenticatedError
		if errors.As(err, &un) {
			un.Challenges = x.challenges
		}
		if err != nil {
			return Identity{}, err
		}
	}
	if err := look(x.claims); err != nil {
		return Identity{}, err
	}
	if found == "" {
		return Identity{}, ErrNoTenant
	}
	role, err := x.roleOf(r, role)
	if err != nil {
		return Identity{}, err
	}
	for _, places := range [][]named{x.proofs, x.claims} {
		for _, p := range places {
			p.strip(r)
		}
	}
	return Identity{Tenant: found, Role: role}, nil
}

// roleOf is what a request may do whose places say proved; 0 if they say nothing.
func (x *resolver) roleOf(r *http.Request, proved Role) (Role, error) {
	role := proved
	if x.header != "" {
		claimed, err := x.header.find(r)
		if err != nil {
			return 0, err
		}
		// Whatever is in front of the proxies sets the header in every request, unless
		// there are proofs, which know better.
		if claimed == 0 && len(x.proofs) == 0 {
			return 0, fmt.Errorf("%w: the header %s is missing", ErrNoRole, string(x.header))
		}
		if proved == 0 && len(x.proofs) > 0 {
			proved = x.role
		}
		role = lesser(proved, claimed)
		r.Header.Del(string(x.header))
	}
	if role == 0 {
		role = x.role
	}
	return role, nil
}

func refused(reason string) error { return &UnauthenticatedError{Reason: reason} }
