package opensearchstore

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
)

// ErrReplaced: the index is not the one that was opened. It was deleted and
// created again, restored from a snapshot, or given a stale copy as its primary, and
// in each case its versions went back. Nothing is read from it or written to it any
// more; stop every process, repair the table, and start again. It is a
// driver.ErrHistoryLost.
var ErrReplaced = fmt.Errorf("%w: the table's index was replaced, its versions went back", driver.ErrHistoryLost)

// believed is for how long an identity that was checked is taken for granted when
// something is found in the index. What is not found, and what is created, is
// believed only after a check that began afterwards.
const believed = time.Second

// identity is whose sequence numbers the index has: its UUID, and the history's,
// which OpenSearch renews when it gives up what a shard's copies had agreed on.
type identity struct {
	mu      sync.Mutex
	want    string
	checked time.Time
	wrong   error         // for ever
	lost    chan struct{} // closed when wrong is set
}

func newIdentity() *identity { return &identity{lost: make(chan struct{})} }

// AwaitLoss implements driver.LossNoticer.
func (s *Store) AwaitLoss(ctx context.Context) error {
	select {
	case <-s.identity.lost:
		return s.identity.replaced()
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (i *identity) set(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.want, i.checked = id, time.Now()
}

// check compares; began is when the answer that told id was asked for.
func (i *identity) check(id string, began time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.want != "" && id != i.want && i.wrong == nil {
		i.wrong = fmt.Errorf("%w (it was %s and is %s)", ErrReplaced, i.want, id)
		close(i.lost)
	}
	if began.After(i.checked) {
		i.checked = began
	}
	return i.wrong
}

func (i *identity) fresh() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return time.Since(i.checked) < believed
}

func (i *identity) replaced() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.wrong
}

// shard is what the primary says about itself.
type shard struct {
	id     string // identity
	max    int64  // the newest _seq_no given to anything, -1 for none
	global int64  // everything up to it is on all copies, without holes
}

// stats is OpenSearch's answer to /_stats?level=shards.
type stats struct {
	Indices map[string]struct {
		UUID   string `json:"uuid"`
		Shards map[string][]struct {
			Routing struct {
				State   string `json:"state"`
				Primary bool   `json:"primary"`
			} `json:"routing"`
			Commit struct {
				UserData struct {
					History string `json:"history_uuid"`
				} `json:"user_data"`
			} `json:"commit"`
			Seq *struct {
				Max    int64 `json:"max_seq_no"`
				Global int64 `json:"global_checkpoint"`
			} `json:"seq_no"`
		} `json:"shards"`
	} `json:"indices"`
}

// errNoPrimary: the index has no primary at the moment, or it does not answer.
var errNoPrimary = errors.New("the table's primary shard does not answer")

// errBehind: the node knows less than what is known to have happened: it is cut
// off from the cluster, or the index lost changes.
var errBehind = errors.New("the node is behind what is known to have happened")

// examine asks the primary.
func (s *Store) examine(ctx context.Context, n *node) (shard, error) {
	var st stats
	err := n.send(ctx, request{http.MethodGet, "/" + s.alias + "/_stats/docs", url.Values{
		"level":       {"shards"},
		"filter_path": {"indices.*.uuid,indices.*.shards.*.routing.primary,indices.*.shards.*.routing.state,indices.*.shards.*.seq_no,indices.*.shards.*.commit.user_data.history_uuid"},
	}, nil}, &st)
	if err != nil {
		return shard{}, err
	}
	if len(st.Indices) > 1 {
		return shard{}, fmt.Errorf("%w: %s is an alias of %d indices; it must be of one", errUnfit, s.alias, len(st.Indices))
	}
	for _, index := range st.Indices {
		if len(index.Shards) > 1 {
			return shard{}, fmt.Errorf("%w: the index of %s has %d primary shards; it must have one, for one order of changes", errUnfit, s.alias, len(index.Shards))
		}
		for _, copies := range index.Shards {
			for _, c := range copies {
				if c.Routing.Primary && c.Seq != nil && index.UUID != "" && c.Commit.UserData.History != "" {
					return shard{index.UUID + "/" + c.Commit.UserData.History, c.Seq.Max, c.Seq.Global}, nil
				}
			}
		}
	}
	return shard{}, errNoPrimary
}

// checkpoint is examine, of an index that must be the one that was opened.
func (s *Store) checkpoint(ctx context.Context, n *node) (shard, error) {
	began := time.Now()
	sh, err := s.examine(ctx, n)
	if err != nil {
		return shard{}, err
	}
	return sh, s.identity.check(sh.id, began)
}

// refresh makes everything that the shard had before visible to searches.
func (s *Store) refresh(ctx context.Context, n *node) error {
	var answer struct {
		Shards struct {
			Successful int `json:"successful"`
			Failed     int `json:"failed"`
		} `json:"_shards"`
	}
	if err := n.send(ctx, request{http.MethodPost, "/" + s.alias + "/_refresh", nil, nil}, &answer); err != nil {
		return err
	}
	if answer.Shards.Successful == 0 || answer.Shards.Failed > 0 {
		return fmt.Errorf("refresh: %w", errNoPrimary)
	}
	return nil
}

// settled returns a checkpoint that everything acknowledged before the call is at or
// below, with all of it visible to searches through the same node.
//
// An acknowledged write may be above the global checkpoint for a moment, while an
// older one is still under way; it is never above the newest number given. So that
// is read, and the global checkpoint awaited there.
func (s *Store) settled(ctx context.Context, n *node) (int64, error) {
	sh, err := s.checkpoint(ctx, n)
	if err != nil {
		return 0, err
	}
	goal := sh.max
	if high := s.pulse.known(); goal < high {
		return 0, fmt.Errorf("%w: at %d, known is %d", errBehind, goal, high)
	}
	for pause := time.Millisecond; sh.global < goal; pause = min(2*pause, 50*time.Millisecond) {
		s.sleep(ctx, pause)
		if sh, err = s.checkpoint(ctx, n); err != nil {
			return 0, err
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if sh.max < goal {
			goal = sh.max // another primary, which never got what was under way
		}
	}
	return goal, s.refresh(ctx, n)
}
