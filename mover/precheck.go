package mover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Verdict of a check.
type Verdict string

// The verdicts.
const (
	OK   Verdict = "ok"
	Warn Verdict = "warn" // the move can go on; somebody should know
	Fail Verdict = "fail" // Prepare would refuse, or the move would fail
)

// Check is one thing that Precheck looked at.
type Check struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail"`
}

// Report is what Precheck found.
type Report struct {
	Checks                       []Check
	Docs, Bytes                  int64 // of the source's primaries
	Indices, Shards              int
	Copy                         *Choice // nil: by scan, which nobody has put into question
	SourceVersion, TargetVersion string
	CopyTime                     time.Duration // UsualCopyTime
}

// Failed reports whether a check failed.
func (r Report) Failed() bool {
	for _, c := range r.Checks {
		if c.Verdict == Fail {
			return true
		}
	}
	return false
}

func (r *Report) add(name string, v Verdict, format string, args ...any) {
	r.Checks = append(r.Checks, Check{name, v, fmt.Sprintf(format, args...)})
}

// judge adds a check from the error of one: a refusal fails it. Any other error
// is returned, because then nothing is known.
func (r *Report) judge(name string, err error, format string, args ...any) error {
	var refused *RefusedError
	switch {
	case err == nil:
		r.add(name, OK, format, args...)
	case errors.As(err, &refused):
		r.add(name, Fail, "%s", refused.Error())
	default:
		return err
	}
	return nil
}

// Precheck looks whether the move can be made, and changes nothing. The error is
// about not being able to tell; what stands in the way is in the report.
func (m *Mover) Precheck(ctx context.Context) (Report, error) {
	var r Report
	a, b, err := m.checkVersions(ctx)
	r.SourceVersion, r.TargetVersion = a, b
	if err := r.judge("versions", err, "%s to %s", a, b); err != nil || r.Failed() {
		return r, err
	}
	am, an := majorMinor(a)
	if bm, bn := majorMinor(b); bm == am && bn < an {
		r.add("versions", Warn, "the target is of an older minor version")
	} else if bm > am {
		r.add("versions", Warn, "the target is of a newer major version: a move back will be refused; `sluice moves rollback` goes back for as long as the old copy is kept")
	}
	sources, err := m.sources(ctx)
	if err := r.judge("source", err, "%d indices", len(sources)); err != nil || r.Failed() {
		return r, err
	}
	r.Indices = len(sources)
	for _, s := range sources {
		r.Shards += s.shards
		bad := m.checkSourceIndex(s)
		if err := r.judge("source "+s.name, bad, "can be copied"); err != nil {
			return r, err
		}
		if bad != nil {
			continue // a closed one cannot even be measured
		}
		docs, bytes, err := m.size(ctx, s.name)
		if err != nil {
			return r, err
		}
		r.Docs, r.Bytes = r.Docs+docs, r.Bytes+bytes
	}
	judge := m.judgeTarget
	if m.into != nil {
		judge = func(ctx context.Context, r *Report, s []found) error { return m.judgeInto(ctx, r, s[0]) }
	}
	if err := judge(ctx, &r, sources); err != nil {
		return r, err
	}
	free, err := m.free(ctx)
	switch {
	case err != nil:
		return r, err
	case free < r.Bytes:
		r.add("space", Fail, "the target has %d MiB free, the source holds %d MiB", free>>20, r.Bytes>>20)
	case free < 2*r.Bytes:
		r.add("space", Warn, "the target has %d MiB free, the source holds %d MiB: merges and replicas need more", free>>20, r.Bytes>>20)
	default:
		r.add("space", OK, "the target has %d MiB free, the source holds %d MiB", free>>20, r.Bytes>>20)
	}
	r.CopyTime = UsualCopyTime(r.Docs, r.Bytes)
	return r, m.judgeCopy(ctx, &r, sources)
}

// judgeTarget looks at a target that the move is to make.
func (m *Mover) judgeTarget(ctx context.Context, r *Report, sources []found) error {
	_, err := m.checkTarget(ctx, sources)
	if err := r.judge("target", err, "free"); err != nil {
		return err
	}
	if err := r.judge("aliases", m.checkAliases(ctx, sources), "no conflict"); err != nil {
		return err
	}
	if err := m.judgePipelines(ctx, r, sources); err != nil {
		return err
	}
	t, err := m.templated(ctx, sources)
	if err != nil {
		return err
	}
	if len(t) > 0 {
		r.add("templates", Warn, "index templates of the target match %s and may add to its mappings and settings", strings.Join(t, ", "))
	} else {
		r.add("templates", OK, "none of the target matches")
	}
	return nil
}

// size returns documents and bytes of an index's primaries; of a shared one the
// tenant's documents and, as an estimate, the same share of its bytes.
func (m *Mover) size(ctx context.Context, index string) (docs, bytes int64, err error) {
	var st struct {
		All struct {
			Primaries struct {
				Store struct {
					Size int64 `json:"size_in_bytes"`
				} `json:"store"`
			} `json:"primaries"`
		} `json:"_all"`
	}
	if err := m.read(ctx, m.src, http.MethodGet, "/"+esc(index)+"/_stats/store", nil, nil, &st); err != nil {
		return 0, 0, fmt.Errorf("read the size of %s: %w", index, err)
	}
	docs, err = m.count(ctx, index)
	if err != nil || m.tenant == nil || docs == 0 {
		return docs, st.All.Primaries.Store.Size, err
	}
	own, err := m.held(ctx, index)
	return own, int64(float64(st.All.Primaries.Store.Size) * float64(own) / float64(docs)), err
}

// free returns the bytes that the data nodes of the target have left.
func (m *Mover) free(ctx context.Context) (int64, error) {
	var st struct {
		Nodes map[string]struct {
			FS struct {
				Total struct {
					Available int64 `json:"available_in_bytes"`
				} `json:"total"`
			} `json:"fs"`
		} `json:"nodes"`
	}
	if err := m.read(ctx, m.dst, http.MethodGet, "/_nodes/data:true/stats/fs", nil, nil, &st); err != nil {
		return 0, fmt.Errorf("read the free space of %s: %w", m.dst.Name(), err)
	}
	n := int64(0)
	for _, node := range st.Nodes {
		n += node.FS.Total.Available
	}
	return n, nil
}
