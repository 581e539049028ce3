// Package programfile gives the memory back that the start of a program has filled with
// pages of its own file.
//
// A large program touches much of its code once, while it starts: initialization of
// packages, flags, configuration. The kernel maps what is around each page that is touched,
// too, and all of it counts as the process's memory (its resident set) for as long as it
// runs. Such pages are never lost: who reads one again gets it from the file, or from the
// kernel's cache of it.
package programfile

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// mapping is a part of a process's memory, as /proc/PID/smaps shows it.
type mapping struct {
	from, to uintptr
	access   string // for example r-xp
	path     string // of the file; empty: none
	kept     bool   // some of it is no longer what is in the file, and exists nowhere else
}

// dispensable reports whether all of the mapping is in the file at path. What may be
// written to is not; nor is what was, such as a table that a linker has filled in and made
// read-only, or code in which a debugger has put a stop.
func (m *mapping) dispensable(path string) bool {
	return m.path == path && (m.access == "r-xp" || m.access == "r--p") && !m.kept
}

// mappings reads what /proc/PID/smaps says. A line that is not understood ends it with an error.
func mappings(r io.Reader) ([]mapping, error) {
	var all []mapping
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, rest, _ := strings.Cut(lines.Text(), " ")
		if field, ok := strings.CutSuffix(name, ":"); ok {
			if m := len(all) - 1; m >= 0 && (field == "Anonymous" || field == "Swap") && strings.TrimSpace(rest) != "0 kB" {
				all[m].kept = true
			}
			continue
		}
		from, to, _ := strings.Cut(name, "-")
		first, err := strconv.ParseUint(from, 16, 64)
		if err != nil {
			return nil, err
		}
		past, err := strconv.ParseUint(to, 16, 64)
		if err != nil {
			return nil, err
		}
		m := mapping{from: uintptr(first), to: uintptr(past)}
		m.access, rest, _ = strings.Cut(rest, " ")
		if i := strings.IndexByte(rest, '/'); i >= 0 { // after offset, device and inode; it may have spaces
			m.path = rest[i:]
		}
		all = append(all, m)
	}
	return all, lines.Err()
}
