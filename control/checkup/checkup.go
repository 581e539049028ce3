package checkup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/store"
)

// Subject is what a finding is about.
type Subject struct {
	Type string `json:"type"` // tenant, move, wave, item, process, cluster, index, repository, snapshot, documents or table
	Name string `json:"name"` // of an index cluster/index, of a snapshot cluster/repository/snapshot, of documents cluster/index/tenant
}

func (s Subject) String() string { return s.Type + " " + s.Name }

// Finding is one thing that does not belong, or that somebody should know.
type Finding struct {
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	Subject  Subject  `json:"subject"`
	What     string   `json:"what"`
	Detail   string   `json:"detail,omitempty"` // of this one
	Harm     string   `json:"harm"`
	Repair   string   `json:"repair"`
	// Repairable: Repair can do it. ByNaming: only if the code is named, because
	// something may be lost.
	Repairable bool `json:"repairable"`
	ByNaming   bool `json:"by_naming,omitempty"`

	// fix repairs it, and says what was done. errChanged: it is not as it was.
	fix func(ctx context.Context) (string, error)
}

// key is equal for the same finding of two looks.
func (f Finding) key() string { return f.Code + "\x00" + f.Subject.String() }

// Heals reports whether it will heal by itself.
func (f Finding) Heals() bool { return kinds[f.Code].HealsByItself() }

// errChanged: what was found is not there any more, or is another; nothing was done.
var errChanged = errors.New("it has changed since; nothing was done")

// Options of Examine. The zero value is useful.
type Options struct {
	// Pause lies between the two looks (default 1 s; negative: none).
	Pause time.Duration
	// Timeout bounds one call to a cluster (default 20 s).
	Timeout time.Duration
	// DrainBarrier is that of moves whose records are written anew (default
	// control.DefaultDrainBarrier).
	DrainBarrier time.Duration
	// Values bounds how many tenants of one shared index are counted (default 100,000).
	Values int
	// Upstream are the options of the clients of clusters.
	Upstream *upstream.Options
	Logger   *slog.Logger
}

// Report is an examination.
type Report struct {
	Findings []Finding `json:"findings"`
	Tenants  int       `json:"tenants"`
	Moves    int       `json:"moves"`
	Clusters int       `json:"clusters"` // that answered
	Indices  int       `json:"indices"`  // looked at
}

// Worst is the worst severity of the findings, empty if there are none.
func (r *Report) Worst() Severity {
	worst := Severity("")
	for _, f := range r.Findings {
		if weight[f.Severity] > weight[worst] {
			worst = f.Severity
		}
	}
	return worst
}

var weight = map[Severity]int{"": 0, Info: 1, Warning: 2, Error: 3}

// examiner is one run.
type examiner struct {
	s   *store.Store
	opt Options
}

// Examine looks twice, and reports what it has seen both times. The error is about the
// table: it cannot be read.
func Examine(ctx context.Context, s *store.Store, o *Options) (*Report, error) {
	x := &examiner{s: s}
	if o != nil {
		x.opt = *o
	}
	x.opt.Pause = cmp.Or(x.opt.Pause, time.Second)
	x.opt.Timeout = cmp.Or(x.opt.Timeout, 20*time.Second)
	x.opt.Values = cmp.Or(x.opt.Values, 100_000)
	first, err := x.look(ctx, "")
	if err != nil {
		return nil, err
	}
	if first.waiting(); len(first.findings) == 0 {
		return first.report(), nil
	}
	t := time.NewTimer(x.opt.Pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-t.C:
	}
	second, err := x.look(ctx, "")
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range first.findings {
		seen[f.key()] = true
	}
	second.waiting()
	second.findings = slices.DeleteFunc(second.findings, func(f Finding) bool { return !seen[f.key()] })
	return second.report(), nil
}

// add notes a finding. fix is nil if nothing can be done about it here.
func (l *look) add(code string, subject Subject, detail string, fix func(context.Context) (string, error)) {
	k := kinds[code]
	l.findings = append(l.findings, Finding{
		Code: code, Severity: k.Severity, Subject: subject, What: k.What, Detail: detail, Harm: k.Harm, Repair: k.Repair,
		Repairable: fix != nil, ByNaming: fix != nil && k.ByNaming(), fix: fix,
	})
}

func (l *look) report() *Report {
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(weight[b.Severity]-weight[a.Severity], strings.Compare(a.Code, b.Code), strings.Compare(a.Subject.Name, b.Subject.Name))
	})
	return &Report{Findings: l.findings, Tenants: len(l.entries), Moves: len(l.moves), Clusters: len(l.on), Indices: l.indices()}
}

// Done is what became of a finding.
type Done struct {
	Code    string  `json:"code"`
	Subject Subject `json:"subject"`
	Result  string  `json:"result,omitempty"`
	Error   string  `json:"error,omitempty"`
}

// Chosen reports whether Repair would act on a finding: it can be repaired, and is
// named if it has to be. names are codes, or code:subject; none names all that need
// no naming.
func Chosen(f Finding, names []string) bool {
	if !f.Repairable {
		return false
	}
	if len(names) == 0 {
		return !f.ByNaming
	}
	return Named(f, names)
}

// Named reports whether a finding is one of those named; none names all.
func Named(f Finding, names []string) bool {
	return len(names) == 0 || slices.Contains(names, f.Code) || slices.Contains(names, f.Code+":"+f.Subject.Name)
}

// CheckNames refuses names of codes that do not exist.
func CheckNames(names []string) error {
	for _, n := range names {
		code, _, _ := strings.Cut(n, ":")
		if _, ok := kinds[code]; !ok {
			return fmt.Errorf("%q is no code of a finding; docs/doctor.md has them all", code)
		}
	}
	return nil
}

// Repair acts on the chosen findings, one after the other. What has changed since it
// was found is left alone. It ends early only with its context.
func Repair(ctx context.Context, findings []Finding, names []string) []Done {
	var out []Done
	for _, f := range findings {
		if !Chosen(f, names) {
			continue
		}
		d := Done{Code: f.Code, Subject: f.Subject}
		result, err := f.fix(ctx)
		switch {
		case ctx.Err() != nil:
			return out
		case errors.Is(err, store.ErrConflict), errors.Is(err, store.ErrNotFound):
			d.Error = errChanged.Error()
		case err != nil:
			d.Error = err.Error()
		}
		d.Result = result
		out = append(out, d)
	}
	return out
}
