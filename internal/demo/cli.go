package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Run runs a command of sluice against the fleet's store and returns what it wrote to standard output. Lines that it writes
// to either output go to show as they come, each with a mark before it; nil discards them. The error has what it wrote to
// standard error.
func (f *Fleet) Run(ctx context.Context, show io.Writer, args ...string) ([]byte, error) {
	// As a process of its own it is what a user types, and the demo would notice when that did not work.
	cmd := exec.CommandContext(ctx, f.program, append(args, "--config", f.client)...)
	cmd.Env = environment()
	cmd.WaitDelay = 5 * time.Second
	var stdout, stderr bytes.Buffer
	if show == nil {
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		return stdout.Bytes(), failure(args, err, &stderr, &stdout)
	}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&stdout, w), io.MultiWriter(&stderr, w)
	copied := make(chan struct{})
	go func() { // ends when w is closed below
		defer close(copied)
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			_, _ = fmt.Fprintf(show, "    | %s\n", lines.Text())
		}
		_, _ = io.Copy(io.Discard, r) // a line too long for the scanner must not stop the command
	}()
	err := cmd.Run()
	_ = w.Close()
	<-copied
	return stdout.Bytes(), failure(args, err, &stderr, &stdout)
}

func failure(args []string, err error, stderr, stdout *bytes.Buffer) error {
	if err == nil {
		return nil
	}
	text := strings.TrimSpace(stderr.String())
	if text == "" {
		text = strings.TrimSpace(stdout.String())
	}
	return fmt.Errorf("sluice %s: %w: %s", strings.Join(args, " "), err, text)
}

// Move is the record of a move, as `sluice moves show` prints it.
type Move struct {
	ID    string
	Stage string
	Raw   json.RawMessage
}

// UnmarshalJSON takes what the demo needs and keeps the whole.
func (m *Move) UnmarshalJSON(b []byte) error {
	var in struct {
		ID    string `json:"id"`
		Move  string `json:"move"`
		Stage string `json:"stage"`
	}
	if err := json.Unmarshal(b, &in); err != nil {
		return err
	}
	if in.ID == "" {
		in.ID = in.Move
	}
	if in.ID == "" || in.Stage == "" {
		return fmt.Errorf("a move without id or stage: %.200s", b)
	}
	*m = Move{ID: in.ID, Stage: in.Stage, Raw: append(json.RawMessage(nil), b...)}
	return nil
}

// Finished reports whether the move has come to an end of its own, whatever that is.
func (m Move) Finished() bool {
	switch m.Stage {
	case "flipped", "retiring", "done", "aborted", "failed", "rolled_back":
		return true
	}
	return false
}

// Moves returns the records of all moves.
func (f *Fleet) Moves(ctx context.Context) ([]Move, error) {
	out, err := f.Run(ctx, nil, "moves", "list", "-o", "json")
	if err != nil {
		return nil, err
	}
	var moves []Move
	if err := json.Unmarshal(out, &moves); err != nil {
		return nil, fmt.Errorf("sluice moves list -o json: %w", err)
	}
	return moves, nil
}

// Show returns the record of one move.
func (f *Fleet) Show(ctx context.Context, id string) (Move, error) {
	out, err := f.Run(ctx, nil, "moves", "show", id, "-o", "json")
	if err != nil {
		return Move{}, err
	}
	var m Move
	if err := json.Unmarshal(out, &m); err != nil {
		return m, fmt.Errorf("sluice moves show -o json: %w", err)
	}
	return m, nil
}

// overBudget reports whether a move waits because the pause that it predicts is above its budget.
func (f *Fleet) overBudget(ctx context.Context) (bool, error) {
	moves, err := f.Moves(ctx)
	if err != nil {
		return false, err
	}
	for _, m := range moves {
		var record struct {
			Progress struct {
				NoteCode string `json:"note_code"`
			} `json:"progress"`
		}
		if err := json.Unmarshal(m.Raw, &record); err != nil {
			return false, err
		}
		if !m.Finished() && record.Progress.NoteCode == "over_budget" {
			return true, nil
		}
	}
	return false, nil
}

// errNotFlipped is a move that ended elsewhere than at its target.
var errNotFlipped = errors.New("the move did not reach its target")

// moveLimit bounds one move: on a machine that is too busy the predicted pause may stay above its budget for ever.
const moveLimit = 15 * time.Minute

// Move moves a tenant to a cluster and waits until it is there. What the command prints goes to show. The error wraps
// errNotFlipped when the move ended otherwise.
func (f *Fleet) Move(ctx context.Context, tenant, to string, show io.Writer) (Move, error) {
	return f.moved(ctx, show, "move", tenant, "--to", to, "--wait")
}

// moved runs a command that makes a move, and waits for it.
func (f *Fleet) moved(ctx context.Context, show io.Writer, command ...string) (Move, error) {
	before, err := f.Moves(ctx)
	if err != nil {
		return Move{}, err
	}
	limited, cancel := context.WithTimeoutCause(ctx, moveLimit, fmt.Errorf("the move took longer than %v", moveLimit))
	defer cancel()
	_, failed := f.Run(limited, show, command...)
	if failed != nil && limited.Err() != nil {
		failed = errors.Join(context.Cause(limited), failed)
	}
	m, err := f.newest(ctx, before)
	if failed != nil || err != nil {
		return m, errors.Join(failed, err)
	}
	if m.Stage != "flipped" {
		return m, fmt.Errorf("%w: it is %s", errNotFlipped, m.Stage)
	}
	return m, nil
}

// Begin is Move without waiting, and with more flags.
func (f *Fleet) Begin(ctx context.Context, tenant, to string, flags ...string) (Move, error) {
	before, err := f.Moves(ctx)
	if err != nil {
		return Move{}, err
	}
	if _, err := f.Run(ctx, nil, append([]string{"move", tenant, "--to", to}, flags...)...); err != nil {
		return Move{}, err
	}
	return f.newest(ctx, before)
}

// newest returns the one move that was not there before.
func (f *Fleet) newest(ctx context.Context, before []Move) (Move, error) {
	known := map[string]bool{}
	for _, m := range before {
		known[m.ID] = true
	}
	after, err := f.Moves(ctx)
	if err != nil {
		return Move{}, err
	}
	for _, m := range after {
		if !known[m.ID] {
			return f.Show(ctx, m.ID)
		}
	}
	return Move{}, errors.New("the move is not in `sluice moves list`")
}

// retirePatience bounds the wait for the removal of an old copy.
const retirePatience = 2 * time.Minute

// Retire removes what a move left at its source, and waits until it is gone.
func (f *Fleet) Retire(ctx context.Context, id string, show io.Writer) error {
	if _, err := f.Run(ctx, show, "moves", "retire", id); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, retirePatience, fmt.Errorf("not done after %v", retirePatience))
	defer cancel()
	for {
		m, err := f.Show(ctx, id)
		if err == nil && m.Stage == "done" {
			return nil
		}
		if e := sleep(ctx, 200*time.Millisecond); e != nil {
			return errors.Join(fmt.Errorf("retire move %s, which is %s: %w", id, m.Stage, e), err)
		}
	}
}
