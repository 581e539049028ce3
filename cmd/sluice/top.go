package main

import (
	"context"
	"errors"
	"os"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func topCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "top",
		Short: "Watch the fleet live: clusters, moves under way, waves, processes and what happens",
		Long: `Watch the fleet live, in a terminal of any size: the clusters with their tenants and the
requests that they get, the moves under way with how far they are, waves, proxies and
controllers, and what has happened last. Enter goes into a move, with its timeline, what it
waits for and, when it has flipped, its pause; p pauses and resumes it, a aborts it, b rolls it
back, each after a question that shows the command which does the same. ? shows all keys, and q
quits; moves go on.

It needs a terminal. Elsewhere sluice moves list and sluice moves watch show the same, with -o
json for programs. NO_COLOR leaves colours out.`,
		Example: "  sluice top\n  NO_COLOR=1 sluice top --context production",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			in, out, err := topTerminal(c)
			if err != nil {
				return err
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			return runTop(c.Context(), newTop(c.Context(), &fleetSource{f: f}, os.Getenv("NO_COLOR") == ""), in, out)
		},
	}
	fleetFlags(c)
	return c
}

// topTerminal is the terminal, or says what does without one.
func topTerminal(c *cobra.Command) (in, out *os.File, err error) {
	in, isIn := c.InOrStdin().(*os.File)
	out, isOut := c.OutOrStdout().(*os.File)
	const instead = "; `sluice moves list` and `sluice moves watch` show the same without one, with -o json for programs"
	switch {
	case !isOut || !term.IsTerminal(int(out.Fd())):
		return nil, nil, &usageError{errors.New("standard output is no terminal" + instead)}
	case !isIn || !term.IsTerminal(int(in.Fd())):
		return nil, nil, &usageError{errors.New("standard input is no terminal, so that no key can be pressed" + instead)}
	case os.Getenv("TERM") == "dumb":
		return nil, nil, &usageError{errors.New("the terminal cannot be drawn on (TERM is dumb)" + instead)}
	}
	return in, out, nil
}

// runTop shows the live view until somebody quits, or ctx ends. The terminal is as it was
// before when it returns, also after a panic.
func runTop(ctx context.Context, m topModel, in, out *os.File) error {
	within, cancel := context.WithCancel(ctx) // of what the view asks; ends with it
	defer cancel()
	m.ctx = within
	p := tea.NewProgram(m, tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler())
	stop := context.AfterFunc(ctx, p.Quit) // the signals of the program end ctx
	defer stop()
	if _, err := p.Run(); err != nil && !errors.Is(err, tea.ErrInterrupted) {
		return errors.New("the terminal cannot be drawn on: " + strings.TrimSpace(err.Error()))
	}
	return context.Cause(ctx)
}
