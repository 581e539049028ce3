package control

import "github.com/sluiceproxy/sluice/internal/catalog"

// ErrorCode is its code in the catalogue of errors.
func (e *BarrierPending) ErrorCode() string { return "barrier_pending" }

// ErrorCode is its code in the catalogue of errors.
func (e *UnresolvedError) ErrorCode() string { return "unresolved" }

// ErrorCode is its code in the catalogue of errors.
func (e *VanishedError) ErrorCode() string { return "proxies_vanished" }

// ErrorCode is its code in the catalogue of errors.
func (e *overBudget) ErrorCode() string { return "over_budget" }

// ErrorCode is its code in the catalogue of errors.
func (e *restError) ErrorCode() string { return "outside_copy_hours" }

// ErrorCode is its code in the catalogue of errors.
func (e *driftError) ErrorCode() string { return "drift" }

// ErrorCode is its code in the catalogue of errors.
func (e *peerError) ErrorCode() string { return "proxy_away" }

// ErrorCode is its code in the catalogue of errors.
func (e *shadowDiffers) ErrorCode() string { return "shadow_differs" }

// ErrorCode is its code in the catalogue of errors.
func (e *UnreachableError) ErrorCode() string { return "cluster_unreachable" }

// ErrorCode is its code in the catalogue of errors.
func (e *Refusal) ErrorCode() string {
	if code := catalog.Of(e.Err); code != "" {
		return code
	}
	return "refused"
}
