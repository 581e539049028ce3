package checkup

import (
	"context"

	"github.com/sluiceproxy/sluice/store"
)

// rounds bounds how often it is looked again after a repair, which may show what was
// hidden by what was repaired.
const rounds = 5

// Outcome is what was found, and what was repaired before.
type Outcome struct {
	Report
	Worst    Severity `json:"worst,omitempty"`
	Repaired []Done   `json:"repaired,omitempty"`
	// Acted has what Repaired is about, as it was found.
	Acted []Finding `json:"-"`
}

// Run examines, and with repair acts on what is chosen and looks again, until nothing is
// left that it can repair. names are codes, or code:subject: only what they name is
// reported, and acted on; none: all, but what is repaired only by naming it. With an
// error it returns what was done until then.
func Run(ctx context.Context, s *store.Store, repair bool, names []string, o *Options) (Outcome, error) {
	var out Outcome
	tried := map[string]bool{}
	for range rounds {
		r, err := Examine(ctx, s, o)
		if err != nil {
			return out, err
		}
		out.Report = *r
		var chosen []Finding
		named := []Finding{}
		for _, f := range r.Findings {
			if Named(f, names) {
				named = append(named, f)
			}
			if repair && Chosen(f, names) && !tried[f.key()] {
				tried[f.key()] = true
				chosen = append(chosen, f)
			}
		}
		out.Findings = named
		out.Worst = out.Report.Worst()
		if len(chosen) == 0 {
			return out, nil
		}
		out.Acted = append(out.Acted, chosen...)
		out.Repaired = append(out.Repaired, Repair(ctx, chosen, names)...)
		if err := ctx.Err(); err != nil {
			return out, err
		}
	}
	return out, nil
}
