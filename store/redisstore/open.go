package redisstore

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/store/driver"
)

// Defaults of Options.
const (
	DefaultHistory      = 100_000
	DefaultHistoryBytes = 64 << 20
)

// Options of a Store. The zero value is useful.
type Options struct {
	// Timeout bounds a call whose context has no deadline, and each attempt of one
	// (default 5 s). List reads page by page, and each page has this long.
	Timeout time.Duration
	// DialTimeout is how long Open waits for a master that answers (default 5 s).
	DialTimeout time.Duration
	// History is how many changes of a space the log keeps for watches that are
	// behind and lists that take long (default DefaultHistory), and HistoryBytes how
	// many bytes of them (default DefaultHistoryBytes).
	History      int
	HistoryBytes int
	Logger       *slog.Logger // default: discard
}

func (o *Options) orDefaults() Options {
	d := Options{}
	if o != nil {
		d = *o
	}
	if d.Timeout <= 0 {
		d.Timeout = 5 * time.Second
	}
	if d.DialTimeout <= 0 {
		d.DialTimeout = 5 * time.Second
	}
	if d.History <= 0 {
		d.History = DefaultHistory
	}
	if d.HistoryBytes <= 0 {
		d.HistoryBytes = DefaultHistoryBytes
	}
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	return d
}

// Open connects to the master that c leads to. Before it returns it makes sure
// that the server keeps what it acknowledges (a *SettingError says what to set) and
// that the user may do all that a Store does, so that a wrong address, password or
// ACL is an error here and not at the first request. The error is a
// *placement.InvalidError when the configuration is at fault. Close the Store when
// done.
func Open(ctx context.Context, c Config, o *Options) (*Store, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	opt := o.orDefaults()
	if c.exposesPassword() {
		opt.Logger.Warn("the password for redis is sent in clear; set store.redis.tls.enabled")
	}
	tc, err := c.TLS.config()
	if err != nil {
		return nil, err
	}
	for field, file := range map[string]string{"password_file": c.PasswordFile, "sentinel.password_file": c.Sentinel.PasswordFile} {
		if _, err := password(field, file); err != nil {
			return nil, err
		}
	}
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	s := &Store{
		prefix: c.Prefix, timeout: opt.Timeout, log: opt.Logger, page: pageRecords,
		history: [2]any{opt.History, opt.HistoryBytes}, observers: map[string]bool{},
		memory: newMemory(),
		dialer: &dialer{c: c, tls: tc},
	}
	s.dialer.check = func(ctx context.Context, cn *redis.Conn) error { return greet(ctx, cn, c) }
	s.ctx, s.end = context.WithCancel(context.Background())
	s.client.Store(s.dialer.client(opt.Timeout))

	ctx, cancel := context.WithTimeout(ctx, opt.DialTimeout)
	defer cancel()
	if err := s.start(ctx, c); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("connect to redis at %s: %w", strings.Join(c.Addresses, ", "), err)
	}
	return s, nil
}

// start finds out how many replicas must have a change, and tries everything once.
func (s *Store) start(ctx context.Context, c Config) error {
	r, err := s.call(ctx, "examine the server", transient, func(ctx context.Context) (reply, error) {
		need, err := examine(ctx, s.client.Load(), c)
		return reply{rest: []any{int64(need)}}, err
	})
	if err != nil {
		return err
	}
	need, err := r.number(0)
	if err != nil {
		return err
	}
	s.need = int(need)
	return s.try(ctx)
}

// try does all that a Store does in a space of its own, because a script that is
// refused half way, by an ACL, is not undone: better here than in the table.
func (s *Store) try(ctx context.Context) error {
	space := "probe" + letters()
	// Nobody observes its leases: an observer would find it gone, and take that for
	// lost history.
	s.observed(space, true)
	defer s.observed(space, false)
	// First, so that nothing is left of what fails.
	if err := s.discard(ctx, space); err != nil {
		return err
	}
	defer func() { _ = s.discard(ctx, space) }()
	key := driver.Key{Space: space, Name: "x"}
	x, err := s.open(ctx, key, []byte("x"), time.Minute)
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return x.Renew(ctx) },
		func() error { _, err := x.Update(ctx, []byte("y")); return err },
		func() error { _, err := s.Get(ctx, key); return err },
		func() error { _, err := s.leases(ctx, space); return err },
		func() error { _, err := s.pageOf(ctx, space, "-", s.page); return err },
		func() error { _, err := s.replaced(ctx, space, 0); return err },
		func() error { return s.tryWatch(ctx, space) },
		func() error { return x.Close(ctx) },
		func() error { _, err := s.change(ctx, "trim "+space, compactScript, space); return err },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// letters are random, and enough of them to be nobody else's.
func letters() string {
	const n = 16
	b := make([]byte, n)
	_, _ = rand.Read(b) // it never fails
	for i := range b {
		b[i] = 'a' + b[i]%26
	}
	return string(b)
}

// discard removes a space, and what is remembered of it.
func (s *Store) discard(ctx context.Context, space string) error {
	_, err := s.call(ctx, "remove "+space, transient, func(ctx context.Context) (reply, error) {
		return reply{}, s.client.Load().Unlink(ctx, s.keys(space)...).Err()
	})
	s.memory.forget(space)
	return err
}
