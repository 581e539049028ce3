package opensearchstore

import "github.com/sluiceproxy/sluice/store/driver"

// SetPage sets how many records a search returns.
func (s *Store) SetPage(n int) { s.page = n }

// SeqOf is the _seq_no in a version.
func SeqOf(v driver.Version) int64 { return seqOf(v) }

// VersionOf makes a version.
func VersionOf(seq, term int64) driver.Version { return versionOf(seq, term) }

// DocumentID is the _id of a key.
func DocumentID(k driver.Key) string { return documentID(k) }

// The bounds of a document's memory.
const (
	MaxPast      = maxPast
	MaxPastBytes = maxPastBytes
	MaxSeq       = maxSeq
)
