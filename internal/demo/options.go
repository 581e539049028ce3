package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/placement"
)

// Options of a demo. Defaults returns useful ones.
type Options struct {
	Docs       int           // documents before the first move
	Rate       float64       // operations a second of all clients
	Workers    int           // clients
	Settle     time.Duration // load before, between and after the moves
	OpenSearch []string      // versions of the two clusters
	Moves      int           // there, back, there, ...; with two versions back is a rollback
	Store      string        // where the placement table is: one of Stores
	// Placement is how the tenant is placed: in an index of its own, or on a
	// cluster of its own, where clients use the cluster's names.
	Placement placement.Kind
	Throttle  string // of the moves, as `sluice move --copy-throttle` has it: auto or off
	DataDir   string // for data and logs; empty is a temporary one
	Keep      bool   // leaves the directory behind
	LogFile   bool   // keeps the clients' log as a file in the directory
}

// Defaults returns the options of `sluice demo` without flags.
func Defaults() Options {
	return Options{Docs: 50_000, Rate: 150, Workers: 8, Settle: 3 * time.Second, OpenSearch: []string{engines.OpenSearch2, engines.OpenSearch2}, Moves: 2, Store: "etcd", Placement: placement.DedicatedIndex, Throttle: "off"}
}

// Validate returns a *placement.InvalidError that names the flag and the fix, or nil.
func (o *Options) Validate() error {
	bad := func(flag string, value any, fix string) error {
		return &placement.InvalidError{Field: flag, Value: fmt.Sprint(value), Fix: fix}
	}
	known := []string{engines.OpenSearch2, engines.OpenSearch3}
	switch {
	case o.Docs < 100 || o.Docs > 10_000_000:
		return bad("--docs", o.Docs, "must be between 100 and 10000000")
	case !(o.Rate > 0 && o.Rate <= 100_000): // as written it refuses NaN too
		return bad("--rate", o.Rate, "must be more than 0 and at most 100000 operations a second")
	case o.Workers < 1 || o.Workers > 64:
		return bad("--clients", o.Workers, "must be between 1 and 64")
	case o.Settle < 0 || o.Settle > time.Hour:
		return bad("--settle", o.Settle, "must be between 0s and 1h")
	case o.Moves < 1 || o.Moves > 1000:
		return bad("--moves", o.Moves, "must be between 1 and 1000")
	case !slices.Contains(Stores, o.Store):
		return bad("--store", o.Store, "must be one of "+strings.Join(Stores, ", "))
	case o.Placement != placement.DedicatedIndex && o.Placement != placement.DedicatedCluster:
		return bad("--placement", o.Placement, "must be dedicated_index or dedicated_cluster")
	case o.Throttle != "auto" && o.Throttle != "off":
		return bad("--copy-throttle", o.Throttle, "must be auto or off")
	case len(o.OpenSearch) == 1:
		o.OpenSearch = []string{o.OpenSearch[0], o.OpenSearch[0]}
	case len(o.OpenSearch) != 2:
		return bad("--opensearch", strings.Join(o.OpenSearch, ","), "must be one version for both clusters, or two: source,target")
	}
	for _, v := range o.OpenSearch {
		if !slices.Contains(known, v) {
			return bad("--opensearch", v, "must be one of "+strings.Join(known, ", "))
		}
	}
	if o.OpenSearch[0] > o.OpenSearch[1] {
		return bad("--opensearch", strings.Join(o.OpenSearch, ","), "must not go to an older version")
	}
	return nil
}
