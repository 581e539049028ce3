package opensearchstore

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/sluiceproxy/sluice/store/driver"
)

// A version is the change's _seq_no plus one, above termBits of its
// _primary_term. Within one shard _seq_no alone is the order in which changes
// take effect, and no two that last share one: a new primary goes on above what
// it has. The term tells apart what a primary that was already deposed numbered
// but nobody else has from what its successor gave that number. A stale number
// is reused by the next few primaries or never, so some bits of the term do.
//
// Bounds: _seq_no below 2^51-1, which is 7,000 years of 10,000 writes a second;
// checked, so that a version never wraps. JavaScript holds versions exactly up
// to a _seq_no of 2^41.
const (
	termBits = 12
	termMask = 1<<termBits - 1
	maxSeq   = int64(1)<<51 - 2
)

func versionOf(seq, term int64) driver.Version {
	return driver.Version(uint64(seq+1)<<termBits | uint64(term)&termMask)
}

// upTo is the newest version that any change with a _seq_no of at most seq can
// have; -1 stands for an empty shard.
func upTo(seq int64) driver.Version { return versionOf(seq, termMask) }

// seqOf is the _seq_no in a version, -1 for versions from before the first.
func seqOf(v driver.Version) int64 { return int64(uint64(v)>>termBits) - 1 }

// What a document remembers of its past. Watches read intermediate changes from
// it; a change that no document remembers any more is driver.ErrCompacted for a
// watch that is behind it.
const (
	maxPast = 32 << 10 // bytes
	aChange = 64       // bytes of a change besides its value, about
	minPast = 4        // changes that are kept whatever their size
)

// document is the source of a record. JSON holds []byte in base64.
type document struct {
	Space   string   `json:"space"`
	Name    []byte   `json:"name"`
	Value   []byte   `json:"value,omitempty"`
	Deleted bool     `json:"deleted"` // a tombstone
	Nonce   string   `json:"nonce"`   // of the newest change: tells whose it was
	Rev     uint64   `json:"rev,omitempty"`
	Base    uint64   `json:"base,omitempty"` // version of the newest change that History has dropped
	History []change `json:"history,omitempty"`

	TTL     int64  `json:"ttl,omitempty"`     // of the lease in milliseconds; 0: no lease
	Session string `json:"session,omitempty"` // whose lease it is
	Beat    uint64 `json:"beat,omitempty"`    // renewals
}

// change is one earlier change of a record.
type change struct {
	Version uint64 `json:"v"`
	Nonce   string `json:"n"`
	Deleted bool   `json:"d,omitempty"`
	Value   []byte `json:"x,omitempty"`
}

// stored is a document and where in the shard's order it was written. It is
// never changed: caches and callers share it.
type stored struct {
	document
	seq, term int64
}

// documentID is the _id of a key. Names may be longer than an _id and hold any
// bytes, so it is a hash, and the document holds the name.
func documentID(k driver.Key) string {
	h := sha256.Sum256([]byte(k.Space + "\x00" + k.Name))
	return base64.RawURLEncoding.EncodeToString(h[:])
}

// of reports whether the document is the key's, against a damaged index.
func (d *document) of(k driver.Key) bool { return d.Space == k.Space && string(d.Name) == k.Name }

// version is that of the newest change: a renewal rewrites the document, which
// moves its _seq_no, but is no change and says in Rev what the version was.
func (s *stored) version() driver.Version {
	if s.Rev != 0 {
		return driver.Version(s.Rev)
	}
	return versionOf(s.seq, s.term)
}

// at is the version that a write must expect; 0 when there is no record.
func (s *stored) at() driver.Version {
	if s == nil || s.Deleted {
		return 0
	}
	return s.version()
}

func (s *stored) kv() driver.KV {
	return driver.KV{Name: string(s.Name), Value: s.Value, Version: s.version()}
}

// next is the document after one more change; s is nil when there was none. A
// deletion ends the lease.
func (s *stored) next(k driver.Key, value []byte, deleted bool) *document {
	d := &document{Space: k.Space, Name: []byte(k.Name), Deleted: deleted, Nonce: rand.Text()}
	if !deleted {
		d.Value = bytes.Clone(value) // documents are kept, and the caller may change it
	}
	if s == nil {
		return d
	}
	if !deleted && !s.Deleted {
		d.TTL, d.Session, d.Beat = s.TTL, s.Session, s.Beat
	}
	past := make([]change, 0, len(s.History)+1)
	past = append(append(past, s.History...), change{Version: uint64(s.version()), Nonce: s.Nonce, Deleted: s.Deleted, Value: s.Value})
	d.Base = s.Base
	size := 0
	for _, c := range past {
		size += len(c.Value) + aChange
	}
	for len(past) > minPast && size > maxPast {
		d.Base = past[0].Version
		size -= len(past[0].Value) + aChange
		past = past[1:]
	}
	d.History = past
	return d
}

// renewed is the document after a renewal of its lease.
func (s *stored) renewed() *document {
	d := s.document
	d.Rev = uint64(s.version())
	d.Beat++
	return &d
}

// has reports at which version the change with that nonce was made; 0 when the
// document does not know of it.
func (s *stored) has(nonce string) driver.Version {
	if s.Nonce == nonce {
		return s.version()
	}
	for _, c := range s.History {
		if c.Nonce == nonce {
			return driver.Version(c.Version)
		}
	}
	return 0
}

// errForgotten: a document's history does not reach back far enough.
var errForgotten = errors.New("the record's history does not reach back that far")

// changes are those after from and up to upto, oldest first.
func (s *stored) changes(from, upto driver.Version) ([]driver.Event, error) {
	if driver.Version(s.Base) > from {
		return nil, errForgotten
	}
	var out []driver.Event
	add := func(v driver.Version, deleted bool, value []byte) {
		if v <= from || v > upto {
			return
		}
		ev := driver.Event{KV: driver.KV{Name: string(s.Name), Version: v}, Deleted: deleted}
		if !deleted {
			ev.Value = value
		}
		out = append(out, ev)
	}
	for _, c := range s.History {
		add(driver.Version(c.Version), c.Deleted, c.Value)
	}
	add(s.version(), s.Deleted, s.Value)
	return out, nil
}

// moment is the record as it was at version at, and whether there was one.
func (s *stored) moment(at driver.Version) (driver.KV, bool, error) {
	if s.version() <= at {
		return s.kv(), !s.Deleted, nil
	}
	for i := len(s.History) - 1; i >= 0; i-- {
		if c := s.History[i]; driver.Version(c.Version) <= at {
			return driver.KV{Name: string(s.Name), Value: c.Value, Version: driver.Version(c.Version)}, !c.Deleted, nil
		}
	}
	if s.Base != 0 {
		return driver.KV{}, false, errForgotten
	}
	return driver.KV{}, false, nil // created later
}

// bounded checks what the engine numbers changes with.
func bounded(seq, term int64) error {
	if seq < 0 || seq > maxSeq || term < 1 {
		return fmt.Errorf("_seq_no %d and _primary_term %d are outside what a version can hold", seq, term)
	}
	return nil
}
