package affinity

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
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
type Sealer struct{ keys [][]byte }

// NewSealer returns a Sealer that seals with the first key and opens with any of
// them, so that a key can be replaced while cursors of the old one are open.
func NewSealer(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("cursor key: at least one is needed")
	}
	for i, k := range keys {
		if len(k) < MinKey {
			return nil, fmt.Errorf("cursor key %d: has %d bytes, must have at least %d", i, len(k), MinKey)
		}
	}
	return &Sealer{keys: keys}, nil
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
	b := make([]byte, 0, 64+len(e.ID)+len(e.Partition)+len(e.Placement.Index)+len(e.Placement.Logical))
	fields := []string{
		string(e.Partition), string(e.Placement.Kind), e.Placement.Cluster, e.Placement.Index, e.Placement.Logical, e.ID,
	}
	version := byte(format)
	if e.Placement.PartitionField != "" {
		version, fields = formatShared, append(fields, e.Placement.PartitionField)
	}
	b = append(b, version, byte(e.Kind))
	b = binary.AppendVarint(b, e.Expires.Unix())
	b = binary.AppendUvarint(b, uint64(e.Incarnation))
	for _, v := range fields {
		b = binary.AppendUvarint(b, uint64(len(v)))
		b = append(b, v...)
	}
	return encoding.EncodeToString(append(b, mac(s.keys[0], b)...))
}

// Unwrap opens what Wrap sealed, for the tenant who presents it at the time now.
func (s *Sealer) Unwrap(text string, presenter placement.PartitionID, now time.Time) (Envelope, error) {
	if len(text) > MaxSealed {
		return Envelope{}, ErrTampered
	}
	raw, err := encoding.DecodeString(text)
	if err != nil || len(raw) < macSize {
		return Envelope{}, ErrTampered
	}
	b, sum := raw[:len(raw)-macSize], raw[len(raw)-macSize:]
	ok := false
	for _, k := range s.keys {
		ok = ok || hmac.Equal(sum, mac(k, b))
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

func mac(key, b []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("sluice cursor\x00")) // the key may serve other purposes too
	h.Write(b)
	return h.Sum(nil)[:macSize]
}

func decode(b []byte) (e Envelope, ok bool) {
	if len(b) < 2 || b[0] != format && b[0] != formatShared {
		return e, false
	}
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
		fields[i], b = string(b[n:n+int(size)]), b[n+int(size):]
	}
	e.Partition = placement.PartitionID(f[0])
	e.Placement = placement.Placement{Kind: placement.Kind(f[1]), Cluster: f[2], Index: f[3], Logical: f[4], PartitionField: f[6]}
	e.ID = f[5]
	return e, len(b) == 0
}
