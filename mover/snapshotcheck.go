package mover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
)

// CopyMethod is how documents come to the target.
type CopyMethod string

// The methods.
const (
	CopyScan     CopyMethod = "scan"     // read and written in batches; the default
	CopySnapshot CopyMethod = "snapshot" // snapshotted and restored
	CopyAuto     CopyMethod = "auto"     // by snapshot if it is large and possible
)

// CopyMethods are all of them.
var CopyMethods = []CopyMethod{CopyScan, CopySnapshot, CopyAuto}

// DefaultSnapshotAbove is the size of the source's primaries above which CopyAuto takes
// a snapshot. It is what a scan copies in about ten minutes; below it, what a snapshot
// asks of a repository is not worth it.
const DefaultSnapshotAbove int64 = 10 << 30

// CopyOptions say how to copy. The zero value is a scan.
type CopyOptions struct {
	Method     CopyMethod `json:"method,omitempty"`
	Repository string     `json:"repository,omitempty"` // of snapshots; registered under that name on both clusters
	// SnapshotAbove is CopyAuto's threshold in bytes of primaries; 0 is DefaultSnapshotAbove.
	SnapshotAbove int64 `json:"snapshot_above,omitempty"`
}

// Validate returns an *placement.InvalidError if the options do not fit together.
func (o CopyOptions) Validate() error {
	switch {
	case o.Method != "" && o.Method != CopyScan && o.Method != CopySnapshot && o.Method != CopyAuto:
		return &placement.InvalidError{Field: "copy", Value: string(o.Method), Fix: "must be scan, snapshot or auto"}
	case o.bySnapshot() && o.Repository == "":
		return &placement.InvalidError{Field: "repository", Value: "", Fix: "must name a snapshot repository that is registered on both clusters"}
	case !o.bySnapshot() && (o.Repository != "" || o.SnapshotAbove != 0):
		return &placement.InvalidError{Field: "repository", Value: o.Repository, Fix: "is for a copy by snapshot: ask for one by copy snapshot or auto"}
	case len(o.Repository) > 255:
		return &placement.InvalidError{Field: "repository", Value: o.Repository[:20] + "...", Fix: "must have 255 bytes at most"}
	case o.SnapshotAbove < 0:
		return &placement.InvalidError{Field: "snapshot_above", Value: fmt.Sprint(o.SnapshotAbove), Fix: "must be 0 (the default) or a number of bytes"}
	case o.Method == CopySnapshot && o.SnapshotAbove != 0:
		return &placement.InvalidError{Field: "snapshot_above", Value: fmt.Sprint(o.SnapshotAbove), Fix: "is what copy auto chooses by, and a snapshot was asked for"}
	}
	return nil
}

func (o CopyOptions) bySnapshot() bool { return o.Method == CopySnapshot || o.Method == CopyAuto }

// Choice is how a move copies, and why.
type Choice struct {
	Method CopyMethod `json:"method"` // CopyScan or CopySnapshot
	Reason string     `json:"reason"`
}

// ByShared refuses a copy by snapshot from or to a shared index.
func (o CopyOptions) ByShared(from, to placement.Kind) error {
	if o.Method == CopySnapshot && (from == placement.SharedIndex || to == placement.SharedIndex) {
		return &placement.InvalidError{Field: "copy", Value: string(o.Method), Fix: "must be scan for a shared index: a snapshot of it holds the documents of other tenants, under names that are not the tenant's own"}
	}
	return nil
}

// Choose decides how to copy. Nil: by scan, which nobody has put into question, and
// nothing was asked of the clusters. A snapshot that was asked for and is not possible is
// a *RefusedError.
func (m *Mover) Choose(ctx context.Context) (*Choice, error) {
	if !m.opt.Copy.bySnapshot() {
		return nil, nil
	}
	var r Report
	sources, err := m.sources(ctx)
	if err != nil {
		return nil, err
	}
	c, err := m.choose(ctx, sources, &r)
	return &c, err
}

// choose is Choose for sources that are known; it adds what it has found to a report.
func (m *Mover) choose(ctx context.Context, sources []found, r *Report) (Choice, error) {
	o := m.opt.Copy
	if err := o.ByShared(m.spec.From.Kind, m.spec.To.Kind); err != nil {
		return Choice{}, err
	}
	asked := Choice{CopySnapshot, "it was asked for"}
	if o.Method == CopyAuto {
		if m.tenant != nil || m.spec.To.Kind == placement.SharedIndex {
			return Choice{CopyScan, "a shared index cannot be copied by snapshot"}, nil
		}
		bytes := int64(0)
		for _, s := range sources {
			if m.checkSourceIndex(s) != nil {
				continue // Prepare refuses it
			}
			_, b, err := m.size(ctx, s.name)
			if err != nil {
				return Choice{}, err
			}
			bytes += b
		}
		above := o.SnapshotAbove
		if above == 0 {
			above = DefaultSnapshotAbove
		}
		if bytes <= above {
			return Choice{CopyScan, fmt.Sprintf("the source has %d MiB, and a snapshot is taken above %d MiB", bytes>>20, above>>20)}, nil
		}
		asked.Reason = fmt.Sprintf("the source has %d MiB, which is above %d MiB", bytes>>20, above>>20)
	}
	err := m.checkSnapshot(ctx, sources, r)
	var refused *RefusedError
	if o.Method == CopyAuto && errors.As(err, &refused) {
		return Choice{CopyScan, asked.Reason + "; but a snapshot is not possible: " + refused.Error()}, nil
	}
	return asked, err
}

// judgeCopy adds to a dry run how the move would copy.
func (m *Mover) judgeCopy(ctx context.Context, r *Report, sources []found) error {
	if !m.opt.Copy.bySnapshot() {
		return nil
	}
	c, err := m.choose(ctx, sources, r)
	r.Copy = &c
	if err := r.judge("copy", err, "by %s: %s", c.Method, c.Reason); err != nil {
		return err
	}
	if c.Method == CopySnapshot {
		// Twice over the wire, at what a repository is held to by default.
		r.CopyTime = 2 * time.Duration(r.Bytes) * time.Second / (40 << 20)
	}
	return nil
}

// checkSnapshot refuses a copy by snapshot that is not possible: a repository that is
// missing, unusable or not the same place, and versions that do not restore.
func (m *Mover) checkSnapshot(ctx context.Context, sources []found, r *Report) error {
	if err := m.checkRestorable(ctx, sources); err != nil {
		return err
	}
	name := m.opt.Copy.Repository
	field := "repository " + name
	var have [2]Repository
	for n, c := range []*upstream.Client{m.src, m.dst} {
		var err error
		if have[n], err = m.repository(ctx, c, name); err != nil {
			return err
		}
	}
	if have[0].ReadOnly() {
		return &RefusedError{Code: CodeRepository, Field: field, Detail: "it is read-only on " + m.src.Name() + ", which has to write the snapshot", Fix: "register it there without readonly"}
	}
	for _, c := range []*upstream.Client{m.src, m.dst} {
		err := m.read(ctx, c, http.MethodPost, "/_snapshot/"+esc(name)+"/_verify", nil, nil, nil)
		if code, _ := status(err); code != 0 {
			return &RefusedError{Code: CodeRepository, Field: field, Detail: c.Name() + " cannot use it", Fix: "see the cluster's reason", Err: err}
		}
		if err != nil {
			return fmt.Errorf("verify repository %s on %s: %w", name, c.Name(), err)
		}
	}
	var lists [2][]snapshotInfo
	for n, c := range []*upstream.Client{m.src, m.dst} {
		var err error
		if lists[n], err = m.snapshots(ctx, c, name, "_all"); err != nil {
			return err
		}
	}
	whole, common := 0, false
	for _, a := range lists[0] {
		if a.State != "SUCCESS" {
			continue
		}
		whole++
		for _, b := range lists[1] {
			common = common || a.UUID == b.UUID
		}
	}
	same, err := m.sameCluster(ctx)
	switch {
	case err != nil:
		return err
	case whole > 0 && !common:
		return &RefusedError{Code: CodeRepository, Field: field, Detail: fmt.Sprintf("%s does not see one of the %d snapshots that %s sees there: it is not the same place, or has read it before and does not look again", m.dst.Name(), whole, m.src.Name()),
			Fix: "register on " + m.dst.Name() + " the same place, read-only"}
	case whole == 0 && !same && have[0].apart(have[1]) != "":
		return &RefusedError{Code: CodeRepository, Field: field, Detail: fmt.Sprintf("%s and %s have registered two places under that name: %s", m.src.Name(), m.dst.Name(), have[0].apart(have[1])),
			Fix: "register one place on both; if it is one under two names, any snapshot in it will prove that"}
	case whole == 0 && !same:
		r.add("repository", Warn, "%s is empty, so whether both clusters see the same place is known only when the snapshot is taken; nothing is restored before", name)
	default:
		r.add("repository", OK, "%s is usable, and the same place on both clusters", name)
	}
	if !have[1].ReadOnly() && !same {
		r.add("repository", Warn, "%s may write to %s too: two clusters that write to one repository damage it; register it there with readonly", m.dst.Name(), name)
	}
	return nil
}

func (m *Mover) repository(ctx context.Context, c *upstream.Client, name string) (Repository, error) {
	var ans map[string]Repository
	err := m.read(ctx, c, http.MethodGet, "/_snapshot/"+esc(name), nil, nil, &ans)
	if code, _ := status(err); code == http.StatusNotFound || err == nil && len(ans) != 1 {
		return Repository{}, &RefusedError{Code: CodeRepository, Field: "repository " + name, Detail: c.Name() + " has no snapshot repository of that name", Fix: "register it there: PUT /_snapshot/" + name, Err: err}
	}
	if err != nil {
		return Repository{}, fmt.Errorf("read repository %s of %s: %w", name, c.Name(), err)
	}
	for _, r := range ans {
		return r, nil
	}
	return Repository{}, nil
}

// sameCluster reports whether source and target are one cluster.
func (m *Mover) sameCluster(ctx context.Context) (bool, error) {
	var ids [2]struct {
		UUID string `json:"cluster_uuid"`
	}
	for n, c := range []*upstream.Client{m.src, m.dst} {
		if err := m.read(ctx, c, http.MethodGet, "/", nil, nil, &ids[n]); err != nil {
			return false, fmt.Errorf("read the id of %s: %w", c.Name(), err)
		}
	}
	return ids[0].UUID != "" && ids[0].UUID == ids[1].UUID, nil
}

// openSearchIDs is added to the number of a version by which OpenSearch tells its own
// from those of the software that it was made from, whose 6 and 7 came before its 1.
const openSearchIDs = 0x08000000

// createdMajor is the major version that an index was created by, 1 for all before 2.
func createdMajor(setting string) int {
	id, err := strconv.Atoi(setting)
	if err != nil || id&openSearchIDs == 0 {
		return 1
	}
	return max(1, (id^openSearchIDs)/1_000_000)
}

// checkRestorable refuses what the target's version does not restore: snapshots of a
// newer version, and indices that were created two major versions before.
func (m *Mover) checkRestorable(ctx context.Context, sources []found) error {
	a, b, err := m.checkVersions(ctx)
	if err != nil {
		return err
	}
	am, an := majorMinor(a)
	bm, bn := majorMinor(b)
	if bm == am && bn < an {
		return &RefusedError{Code: CodeVersion, Field: "to.cluster", Detail: fmt.Sprintf("%s runs %s, which restores no snapshot of %s", m.dst.Name(), b, a), Fix: "copy by scan"}
	}
	for _, s := range sources {
		if c := createdMajor(s.settings["index.version.created"]); c < bm-1 {
			return &RefusedError{Code: CodeVersion, Field: s.name, Detail: fmt.Sprintf("the index was created by a version before %d.0, and %s runs %s, which does not restore it", bm-1, m.dst.Name(), b), Fix: "copy by scan"}
		}
	}
	return nil
}
