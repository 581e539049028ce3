package proxy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Rewrite exposes the rewriter with the rules of an answer.
func Rewrite(b []byte, physical, logical string, incarnation uint32) ([]byte, error) {
	return rewriteBytes(b, &answerRules{physical: physical, logical: logical, incarnation: incarnation})
}

// Query exposes the check of a query body.
func Query(b []byte, physical, logical string) ([]byte, error) {
	return rewriteBytes(b, &queryRules{physical: physical, logical: logical})
}

// IsSyntax reports whether the rewriter refused the text itself.
func IsSyntax(err error) bool { return errors.Is(err, errJSON) }

// Action parses an action line and writes it again.
func Action(b []byte) (out []byte, verb, id, index string, err error) {
	a, err := parseAction(b, 1)
	if err != nil {
		return nil, "", "", "", err
	}
	return a.append(nil), a.verb, a.id, a.index, nil
}

// BulkItems counts the items and the source bytes of a bulk body.
func BulkItems(b []byte) (items, bytesOfSource int, err error) {
	r := &bulkReader{in: bufio.NewReader(bytes.NewReader(b))}
	for {
		c, end, err := r.next()
		if err != nil && err != io.EOF {
			return items, bytesOfSource, err
		}
		items += len(c.items)
		bytesOfSource += len(c.data)
		if end || len(c.items) == 0 {
			return items, bytesOfSource, nil
		}
	}
}

// Classify exposes the table.
func Classify(method, path string) (class, index, id, at string, status int) {
	t, err := classify(method, path)
	if err != nil {
		return "", "", "", "", err.status
	}
	return string(t.class), t.index, t.id, t.at("phys"), 0
}
