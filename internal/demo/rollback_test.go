package demo_test

import (
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// TestUpgradeAndRollback takes the tenant to a newer OpenSearch and back to its old copy, under load, with cursors open over
// both flips. The clients' ledger has to be clean.
func TestUpgradeAndRollback(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	enginetest.RequireOpenSearch(t, engines.OpenSearch3)
	program, err := buildSluice()
	must(t, err)
	o := demo.Defaults()
	o.OpenSearch, o.Docs, o.Rate, o.Settle = []string{engines.OpenSearch2, engines.OpenSearch3}, 2000, 80, 2*time.Second
	res, err := demo.Run(t.Context(), program, o, t.Output())
	must(t, err)
	if !res.OK || res.Counts.Acknowledged < 2000 || len(res.Legs) != 2 || res.Legs[0].Rollback || !res.Legs[1].Rollback {
		t.Errorf("%+v", res)
	}
}
