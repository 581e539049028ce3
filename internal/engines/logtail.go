package engines

import (
	"io"
	"os"
	"strings"
)

// quoted is the number of log lines an error carries.
const quoted = 40

// tail returns the last lines of a log file, from the given offset on. What cannot be read is not quoted.
func tail(path string, from int64) []string {
	const most = 64 << 10
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return nil
	}
	start := max(from, size-most)
	b := make([]byte, max(0, size-start))
	n, _ := f.ReadAt(b, start)
	text := strings.TrimRight(string(b[:n]), "\n")
	if text == "" {
		return nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-quoted):]
}
