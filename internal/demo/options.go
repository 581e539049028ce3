package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// Options of a demo. Defaults returns useful ones.
type Options struct {
	Docs       int           // documents before the first move
	Rate       float64       // operations a second of all clients
	Workers    int           // clients
	Settle     time.Duration // load before, between and after the moves
	OpenSearch []string      // versions of the two clusters
	Moves      int           // there, back, there, ...
	DataDir    string        // for data and logs; empty is a temporary one
	Keep       bool          // leaves the directory behind
	LogFile    bool          // keeps the clients' log as a file in the directory
}

// Defaults returns the options of `sluice demo` without flags.
func Defaults() Options {
	return Options{Docs: 50_000, Rate: 150, Workers: 8, Settle: 3 * time.Second, OpenSearch: []string{engines.OpenSearch2, engines.OpenSearch2}, Moves: 2}
}

// Validate returns an error that names the flag and the fix.
func (o *Options) Validate() error {
	known := []string{engines.OpenSearch2, engines.OpenSearch3}
	switch {
	case o.Docs < 100 || o.Docs > 10_000_000:
		return fmt.Errorf("--docs: %d must be between 100 and 10000000", o.Docs)
	case o.Rate <= 0 || o.Rate > 100_000:
		return fmt.Errorf("--rate: %g must be more than 0 and at most 100000 operations a second", o.Rate)
	case o.Workers < 1 || o.Workers > 64:
		return fmt.Errorf("--clients: %d must be between 1 and 64", o.Workers)
	case o.Settle < 0:
		return fmt.Errorf("--settle: %v must not be negative", o.Settle)
	case o.Moves < 1 || o.Moves > 1000:
		return fmt.Errorf("--moves: %d must be between 1 and 1000", o.Moves)
	case len(o.OpenSearch) == 1:
		o.OpenSearch = []string{o.OpenSearch[0], o.OpenSearch[0]}
	case len(o.OpenSearch) != 2:
		return fmt.Errorf("--opensearch: must be one version for both clusters, or two: source,target")
	}
	for _, v := range o.OpenSearch {
		if !slices.Contains(known, v) {
			return fmt.Errorf("--opensearch: %q must be one of %s", v, strings.Join(known, ", "))
		}
	}
	if o.Moves > 1 && o.OpenSearch[0] < o.OpenSearch[1] {
		return fmt.Errorf("--moves: must be 1 with a newer target version: an index does not move back from OpenSearch %s to %s", o.OpenSearch[1], o.OpenSearch[0])
	}
	return nil
}
