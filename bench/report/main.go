package report

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Benchmark defines a benchmark's flags, and returns what measures when they are set. That
// tells how far it is to progress, and gives each result that it has come to.
type Benchmark func(f *flag.FlagSet) Measure

// Measure measures; an error made by [Wrong] says that it did not begin.
type Measure func(ctx context.Context, progress io.Writer, give func(*Result) error) error

type wrong string

func (w wrong) Error() string { return string(w) }

// Wrong is the error of flags that no measurement can have.
func Wrong(format string, args ...any) error { return wrong(fmt.Sprintf(format, args...)) }

// Main is the main function of a benchmark's program: it ends the process. SIGINT and SIGTERM
// end what it measures.
func Main(name string, b Benchmark) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, name, b, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// Run is Main without the process: it returns the exit code, which is 2 for flags that are
// wrong, and 1 for what failed. A result is printed on out, and written to the directory that
// is asked for.
func Run(ctx context.Context, name string, b Benchmark, args []string, out, errw io.Writer) int {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(errw)
	dir := f.String("out", "", "`directory` in which the result is written, besides the table on standard output")
	measure := b(f)
	if err := f.Parse(args); err != nil {
		return 2
	}
	err := error(nil)
	if f.NArg() > 0 {
		err = Wrong("%q is no flag", f.Arg(0))
	} else {
		err = measure(ctx, errw, func(r *Result) error {
			if *dir != "" {
				if err := r.Write(*dir); err != nil {
					return err
				}
			}
			r.Print(out)
			return nil
		})
	}
	if err == nil {
		return 0
	}
	_, _ = fmt.Fprintf(errw, "%s: %v\n", name, err)
	if errors.As(err, new(wrong)) {
		return 2
	}
	return 1
}

// Program is the flag of the program to measure. What it returns is the whole path, for
// processes that are started elsewhere.
func Program(f *flag.FlagSet) (path func() (string, error)) {
	name := f.String("program", "bin/sluice", "the sluice to measure")
	return func() (string, error) { return filepath.Abs(*name) }
}
