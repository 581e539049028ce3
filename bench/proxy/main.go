// Command proxy measures the proxy against what a user would put in its place:
//
//	go run ./bench/proxy -program bin/sluice -out bench/results
//
// It starts a stub that answers like OpenSearch, and before it nginx, haproxy, Go's
// httputil.ReverseProxy and sluice, each a process of its own; wrk loads them from
// outside, one at a time. An OpenSearch node is a second upstream of some of them. In every round each case has its turn, so that what is
// compared was measured within seconds. The result is written for docs/performance.md.
//
// It is no test: it fails when a request failed, and judges a figure only against the
// target that is printed beside it.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
)

// plan is how much is measured.
type plan struct {
	Rounds      int           `json:"rounds"`
	Slice       time.Duration `json:"slice_ns"`  // of one case in a round
	WarmUp      time.Duration `json:"warmup_ns"` // of each process with each kind of request, before the first round
	Connections []int         `json:"connections"`
	Only        string        `json:"only,omitempty"` // part of the names of the cases that are measured
	Memory      bool          `json:"memory"`
	Real        bool          `json:"real"` // an OpenSearch as upstream as well
}

func main() {
	if len(os.Args) > 1 { // what this program starts of itself
		switch os.Args[1] {
		case roleStub:
			os.Exit(runStub(os.Args[2:]))
		case roleReverse:
			os.Exit(runReverse(os.Args[2:]))
		case roleEngine:
			os.Exit(runEngine(os.Args[2:]))
		}
	}
	report.Main("proxy", benchmark)
}

func benchmark(f *flag.FlagSet) report.Measure {
	p := plan{Connections: []int{1, 16, 64}, Memory: true}
	f.IntVar(&p.Rounds, "rounds", 3, "rounds, in each of which every case has a turn")
	f.DurationVar(&p.Slice, "slice", 1500*time.Millisecond, "how long a turn is")
	f.DurationVar(&p.WarmUp, "warmup", 500*time.Millisecond, "how long each process is warmed up with each kind of request")
	f.StringVar(&p.Only, "only", "", "measure only the kinds of request whose name has this `TEXT`")
	f.BoolVar(&p.Memory, "memory", true, "measure memory as well")
	f.BoolVar(&p.Real, "real", true, "measure some of it before an OpenSearch as well")
	program := report.Program(f)
	return func(ctx context.Context, progress io.Writer, give func(*report.Result) error) error {
		if p.Rounds < 1 || p.Slice < 100*time.Millisecond || p.WarmUp < 0 {
			return report.Wrong("one round at least, and turns of 100ms at least")
		}
		if missing := missingTools(); len(missing) > 0 {
			return fmt.Errorf("%s not found: apt-get install wrk nginx-light haproxy", strings.Join(missing, ", "))
		}
		machine := report.Here()
		path, err := program()
		if err != nil {
			return err
		}
		res, err := measure(ctx, path, p, progress)
		if err != nil {
			return err
		}
		return give(res.report(machine))
	}
}

// missingTools are the programs that this one needs and does not find.
func missingTools() []string {
	var missing []string
	for _, name := range []string{"wrk", "nginx", "haproxy"} {
		if _, err := exec.LookPath(toolPath(name)); err != nil {
			missing = append(missing, name)
		}
	}
	return missing
}

// toolPath is where a program is that may not be in a user's PATH.
func toolPath(name string) string {
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if _, err := exec.LookPath(name); err == nil {
			return name
		}
		if p := filepath.Join(dir, name); exists(p) {
			return p
		}
	}
	return name
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
