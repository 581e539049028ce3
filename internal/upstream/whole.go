package upstream

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
)

// signedLimit is the largest body that is signed, in bytes: no domain of Amazon's
// takes more.
const signedLimit = 100 << 20

// readWhole reads body, closes it, and returns what it held with its SHA-256 in
// hexadecimal.
func readWhole(body io.ReadCloser, length int64) ([]byte, string, error) {
	var b bytes.Buffer
	if body != nil && body != http.NoBody {
		defer body.Close()
		if length > 0 && length <= signedLimit {
			b.Grow(int(length) + bytes.MinRead) // one more read must find the end without growing
		}
		if _, err := b.ReadFrom(io.LimitReader(body, signedLimit+1)); err != nil {
			return nil, "", fmt.Errorf("read the body to sign it: %w", err)
		}
		if b.Len() > signedLimit {
			return nil, "", fmt.Errorf("read the body to sign it: it is larger than %d bytes", signedLimit)
		}
	}
	sum := sha256.Sum256(b.Bytes())
	return b.Bytes(), hex.EncodeToString(sum[:]), nil
}
