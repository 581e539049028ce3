package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// days is a duration that may be given in days: 7d, 1d12h, or as time.ParseDuration
// reads it.
type days time.Duration

func (d *days) Set(text string) error {
	v, err := parseDays(text)
	if err == nil {
		*d = days(v)
	}
	return err
}

func (d *days) String() string { return time.Duration(*d).String() }

func (d *days) Type() string { return "duration" }

func parseDays(text string) (time.Duration, error) {
	bad := errors.New("must be a duration such as 7d, 36h or 90m")
	n, rest, ok := strings.Cut(text, "d")
	if !ok {
		v, err := time.ParseDuration(text)
		if err != nil {
			return 0, bad
		}
		return v, nil
	}
	whole, err := strconv.ParseUint(n, 10, 31)
	if err != nil || whole > 36500 {
		return 0, bad
	}
	v := time.Duration(whole) * 24 * time.Hour
	if rest == "" {
		return v, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 {
		return 0, bad
	}
	return v + more, nil
}

// optionalDays is days that may not have been given.
type optionalDays struct{ to **time.Duration }

func (d optionalDays) Set(text string) error {
	v, err := parseDays(text)
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
