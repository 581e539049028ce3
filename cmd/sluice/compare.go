package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/mover"
	"github.com/sluiceproxy/sluice/placement"
)

func verifyCommand() *cobra.Command {
	var from, to, resume string
	var limit int
	var content bool
	var settle time.Duration
	c := &cobra.Command{
		Use:   "verify TENANT | --from CLUSTER/INDEX --to CLUSTER/INDEX",
		Short: "Compare the two copies of a tenant that moves or has flipped, or two indices",
		Long: fmt.Sprintf(`Compare every document of two copies, both ways: ids, routings and versions, and with
--content the documents themselves. The copies are those that a move of the tenant has, from
when it copies until the old copy is retired, or two indices, or two patterns, that are named.
Of a shared index only the tenant's documents are compared, as its clients wrote them.

Nothing is changed, on the clusters or in the store; both sides are refreshed, so that a
search shows what was written. The tenant may write meanwhile: what differs is read again by
its id, on both sides, for --settle. It counts when it is then as it was; a document that has
changed in that time again and still differs is counted as changing, and is no difference.

The comparison goes shard by shard. With --resume it saves after each shard that is equal, and
goes on from there when it was interrupted; the file is removed at the end.

Exit code %d: they differ.`, exitDifferent),
		Example: `  sluice verify acme
  sluice verify acme --content -o json
  sluice verify acme --content --resume acme.verify      # again after an interruption, to go on
  sluice verify --from a/acme-docs --to b/docs-m1k2j3h4g5abcdef
  sluice verify --from 'a/acme-*' --to 'b/acme.v2-*' --limit 0`,
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			body := client.CompareCopiesJSONRequestBody{Content: given(content), Limit: new(int64(limit)), Settle: new(int64(settle))}
			switch {
			case len(a) == 1 && from+to == "":
				body.Tenant = &a[0]
			case len(a) == 1:
				return &usageError{errors.New("give a tenant, or --from and --to, and not both")}
			case from == "" || to == "":
				return &usageError{fmt.Errorf("give a tenant, or --from and --to; usage: %s", c.UseLine())}
			default:
				var err error
				if body.From, err = placeOf("--from", from); err != nil {
					return err
				}
				if body.To, err = placeOf("--to", to); err != nil {
					return err
				}
			}
			if limit < 0 || limit > mover.DiffCap {
				return &placement.InvalidError{Field: "--limit", Value: fmt.Sprint(limit), Fix: fmt.Sprintf("must be from 0 to %d", mover.DiffCap)}
			}
			if settle < 0 {
				return &placement.InvalidError{Field: "--settle", Value: settle.String(), Fix: "must not be negative"}
			}
			if at, err := readCompareState(resume); err != nil {
				return err
			} else if at != nil {
				body.Resume = new(as[client.CompareState](at))
			}
			f, err := openFleet(c)
			if err != nil {
				return err
			}
			defer f.close()
			return compare(c, f, body, resume)
		},
	}
	c.ValidArgsFunction = completeTenants
	f := c.Flags()
	f.StringVar(&from, "from", "", "one place, CLUSTER/INDEX; the index may be a pattern with one *")
	f.StringVar(&to, "to", "", "the other place")
	f.BoolVar(&content, "content", false, "compare the documents too; reads all of them")
	f.StringVar(&resume, "resume", "", "a file that holds how far the comparison is; goes on from there if it exists")
	f.IntVar(&limit, "limit", 100, "list so many differences; all are counted")
	f.DurationVar(&settle, "settle", 10*time.Second, "how long what differs is looked at again before it counts")
	fleetFlags(c)
	outputFlag(c)
	return c
}

// placeOf reads CLUSTER/INDEX.
func placeOf(flag, text string) (*client.ComparedPlace, error) {
	cluster, index, ok := strings.Cut(text, "/")
	if !ok {
		return nil, &placement.InvalidError{Field: flag, Value: text, Fix: "must be CLUSTER/INDEX"}
	}
	p := placement.Placement{Kind: placement.DedicatedIndex, Cluster: cluster, Index: index, Logical: index}
	if p.Many() {
		p.Logical = "*"
	}
	return &client.ComparedPlace{Cluster: cluster, Index: index}, p.Validate()
}

// compare has two copies compared, shows how far that is, and says what was found. What was
// found equal is kept in a file, if there is one to keep it in.
func compare(c *cobra.Command, f *fleet, body client.CompareCopiesJSONRequestBody, file string) error {
	var found *control.Compared
	kept := 0
	draw, shown := compareProgress(c)
	open := func(ctx context.Context) (*http.Response, error) { return f.CompareCopies(ctx, body) }
	err := serverSent(c.Context(), open, func(_, event string, data []byte) error {
		switch event {
		case "progress":
			var p control.Comparing
			err := json.Unmarshal(data, &p)
			draw(p)
			return err
		case "saved":
			var st control.CompareState
			if err := json.Unmarshal(data, &st); err != nil || file == "" {
				return err
			}
			kept = len(st.Done.Equal)
			return writeCompareState(file, st)
		case "compared":
			found = &control.Compared{}
			return json.Unmarshal(data, found)
		case "problem":
			var p client.Problem
			if err := json.Unmarshal(data, &p); err != nil {
				return err
			}
			return &p
		}
		return nil // what a newer controller tells besides
	})
	shown()
	if c.Context().Err() != nil {
		err = c.Context().Err()
	}
	if err == nil && found == nil {
		err = fmt.Errorf("the comparison was broken off: %w", &url.Error{Op: "read", URL: "its events", Err: io.ErrUnexpectedEOF})
	}
	if err != nil {
		if kept > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "sluice: %d equal shards are noted in %s; the same command goes on after them\n", kept, file)
		}
		return err
	}
	if file != "" {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if forPrograms(c) {
		err = writeValue(c, found)
	} else {
		_, err = fmt.Fprint(c.OutOrStdout(), comparedResult(*found))
	}
	if err == nil && !found.Equal {
		return &differentError{*found}
	}
	return err
}

// differentError: the comparison was made, and the copies differ.
type differentError struct{ found control.Compared }

func (e *differentError) Error() string {
	text := fmt.Sprintf("the copies differ in %s documents", count(e.found.Documents()))
	if n := len(e.found.OnlySource) + len(e.found.OnlyTarget); n > 0 {
		text += fmt.Sprintf(" and %d indices", n)
	}
	return text
}

func (e *differentError) ErrorCode() string { return "copies_differ" }

// comparedResult is a comparison for people.
func comparedResult(r control.Compared) string {
	var b strings.Builder
	if r.Move != "" {
		fmt.Fprintf(&b, "tenant %s, move %s (%s)\n", printable(string(r.Partition)), r.Move, r.Stage)
	}
	fmt.Fprintf(&b, "source %s\ntarget %s\n", r.From, r.To)
	for _, x := range r.Differences {
		fmt.Fprintln(&b, differenceText(x))
	}
	if r.Unlisted > 0 {
		fmt.Fprintf(&b, "and %s more\n", count(r.Unlisted))
	}
	for _, name := range r.OnlySource {
		fmt.Fprintf(&b, "index %s is only at the source\n", printable(name))
	}
	for _, name := range r.OnlyTarget {
		fmt.Fprintf(&b, "index %s is only at the target\n", printable(name))
	}
	what := "ids, routings and versions"
	kinds := fmt.Sprintf("%s missing, %s extra, %s older, %s newer, %s with another routing", count(r.Missing), count(r.Extra), count(r.Older), count(r.Newer), count(r.Routing))
	if r.Mode == control.VerifyContent {
		what = "ids, routings, versions and contents"
		kinds += fmt.Sprintf(", %s with another content", count(r.Content))
	}
	fmt.Fprintf(&b, "%s documents of both sides compared, %s: %s\n", count(r.Scanned), what, kinds)
	if r.SinceFlip > 0 {
		fmt.Fprintf(&b, "%s of them were written at the target after the flip\n", count(r.SinceFlip))
	}
	if r.Changing > 0 {
		fmt.Fprintf(&b, "%s documents were written again and again, so nothing can be said of them\n", count(r.Changing))
	}
	if r.Note != "" {
		fmt.Fprintln(&b, r.Note)
	}
	if r.Equal {
		fmt.Fprintln(&b, "the copies are equal")
	}
	return b.String()
}

// compareProgress returns what draws one line on a terminal, and what removes it.
func compareProgress(c *cobra.Command) (draw func(control.Comparing), end func()) {
	f, ok := c.ErrOrStderr().(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return func(control.Comparing) {}, func() {}
	}
	return progressLine(f)
}

// progressLine draws over one line of a terminal, five times a second at most.
func progressLine(w io.Writer) (draw func(control.Comparing), end func()) {
	var last time.Time
	draw = func(p control.Comparing) {
		now := time.Now()
		if now.Sub(last) < 200*time.Millisecond {
			return
		}
		last = now
		text := fmt.Sprintf("%s / %s documents of both sides", count(p.Scanned), count(p.Total))
		if p.ETA > 0 {
			text += ", ETA " + clock(p.ETA)
		}
		fmt.Fprintf(w, "\r\x1b[K%s  %s", bar(p.Scanned, p.Total, 30), text)
	}
	return draw, func() { fmt.Fprint(w, "\r\x1b[K") }
}

// readCompareState reads what an earlier comparison has saved; nil: nothing.
func readCompareState(file string) (*control.CompareState, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &usageError{fmt.Errorf("--resume: %w", err)}
	}
	var st control.CompareState
	if err := json.Unmarshal(b, &st); err != nil || len(st.Indices) == 0 {
		return nil, &placement.InvalidError{Field: "--resume", Value: file, Fix: "must be a file that sluice verify has written, or none"}
	}
	return &st, nil
}

// writeCompareState replaces the file as a whole, so that an interruption leaves the old
// one or the new one.
func writeCompareState(file string, st control.CompareState) error {
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	next := file + ".new"
	if err := os.WriteFile(next, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, file)
}
