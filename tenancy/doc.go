// Package tenancy finds the partition that a request belongs to: by a header, by
// a prefix of the path, or by the host name.
//
// It fails closed. A request that names no tenant is refused ([ErrNoTenant]), and
// so is one whose sources disagree ([ErrContradiction]): a header that names one
// tenant in a request to the host of another would otherwise be served by
// whichever source is looked at first. What named the tenant is removed from the
// request, so that the cluster never sees it.
package tenancy
