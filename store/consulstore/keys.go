package consulstore

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/sluiceproxy/sluice/store/driver"
)

// The keys of a space, all under the prefix:
//
//	data/<space>/n<name>        a record (n...: the name, escaped; h...: the hash of a long one)
//	data/<space>/gen            the generation: changed with every change of the space
//	log/<space>/<bucket>/<id>   one change
//	meta/<space>                which buckets there are
//	lease/<space>/n<name>       locked by the session that holds the record
//	lease/<space>/all           never changes; a blocking query of the leases needs it
//
// The generation lies among the records, so that one query of them has it too.
func (s *Store) data(space string) string     { return s.prefix + "data/" + space + "/" }
func (s *Store) gen(space string) string      { return s.data(space) + "gen" }
func (s *Store) meta(space string) string     { return s.prefix + "meta/" + space }
func (s *Store) leases(space string) string   { return s.prefix + "lease/" + space + "/" }
func (s *Store) sentinel(space string) string { return s.leases(space) + "all" }
func (s *Store) bucket(space string, n uint64) string {
	return s.prefix + "log/" + space + "/" + strconv.FormatUint(n, 10) + "/"
}

func (s *Store) record(k driver.Key) string { return s.data(k.Space) + escape(k.Name) }
func (s *Store) lease(k driver.Key) string  { return s.leases(k.Space) + escape(k.Name) }

// longest is the length of an escaped name above which its hash takes its place:
// Consul limits keys, to 512 bytes unless told otherwise.
const longest = 200

// escape returns a part of a key for any name, different for different names.
// Letters, digits, - and _ stand for themselves and other bytes are ~ and two hex
// digits, so that nothing has a meaning in a URL or in Consul. It only addresses:
// the name itself is in the value.
func escape(name string) string {
	out := make([]byte, 1, len(name)+1)
	out[0] = 'n'
	for _, c := range []byte(name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			out = append(out, c)
		} else {
			out = append(out, '~', hexDigits[c>>4], hexDigits[c&15])
		}
		if len(out) > longest {
			sum := sha256.Sum256([]byte(name))
			return "h" + hex.EncodeToString(sum[:])
		}
	}
	return string(out)
}

const hexDigits = "0123456789abcdef"

// envelope is what a value in Consul holds: of a record, of a change in the log,
// of a lease.
type envelope struct {
	id      uint64 // of the change that wrote it, drawn at random: no two values are the same
	deleted bool   // in the log: the record was removed
	name    string
	value   []byte
}

// format is the first byte of an envelope.
const format = 1

var errEnvelope = errors.New("not a value that this program wrote")

func (e envelope) encode() []byte {
	out := make([]byte, 0, 10+binary.MaxVarintLen16+len(e.name)+len(e.value))
	out = append(out, format, 0)
	if e.deleted {
		out[1] = 1
	}
	out = binary.BigEndian.AppendUint64(out, e.id)
	out = binary.AppendUvarint(out, uint64(len(e.name)))
	out = append(out, e.name...)
	return append(out, e.value...)
}

// decode is the inverse of encode; the value shares b.
func decode(b []byte) (envelope, error) {
	if len(b) < 11 || b[0] != format || b[1] > 1 {
		return envelope{}, errEnvelope
	}
	e := envelope{deleted: b[1] == 1, id: binary.BigEndian.Uint64(b[2:])}
	n, size := binary.Uvarint(b[10:])
	rest := b[10+max(size, 0):]
	if size <= 0 || n == 0 || n > driver.MaxName || uint64(len(rest)) < n {
		return envelope{}, errEnvelope
	}
	e.name, e.value = string(rest[:n]), rest[n:]
	if e.deleted && len(e.value) > 0 {
		return envelope{}, errEnvelope
	}
	return e, nil
}

// maxValue is the longest value that is written. It is in a transaction twice, in
// the record and in the log, each time in base64, and Consul takes a transaction
// of at most 512 KiB unless told otherwise.
const maxValue = 180 << 10

func checkValue(value []byte) error {
	if len(value) > maxValue {
		return fmt.Errorf("a value may have %d bytes, not %d: it is in a transaction of Consul, of at most 512 KiB, twice", maxValue, len(value))
	}
	return nil
}
