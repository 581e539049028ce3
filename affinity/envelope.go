package affinity

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"

	"github.com/sluiceproxy/sluice/internal/catalog"
	"github.com/sluiceproxy/sluice/placement"
)

// Kind says what the original id is.
type Kind uint8

// The kinds of cursor.
const (
	Scroll Kind = 1 // a scroll id
	PIT    Kind = 2 // a point-in-time id
	Task   Kind = 3 // id of a task that was started for the tenant
)

// The refusals of Unwrap.
var (
	ErrTampered    = catalog.New("sluice_bad_cursor", "the cursor is none of ours, or was changed")
	ErrExpired     = catalog.New("search_context_missing_exception", "the cursor has expired")
	ErrOtherTenant = catalog.New("search_context_missing_exception", "the cursor belongs to another tenant")
)

// MinKey is the least length of a key, in bytes.
const MinKey = 16

// MaxSealed is the longest sealed envelope that Unwrap looks at, in bytes. The
// longest real one, a PIT over hundreds of shards, has some tens of kilobytes.
const MaxSealed = 1 << 20

// Envelope is a cursor and what it is bound to.
type Envelope struct {
	// Partition may follow the cursor, nobody else.
	Partition placement.PartitionID
	// Placement that the cursor was opened under; its Cluster serves it.
	Placement placement.Placement
	// Incarnation of the partition when the cursor was opened.
	Incarnation uint32
	Kind        Kind
	ID          string    // the original id, or a task's
	Expires     time.Time // in seconds
}

// Sealer wraps and unwraps envelopes. It is safe for concurrent use.
type Sealer struct{ keys []*sealingKey }

// NewSealer returns a Sealer that seals with the first key and opens with any of
// them, so that a key can be replaced while cursors of the old one are open.
func NewSealer(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("cursor key: at least one is needed")
	}
	s := &Sealer{}
	for i, k := range keys {
		if len(k) < MinKey {
			return nil, fmt.Errorf("cursor key %d: has %d bytes, must have at least %d", i, len(k), MinKey)
		}
		s.keys = append(s.keys, newSealingKey(k))
	}
	return s, nil
}

const (
	format = 1
	// formatShared also holds the partition field. Other placements keep the first
	// format, so that instances of both versions follow each other's cursors.
	formatShared = 2
	macSize      = 16 // of SHA-256's 32 bytes: forging needs 2^128 tries
)

var encoding = base64.RawURLEncoding.Strict() // one text for one envelope

// Wrap seals e into text that is safe in URLs and in JSON.
func (s *Sealer) Wrap(e Envelope) string {
	w := s.keys[0].take()
	defer s.keys[0].give(w)
	p := &e.Placement
	b := append(w.room[:0], format, byte(e.Kind))
	b = binary.AppendVarint(b, e.Expires.Unix())
	b = binary.AppendUvarint(b, uint64(e.Incarnation))
	b = appendText(b, string(e.Partition))
	b = appendText(b, string(p.Kind))
	b = appendText(b, p.Cluster)
	b = appendText(b, p.Index)
	b = appendText(b, p.Logical)
	b = appendText(b, e.ID)
	if p.PartitionField != "" {
		b[0] = formatShared
		b = appendText(b, p.PartitionField)
	}
	b = w.appendMAC(b, b)
	var text [1024]byte
	return string(encoding.AppendEncode(text[:0], b))
}

// appendText appends a text with its length.
func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// Unwrap opens what Wrap sealed, for the tenant who presents it at the time now.
func (s *Sealer) Unwrap(text string, presenter placement.PartitionID, now time.Time) (Envelope, error) {
	if len(text) > MaxSealed {
		return Envelope{}, ErrTampered
	}
	w := s.keys[0].take()
	defer s.keys[0].give(w)
	raw, err := encoding.AppendDecode(w.room[:0], []byte(text))
	if err != nil || len(raw) < macSize {
		return Envelope{}, ErrTampered
	}
	b, sum := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	var own [macSize]byte
	ok := hmac.Equal(sum, w.appendMAC(own[:0], b))
	for _, k := range s.keys[1:] {
		ok = ok || hmac.Equal(sum, k.appendMAC(own[:0], b))
	}
	if !ok {
		return Envelope{}, ErrTampered
	}
	e, ok := decode(b)
	switch {
	case !ok: // sealed by a newer version of this program
		return Envelope{}, ErrTampered
	case e.Partition != presenter:
		return Envelope{}, ErrOtherTenant
	case !now.Before(e.Expires):
		return e, ErrExpired
	}
	return e, nil
}

// sealingKey makes authentication codes. What is computed of the key alone is computed once for
// each that is at work at the same time.
type sealingKey struct{ idle sync.Pool }

// work is one computation under a key.
type work struct {
	mac  hash.Hash
	sum  [sha256.Size]byte
	room [512]byte // for an envelope; a longer one is elsewhere
}

var purpose = []byte("sluice cursor\x00") // the key may serve other purposes too

func newSealingKey(k []byte) *sealingKey {
	k = bytes.Clone(k)
	return &sealingKey{sync.Pool{New: func() any { return &work{mac: hmac.New(sha256.New, k)} }}}
}

func (k *sealingKey) take() *work { return k.idle.Get().(*work) }

// give takes back what take gave, of which nothing may be in use any more.
func (k *sealingKey) give(w *work) { k.idle.Put(w) }

// appendMAC appends b's code to to, which may be b.
func (w *work) appendMAC(to, b []byte) []byte {
	w.mac.Reset()
	w.mac.Write(purpose)
	w.mac.Write(b)
	return append(to, w.mac.Sum(w.sum[:0])[:macSize]...)
}

// appendMAC is that of a work of the key's own.
func (k *sealingKey) appendMAC(to, b []byte) []byte {
	w := k.take()
	defer k.give(w)
	return w.appendMAC(to, b)
}

func decode(b []byte) (e Envelope, ok bool) {
	if len(b) < 2 || b[0] != format && b[0] != formatShared {
		return e, false
	}
	whole := string(b) // which the texts are parts of
	var f [7]string
	fields := f[:6]
	if b[0] == formatShared {
		fields = f[:]
	}
	e.Kind = Kind(b[1])
	b = b[2:]
	expires, n := binary.Varint(b)
	if n <= 0 {
		return e, false
	}
	b = b[n:]
	incarnation, n := binary.Uvarint(b)
	if n <= 0 || incarnation > 1<<32-1 {
		return e, false
	}
	b = b[n:]
	e.Expires, e.Incarnation = time.Unix(expires, 0), uint32(incarnation)
	for i := range fields {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) {
			return e, false
		}
		b = b[n:]
		at := len(whole) - len(b)
		fields[i], b = whole[at:at+int(size)], b[size:]
	}
	e.Partition = placement.PartitionID(f[0])
	e.Placement = placement.Placement{Kind: placement.Kind(f[1]), Cluster: f[2], Index: f[3], Logical: f[4], PartitionField: f[6]}
	e.ID = f[5]
	return e, len(b) == 0
}
