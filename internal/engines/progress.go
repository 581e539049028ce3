package engines

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// reporter writes one line of progress.
type reporter func(format string, args ...any)

// report returns a reporter that begins each line with the engine's name. A nil writer discards.
func report(w io.Writer, engine string) reporter {
	if w == nil {
		return func(string, ...any) {}
	}
	return func(format string, args ...any) {
		// Progress is for people: that it cannot be shown is no reason to fail.
		_, _ = fmt.Fprintf(w, engine+": "+format+"\n", args...)
	}
}

// downloads is the output of a Maven run made readable: it counts the jars fetched, says so now and then, and keeps the
// last lines for an error.
type downloads struct {
	say reporter

	mu    sync.Mutex
	part  []byte
	jars  int
	said  time.Time
	lines []string
}

// Write takes a piece of Maven's output. It never fails.
func (d *downloads) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.part = append(d.part, p...)
	for {
		i := bytes.IndexByte(d.part, '\n')
		if i < 0 {
			return len(p), nil
		}
		d.line(strings.TrimSpace(string(d.part[:i])))
		d.part = d.part[i+1:]
	}
}

func (d *downloads) line(s string) {
	const downloaded = "Downloaded from "
	if strings.Contains(s, "Downloading from ") || strings.Contains(s, "Progress (") {
		return
	}
	if strings.Contains(s, downloaded) {
		if !strings.Contains(s, ".jar ") {
			return
		}
		d.jars++
		if time.Since(d.said) >= 2*time.Second {
			d.said = time.Now()
			d.say("downloaded %d jars", d.jars)
		}
		return
	}
	if s != "" {
		d.lines = append(d.lines, s)
		d.lines = d.lines[max(0, len(d.lines)-quoted):]
	}
}

func (d *downloads) fetched() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.jars
}

func (d *downloads) tail() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lines
}
