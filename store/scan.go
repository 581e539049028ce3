package store

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/placement"
)

// Entries are written and read at every step of a move, and by the million when a table is
// listed. What EncodeEntry writes is what encoding/json would write of an entryJSON, byte
// for byte, and is written by hand; and that very form is read by hand. Anything else, be
// it JSON in another order, a text with an escape in it or no JSON at all, is left to
// encoding/json. Tests hold the two ways together.

func appendEntry(b []byte, e *placement.Entry) []byte {
	b = append(b, `{"v":`...)
	b = strconv.AppendInt(b, schema, 10)
	b = appendText(append(b, `,"phase":`...), e.State.Phase.String())
	b = appendPlacement(append(b, `,"from":`...), &e.State.From)
	if !e.State.To.IsZero() {
		b = appendPlacement(append(b, `,"to":`...), &e.State.To)
	}
	if e.Incarnation != 0 {
		b = strconv.AppendUint(append(b, `,"incarnation":`...), uint64(e.Incarnation), 10)
	}
	if e.Attempt != (placement.Attempt{}) {
		b = appendText(append(b, `,"attempt":{"move":`...), e.Attempt.Move)
		b = strconv.AppendUint(append(b, `,"number":`...), uint64(e.Attempt.Number), 10)
		b = append(b, '}')
	}
	if e.CutoverAt != (placement.Start{}) {
		b = appendText(append(b, `,"cutover_at":{"boot":`...), e.CutoverAt.Boot)
		if e.CutoverAt.Since != 0 {
			b = strconv.AppendInt(append(b, `,"since":`...), int64(e.CutoverAt.Since), 10)
		}
		var err error
		if b, err = e.CutoverAt.Wall.AppendText(append(b, `,"wall":"`...)); err != nil {
			panic("encode entry: " + err.Error()) // a year of five digits
		}
		b = append(b, `"}`...)
	}
	if !e.Previous.IsZero() {
		b = appendPlacement(append(b, `,"previous":`...), &e.Previous)
	}
	if e.PreviousMove != "" {
		b = appendText(append(b, `,"previous_move":`...), e.PreviousMove)
	}
	if e.Fenced != "" {
		b = appendText(append(b, `,"fenced":`...), e.Fenced)
	}
	return append(b, '}')
}

func appendPlacement(b []byte, p *placement.Placement) []byte {
	b = appendText(append(b, `{"kind":`...), string(p.Kind))
	b = appendText(append(b, `,"cluster":`...), p.Cluster)
	if p.Index != "" {
		b = appendText(append(b, `,"index":`...), p.Index)
	}
	if p.Logical != "" {
		b = appendText(append(b, `,"logical":`...), p.Logical)
	}
	if p.PartitionField != "" {
		b = appendText(append(b, `,"partition_field":`...), p.PartitionField)
	}
	return append(b, '}')
}

// plain has the bytes that stand for themselves in a text of JSON, as encoding/json writes it.
var plain = func() (is [256]bool) {
	for c := byte(' '); c <= '~'; c++ {
		is[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return is
}()

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if !plain[s[i]] {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("encode entry: " + err.Error()) // of a string there is none
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// scan is what is left to read. Once it has met what it does not know it reads no more.
type scan struct {
	rest   []byte
	failed bool
}

// scanEntry reads what appendEntry writes; false: it is anything else.
func scanEntry(b []byte) (j entryJSON, ok bool) {
	s := scan{rest: b}
	s.must(`{"v":1,"phase":`)
	j.Schema, j.Phase = schema, s.word("Active", "Draining", "Cutover")
	s.must(`,"from":`)
	j.From = s.placement()
	if s.have(`,"to":`) {
		p := s.placement()
		j.To = &p
	}
	if s.have(`,"incarnation":`) {
		j.Incarnation = uint32(s.number(9))
	}
	if s.have(`,"attempt":{"move":`) {
		j.Attempt = &placement.Attempt{Move: s.text()}
		s.must(`,"number":`)
		j.Attempt.Number = uint32(s.number(9))
		s.must(`}`)
	}
	if s.have(`,"cutover_at":{"boot":`) {
		j.CutoverAt = &placement.Start{Boot: s.text()}
		if s.have(`,"since":`) {
			j.CutoverAt.Since = time.Duration(s.number(18))
		}
		s.must(`,"wall":`)
		if wall := s.quoted(); !s.failed && j.CutoverAt.Wall.UnmarshalJSON(wall) != nil {
			s.failed = true
		}
		s.must(`}`)
	}
	if s.have(`,"previous":`) {
		p := s.placement()
		j.Previous = &p
	}
	if s.have(`,"previous_move":`) {
		j.PreviousMove = s.text()
	}
	if s.have(`,"fenced":`) {
		j.Fenced = s.text()
	}
	s.must(`}`)
	return j, !s.failed && len(s.rest) == 0
}

func (s *scan) placement() (p placement.Placement) {
	s.must(`{"kind":`)
	p.Kind = placement.Kind(s.word(string(placement.DedicatedIndex), string(placement.SharedIndex), string(placement.DedicatedCluster)))
	s.must(`,"cluster":`)
	p.Cluster = s.text()
	if s.have(`,"index":`) {
		p.Index = s.text()
	}
	if s.have(`,"logical":`) {
		p.Logical = s.text()
	}
	if s.have(`,"partition_field":`) {
		p.PartitionField = s.text()
	}
	s.must(`}`)
	return p
}

// have reads a literal if it is next.
func (s *scan) have(literal string) bool {
	if s.failed || len(s.rest) < len(literal) || string(s.rest[:len(literal)]) != literal {
		return false
	}
	s.rest = s.rest[len(literal):]
	return true
}

func (s *scan) must(literal string) {
	if !s.have(literal) {
		s.failed = true
	}
}

// quoted reads a text without escapes, with its quotes.
func (s *scan) quoted() []byte {
	if s.failed || len(s.rest) == 0 || s.rest[0] != '"' {
		s.failed = true
		return nil
	}
	n := 1
	for n < len(s.rest) && plain[s.rest[n]] {
		n++
	}
	if n == len(s.rest) || s.rest[n] != '"' {
		s.failed = true
		return nil
	}
	q := s.rest[:n+1]
	s.rest = s.rest[n+1:]
	return q
}

func (s *scan) text() string {
	q := s.quoted()
	if s.failed {
		return ""
	}
	return string(q[1 : len(q)-1])
}

// word reads one of the given texts.
func (s *scan) word(of ...string) string {
	q := s.quoted()
	for _, w := range of {
		if !s.failed && string(q[1:len(q)-1]) == w {
			return w
		}
	}
	s.failed = true
	return ""
}

// number reads a number of at most so many digits.
func (s *scan) number(digits int) (v int64) {
	n := 0
	for ; n < len(s.rest) && '0' <= s.rest[n] && s.rest[n] <= '9'; n++ {
		if n == digits {
			break
		}
		v = 10*v + int64(s.rest[n]-'0')
	}
	if n == 0 || n > 1 && s.rest[0] == '0' {
		s.failed = true
		return 0
	}
	s.rest = s.rest[n:]
	return v
}
