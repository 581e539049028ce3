// Package awstest checks requests as Amazon's service does, for tests.
package awstest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Service checks signatures as Amazon documents them (Signature Version 4, create
// a signed request), and shares no code with what makes them.
type Service struct {
	Region, Name string
	Secrets      map[string]string // by access key
	Token        string            // that a session must show; empty: none
}

// Check returns why a request would be refused, or "".
func (s Service) Check(r *http.Request, body []byte) string {
	auth, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return "no signature"
	}
	part := map[string]string{}
	for p := range strings.SplitSeq(auth, ", ") {
		k, v, _ := strings.Cut(p, "=")
		part[k] = v
	}
	scope := strings.SplitN(part["Credential"], "/", 2)
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil || time.Since(at).Abs() > 5*time.Minute {
		return "the date is " + date
	}
	if want := date[:8] + "/" + s.Region + "/" + s.Name + "/aws4_request"; len(scope) != 2 || scope[1] != want {
		return "the scope is " + part["Credential"]
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if got := r.Header.Get("X-Amz-Content-Sha256"); got != hash {
		return "the body's hash is " + got
	}
	if r.Header.Get("X-Amz-Security-Token") != s.Token {
		return "the session's token is " + r.Header.Get("X-Amz-Security-Token")
	}
	signed := strings.Split(part["SignedHeaders"], ";")
	for _, must := range []string{"host", "x-amz-date", "x-amz-content-sha256"} {
		if !slices.Contains(signed, must) {
			return must + " is not signed"
		}
	}
	var headers strings.Builder
	for _, h := range signed {
		v := strings.Join(r.Header.Values(h), ",")
		if h == "host" {
			v = r.Host
		}
		fmt.Fprintf(&headers, "%s:%s\n", h, v)
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	canonical := strings.Join([]string{r.Method, encodeAWS(path, "/"), canonicalQuery(r.URL), headers.String(), part["SignedHeaders"], hash}, "\n")
	key := []byte("AWS4" + s.Secrets[scope[0]])
	for _, x := range strings.Split(scope[1], "/") {
		key = hmacOf(key, x)
	}
	ofCanonical := sha256.Sum256([]byte(canonical))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", date, scope[1], hex.EncodeToString(ofCanonical[:])}, "\n")
	if want := hex.EncodeToString(hmacOf(key, text)); part["Signature"] != want || s.Secrets[scope[0]] == "" {
		return "the signature does not fit\n" + canonical
	}
	return ""
}

func hmacOf(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// encodeAWS is the encoding of the specification: all but the unreserved characters.
func encodeAWS(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~"+keep, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for p := range strings.SplitSeq(u.RawQuery, "&") {
		if p == "" {
			continue
		}
		k, v, _ := strings.Cut(p, "=")
		dk, _ := url.PathUnescape(k) // not QueryUnescape: a plus sign is itself to the service
		dv, _ := url.PathUnescape(v)
		pairs = append(pairs, encodeAWS(dk, "")+"="+encodeAWS(dv, ""))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}
