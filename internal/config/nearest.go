package config

import "strings"

// nearest returns the known name closest to name, or "" when none is close
// enough to be what was meant. A right last word in the wrong group counts as
// close: hold_deadline instead of proxy.hold_deadline.
func nearest[V any](name string, known map[string]V) string {
	best, at := "", len(name)/6+2
	for k := range known {
		d := distance(name, k)
		if strings.HasSuffix(k, "."+last(name)) {
			d = min(d, 2)
		}
		if d < at || d == at && best != "" && k < best {
			best, at = k, d
		}
	}
	return best
}

func last(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// distance is the number of bytes to insert, remove or replace between a and b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
