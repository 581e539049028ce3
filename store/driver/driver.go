// Package driver is the seam between the placement table and the engines that
// can hold it. A driver supplies primitives and nothing else: it knows no
// phase, no tenant and no policy. What every driver must guarantee is written at
// each method and checked by package drivertest against the real engine.
//
// Keys live in spaces ("entries", "sessions", ...), each with its own order of
// versions and its own watch. Names within a space are arbitrary bytes.
package driver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
)

// Version is the engine's revision of a key's last change. Within one space
// versions of any two changes are comparable and grow in the order in which the
// changes took effect. 0 means "no such key".
type Version uint64

// Key names a record.
type Key struct {
	Space string // [a-z]+, chosen by the program
	Name  string // any non-empty bytes, at most MaxName
}

// MaxName is the longest Name of a Key, in bytes.
const MaxName = 1024

// Validate returns an error unless the key is one that every driver takes.
func (k Key) Validate() error {
	for _, c := range []byte(k.Space) {
		if c < 'a' || c > 'z' {
			return fmt.Errorf("the space %q must be letters from a to z", k.Space)
		}
	}
	if k.Space == "" {
		return errors.New("the space must not be empty")
	}
	if k.Name == "" || len(k.Name) > MaxName {
		return fmt.Errorf("a name must have 1 to %d bytes, not %d", MaxName, len(k.Name))
	}
	return nil
}

// KV is a record as it was at Version.
type KV struct {
	Name    string
	Value   []byte // read only: it may be shared with other readers
	Version Version
}

// The outcomes that programs branch on. Any other error leaves the outcome of a
// write unknown: read before acting.
var (
	// ErrNotFound: the key does not exist. Certain, never a failure to read.
	ErrNotFound = catalog.New("record_gone", "key not found")
	// ErrConflict: the key is not at the expected version; nothing was written.
	ErrConflict = catalog.New("changed", "version conflict")
	// ErrSessionLost: the session's lease has ended; nothing was written.
	ErrSessionLost = catalog.New("session_lost", "session lost")
	// ErrCompacted: the watch cannot start where asked; list again.
	ErrCompacted = catalog.New("watch_compacted", "watch history compacted")
)

// ErrHistoryLost: the engine does not have changes any more that this process has
// seen, so versions go back and are given out again. No outcome of one call: the
// driver that returns it does so for ever, and only a process that starts anew can
// go on. See LossNoticer.
var ErrHistoryLost = catalog.New("history_lost", "the store has lost history")

// Write is one conditional change of one key.
type Write struct {
	Key    Key
	Value  []byte
	Expect Version // version that the key must be at; 0: it must not exist
	Delete bool    // remove the key; Expect must then be > 0
}

// Driver is what an engine supplies. All methods are safe for concurrent use
// and honour the context's end promptly.
//
// Every driver is also a Header or a Batcher. Either is how somebody who watches a
// space makes sure that he has seen all of it, at a cost that does not grow with the
// number of keys that are asked for at the same moment.
type Driver interface {
	// Get is linearizable: it sees every write that was acknowledged, to
	// anyone, before Get was called. An absent key is ErrNotFound.
	Get(ctx context.Context, key Key) (KV, error)

	// List calls yield for every record of the space as of one moment, in no
	// particular order, and returns the version from which Watch continues
	// without gap or repetition: it is at least the version of everything that
	// was acknowledged before List was called. It stops early, without error,
	// when yield returns false. KV.Value is valid during the call only.
	List(ctx context.Context, space string, yield func(KV) bool) (Version, error)

	// Write applies one change iff the key is at w.Expect, atomically, and
	// returns the key's new version (for a deletion: the version of the
	// deletion). A write of the same value is a change like any other. Writing a
	// session's record leaves its lease alone, deleting it ends the session.
	Write(ctx context.Context, w Write) (Version, error)

	// Watch reports every change of the space after version from, in order,
	// each once, from one goroutine, until the context ends or an error occurs. It
	// returns the context's error, or apply's as it is, or why it cannot go on.
	// Broken connections are resumed inside, without gap or repetition.
	// ErrCompacted means that changes were lost: List again. Watch calls
	// apply with changes that belong together (one version is never split over two
	// calls) and never with none. However long apply takes, it misses nothing.
	Watch(ctx context.Context, space string, from Version, apply func([]Event) error) error

	// Open creates a leased record: key must not exist (ErrConflict). The
	// record disappears, visible to Watch and List, when the lease has not been
	// renewed for ttl by the engine's count, never earlier. That is also how a record
	// ends which an Open that failed may have left.
	Open(ctx context.Context, key Key, value []byte, ttl time.Duration) (Session, error)
}

// Header is implemented by drivers whose engine can tell, with one linearizable
// read, the newest version of anything in a space.
type Header interface {
	// Head returns a version that is at least that of every change of the space
	// acknowledged before Head was called, and at most that of the newest
	// change: a watch will reach it without any further write.
	Head(ctx context.Context, space string) (Version, error)
}

// LocalHeader is implemented by Headers that can tell the head without asking anybody,
// at times.
type LocalHeader interface {
	Header
	// LocalHead is what Head returns, without waiting for anything; false: Head must be
	// asked.
	LocalHead(space string) (Version, bool)
}

// LossNoticer is implemented by drivers that notice when their engine has lost
// changes (ErrHistoryLost). Whoever serves by what it has read must stop then, and
// cannot rely on making a call that fails.
type LossNoticer interface {
	// AwaitLoss returns an error that is ErrHistoryLost once any call has noticed the
	// loss, and the context's error when that ends before.
	AwaitLoss(ctx context.Context) error
}

// MaxBatch is how many names one call of Versions may have. It keeps a read short:
// whoever comes while it is under way waits for the next one.
const MaxBatch = 500

// Batcher is implemented by drivers whose engine has no head that one read could
// tell. In its place are a read of many keys at once and a read of what changed.
type Batcher interface {
	// Versions returns the versions of keys of one space, in the order of names, by
	// one request to the engine. Each is as linearizable as Get. An error is about the
	// whole call; what is wrong with one key alone is in its Sight. More names than
	// MaxBatch, or one that is no Key's, are an error.
	Versions(ctx context.Context, space string, names []string) ([]Sight, error)

	// Since returns every change of the space after version from that was acknowledged
	// before Since was called, as a watch from there reports them, and the version that
	// it has come to: at least that of each of those changes, with nothing left out up
	// to it. Another Since or a Watch goes on from there. It may be ahead of the newest
	// change of the space. ErrCompacted means that changes were lost: List again.
	Since(ctx context.Context, space string, from Version) ([]Event, Version, error)
}

// Pager is implemented by drivers whose engine keeps the names of a space in order, so
// that a stretch of it costs what it holds and not what the space holds.
type Pager interface {
	// Page returns the first records of the space whose names come after after (empty:
	// the first of all), in the order of their bytes, at most limit of them, and whether
	// there are more. It may return fewer, but never none while there are more. Each is
	// one that Get could have returned since Page was called, and none is left out that
	// was there all the while; the page as a whole need not be one moment.
	Page(ctx context.Context, space, after string, limit int) (records []KV, more bool, err error)
}

// Sight is what Versions says of one key.
type Sight struct {
	Version Version // 0: there is no such key
	Err     error   // why it cannot be told
}

// Event is one change seen by Watch.
type Event struct {
	KV           // Value is nil for a deletion; Version is the change's own
	Deleted bool // the key was removed or its lease ended
}

// Session is a leased record, held by one process. After an error that is no
// answer a call may be repeated.
type Session interface {
	// Renew extends the lease by its ttl counted from some moment after the
	// call began. ErrSessionLost once the lease has ended, for ever.
	Renew(ctx context.Context) error
	// Update replaces the record's value; ErrSessionLost once the lease has
	// ended or the record is not the session's any more. It does not extend the
	// lease. An Update that failed may take effect late, but never after a later
	// one of the session has succeeded: compare versions, for the engine may
	// receive the two over different connections.
	Update(ctx context.Context, value []byte) (Version, error)
	// Close ends the lease and removes the record. ErrSessionLost when there was
	// none left to remove.
	Close(ctx context.Context) error
}
