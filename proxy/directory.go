package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/internal/upstream"
	"github.com/sluiceproxy/sluice/placement"
	"github.com/sluiceproxy/sluice/store"
)

// ErrUnknownCluster: the store holds no cluster of the name.
var ErrUnknownCluster = catalog.New("sluice_upstream", "unknown cluster")

// DirectoryOptions of a Directory. The zero value is useful.
type DirectoryOptions struct {
	Upstream *upstream.Options
	// Retry is the pause after the store could not be read (default 500 ms).
	Retry  time.Duration
	Logger *slog.Logger
}

// Directory keeps the clients of the clusters in the store. Run follows the
// store; until the first list has been read, no cluster is known.
type Directory struct {
	s *store.Store
	o DirectoryOptions

	mu      sync.RWMutex
	members map[string]*member
	ready   chan struct{}
	once    sync.Once
}

// member is a cluster and its client, made when it is first asked for.
type member struct {
	cluster placement.Cluster
	err     error // the record cannot be decoded

	mu     sync.Mutex // guards client: many requests may be the first
	client *upstream.Client
}

// NewDirectory returns the directory of a store's clusters.
func NewDirectory(s *store.Store, o *DirectoryOptions) *Directory {
	d := &Directory{s: s, members: map[string]*member{}, ready: make(chan struct{})}
	if o != nil {
		d.o = *o
	}
	if d.o.Retry <= 0 {
		d.o.Retry = 500 * time.Millisecond
	}
	if d.o.Logger == nil {
		d.o.Logger = slog.New(slog.DiscardHandler)
	}
	var up upstream.Options
	if d.o.Upstream != nil {
		up = *d.o.Upstream
	}
	if up.Logger == nil {
		up.Logger = d.o.Logger
	}
	d.o.Upstream = &up
	return d
}

// Ready is closed when the clusters have been read once.
func (d *Directory) Ready() <-chan struct{} { return d.ready }

// Run follows the store until the context ends, which is no error.
func (d *Directory) Run(ctx context.Context) error {
	// What is known stays usable after the end, for requests that are still being
	// drained; only connections that nobody uses are let go.
	defer d.idle()
	for {
		err := d.s.Clusters().Follow(ctx, func(all []store.Record[placement.Cluster]) error {
			d.reset(all)
			d.once.Do(func() { close(d.ready) })
			return nil
		}, d.apply)
		if ctx.Err() != nil {
			return nil
		}
		d.o.Logger.Warn("clusters cannot be followed; what is known stays in use", "err", err)
		t := time.NewTimer(d.o.Retry)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

func (d *Directory) reset(all []store.Record[placement.Cluster]) {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.members
	d.members = make(map[string]*member, len(all))
	for _, r := range all {
		d.members[r.Name] = keep(old[r.Name], r.Value, nil)
		if d.members[r.Name] == old[r.Name] {
			delete(old, r.Name)
		}
	}
	for _, m := range old {
		m.close()
	}
}

func (d *Directory) apply(changes []store.RecordChange[placement.Cluster]) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range changes {
		old := d.members[c.Name]
		if c.Removed {
			delete(d.members, c.Name)
		} else {
			d.members[c.Name] = keep(old, c.Value, c.Err)
		}
		if old != nil && d.members[c.Name] != old {
			old.close()
		}
	}
	return nil
}

// keep returns old if it is of the same record, so that its connections stay.
func keep(old *member, c placement.Cluster, err error) *member {
	if old != nil && old.err == nil && err == nil && reflect.DeepEqual(old.cluster, c) {
		return old
	}
	return &member{cluster: c, err: err}
}

func (d *Directory) idle() {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, m := range d.members {
		m.close()
	}
}

// close lets go of idle connections; requests under way keep theirs.
func (m *member) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.client != nil {
		m.client.Close()
	}
}

// late reads a cluster that is not known. Clusters and tenants are followed apart: a
// tenant that was added right after its cluster may be known before it.
func (d *Directory) late(name string) (*member, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	r, err := d.s.Clusters().Get(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("cluster %q: %w", name, ErrUnknownCluster)
	}
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.members[name] == nil { // what is followed is at least as new
		d.members[name] = keep(nil, r.Value, nil)
	}
	return d.members[name], nil
}

// Cluster implements ClusterSource. ErrUnknownCluster if there is none; any other
// error says what is wrong with its record, its credentials or its CA.
func (d *Directory) Cluster(name string) (*upstream.Client, error) {
	d.mu.RLock()
	m := d.members[name]
	d.mu.RUnlock()
	if m == nil {
		var err error
		if m, err = d.late(name); err != nil {
			return nil, err
		}
	}
	if m.err != nil {
		return nil, m.err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.client == nil {
		c, err := upstream.New(m.cluster, d.o.Upstream)
		if err != nil {
			return nil, err // and try again next time: a secret may just be missing
		}
		m.client = c
	}
	return m.client, nil
}
