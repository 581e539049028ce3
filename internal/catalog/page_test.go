package catalog_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

var update = flag.Bool("update", false, "write docs/errors.md")

const errorsHead = `# Errors

<!-- Made from the catalogue in internal/catalog by make errors-page. -->

Every error that leaves Sluice has a code that stays the same, so that programs can branch on it, and that this page and ` + "`sluice explain CODE`" + ` know. There are four
kinds: what a client of OpenSearch gets from a proxy, what an operator gets from the HTTP API and the command line, why a move waits or has ended where it began, and what
[the doctor](doctor.md) finds. A mistake in the configuration is ` + "`invalid`" + `; the message names the key, and what it must be.

## Of the proxy

What the proxy answers by itself has OpenSearch's shape, with two members more. ` + "`error.type`" + ` is stable, and programs branch on it; the text of
` + "`error.reason`" + ` is for people and may change.

` + "```json" + `
{
  "error": {
    "root_cause": [{"type": "sluice_too_many_requests", "reason": "..."}],
    "type": "sluice_too_many_requests", "reason": "...",
    "retryable": true,
    "action": "Repeat the request after the time in Retry-After, and have fewer under way at once."
  },
  "status": 429
}
` + "```" + `

` + "`retryable`" + ` is true if nothing was changed and the same request may succeed later. Where it is false, repeating it is of no use, or, after
` + "`sluice_outcome_unknown`" + `, not safe. ` + "`action`" + ` says what to do. Items of a bulk that fail in the proxy carry the same members in their own ` + "`error`" + `.

Errors of the cluster are passed on as they are, without these members; a tenant of a ` + "`shared_index`" + ` sees their types, and reasons of the proxy's.
A message that is no HTTP request is refused in the same shape before it has a tenant; under TLS, in plain text.
`

const problemsHead = `
## Of the HTTP API and the command line

The API answers with problems (` + "`application/problem+json`" + `, RFC 9457). ` + "`code`" + ` is stable, and programs branch on it; ` + "`type`" + ` is
` + "`urn:sluice:problem:`" + ` and the code. ` + "`title`, `retryable` and `action`" + ` are those of this table, ` + "`detail`" + ` is about the request, and ` + "`instance`" + ` has its id.

The command line ends with the exit code of the same table, and with ` + "`-o json`" + ` prints the error as one object in one line of standard error:
` + "`{\"error\": {\"code\", \"message\", \"exit\", \"retryable\", \"action\"}}`" + `.

| code | status | exit | retryable | meaning | what to do |
| --- | --- | --- | --- | --- | --- |
`

const movesHead = `
## Of a move and a wave

A precheck and a request are refused with these, a move that waits has one in ` + "`progress.note_code`" + `, one that has ended where it began, or has left something, in
` + "`error_code`" + `; a wave in ` + "`reason_code`" + `. Beside these there may be one of the table above, such as ` + "`store_unavailable`" + `. An exit code is there if a command can end by it.

| code | exit | meaning | what to do |
| --- | --- | --- | --- |
`

const doctorHead = `
## Found by the doctor

[What the doctor finds](doctor.md) has how bad each is, what it harms, and who repairs it.

| code | meaning | what to do |
| --- | --- | --- |
`

const exitsHead = `
## Exit codes

| code | meaning |
| --- | --- |
`

func yesno(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// number is n, or a dash for none.
func number(n int) string {
	if n == 0 {
		return "-"
	}
	return strconv.Itoa(n)
}

// page is the manual's page of the catalogue.
func page() string {
	var b strings.Builder
	b.WriteString(errorsHead)
	section := func(title string, own bool) {
		fmt.Fprintf(&b, "\n### %s\n\n| type | status | retryable | meaning | what to do |\n| --- | --- | --- | --- | --- |\n", title)
		for _, e := range catalog.Entries(catalog.Proxy) {
			if strings.HasPrefix(e.Code, "sluice_") != own {
				continue
			}
			var statuses []string
			for _, s := range e.Statuses {
				statuses = append(statuses, strconv.Itoa(s))
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", e.Code, strings.Join(statuses, ", "), yesno(e.Retryable), e.Meaning, e.Action)
		}
	}
	section("The proxy's own", true)
	section("OpenSearch's, answered in the cluster's place", false)
	b.WriteString(problemsHead)
	for _, e := range catalog.Entries(catalog.Operator) {
		fmt.Fprintf(&b, "| `%s` | %s | %d | %s | %s | %s |\n", e.Code, number(append(e.Statuses, 0)[0]), e.Exit, yesno(e.Retryable), e.Meaning, e.Action)
	}
	b.WriteString(movesHead)
	for _, e := range catalog.Entries(catalog.Move) {
		exit := "-"
		if e.Exit != catalog.ExitFailure {
			exit = number(e.Exit)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.Code, exit, e.Meaning, e.Action)
	}
	b.WriteString(doctorHead)
	for _, e := range catalog.Entries(catalog.Doctor) {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Code, e.Meaning, e.Action)
	}
	b.WriteString(exitsHead)
	for _, x := range catalog.Exits() {
		fmt.Fprintf(&b, "| %d | %s |\n", x.Code, x.Meaning)
	}
	return b.String()
}

// The manual's page says what the catalogue says.
func TestErrorsPage(t *testing.T) {
	const file = "../../docs/errors.md"
	want := page()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, string(have)); diff != "" {
		t.Errorf("the manual differs (-want +have); run make errors-page:\n%s", diff)
	}
}

// Every entry says what whoever gets it needs to know, once, and is found.
func TestEntries(t *testing.T) {
	n := 0
	for _, of := range catalog.Surfaces {
		seen := map[string]bool{}
		for _, e := range catalog.Entries(of) {
			n++
			if seen[e.Code] || e.Of != of {
				t.Errorf("%s of %s is there twice, or in the wrong place", e.Code, of)
			}
			seen[e.Code] = true
			if found, ok := catalog.Find(of, e.Code); !ok || found.Meaning != e.Meaning {
				t.Errorf("%s of %s is not found", e.Code, of)
			}
			for _, text := range []string{e.Meaning, e.Action, cmp.Or(e.Harm, e.Meaning)} {
				if len(text) < 15 || !strings.HasSuffix(text, ".") || strings.ContainsAny(text, "|\n") {
					t.Errorf("%s of %s: %q is no sentence", e.Code, of, text)
				}
			}
			switch of {
			case catalog.Proxy:
				if len(e.Statuses) == 0 || e.Exit != 0 {
					t.Errorf("%s: a proxy's error has statuses, and no exit code", e.Code)
				}
			case catalog.Doctor:
				if e.Harm == "" || e.Exit != 0 {
					t.Errorf("%s: a finding says what it harms, and has no exit code", e.Code)
				}
			default:
				known := false
				for _, x := range catalog.Exits()[1:] {
					known = known || x.Code == e.Exit
				}
				if !known || len(e.Statuses) > 1 {
					t.Errorf("%s of %s: exit code %d, %d statuses", e.Code, of, e.Exit, len(e.Statuses))
				}
			}
		}
	}
	if n < 150 {
		t.Errorf("only %d entries", n)
	}
	if len(catalog.Named("cluster_unreachable")) != 3 || len(catalog.Named("no such code")) != 0 {
		t.Error("Named does not return every surface's entry of a code")
	}
}
