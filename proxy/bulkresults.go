package proxy

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"net/http"
)

// results collects the items of a bulk's answer. Behind the first megabyte they
// are compressed, which makes some 20 bytes of an item: an answer has as many
// items as the body has, and none of it can be sent before all has been read.
type results struct {
	n                int
	took, ingestTook int64
	ingested, errors bool
	plain            bytes.Buffer
	packed           bytes.Buffer
	z                *flate.Writer
}

func (r *results) add(c chunkResult) error {
	r.took += c.took
	r.ingestTook += c.ingestTook
	r.ingested = r.ingested || c.ingested
	r.errors = r.errors || c.errors
	var w io.Writer = &r.plain
	if r.n == 0 {
		room := len(c.items)
		for _, it := range c.items {
			room += len(it)
		}
		r.plain.Grow(min(room, bufferBody))
	}
	if r.z == nil && r.plain.Len() > bufferBody {
		z, err := flate.NewWriter(&r.packed, flate.BestSpeed)
		if err != nil {
			return err
		}
		r.z = z
	}
	if r.z != nil {
		w = r.z
	}
	for _, it := range c.items {
		if r.n > 0 {
			if _, err := w.Write([]byte{','}); err != nil {
				return err
			}
		}
		if _, err := w.Write(it); err != nil {
			return err
		}
		r.n++
	}
	return nil
}

// answerBulk sends the collected results.
func (q *request) answerBulk(r *results) error {
	if r.z != nil {
		if err := r.z.Close(); err != nil {
			return err
		}
	}
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}}}
	q.head(resp, q.entry.State.From, -1)
	ingest := ""
	if r.ingested {
		ingest = fmt.Sprintf(`"ingest_took":%d,`, r.ingestTook)
	}
	if _, err := fmt.Fprintf(q.w, `{"took":%d,%s"errors":%t,"items":[`, r.took, ingest, r.errors); err != nil {
		return err
	}
	if _, err := r.plain.WriteTo(q.w); err != nil {
		return err
	}
	if r.z != nil {
		if _, err := io.Copy(q.w, flate.NewReader(&r.packed)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(q.w, "]}")
	return err
}
