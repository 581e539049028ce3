package spec_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
)

// run is one exhaustive search of one configuration of a model.
type run struct {
	model string   // file, without .pml
	flags []string // sizes and, in a mutant, the rule that is dropped
	claim string   // name of an ltl property; empty: safety
	depth int      // bound of the search; reaching it fails the run
	mem   int      // MiB
}

func (r run) String() string {
	return strings.TrimSpace(r.model + " " + strings.Join(r.flags, " ") + " " + r.claim)
}

// found is what a search that ended has seen.
type found struct {
	violated string // name of the property, or ""
	states   int64
	depth    int64
	mib      float64       // memory
	cpu      time.Duration // processor time of translating, compiling and searching
}

// checker fails the test where CI is set and spin or a C compiler is missing; elsewhere it skips it and says why.
func checker(t *testing.T) {
	t.Helper()
	for _, tool := range []struct{ name, install string }{{"spin", "Debian, Ubuntu: apt-get install spin"}, {"gcc", "Debian, Ubuntu: apt-get install gcc libc6-dev"}} {
		if _, err := exec.LookPath(tool.name); err != nil {
			missing := &engines.MissingError{Engine: "the model checker", What: tool.name, Install: tool.install, Err: err}
			if os.Getenv("CI") == "" {
				t.Skipf("skipped, it would fail where CI is set: %v", missing)
			}
			t.Fatal(missing)
		}
	}
}

// search translates, compiles and runs the verifier of one configuration in a directory of its own.
func search(ctx context.Context, dir string, r run) (found, error) {
	source, err := os.ReadFile(r.model + ".pml")
	if err != nil {
		return found{}, err
	}
	if err := os.WriteFile(filepath.Join(dir, "m.pml"), source, 0o644); err != nil {
		return found{}, err
	}
	var cpu time.Duration
	if out, err := command(ctx, dir, &cpu, "spin", append(append([]string{"-a"}, r.flags...), "m.pml")...); err != nil || strings.Contains(out, "Error") {
		return found{}, fmt.Errorf("spin %s: %w\n%s", r, err, out)
	}
	cc := []string{"-O1", "-w", "-DVECTORSZ=2048", fmt.Sprintf("-DMEMLIM=%d", r.mem), "-o", "pan", "pan.c"}
	opts := []string{fmt.Sprintf("-m%d", r.depth), "-w22", "-E"} // -E: to stop is no error; every process may die at any step
	if r.claim == "" {
		cc = append(cc, "-DSAFETY", "-DNOFAIR")
	} else {
		cc = append(cc, "-DNFAIR=5")
		opts = append(opts, "-a", "-f", "-N", r.claim) // -f: under weak fairness
	}
	if out, err := command(ctx, dir, &cpu, "gcc", cc...); err != nil {
		return found{}, fmt.Errorf("compile %s: %w\n%s", r, err, out)
	}
	out, err := command(ctx, dir, &cpu, "nice", append([]string{"./pan"}, opts...)...)
	if err != nil {
		return found{}, fmt.Errorf("pan of %s: %w\n%s", r, err, out)
	}
	f, err := parse(out, properties(string(source)), r.claim)
	f.cpu = cpu
	if err != nil {
		return f, fmt.Errorf("pan of %s: %w\n%s", r, err, out)
	}
	return f, nil
}

// command runs a program, and adds the processor time that it took to cpu.
func command(ctx context.Context, dir string, cpu *time.Duration, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if c.ProcessState != nil {
		*cpu += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	}
	return string(out), err
}

var (
	property = regexp.MustCompile(`(?m)^#define\s+([A-Z0-9]+_[a-z]\w*|REACHED)\s+(\d+)\s`)
	summary  = regexp.MustCompile(`depth reached (\d+).*errors: (\d+)`)
	stored   = regexp.MustCompile(`(\d+) states, stored`)
	memory   = regexp.MustCompile(`([\d.]+)\s+total actual memory usage`)
	macro    = regexp.MustCompile(`(?m)^#(?:if.*\bdefined\(|ifn?def )(M_\w+|REACH)\b`)
	asserted = regexp.MustCompile(`assertion violated \(?bad!=(\d+)\)?`)
)

// properties reads the names of a model's properties by their numbers.
func properties(source string) map[string]string {
	names := map[string]string{}
	for _, m := range property.FindAllStringSubmatch(source, -1) {
		names[m[2]] = m[1]
	}
	return names
}

// parse reads what pan says. Whatever is not certainly a whole search without an error, or a violated property, which may be the claim, is an error.
func parse(out string, names map[string]string, claim string) (found, error) {
	var f found
	m := summary.FindStringSubmatch(out)
	if m == nil {
		return f, errors.New("the verifier did not finish")
	}
	f.depth, _ = strconv.ParseInt(m[1], 10, 64)
	if s := stored.FindStringSubmatch(out); s != nil {
		f.states, _ = strconv.ParseInt(s[1], 10, 64)
	}
	if s := memory.FindStringSubmatch(out); s != nil {
		f.mib, _ = strconv.ParseFloat(s[1], 64)
	}
	for _, bad := range []string{"max search depth too small", "out of memory", "reached -DMEMLIM", "VECTORSZ", "Bit statespace", "aborting"} {
		if strings.Contains(out, bad) {
			return f, fmt.Errorf("the search is not exhaustive: %s", bad)
		}
	}
	if m[2] == "0" {
		if strings.Contains(out, "Search not completed") {
			return f, errors.New("the search is not complete")
		}
		return f, nil
	}
	if a := asserted.FindStringSubmatch(out); a != nil && names[a[1]] != "" {
		f.violated = names[a[1]]
		return f, nil
	}
	if strings.Contains(out, "acceptance cycle") || strings.Contains(out, "non-progress cycle") {
		f.violated = claim
		return f, nil
	}
	return f, errors.New("an error of the model itself, not a violated property")
}
