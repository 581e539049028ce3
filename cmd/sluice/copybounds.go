package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/placement"
)

// copyBoundFlags are the bounds of a copy, for every command that sets them.
type copyBoundFlags struct {
	rate, megabytes float64
	hours           []string
	zone, throttle  string
}

func (x *copyBoundFlags) add(c *cobra.Command) {
	f := c.Flags()
	f.Float64Var(&x.rate, "copy-rate", 0, "documents a second to copy at most, 0 for no limit")
	f.Float64Var(&x.megabytes, "copy-bytes", 0, "megabytes a second to copy at most, 0 for no limit")
	f.StringArrayVar(&x.hours, "copy-hours", nil, "copy only between these times of the day, such as 22:00-06:00, or always; may be given several times")
	f.StringVar(&x.zone, "copy-zone", "", "time zone of --copy-hours (default UTC)")
	f.StringVar(&x.throttle, "copy-throttle", "auto", "auto slows the copy down when the clusters are under pressure; off does not")
	_ = c.RegisterFlagCompletionFunc("copy-throttle", cobra.FixedCompletions([]string{"auto", "off"}, cobra.ShellCompDirectiveNoFileComp))
}

// bounds are what the flags that were given say.
func (x *copyBoundFlags) bounds(c *cobra.Command) (control.Bounds, error) {
	var b control.Bounds
	given := c.Flags().Changed
	if given("copy-rate") {
		b.CopyRate = &x.rate
	}
	if given("copy-bytes") {
		bytes := x.megabytes * 1e6
		b.CopyBytes = &bytes
	}
	if given("copy-zone") && !given("copy-hours") {
		return b, &usageError{errors.New("--copy-zone: there are no --copy-hours that are in it")}
	}
	if given("copy-hours") {
		hours := []control.Window{}
		for _, text := range x.hours {
			if text == "always" && len(x.hours) == 1 && x.zone == "" {
				break
			}
			w, err := control.ParseWindow(text, x.zone)
			if err != nil {
				var invalid *placement.InvalidError
				if errors.As(err, &invalid) {
					flag, more := "--copy-hours", ", or always"
					if invalid.Field == "zone" {
						flag, more = "--copy-zone", ""
					}
					err = &placement.InvalidError{Field: flag, Value: invalid.Value, Fix: invalid.Fix + more}
				}
				return b, err
			}
			hours = append(hours, w)
		}
		b.CopyHours = &hours
	}
	if given("copy-throttle") {
		if x.throttle != "auto" && x.throttle != "off" {
			return b, &placement.InvalidError{Field: "--copy-throttle", Value: x.throttle, Fix: "must be auto or off"}
		}
		eager := x.throttle == "off"
		b.CopyEager = &eager
	}
	return b, nil
}

// into sets the options of a new move or wave.
func (x *copyBoundFlags) into(c *cobra.Command, o *control.MoveOptions) error {
	b, err := x.bounds(c)
	if err == nil {
		b.Into(o)
	}
	return err
}

// copyBounds says for people what bounds the copy of a move.
func copyBounds(o control.MoveOptions) string {
	var text []string
	add := func(format string, a ...any) { text = append(text, fmt.Sprintf(format, a...)) }
	if o.CopyRate > 0 {
		add("%g documents a second", o.CopyRate)
	}
	if o.CopyBytes > 0 {
		add("%g MB a second", o.CopyBytes/1e6)
	}
	for _, w := range o.CopyHours {
		add("between %s", w)
	}
	if o.CopyEager {
		add("the pressure of the clusters is not heeded")
	}
	if len(text) == 0 {
		return "not limited, but for the clusters' own pressure"
	}
	return strings.Join(text, ", ")
}
