package fleetfile

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/invopop/jsonschema"

	"github.com/sluiceproxy/sluice/control"
	"github.com/sluiceproxy/sluice/internal/config"
	"github.com/sluiceproxy/sluice/placement"
)

// Duration is written as 250ms, 24h or 7d.
type Duration time.Duration

// ParseDuration reads a duration that may have days: 7d, 1d12h, or as time.ParseDuration
// reads it.
func ParseDuration(text string) (time.Duration, error) {
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

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := ParseDuration(string(text))
	if err == nil && v < 0 {
		err = errors.New("must not be negative")
	}
	*d = Duration(v)
	return err
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// JSONSchema is how a duration is written.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+d)?([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))*$`, MinLength: length(1), Examples: []any{"250ms", "24h", "7d"}}
}

func (d *Duration) std() *time.Duration { return (*time.Duration)(d) }

func length(n uint64) *uint64 { return &n }

// Size is a number of bytes, written as 512MiB or 10GiB.
type Size int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(text []byte) error {
	n, ok := config.ParseSize(string(text))
	if !ok {
		return errors.New("must be a size such as 512MiB or 10GiB")
	}
	*s = Size(n)
	return nil
}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) {
	n, unit := int64(s), "B"
	for _, u := range []string{"KiB", "MiB", "GiB"} {
		if n == 0 || n%1024 != 0 {
			break
		}
		n, unit = n/1024, u
	}
	return []byte(strconv.FormatInt(n, 10) + unit), nil
}

// JSONSchema is how a size is written.
func (Size) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "0"}, {Type: "string", Pattern: `^[0-9]+(\.[0-9]+)? ?(KiB|MiB|GiB|kB|KB|MB|GB|B)?$`}}, Examples: []any{"512MiB", "10GiB"}}
}

// Hours is a time of the day, written as 22:00-06:00.
type Hours string

// UnmarshalText implements encoding.TextUnmarshaler.
func (h *Hours) UnmarshalText(text []byte) error {
	*h = Hours(text)
	_, err := control.ParseWindow(string(text), "")
	var invalid *placement.InvalidError
	if errors.As(err, &invalid) {
		return errors.New(invalid.Fix)
	}
	return err
}

// JSONSchema is how a time of the day is written.
func (Hours) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}$`, Examples: []any{"22:00-06:00"}}
}

// copyHours names a window as the file does.
func copyHours(err error) error {
	var invalid *placement.InvalidError
	if !errors.As(err, &invalid) {
		return err
	}
	field := "copy_hours"
	if invalid.Field == "zone" {
		field = "copy_zone"
	}
	return &placement.InvalidError{Field: field, Value: invalid.Value, Fix: invalid.Fix}
}
