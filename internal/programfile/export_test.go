package programfile

import (
	"fmt"
	"io"
)

// Dispensable is what Release would give back, as ranges of addresses.
func Dispensable(r io.Reader, path string) ([]string, error) {
	all, err := mappings(r)
	var out []string
	for _, m := range all {
		if m.dispensable(path) {
			out = append(out, fmt.Sprintf("%x-%x", m.from, m.to))
		}
	}
	return out, err
}
