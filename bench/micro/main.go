// Command micro measures the parts of Sluice that every request or every step of a move
// passes, by the benchmarks of their packages, and judges them against their targets:
//
//	go run ./bench/micro -rounds 5 -out bench/results
//
// It builds each package's test binary once and runs them in turns, round after round, so
// that what else happens on the machine meets all of them. It measures; what is measured is
// in the packages, where go test -bench runs it too.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/sluiceproxy/sluice/bench/report"
)

// run is one call of a test binary.
type run struct {
	pkg, bench string
	time       string // of each benchmark
	flags      []string
	few        bool // hardly varies, and takes long: of the rounds that are counted it is in two
}

// runs are a round. The benchmarks of the gate share their table of a million partitions,
// which takes seconds to make.
var runs = []run{
	{pkg: "gate", bench: "^Benchmark(Write|WriteSent|Read|WriteParallel|ReadWhile)$", time: "400ms", flags: []string{"-test.cpu=1,2"}},
	{pkg: "affinity", bench: "^Benchmark(Resolve|Pin|PinAgain|Wrap|Unwrap|SweptMap)$", time: "150ms", flags: []string{"-test.cpu=1"}},
	{pkg: "placement", bench: "^BenchmarkCycle$", time: "300ms", flags: []string{"-test.cpu=1"}},
	{pkg: "store", bench: "^Benchmark(Cycle|EncodeEntry|DecodeEntry)$", time: "300ms", flags: []string{"-test.cpu=1"}},
	{pkg: "store/etcdstore", bench: "^BenchmarkCycle$", time: "1s"},
	{pkg: "gate", bench: "^BenchmarkReplica$", time: "1x", flags: []string{"-test.cpu=1"}, few: true},
}

// large is what takes seconds to be set up.
const large = "/(partitions|live)=1000000$|^Benchmark(ReadWhile|Replica)$"

func main() { report.Main("micro", benchmark) }

func benchmark(f *flag.FlagSet) report.Measure {
	rounds := f.Int("rounds", 5, "how many rounds are counted; one more is run first, and is not")
	short := f.String("benchtime", "", "how long each benchmark runs, in the words of go test, instead of what is right for it, without the round that is not counted, and without what needs a table of a million: for a try")
	return func(ctx context.Context, progress io.Writer, give func(*report.Result) error) error {
		if *rounds < 1 {
			return report.Wrong("-rounds must be at least 1")
		}
		r, err := measure(ctx, *rounds, *short, progress)
		if err != nil {
			return err
		}
		return give(r)
	}
}

func measure(ctx context.Context, rounds int, short string, progress io.Writer) (*report.Result, error) {
	result := report.Result{
		Name: "micro", Title: "Parts of a request and of a move", Order: 10, Command: "make bench-micro", Machine: report.Here(),
		Method: fmt.Sprintf("Go benchmarks of the packages, whose test binaries take turns: %d rounds that are counted, after one that is not. "+
			"A figure is the median of the rounds, its spread the least and the most. Tenants are asked for in an order of chance.", rounds),
		Notes: notes,
	}
	dir, err := os.MkdirTemp("", "sluice-micro")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	built := map[string]string{}
	for _, r := range runs {
		if built[r.pkg] != "" {
			continue
		}
		built[r.pkg] = filepath.Join(dir, filepath.Base(r.pkg)+".test")
		if b, err := exec.CommandContext(ctx, "go", "test", "-c", "-o", built[r.pkg], "./"+r.pkg).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the benchmarks of %s: %w\n%s", r.pkg, err, b)
		}
	}
	began := time.Now()
	all := samples{}
	for round := range rounds + 1 {
		for _, r := range runs {
			if r.few && (round == 0 || round > 2) || short != "" && round == 0 {
				continue
			}
			_, _ = fmt.Fprintf(progress, "%6.1fs round %d of %d: %s %s\n", time.Since(began).Seconds(), round, rounds, r.pkg, r.bench)
			if short != "" {
				r.time, r.flags = short, append([]string{"-test.skip=" + large}, r.flags...)
			}
			got, err := once(ctx, built[r.pkg], r)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				all.add(r.pkg, got)
			}
		}
	}
	result.Rows = append(rows(all), instructions(ctx, built["gate"], rounds)...)
	result.Raw = all
	return &result, nil
}

// once runs the benchmarks of one run.
func once(ctx context.Context, binary string, r run) ([]byte, error) {
	args := append([]string{"-test.run=^$", "-test.bench=" + r.bench, "-test.benchtime=" + r.time, "-test.benchmem"}, r.flags...)
	c := exec.CommandContext(ctx, binary, args...)
	c.Dir = r.pkg
	b, err := c.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", r.pkg, r.bench, err, b)
	}
	return b, nil
}
