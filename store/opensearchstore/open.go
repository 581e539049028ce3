package opensearchstore

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/opensearch-project/opensearch-go/v4/opensearchtransport"

	"github.com/sluiceproxy/sluice/internal/credentials"
)

// Options of a Store. The zero value is useful.
type Options struct {
	// Timeout bounds a call whose context has no deadline (default 5 s). List reads
	// page by page, and each page has this long. A read leaves a node that has not
	// answered for half of it.
	Timeout time.Duration
	// DialTimeout is how long Open waits for a cluster that answers (default 5 s), and
	// for the table's creation besides (30 s).
	DialTimeout time.Duration
	// Poll is how long a watch may lag behind while nothing happens (default 100 ms);
	// each process asks the primary that often. After a change, and when this process
	// reads or writes something newer, it asks at once.
	Poll time.Duration
	// Retain is how long deletions are kept for watches at least (default 1 h).
	Retain time.Duration
	Logger *slog.Logger // default: discard
}

func (o *Options) orDefaults() Options {
	d := Options{}
	if o != nil {
		d = *o
	}
	set := func(v *time.Duration, to time.Duration) {
		if *v <= 0 {
			*v = to
		}
	}
	set(&d.Timeout, 5*time.Second)
	set(&d.DialTimeout, 5*time.Second)
	set(&d.Poll, 100*time.Millisecond)
	set(&d.Retain, time.Hour)
	d.Poll = max(d.Poll, fastest)
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d
}

// Open connects to the table of c, and creates it if there is none. The error is a
// *placement.InvalidError when the configuration is at fault, and ErrReplaced when
// the index has been restored from a snapshot or lost changes. Close the Store when
// done.
func Open(ctx context.Context, c Config, o *Options) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	opt := o.orDefaults()
	if c.Username != "" && credentials.InClear(c.Addresses) {
		opt.Logger.Warn("the password for OpenSearch is sent over http in clear; use https addresses")
	}
	s, err := newStore(c, opt)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, c, opt.DialTimeout); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open the placement table %q at %s: %w", s.alias, strings.Join(c.Addresses, ", "), err)
	}
	s.background.Go(func() { s.maintain(s.life) })
	return s, nil
}

// newStore connects to nothing yet.
func newStore(c Config, opt Options) (*Store, error) {
	tc, err := credentials.TLS(c.TLS).Config(tlsSection)
	if err != nil {
		return nil, err
	}
	password, err := credentials.Secret("store.opensearch.password_file", c.PasswordFile, "password")
	if err != nil {
		return nil, err
	}
	s := &Store{
		alias: c.Index, wait: strconv.Itoa(max(1, c.WaitForActiveShards)), page: 1000,
		timeout: opt.Timeout, poll: opt.Poll, retain: opt.Retain, log: opt.Logger,
		pulse: newPulse(), identity: newIdentity(),
	}
	if s.alias == "" {
		s.alias = DefaultIndex
	}
	s.current.Store(rand.Uint64N(uint64(len(c.Addresses)))) // spread over the nodes
	s.life, s.end = context.WithCancel(context.Background())
	for _, a := range c.Addresses {
		n, err := newNode(s.life, a, c.Username, password, tc)
		if err != nil {
			_ = s.Close()
			return nil, err
		}
		s.nodes = append(s.nodes, n)
	}
	return s, nil
}

// newNode is the client of one address. It never sends anything twice: what may be
// repeated is decided here. Nor does it look for other nodes.
func newNode(life context.Context, address, username, password string, tc *tls.Config) (*node, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err // which Validate has ruled out
	}
	client, err := opensearchtransport.New(opensearchtransport.Config{
		URLs: []*url.URL{u}, Username: username, Password: password,
		DisableRetry:          true,
		NodeStatsInterval:     -1,
		MaxRetryClusterHealth: -1,
		HealthCheck:           opensearchtransport.NoOpHealthCheck,
		Context:               life,
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 10 * time.Second}).DialContext,
			TLSClientConfig:     tc.Clone(),
			TLSHandshakeTimeout: 5 * time.Second,
			MaxIdleConnsPerHost: 32,
			IdleConnTimeout:     time.Minute,
			ForceAttemptHTTP2:   false, // a stream that hangs would take the others with it
			DisableCompression:  true,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("a client for %s: %w", address, err)
	}
	return &node{address, client}, nil
}

// prepare finds or creates the table and checks that it is one.
func (s *Store) prepare(ctx context.Context, c Config, dial time.Duration) error {
	probe, cancel := context.WithTimeout(ctx, dial)
	defer cancel()
	var found settings
	err := s.read(probe, func(ctx context.Context, n *node) (err error) {
		found, err = s.settings(ctx, n)
		return err
	})
	ctx, cancel = context.WithTimeout(ctx, dial+30*time.Second)
	defer cancel()
	if is(err, http.StatusNotFound, noIndexKind) {
		if err := s.create(ctx, c.replicas()); err != nil {
			return err
		}
		err = s.read(ctx, func(ctx context.Context, n *node) (err error) {
			found, err = s.settings(ctx, n)
			return err
		})
	}
	if err != nil {
		return err
	}
	if err := found.suitable(s.alias); err != nil {
		return err
	}
	if have := found.replicas(); have != c.replicas() {
		s.log.Warn("the placement table keeps the number of replicas that it has", "replicas", have, "configured", c.replicas())
	}
	return s.recognise(ctx)
}

// settings are those of the alias's indices, by index.
type settings map[string]struct {
	Settings map[string]string `json:"settings"`
}

func (s *Store) settings(ctx context.Context, n *node) (settings, error) {
	var found settings
	err := n.send(ctx, request{http.MethodGet, "/" + s.alias + "/_settings", url.Values{"flat_settings": {"true"}}, nil}, &found)
	return found, err
}

// suitable refuses an index that cannot keep what this package promises.
func (f settings) suitable(alias string) error {
	if len(f) != 1 {
		return fmt.Errorf("%s is an alias of %d indices; it must be of one", alias, len(f))
	}
	for name, index := range f {
		if name == alias {
			return fmt.Errorf("%s is an index of its own, not an alias of the table's index %s: choose another name as store.opensearch.index", alias, indexOf(alias))
		}
		if n := index.Settings["index.number_of_shards"]; n != "1" {
			return fmt.Errorf("the index %s has %s primary shards; it must have one, for one order of changes", name, n)
		}
		if d := index.Settings["index.translog.durability"]; d != "" && !strings.EqualFold(d, "request") {
			return fmt.Errorf("the index %s has index.translog.durability %s, with which acknowledged changes can be lost; set it to request", name, d)
		}
	}
	return nil
}

func (f settings) replicas() int {
	for _, index := range f {
		if n, err := strconv.Atoi(index.Settings["index.number_of_replicas"]); err == nil {
			return n
		}
	}
	return 0
}

func indexOf(alias string) string { return alias + "-v1" }

// create makes the index and its alias in one step. Another process that does it at
// the same time is no error.
func (s *Store) create(ctx context.Context, replicas int) error {
	unindexed := func(kind string) object { return object{"type": kind, "index": false, "doc_values": false} }
	body := object{
		"settings": object{
			"number_of_shards": 1, "number_of_replicas": replicas,
			"refresh_interval":    "-1",      // who searches refreshes first
			"translog.durability": "request", // acknowledged is on disk
			"replication.type":    "DOCUMENT",
		},
		"aliases": object{s.alias: object{"is_hidden": true}},
		"mappings": object{
			"dynamic": "strict",
			"properties": object{
				"space":     object{"type": "keyword"},
				"deleted":   object{"type": "boolean"},
				"ttl":       object{"type": "long"},
				"name":      object{"type": "binary"},
				"value":     object{"type": "binary"},
				"history":   object{"type": "object", "enabled": false},
				"nonce":     unindexed("keyword"),
				"session":   unindexed("keyword"),
				"identity":  unindexed("keyword"),
				"rev":       unindexed("long"),
				"base":      unindexed("long"),
				"beat":      unindexed("long"),
				"compacted": unindexed("long"),
				"format":    unindexed("long"),
			},
		},
	}
	n := s.nodeAt(s.current.Load())
	err := n.send(ctx, request{http.MethodPut, "/" + indexOf(s.alias), url.Values{"wait_for_active_shards": {"1"}}, body}, nil)
	if err != nil && !is(err, http.StatusBadRequest, "resource_already_exists_exception") {
		return fmt.Errorf("create the index %s: %w", indexOf(s.alias), err)
	}
	return nil
}

const format = 1

// recognise learns the index's identity, and compares it with the one that it was
// created with, which is in the table itself.
func (s *Store) recognise(ctx context.Context) error {
	return s.read(ctx, func(ctx context.Context, n *node) error {
		sh, err := s.examine(ctx, n)
		if err != nil {
			return err
		}
		g, err := s.readMeta(ctx, n)
		if is(err, http.StatusNotFound, "not_found") {
			if sh.max >= 0 {
				return fmt.Errorf("%w: it has records but does not say what it is, so something else has changed it", errUnfit)
			}
			q := url.Values{"op_type": {"create"}, "require_alias": {"true"}, "wait_for_active_shards": {s.wait}}
			err = n.send(ctx, request{http.MethodPut, s.docPath(metaID), q, meta{Format: format, Identity: sh.id}}, nil)
			if err != nil && !is(err, http.StatusConflict, conflictKind) {
				return err
			}
			g, err = s.readMeta(ctx, n) // the other one's, if two began
		}
		if err != nil {
			return err
		}
		if g.Source.Format != format {
			return fmt.Errorf("%w: it has format %d, and this program knows format %d", errUnfit, g.Source.Format, format)
		}
		if g.Source.Identity != sh.id {
			return fmt.Errorf("%w (it was %s and is %s): it was restored from a snapshot, or given a stale copy as its primary", ErrReplaced, g.Source.Identity, sh.id)
		}
		s.identity.set(sh.id)
		return nil
	})
}
