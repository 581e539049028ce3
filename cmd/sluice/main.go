// Command sluice moves a tenant's data between OpenSearch clusters while the
// tenant keeps reading and writing: the proxies that route requests, the
// controller that drives the moves, and the commands of an operator.
//
// This package is wiring and nothing else: flags, the order in which the parts
// start and stop, tables for people and JSON for programs. It refuses what it
// can see to be wrong before anything is changed, and says with its exit code
// whether the input, the state of things or a failure was the reason.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the whole program. The first SIGINT or SIGTERM ends the context, upon
// which services stop in order and waits end; the second exits at once, for an
// operator who will not wait for a clean stop.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	done := make(chan struct{})
	defer close(done)
	go func() {
		for range 2 {
			select {
			case <-signals:
			case <-done:
				return
			}
			if ctx.Err() != nil {
				os.Exit(exitInterrupted)
			}
			cancel()
		}
	}()
	return runContext(ctx, args, stdout, stderr)
}

// runContext is run without the signals.
func runContext(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	c, err := root.ExecuteContextC(ctx)
	if forPrograms(c) {
		reportValue(c, err)
	} else {
		report(stderr, err)
	}
	return exitCode(err)
}
