package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/sluiceproxy/sluice/placement"
)

// sizeValue is a number of bytes, written 256MiB, 1GB or 1048576.
type sizeValue int64

var units = []struct {
	suffix string
	factor float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1},
}

// ParseSize reads a number of bytes such as 512MiB or 10GiB.
func ParseSize(s string) (int64, bool) {
	s = strings.TrimSpace(s)
	for _, u := range units {
		n, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
		if err != nil || f < 0 || math.IsNaN(f) || f*u.factor >= math.MaxInt64 {
			return 0, false
		}
		return int64(f * u.factor), true
	}
	return 0, false
}

// set parses v, as YAML, an environment variable or a flag gives it, into the
// key's target. The error is an *placement.InvalidError.
func (k key) set(v any) error {
	bad := func(fix string) error {
		return &placement.InvalidError{Field: k.path, Value: placement.HideUser(fmt.Sprint(v)), Fix: fix}
	}
	text, scalar := asText(v)
	switch t := k.target.(type) {
	case *[]string:
		list, ok := asList(v)
		if !ok {
			return bad("must be a list of strings, or one string with commas")
		}
		*t = list
		return nil
	case *string:
		if !scalar {
			return bad("must be a string")
		}
		*t = text
	case *time.Duration:
		d, err := time.ParseDuration(text)
		if !scalar || err != nil {
			return bad("must be a duration with its unit, such as 250ms, 5s or 2m")
		}
		*t = d
	case *int:
		n, err := strconv.Atoi(text)
		if !scalar || err != nil {
			return bad("must be a whole number")
		}
		*t = n
	case *float64:
		f, err := strconv.ParseFloat(text, 64)
		if !scalar || err != nil || math.IsNaN(f) {
			return bad("must be a number")
		}
		*t = f
	case *bool:
		b, err := strconv.ParseBool(text)
		if !scalar || err != nil {
			return bad("must be true or false")
		}
		*t = b
	case *sizeValue:
		n, ok := ParseSize(text)
		if !scalar || !ok {
			return bad("must be a number of bytes, such as 256MiB")
		}
		*t = sizeValue(n)
	default:
		panic(fmt.Sprintf("config: key %s has a target of type %T", k.path, k.target)) // the table is wrong; a test reads all of it
	}
	if k.oneOf != nil {
		for _, o := range k.oneOf {
			if text == o {
				return nil
			}
		}
		return bad("must be one of " + strings.Join(k.oneOf, ", "))
	}
	return nil
}

func asText(v any) (string, bool) {
	switch v := v.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case int, int64, uint64, float64, bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

func asList(v any) ([]string, bool) {
	out := []string{}
	switch v := v.(type) {
	case nil:
	case string:
		for _, s := range strings.Split(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
	case []string:
		out = append(out, v...)
	case []any:
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil, false
			}
			out = append(out, s)
		}
	default:
		return nil, false
	}
	return out, true
}

// yamlOf returns a value as the example writes it.
func yamlOf(v any) string {
	switch v := v.(type) {
	case string:
		if v == "" || strings.ContainsAny(v, ":#{}[],&*?|<>=!%@\\\"'` ") {
			return strconv.Quote(v)
		}
		return v
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	}
	return fmt.Sprint(v)
}
