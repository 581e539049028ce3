// Package proxy is the data plane: an HTTP handler that serves each tenant from
// wherever its placement says, through the gate, so that a move neither loses an
// acknowledged write nor fails a request. One file per step: classify, resolve,
// enter the gate, forward, answer; and bulk, cursor, task for what differs.
//
// What it refuses, in OpenSearch's own error shape: every endpoint that is not in
// its table (docs/endpoints.md), because what it does not understand it cannot keep
// inside a tenant; in a dedicated index every name of an index but the tenant's own,
// wildcards and lists included (with a pattern of indices those are put inside it), in paths, bulk lines and inside queries (terms
// lookup, more_like_this, percolate, indexed shapes); bodies that are not JSON; and
// to remove or close an index while its tenant moves.
//
// In a shared index what a tenant writes is marked, and what it is answered is
// built from what package tenancy/shared and the shapes of answers here know; all
// else is refused or left out, and the cluster's own words about errors are not
// passed on.
//
// Scrolls and points in time go on where they were opened, wherever their tenant is
// by now; an id of a cursor that this service did not give out is sent nowhere.
//
// What it never does: send a write twice that may have arrived, or report success
// for a write whose outcome is unknown. Such a write is answered with status 504
// and type sluice_outcome_unknown, which the official clients do not repeat by
// themselves (they would repeat a 503). It may or may not take effect.
//
// Writes run detached from the client's connection, up to Options.WriteTimeout,
// and their timeout parameter is capped below it, so that OpenSearch gives up
// waiting for a shard before the proxy gives up waiting for OpenSearch.
package proxy
