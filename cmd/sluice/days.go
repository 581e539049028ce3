package main

import (
	"time"

	"github.com/sluiceproxy/sluice/internal/fleetfile"
)

// days is a duration that may be given in days: 7d, 1d12h, or as time.ParseDuration
// reads it.
type days time.Duration

func (d *days) Set(text string) error {
	v, err := fleetfile.ParseDuration(text)
	if err == nil {
		*d = days(v)
	}
	return err
}

func (d *days) String() string { return time.Duration(*d).String() }

func (d *days) Type() string { return "duration" }

// optionalDays is days that may not have been given.
type optionalDays struct{ to **time.Duration }

func (d optionalDays) Set(text string) error {
	v, err := fleetfile.ParseDuration(text)
	if err == nil {
		*d.to = &v
	}
	return err
}

func (d optionalDays) String() string {
	if d.to == nil || *d.to == nil {
		return ""
	}
	return (*d.to).String()
}

func (d optionalDays) Type() string { return "duration" }
