package clients_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/sluiceproxy/sluice/internal/engines"
)

var update = flag.Bool("update", false, "write the page of the manual that is made from the table")

const pageHead = `# Clients

<!-- Made from the table in internal/clients/differences_test.go by make clients-page. -->

OpenSearch's official clients work with a proxy as they are: they are given its address instead of the cluster's, and name their tenant by
a header that they send with every request, or by a user and a password. The tests run each of these, unmodified, against a cluster
and against a proxy in front of it, with a tenant of each kind of placement, and compare what every call returns or raises:

| client | version |
| --- | --- |
%s
` + "`http`" + ` stands for requests that the test writes by hand, for what clients are free to do: compressed and chunked bodies, ids and their encodings,
headers, ` + "`Expect: 100-continue`" + `, connections that are used again. The cluster is OpenSearch %s, or %s where there is no JDK for that. The tenant of a ` + "`dedicated_cluster`" + ` proves itself by a password; that of a
` + "`dedicated_index`" + ` has moved before, and its clients compress their requests. Times and ids that the cluster makes up
are not compared.

## What differs

Everything else is the same. A test fails if anything differs that is not in this list, and if anything in the list does not differ. Names of
calls are those of the tests; an asterisk stands for any text. [Endpoints](endpoints.md) has all endpoints with reasons.

| calls | placement | client | what | why |
| --- | --- | --- | --- | --- |
`

// page is the manual's page of the table.
func page(t *testing.T) string {
	t.Helper()
	var b, versions strings.Builder
	for _, c := range all {
		if c.lock == "" {
			continue
		}
		fmt.Fprintf(&versions, "| %s | %s |\n", c.name, c.pinned(t))
	}
	fmt.Fprintf(&b, pageHead, versions.String(), engines.OpenSearch3, engines.OpenSearch2)
	code := func(list string) string { return "`" + strings.Join(strings.Fields(list), "` `") + "`" }
	for _, d := range table {
		what, who := "other values of "+code(d.fields), d.clients
		if d.refused != "" {
			what = "refused: " + code(d.refused)
		}
		if who == "" {
			who = "all"
		}
		kinds := d.kinds
		if kinds == everyKind {
			kinds = "any"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code(d.calls), strings.ReplaceAll(kinds, " ", ", "), strings.ReplaceAll(who, " ", ", "), what, d.why)
	}
	return b.String()
}

// pinned is the client's version in its lock file.
func (c client) pinned(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(c.lock)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(regexp.QuoteMeta(c.artifact) + `(?:/v\d+|"|</artifactId>)?[\s:="]*(?:<version>)?v?(\d[\w.]*)`).FindSubmatch(raw)
	if m == nil {
		t.Fatalf("%s pins no version of %s", c.lock, c.artifact)
	}
	return string(m[1])
}

// The manual's page says what the table says.
func TestPage(t *testing.T) {
	const file = "../../docs/clients.md"
	want := page(t)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("the manual differs (-want +have); run make clients-page:\n%s", diff)
	}
}
