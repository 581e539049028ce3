// Package tenancy finds the partition that a request belongs to.
//
// A request may claim a tenant: by a header, by a prefix of the path, or by the
// host name. And it may prove one: by a user's password, by a client certificate,
// by a signed token, or by an API key. Any number of these can be configured.
//
// The rule is one: whatever names a tenant must name the same one. So the order of
// looking does not matter, and the first match is the only one. It fails closed.
//
//   - A request that names no tenant is refused ([ErrNoTenant]).
//   - One whose places disagree is refused ([ErrContradiction]): a token of one
//     tenant with a header that names another would otherwise be served by
//     whichever is looked at first.
//   - Once a way to prove a tenant is configured, a claim alone is refused, and so
//     is a proof that does not hold, whatever else the request says
//     ([UnauthenticatedError]).
//
// A request also has a role: it may read, write documents, or change indices. A proof
// can give one ([Role]); what gives several gives the least of them.
//
// What named the tenant is removed from the request, credentials included, so that
// no cluster ever sees it. Files with keys and users are read again when they
// change. For any other rule, implement [Resolver].
package tenancy
