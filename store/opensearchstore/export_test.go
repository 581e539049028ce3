package opensearchstore

import "github.com/sluiceproxy/sluice/store/driver"

// SetPage sets how many records a search returns.
func (s *Store) SetPage(n int) { s.page = n }

// What the tests of documents use.
type (
	Stored   = stored
	Document = document
)

const (
	MaxPast = maxPast
	AChange = aChange
	MinPast = minPast
	MaxSeq  = maxSeq
	MetaID  = metaID
)

var (
	VersionOf  = versionOf
	UpTo       = upTo
	SeqOf      = seqOf
	Bounded    = bounded
	DocumentID = documentID
	Settle     = settle
)

func NewStored(d Document, seq, term int64) *Stored { return &stored{d, seq, term} }

func (s *stored) Seq() int64              { return s.seq }
func (s *stored) Source() Document        { return s.document }
func (s *stored) Version() driver.Version { return s.version() }
func (s *stored) At() driver.Version      { return s.at() }
func (s *stored) Renewed() *Document      { return s.renewed() }

func (s *stored) Has(nonce string) driver.Version { return s.has(nonce) }

func (s *stored) Next(k driver.Key, value []byte, deleted bool) *Document {
	return s.next(k, value, deleted)
}

func (s *stored) Changes(from, upto driver.Version) ([]driver.Event, error) {
	return s.changes(from, upto)
}

func (s *stored) Moment(at driver.Version) (driver.KV, bool, error) { return s.moment(at) }
