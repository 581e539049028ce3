package checkup_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluiceproxy/sluice/control/checkup"
)

var update = flag.Bool("update", false, "write docs/doctor.md")

const pageHead = `# What the doctor finds

<!-- Made from the catalogue in internal/catalog and the table in control/checkup/codes.go by make doctor-page. -->

` + "`sluice doctor`" + ` looks at the table and at every cluster that is in it, and reports what does not belong together: what it is, what it harms, and what repairs it.
It changes nothing. It looks twice, a second apart, and reports what it has seen both times, so that a fleet at work is not taken for a broken one.

| command | |
| --- | --- |
| ` + "`sluice doctor`" + ` | look, and report; ` + "`-o json`" + ` for programs |
| ` + "`sluice doctor --fix`" + ` | also say what would be repaired |
| ` + "`sluice doctor --fix --yes`" + ` | repair it, look again, and report what is left |
| ` + "`sluice doctor --fix --only CODE[:SUBJECT] --yes`" + ` | repair only that; what is marked *by naming* below is repaired in no other way, because something may be lost by it |
| ` + "`GET /api/v1/doctor`, `POST /api/v1/doctor/repair`" + ` | the same by [the API](api.md) |
| ` + "`sluice doctor store`" + ` | whether the store under the table keeps its promises; see [stores](stores/measured.md) |

Exit code 0: nothing was found, or only what heals by itself (severity ` + "`info`" + `). 6: something is left over or will be in the way (` + "`warning`" + `). 7: a tenant or every
move suffers (` + "`error`" + `). 4: the table cannot be read.

It is safe beside controllers that are at work. A repair of the table is a compare-and-swap from what was judged. A repair on a cluster looks once more at the table
and at the very index, by its UUID, right before; what takes more than one request is left to a controller, which does it as after any crash. What a move
may still use is not touched. After an interrupted repair, run it again.

What a controller, a proxy or a mover leaves that dies between any two of its writes heals by itself, once a controller runs. The others take more: an operator who
deletes or edits records, a store that was restored from a backup, a cluster that was away for long.
`

func page() string {
	var b strings.Builder
	b.WriteString(pageHead)
	for _, sev := range []struct {
		is    checkup.Severity
		title string
	}{{checkup.Error, "Errors"}, {checkup.Warning, "Warnings"}, {checkup.Info, "Information"}} {
		fmt.Fprintf(&b, "\n## %s\n\n| code | what it is | what it harms | what repairs it | by |\n| --- | --- | --- | --- | --- |\n", sev.title)
		for _, k := range checkup.Kinds {
			if k.Severity == sev.is {
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.Code, k.What, k.Harm, k.Repair, k.By())
			}
		}
	}
	return b.String()
}

func TestPage(t *testing.T) {
	const file = "../../docs/doctor.md"
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
	if diff := cmp.Diff(want, string(have)); diff != "" {
		t.Errorf("the manual differs (-want +have); run make doctor-page:\n%s", diff)
	}
}
