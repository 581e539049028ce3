package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/sluiceproxy/sluice/bench/report"
)

// Instructions hardly depend on how busy the machine is. perf reads them from the
// processor; where it cannot, as in most virtual machines, callgrind counts what it
// simulates. Both count the whole process, so a long run and a short one are subtracted;
// what Go's own threads do meanwhile is left in it, and so it is done in rounds, too.
const (
	shortRun, longRun = 1_000, 21_000
	countBench        = "^Benchmark%s$/partitions=1000$"
)

var (
	perfCount     = regexp.MustCompile(`(?m)^(\d+),[^,]*,instructions`)
	callgrindEnds = regexp.MustCompile(`Collected : (\d+)`)
)

// instructions counts those of the hot path, or says in its row why it cannot.
func instructions(ctx context.Context, gate string, rounds int) []report.Row {
	var out []report.Row
	for _, b := range []string{"Write", "WriteSent", "Read"} {
		row := report.Row{What: "gate: instructions of Benchmark" + b + "; 1,000 partitions"}
		var counts []float64
		for len(counts) < rounds {
			how, n, err := countOf(ctx, gate, b)
			if err != nil {
				row.Value = "not counted: " + err.Error()
				break
			}
			counts = append(counts, n)
			row.Value = fmt.Sprintf("%.0f, by %s", median(counts), how)
		}
		row.N, row.Spread = len(counts), spread(counts, func(n float64) string { return fmt.Sprintf("%.0f", n) })
		out = append(out, row)
	}
	return out
}

func countOf(ctx context.Context, binary, bench string) (how string, n float64, err error) {
	var why []string
	for _, tool := range []struct {
		name  string
		args  []string
		count *regexp.Regexp
	}{
		{"perf", []string{"stat", "-x,", "-e", "instructions:u", "--"}, perfCount},
		{"valgrind", []string{"--tool=callgrind", "--callgrind-out-file=/dev/null"}, callgrindEnds},
	} {
		short, err := counted(ctx, tool.name, append(tool.args, binary), bench, shortRun, tool.count)
		var long float64
		if err == nil {
			long, err = counted(ctx, tool.name, append(tool.args, binary), bench, longRun, tool.count)
		}
		if err == nil {
			return tool.name, (long - short) / (longRun - shortRun), nil
		}
		why = append(why, err.Error())
	}
	return "", 0, fmt.Errorf("%s", strings.Join(why, "; "))
}

// counted is how many instructions a process has executed that did so many operations.
func counted(ctx context.Context, tool string, args []string, bench string, ops int, count *regexp.Regexp) (float64, error) {
	args = append(args, "-test.run=^$", "-test.bench="+fmt.Sprintf(countBench, bench), fmt.Sprintf("-test.benchtime=%dx", ops), "-test.cpu=1")
	c := exec.CommandContext(ctx, tool, args...)
	// Preemption is by signals, of which callgrind loses count.
	c.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	b, err := c.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", tool, err)
	}
	m := count.FindSubmatch(b)
	if m == nil {
		return 0, fmt.Errorf("%s counts no instructions here", tool)
	}
	return strconv.ParseFloat(string(m[1]), 64)
}
