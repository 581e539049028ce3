package mover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/sluiceproxy/sluice/internal/jsontext"
	"github.com/sluiceproxy/sluice/internal/upstream"
)

// op is one write to the target: an index operation with A's version, or a
// delete of exactly what was read from B.
type op struct {
	index   int // into the move's indices
	id      string
	routing string
	delete  bool
	version int64           // index
	source  json.RawMessage // index
	seqNo   int64           // delete
	term    int64           // delete
}

// outcome of one op.
type outcome uint8

const (
	applied  outcome = iota // also a delete that found nothing
	conflict                // B holds a newer version, or has changed since it was read
	rejected                // 400: the document does not fit the mapping
	again                   // refused for lack of capacity: certainly not applied
	unknown                 // may still be applied
)

// answer of one op. reason may hold parts of the document: not for logs.
type answer struct {
	outcome outcome
	kind    string
	reason  string
}

// write performs ops through the write alias until each is applied, conflicts
// or is rejected. Overload is waited out for up to Patience; an unknown outcome
// is drained before it is tried again.
func (m *Mover) write(ctx context.Context, ops []op) ([]answer, error) {
	ops, err := m.stamped(ops)
	if err != nil {
		return nil, err
	}
	answers := make([]answer, len(ops))
	todo := make([]int, len(ops))
	for i := range todo {
		todo[i] = i
	}
	began, size := time.Now(), len(ops)
	for n := 0; len(todo) > 0; {
		part := todo[:min(size, len(todo))]
		rest := todo[len(part):]
		turn, got, lost, err := m.bulk(ctx, ops, part)
		busy := overloaded(err)
		if err != nil && !busy && !lost {
			return nil, err
		}
		var left []int
		if err != nil {
			left = append(left, part...)
		} else {
			for k, i := range part {
				switch answers[i] = got[k]; got[k].outcome {
				case again:
					left, busy = append(left, i), true
				case unknown:
					left = append(left, i)
				}
			}
		}
		switch {
		case lost:
			if ctx.Err() != nil {
				return nil, errors.Join(context.Cause(ctx), err)
			}
			m.log.WarnContext(ctx, "a bulk ended with an unknown outcome", "docs", len(part), "err", errText(err))
			if err := m.settleSoon(ctx, turn); err != nil {
				return nil, err
			}
		case busy:
			m.throttle.refusedBy(m.dst.Name())
			// Half as many at a time: what was refused may have been too much at once.
			size = max(1, size/2)
			if perr := pause(ctx, n); perr != nil {
				return nil, perr
			}
		default:
			n = -1
		}
		n++
		if len(left) > 0 && time.Since(began) > m.opt.Patience {
			return nil, fmt.Errorf("write to %s: %w", m.dst.Name(), errors.Join(ErrOverloaded, err))
		}
		todo = append(append([]int(nil), left...), rest...)
	}
	return answers, nil
}

// settleSoon settles, again and again while the target cannot be reached.
func (m *Mover) settleSoon(ctx context.Context, turn int) error {
	began := time.Now()
	for n := 2; ; n++ {
		err := m.settle(ctx, turn)
		code, _ := status(err)
		if err == nil || errors.Is(err, ErrFenced) || errors.Is(err, ErrTargetChanged) || ctx.Err() != nil {
			return err
		}
		var refused *upstream.StatusError
		if errors.As(err, &refused) && code < 500 || m.opt.Lease() != nil || time.Since(began) > m.opt.Patience {
			return err
		}
		if perr := pause(ctx, n); perr != nil {
			return errors.Join(perr, err)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return "an item's status"
	}
	if code, kind := status(err); code != 0 {
		return strconv.Itoa(code) + " " + kind
	}
	return err.Error()
}

// bulk sends one request and returns the turn that it wrote in. lost says that
// something of it may still be applied; unsettled has been set then, before gate
// is released, so that nobody can believe in between that all is settled.
func (m *Mover) bulk(ctx context.Context, ops []op, part []int) (turn int, got []answer, lost bool, err error) {
	if err := m.gate.Acquire(ctx, 1); err != nil {
		return 0, nil, false, err
	}
	defer m.gate.Release(1)
	turn = m.turn
	if err := m.opt.Lease(); err != nil {
		return turn, nil, false, err
	}
	if turn == 0 {
		if m.unsettled.Load() { // a rotation has failed half-way
			return turn, nil, true, errors.New("the target has not been drained")
		}
		return turn, nil, false, fmt.Errorf("write before Take: %w", ErrFenced)
	}
	if err := m.freezeFor(ctx, turn, ops, part); err != nil {
		return turn, nil, false, err
	}
	body := m.encode(ops, part, turn)
	var raw []byte
	q := query("require_alias", "true", "pipeline", "_none", "filter_path", "items.*.status,items.*.error.type,items.*.error.reason")
	err = m.dst.JSON(ctx, http.MethodPost, "/_bulk", q, body, &raw)
	if err != nil {
		code, _ := status(err)
		lost = !upstream.NotSent(err) && (code == 0 || code >= 500)
		if lost {
			m.unsettled.Store(true)
		}
		return turn, nil, lost, fmt.Errorf("bulk to %s: %w", m.dst.Name(), err)
	}
	got, err = decodeBulk(raw, len(part))
	if err != nil {
		m.unsettled.Store(true)
		return turn, nil, true, fmt.Errorf("bulk to %s: %w", m.dst.Name(), err)
	}
	for _, a := range got {
		if a.kind == "index_not_found_exception" || a.kind == "cluster_block_exception" && a.outcome == rejected {
			return turn, nil, false, fmt.Errorf("bulk to %s: %w", m.dst.Name(), ErrFenced)
		}
		lost = lost || a.outcome == unknown
	}
	if lost {
		m.unsettled.Store(true)
	}
	// Asked after the answer as well: a mover whose lease has lapsed reports nothing as done.
	return turn, got, lost, m.opt.Lease()
}

// encode writes newline-delimited JSON. A line feed in a source can only be
// white space between tokens, since JSON strings hold none, so a space does.
func (m *Mover) encode(ops []op, part []int, turn int) []byte {
	var b bytes.Buffer
	size := 0
	for _, i := range part {
		size += len(ops[i].source) + len(ops[i].id) + len(ops[i].routing) + 160 // a guess at the rest
	}
	b.Grow(size)
	for _, i := range part {
		o := &ops[i]
		if o.delete {
			b.WriteString(`{"delete":{"_index":`)
		} else {
			b.WriteString(`{"index":{"_index":`)
		}
		text(&b, m.writeAlias(turn, o.index))
		b.WriteString(`,"_id":`)
		text(&b, o.id)
		if o.routing != "" {
			b.WriteString(`,"routing":`)
			text(&b, o.routing)
		}
		if o.delete {
			fmt.Fprintf(&b, `,"if_seq_no":%d,"if_primary_term":%d}}`+"\n", o.seqNo, o.term)
			continue
		}
		b.WriteString(`,"version":`)
		b.Write(strconv.AppendInt(b.AvailableBuffer(), o.version, 10))
		b.WriteString(`,"version_type":"external_gte"}}` + "\n")
		at := b.Len()
		b.Write(o.source)
		for _, feed := range []byte("\r\n") {
			line := b.Bytes()[at:]
			for k := bytes.IndexByte(line, feed); k >= 0; k = bytes.IndexByte(line, feed) {
				line[k] = ' '
				line = line[k+1:]
			}
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// text writes a JSON string.
func text(b *bytes.Buffer, s string) { b.Write(jsontext.AppendString(b.AvailableBuffer(), s)) }

// verbatim reports whether a string is written as it is.
func verbatim[T string | []byte](s T) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// allWritten reports whether an answer says, in so many words, that each of the operations
// was an index operation that was applied, which is what a copy is told of almost every batch.
func allWritten(raw []byte, want int) bool {
	rest, ok := bytes.CutPrefix(raw, []byte(`{"items":[`))
	for n := 0; ok && n < want; n++ {
		if n > 0 {
			if rest, ok = bytes.CutPrefix(rest, []byte(",")); !ok {
				return false
			}
		}
		if rest, ok = bytes.CutPrefix(rest, []byte(`{"index":{"status":20`)); ok {
			if ok = len(rest) > 0 && (rest[0] == '0' || rest[0] == '1'); ok {
				rest, ok = bytes.CutPrefix(rest[1:], []byte("}}"))
			}
		}
	}
	return ok && string(rest) == "]}"
}

// decodeBulk reads the outcome of each item.
func decodeBulk(raw []byte, want int) ([]answer, error) {
	if allWritten(raw, want) {
		return make([]answer, want), nil // applied is the zero value
	}
	var ans struct {
		Items []map[string]struct {
			Status int `json:"status"`
			Error  *struct {
				Type   string `json:"type"`
				Reason string `json:"reason"`
			} `json:"error"`
		} `json:"items"`
	}
	if err := json.Unmarshal(raw, &ans); err != nil {
		return nil, fmt.Errorf("decode the answer: %w", err)
	}
	if len(ans.Items) != want {
		return nil, fmt.Errorf("decode the answer: %d items for %d operations", len(ans.Items), want)
	}
	out := make([]answer, want)
	for i, item := range ans.Items {
		for _, r := range item {
			a := &out[i]
			if r.Error != nil {
				a.kind, a.reason = r.Error.Type, r.Error.Reason
			}
			switch {
			case r.Status/100 == 2, r.Status == http.StatusNotFound && r.Error == nil:
				a.outcome = applied
			case r.Status == http.StatusConflict:
				a.outcome = conflict
			case r.Status == http.StatusTooManyRequests:
				a.outcome = again
			case r.Status/100 == 4:
				a.outcome = rejected
			default:
				a.outcome = unknown
			}
		}
		if len(item) != 1 {
			out[i].outcome = unknown
		}
	}
	return out, nil
}
