package engines

import (
	"io"
	"os/exec"
)

var (
	FeatureRelease = featureRelease
	Tail           = tail
)

// Command returns the command line of an engine.
func (p *Process) Command() *exec.Cmd { return p.command() }

// ReplacePorts makes the next starts get their ports from f, until the returned function is called. Tests that use it do not
// run in parallel with others.
func ReplacePorts(f func(n int) ([]int, error)) (restore func()) {
	pickPorts = f
	return func() { pickPorts = FreePorts }
}

// FindJDK returns the home of the JDK that would be used.
func FindJDK(override string, low int) (string, error) {
	j, err := findJDK("test", override, low)
	return j.home, err
}

// Downloads returns a writer for Maven's output, the jars it saw so far and the lines it kept.
func Downloads(progress io.Writer) (w io.Writer, jars func() int, lines func() []string) {
	d := &downloads{say: report(progress, "test")}
	return d, d.fetched, d.tail
}
