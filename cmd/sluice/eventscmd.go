package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/client"
	"github.com/sluiceproxy/sluice/control"
)

// fleetChange is an event as the API sends it.
type fleetChange struct {
	Event   string          `json:"event"`
	ID      string          `json:"id"`
	Name    string          `json:"name,omitempty"`
	Removed bool            `json:"removed,omitempty"`
	Value   json.RawMessage `json:"value,omitempty"`
}

// changing are the kinds of what changes.
var changing = []string{"tenant", "move", "wave", "session"}

// errEnough ends a stream of which enough was seen.
var errEnough = errors.New("enough")

func fleetEvents() *cobra.Command {
	var kinds []string
	var most int
	c := &cobra.Command{
		Use:   "events",
		Short: "Follow what changes: tenants, moves, waves and processes",
		Long: `Follow what changes: tenants, moves, waves and processes, until it is interrupted. Of a tenant
that is where it lives and its phase, not its labels. For programs, an event "ready" comes when
nothing will be missed from then on, and "reset" when something may be missing: list anew. A
controller that goes away is waited for, for a minute.`,
		Example: `  sluice fleet events
  sluice fleet events --kinds move,wave -o json
  sluice fleet events --kinds tenant -n 1      # until the next change of a tenant`,
		Args: args(cobra.NoArgs),
		RunE: onFleet(func(c *cobra.Command, f *fleet, _ []string) error {
			p := client.FollowEventsParams{}
			for _, k := range kinds {
				if !slices.Contains(changing, k) {
					return &usageError{fmt.Errorf("--kinds: %q must be one of %s", k, strings.Join(changing, ", "))}
				}
			}
			if len(kinds) > 0 {
				p.Kinds = new(as[[]client.FollowEventsParamsKinds](kinds))
			}
			if f.serve != nil { // somebody has to follow the table
				ctx, stop := context.WithCancel(c.Context())
				done := make(chan struct{})
				go func() {
					defer close(done)
					_ = f.serve(ctx) // until it is told to end
				}()
				defer func() { stop(); <-done }()
			}
			seen := 0
			err := poll(c.Context(), time.Second, func(ctx context.Context) (bool, error) {
				err := f.events(ctx, &p, func(e fleetChange) error {
					if err := showChange(c, e); err != nil {
						return err
					}
					if e.Name != "" {
						seen++
					}
					if most > 0 && seen >= most {
						return errEnough
					}
					return nil
				})
				return errors.Is(err, errEnough), err
			})
			return ignore(err, errEnough)
		}),
	}
	c.Flags().StringSliceVar(&kinds, "kinds", nil, "only changes of these kinds: "+strings.Join(changing, ", "))
	c.Flags().IntVarP(&most, "number", "n", 0, "end after so many changes, 0 for never")
	_ = c.RegisterFlagCompletionFunc("kinds", cobra.FixedCompletions(changing, cobra.ShellCompDirectiveNoFileComp))
	fleetFlags(c)
	outputFlag(c, "the names of what changes")
	return c
}

// ignore is err, or nil if it is the other.
func ignore(err, other error) error {
	if errors.Is(err, other) {
		return nil
	}
	return err
}

// silence is for how long nothing may come: the API sends something every 15 seconds.
const silence = 45 * time.Second

// events reads one stream, from p.LastEventID on, which it keeps at what was seen last.
// A stream that ends is no error: whoever served it has ended, and another one may serve.
func (f *fleet) events(ctx context.Context, p *client.FollowEventsParams, take func(fleetChange) error) error {
	open := func(ctx context.Context) (*http.Response, error) { return f.FollowEvents(ctx, p) }
	return serverSent(ctx, open, func(id, event string, data []byte) error {
		e := fleetChange{ID: id, Event: event}
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("event %s: %w", printable(id), err)
		}
		p.LastEventID = new(id)
		return take(e)
	})
}

// serverSent reads a stream of server-sent events. One that ends is no error.
func serverSent(ctx context.Context, open func(context.Context) (*http.Response, error), take func(id, event string, data []byte) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watchdog := time.AfterFunc(silence, cancel)
	defer watchdog.Stop()
	resp, err := open(ctx)
	if err != nil {
		return err
	}
	defer resp.Body.Close() // of a stream that nobody reads on
	var id, event, data string
	for lines := bufio.NewReader(resp.Body); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil
		}
		watchdog.Reset(silence)
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			data = value
		case "":
			if strings.HasPrefix(line, ":") || event == "" { // a comment, and its end
				continue
			}
			if err := take(id, event, []byte(data)); err != nil {
				return err
			}
			id, event, data = "", "", ""
		}
	}
}

// showChange prints an event in the format that was asked for.
func showChange(c *cobra.Command, e fleetChange) error {
	w := c.OutOrStdout()
	switch {
	case forPrograms(c):
		return writeState(c, e)
	case e.Event == "reset":
		_, err := fmt.Fprintln(c.ErrOrStderr(), "some changes may be missing here")
		return err
	case e.Name == "": // it has begun
		return nil
	case quiet(c):
		_, err := fmt.Fprintln(w, printable(e.Name))
		return err
	}
	text, err := described(e)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, strings.TrimRight(fmt.Sprintf("%s  %-7s  %s  %s", time.Now().Format(time.TimeOnly), e.Event, printable(e.Name), text), " ")+"\n")
	return err
}

// described is what has become of something, for people.
func described(e fleetChange) (string, error) {
	switch {
	case e.Removed:
		return "removed", nil
	case len(e.Value) == 0:
		return "its record cannot be decoded; sluice doctor says why", nil
	}
	var text string
	read := func(v any) error {
		if err := json.NewDecoder(bytes.NewReader(e.Value)).Decode(v); err != nil {
			return fmt.Errorf("%s %s: %w", e.Event, printable(e.Name), err)
		}
		return nil
	}
	switch e.Event {
	case "tenant":
		var v control.TenantView
		if err := read(&v); err != nil {
			return "", err
		}
		text = v.Phase + ", " + v.Placement.String()
		if v.MovingTo != nil {
			text += " to " + v.MovingTo.String()
		}
	case "move":
		var v control.Move
		if err := read(&v); err != nil {
			return "", err
		}
		text = fmt.Sprintf("%s: %s", printable(string(v.Partition)), v.Stage)
		if why := v.Error + v.Progress.Note; why != "" {
			text += ", " + printable(why)
		}
	case "wave":
		var v control.Wave
		if err := read(&v); err != nil {
			return "", err
		}
		text = string(v.State)
	case "session":
		var v client.InstanceView
		if err := read(&v); err != nil {
			return "", err
		}
		text = fmt.Sprintf("%s %s: %s", v.Kind, printable(v.Name), v.State)
	}
	return text, nil
}
