package checkup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

// snapshot is one that a move has taken, by its name.
type snapshot struct {
	cluster, repository, name, move string
}

func (s snapshot) subject() Subject {
	return Subject{"snapshot", s.cluster + "/" + s.repository + "/" + s.name}
}

func (s snapshot) path() string {
	return "/_snapshot/" + url.PathEscape(s.repository) + "/" + url.PathEscape(s.name)
}

// seeded are the repositories of a cluster that records of moves name.
func (l *look) seeded(cluster string) map[string]bool {
	out := map[string]bool{}
	for _, m := range l.moves {
		if m.Value.Seed != nil && m.Value.From.Cluster == cluster {
			out[m.Value.Seed.Repository] = true
		}
	}
	return out
}

// checkSnapshots looks for what moves have left in the repositories that the cluster may
// write to: from others it could not be deleted, and only the source of a move writes to
// one. A repository that no move names may be out of order; that is not Sluice's affair.
func (l *look) checkSnapshots(ctx context.Context, c placement.Cluster, client *upstream.Client) error {
	seeded := l.seeded(c.Name)
	var all map[string]mover.Repository
	if err := l.x.ask(ctx, client, http.MethodGet, "/_snapshot", nil, nil, &all); err != nil {
		return l.unreadable(c.Name, slices.Sorted(maps.Keys(seeded)), err)
	}
	for _, repository := range slices.Sorted(maps.Keys(all)) {
		if all[repository].ReadOnly() {
			continue
		}
		err := l.checkRepository(ctx, c, client, repository)
		if err != nil && !seeded[repository] && answered(err) {
			continue
		}
		if err := l.unreadable(c.Name, []string{repository}, err); err != nil {
			return err
		}
	}
	return nil
}

func answered(err error) bool {
	var s *upstream.StatusError
	return errors.As(err, &s)
}

// unreadable turns a cluster's refusal into findings. Another error is returned.
func (l *look) unreadable(cluster string, repositories []string, err error) error {
	if err == nil || !answered(err) {
		return err
	}
	for _, r := range repositories {
		l.add("repository_unreadable", Subject{"repository", cluster + "/" + r}, err.Error(), nil)
	}
	return nil
}

// listed is what a cluster says of snapshots; metadata only if it is asked in full.
type listed struct {
	Snapshots []struct {
		Snapshot string         `json:"snapshot"`
		UUID     string         `json:"uuid"`
		Metadata map[string]any `json:"metadata"`
	} `json:"snapshots"`
}

func (l *look) checkRepository(ctx context.Context, c placement.Cluster, client *upstream.Client, repository string) error {
	var names listed
	q := url.Values{"verbose": {"false"}, "ignore_unavailable": {"true"}}
	err := l.x.ask(ctx, client, http.MethodGet, "/_snapshot/"+url.PathEscape(repository)+"/"+placement.ReservedPrefix+"*", q, nil, &names)
	if err != nil && !missing(err) {
		return err
	}
	for _, has := range names.Snapshots {
		move, ok := mover.SnapshotMove(has.Snapshot)
		if !ok || l.seeds(move) {
			continue
		}
		s := snapshot{c.Name, repository, has.Snapshot, move}
		own, err := l.x.own(ctx, client, s)
		if err != nil {
			return err
		}
		if own {
			l.judgeSnapshot(c, s, has.UUID)
		}
	}
	return nil
}

// missing reports that there is no such snapshot.
func missing(err error) bool {
	var s *upstream.StatusError
	return errors.As(err, &s) && s.Type == "snapshot_missing_exception"
}

// seeds reports whether a move may still use its snapshots, or take one: it is under way,
// or its record is not known to say that it is not.
func (l *look) seeds(move string) bool {
	if l.corrupt("move", move) || l.movingBy(move) {
		return true
	}
	m, ok := l.moves[move]
	return ok && !m.Value.Terminal() && (!m.Value.Settled() || m.Value.Receipt == nil)
}

// own reads whether a move has taken the snapshot.
func (x *examiner) own(ctx context.Context, client *upstream.Client, s snapshot) (bool, error) {
	var ans listed
	err := x.ask(ctx, client, http.MethodGet, s.path(), url.Values{"ignore_unavailable": {"true"}}, nil, &ans)
	if err != nil && !missing(err) {
		return false, err
	}
	return len(ans.Snapshots) == 1 && ans.Snapshots[0].Snapshot == s.name && mover.OwnSnapshot(s.move, ans.Snapshots[0].Metadata), nil
}

func (l *look) judgeSnapshot(c placement.Cluster, s snapshot, uuid string) {
	m, known := l.moves[s.move]
	switch {
	case !known:
		l.add("snapshot_unknown", s.subject(), fmt.Sprintf("of move %s, UUID %s", s.move, uuid), nil)
	case m.Value.Seed != nil && m.Value.Seed.Repository == s.repository && m.Value.From.Cluster == c.Name:
		l.add("snapshot_left", s.subject(), fmt.Sprintf("of move %s, which is %s, UUID %s", s.move, m.Value.Stage, uuid), func(ctx context.Context) (string, error) {
			return l.deleteSnapshot(ctx, c, s)
		})
	}
}

// deleteSnapshot removes one of a move that has ended, which never takes another under
// that name: names have the attempt, and an ended move that is cleaned again only deletes.
func (l *look) deleteSnapshot(ctx context.Context, c placement.Cluster, s snapshot) (string, error) {
	if _, err := l.again(ctx, c.Name, s.subject(), "snapshot_left"); err != nil {
		return "", err
	}
	return "deleted", l.x.with(c, func(client *upstream.Client) error {
		err := l.x.ask(ctx, client, http.MethodDelete, s.path(), nil, nil, nil)
		if missing(err) {
			return nil // by another doctor, or by the cleaning of its move
		}
		return err
	})
}
