package proxy

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/sluiceproxy/sluice/placement"
)

// termBits is where the incarnation begins in a primary term that clients see.
const termBits = 32

// shownTerm combines a primary term with the incarnation of its placement.
func shownTerm(term string, incarnation uint32) string {
	t, err := strconv.ParseInt(term, 10, 64)
	if err != nil || t <= 0 { // 0 and negative ones mean "none"
		return term
	}
	return strconv.FormatInt(t+int64(incarnation)<<termBits, 10)
}

// realTerm takes the incarnation off a term that a client gave. ok is false when
// it was shown for another incarnation: whatever it referred to is gone.
func realTerm(shown string, incarnation uint32) (term string, ok bool, err error) {
	t, err := strconv.ParseInt(shown, 10, 64)
	if err != nil || t < 0 {
		return "", false, fail(http.StatusBadRequest, "illegal_argument_exception", "if_primary_term: [%s] is no primary term", shown)
	}
	return strconv.FormatInt(t&(1<<termBits-1), 10), t>>termBits == int64(incarnation), nil
}

// termConflict is the answer to a token of another incarnation.
func termConflict(id, index, seqNo, term string) *apiError {
	required := "primary term [" + term + "]"
	if seqNo != "" {
		required = "seqNo [" + seqNo + "], " + required
	}
	return &apiError{
		status: http.StatusConflict, kind: "version_conflict_engine_exception", index: index,
		reason: "[" + id + "]: version conflict, required " + required + ", which were given out before the index was moved; read the document again",
	}
}

// bodyTerm is checkTerm for the body of an update, which may carry the token as
// well. Only a body that may have one is looked into; it must then be JSON.
func bodyTerm(body []byte, e placement.Entry, id, index string) ([]byte, error) {
	if e.Incarnation == 0 || !bytes.Contains(body, []byte("if_primary_term")) {
		return body, nil // terms are as they were shown
	}
	out, err := rewriteBytes(body, termRules{e.Incarnation, id, index})
	if err != nil {
		return nil, badBody(err)
	}
	return out, nil
}

// termRules take the incarnation off if_primary_term at the top of a body.
type termRules struct {
	incarnation uint32
	id, index   string
}

func (r termRules) key(path []string, key string) (string, fate) {
	if len(path) == 0 && key == "if_primary_term" {
		return key, look
	}
	return key, opaque
}

func (r termRules) wants(path []string) bool { return len(path) == 1 }

func (r termRules) scalar(_ []string, v string, _ bool) (string, bool, error) {
	term, ok, err := realTerm(v, r.incarnation)
	if err == nil && !ok {
		err = termConflict(r.id, r.index, "", v)
	}
	return term, true, err
}
