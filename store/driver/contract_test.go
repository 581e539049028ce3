package driver_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/store/driver"
)

var update = flag.Bool("update", false, "rewrite docs/stores/contract.md")

// page is the page of the manual about the guarantees.
func page() string {
	var b strings.Builder
	b.WriteString(`# What every store guarantees

<!-- Written by go test ./store/driver -update; the list is in store/driver/contract.go. -->

Sluice uses every store through the same contract. Each guarantee below is a test of that name in ` + "`store/drivertest`" + `, which runs
against the real servers; each "Survives" is an outage that the test makes while writers, readers, watches and sessions are
at work. Where a store cannot keep a guarantee it declares so: ` + "`sluice doctor store`" + ` says why, what could happen, and what to
set, and a test shows the weakness.

An engine that can tell with one read how far the table has come has a *Head*. One that cannot (OpenSearch) has *Versions*, which reads many
keys at once, and *Since*, which reads what changed. Every store owes the guarantees of the one or of the other.

| guarantee | what it says |
| --- | --- |
`)
	for _, g := range driver.Guarantees() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", g.Name, g.Statement)
	}
	return b.String()
}

// The manual says what the contract says.
func TestContractPage(t *testing.T) {
	const name = "../../docs/stores/contract.md"
	if *update {
		if err := os.WriteFile(name, []byte(page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page(), string(have)); diff != "" {
		t.Errorf("the manual differs (-want +have); run this test with -update:\n%s", diff)
	}
}

// The list is the caller's: changing it changes nothing.
func TestGuaranteesIsACopy(t *testing.T) {
	first := driver.Guarantees()[0]
	driver.Guarantees()[0].Name = "changed"
	if got := driver.Guarantees()[0]; got != first {
		t.Fatalf("the list now begins with %v", got)
	}
}

// Keys that every driver takes, and those that none does.
func TestKeyValidate(t *testing.T) {
	for _, c := range []struct {
		key driver.Key
		ok  bool
	}{
		{driver.Key{Space: "entries", Name: "n"}, true},
		{driver.Key{Space: "e", Name: "\x00"}, true},
		{driver.Key{Space: "entries", Name: strings.Repeat("\xff", driver.MaxName)}, true},
		{driver.Key{Space: "entries", Name: strings.Repeat("n", driver.MaxName+1)}, false},
		{driver.Key{Space: "entries"}, false},
		{driver.Key{Name: "n"}, false},
		{driver.Key{Space: "Entries", Name: "n"}, false},
		{driver.Key{Space: "a/b", Name: "n"}, false},
		{driver.Key{Space: "é", Name: "n"}, false},
	} {
		if err := c.key.Validate(); (err == nil) != c.ok {
			t.Errorf("%q in %q: %v; want it taken: %t", c.key.Name, c.key.Space, err, c.ok)
		}
	}
}
