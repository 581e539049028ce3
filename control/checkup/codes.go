package checkup

import "github.com/sluiceproxy/sluice/internal/catalog"

// Severity of a finding.
type Severity string

// The severities.
const (
	Info    Severity = "info"    // it heals by itself, or only somebody should know
	Warning Severity = "warning" // nothing fails now; something is left over, or will be in the way
	Error   Severity = "error"   // a tenant, or every move, suffers
)

// How a finding is repaired.
type how string

const (
	byItself  how = "itself"
	byFix     how = "doctor"
	byNaming  how = "doctor, by naming"
	byPersons how = "hand"
)

// Kind is a kind of finding. Its code is stable: programs branch on it.
type Kind struct {
	Code     string
	Severity Severity
	What     string
	Harm     string
	Repair   string
	how      how
}

// ByNaming reports whether a finding of the kind is repaired only if its code is named.
func (k Kind) ByNaming() bool { return k.how == byNaming }

// By says who repairs findings of the kind: "itself" (a controller or a proxy does it),
// "doctor", "doctor, by naming", or "hand".
func (k Kind) By() string { return string(k.how) }

// HealsByItself reports whether nobody has to do anything but to let a controller run.
func (k Kind) HealsByItself() bool { return k.how == byItself }

// Kinds are all kinds of findings. docs/doctor.md is made from it.
var Kinds = func() (out []Kind) {
	for _, r := range rows {
		e, _ := catalog.Find(catalog.Doctor, r.code)
		out = append(out, Kind{Code: r.code, Severity: r.severity, What: e.Meaning, Harm: e.Harm, Repair: e.Action, how: r.how})
	}
	return out
}()

// rows are what is known here of each kind; what it is, what it harms and what repairs it
// are in the catalogue of errors.
var rows = []struct {
	code     string
	severity Severity
	how      how
}{
	// The table: entries.
	{"entry_corrupt", Error, byNaming},
	{"entry_move_gone", Error, byFix},
	{"entry_move_ended", Error, byFix},
	{"flip_lost", Error, byNaming},
	{"previous_move_gone", Warning, byFix},
	{"entry_cluster_unknown", Error, byPersons},
	{"place_taken_twice", Error, byPersons},
	{"index_missing", Warning, byPersons},

	// The table: moves.
	{"move_corrupt", Error, byNaming},
	{"move_without_driver", Info, byItself},
	{"move_without_entry", Info, byItself},
	{"move_cluster_unknown", Error, byPersons},
	{"retire_waits", Info, byItself},
	{"no_controller", Warning, byPersons},

	{"trash_corrupt", Error, byNaming},

	// The table: waves and labels.
	{"wave_corrupt", Error, byNaming},
	{"item_corrupt", Error, byNaming},
	{"wave_without_driver", Info, byItself},
	{"item_without_move", Info, byItself},
	{"item_without_wave", Warning, byFix},
	{"item_not_ended", Warning, byFix},
	{"label_without_tenant", Warning, byFix},
	{"label_corrupt", Warning, byNaming},

	// The table: processes and clusters.
	{"roster_corrupt", Error, byNaming},
	{"session_corrupt", Error, byPersons},
	{"roster_without_session", Info, byItself},
	{"journal_left", Info, byItself},
	{"cluster_corrupt", Error, byNaming},
	{"cluster_unreachable", Warning, byPersons},

	// On the clusters.
	{"target_left", Warning, byFix},
	{"target_unknown", Warning, byNaming},
	{"alias_left", Warning, byFix},
	{"block_left", Error, byFix},
	{"block_foreign", Warning, byNaming},
	{"fence_missing", Warning, byFix},
	{"snapshot_left", Warning, byFix},
	{"snapshot_unknown", Warning, byPersons},
	{"repository_unreadable", Warning, byPersons},
	{"orphan_documents", Warning, byNaming},
}

var kinds = func() map[string]Kind {
	out := map[string]Kind{}
	for _, k := range Kinds {
		out[k.Code] = k
	}
	return out
}()
