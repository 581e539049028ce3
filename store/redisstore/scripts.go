package redisstore

import (
	"embed"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/store/driver"
)

//go:embed lua/*.lua
var lua embed.FS

// script is one step that the server takes at once. Each begins with a shebang,
// so that Redis refuses it, as a whole and before it starts, on a replica, on a
// master with too few replicas (min-replicas-to-write) or whose disk fails, and,
// if it writes, when memory is full. The readers want that too, out of memory
// excepted: a master that was cut off must not answer them.
type script struct {
	*redis.Script
	writes bool
}

func reader(name string) script {
	return script{redis.NewScript("#!lua flags=allow-oom\n" + text("common") + text(name)), false}
}

func writer(name string) script {
	return script{redis.NewScript("#!lua\n" + text("common") + text("change") + text(name)), true}
}

func text(name string) string {
	b, err := lua.ReadFile("lua/" + name + ".lua")
	if err != nil {
		panic(err) // a file that is compiled in is not there: no test passes
	}
	return string(b)
}

var (
	getScript    = reader("get")
	headScript   = reader("head")
	pageScript   = reader("page")
	undoScript   = reader("undo")
	checkScript  = reader("check")
	leasesScript = reader("leases")

	writeScript  = writer("write")
	openScript   = writer("open")
	updateScript = writer("update")
	renewScript  = writer("renew")
	closeScript  = writer("close")
	reapScript   = writer("reap")

	compactScript = writer("compact")
)

// keys are what a script may touch of a space: one slot of a cluster, because
// only what is in the braces is hashed.
func (s *Store) keys(space string) []string {
	at := "{" + s.prefix + "}:" + space + ":"
	return []string{at + "meta", at + "records", at + "index", at + "log", at + "undo", at + "leases"}
}

// reply is what every script answers.
type reply struct {
	status string
	mark   mark // the space's newest change
	rest   []any
}

// parse checks the shape of an answer.
func parse(raw any) (reply, error) {
	l, ok := raw.([]any)
	if !ok || len(l) < 3 {
		return reply{}, fmt.Errorf("an answer of unknown form, %T", raw)
	}
	status, ok1 := l[0].(string)
	v, ok2 := l[1].(int64)
	tag, ok3 := l[2].(string)
	if !ok1 || !ok2 || !ok3 || v < 0 {
		return reply{}, fmt.Errorf("an answer that begins with %T, %T, %T", l[0], l[1], l[2])
	}
	return reply{status, mark{driver.Version(v), tag}, l[3:]}, nil
}

func (r reply) text(i int) (string, error) {
	if i < len(r.rest) {
		if s, ok := r.rest[i].(string); ok {
			return s, nil
		}
	}
	return "", fmt.Errorf("an answer without text at %d", i)
}

func (r reply) number(i int) (int64, error) {
	if i < len(r.rest) {
		if n, ok := r.rest[i].(int64); ok {
			return n, nil
		}
	}
	return 0, fmt.Errorf("an answer without a number at %d", i)
}

// texts returns a list of pairs as a flat slice.
func (r reply) texts(i int) ([]string, error) {
	if i >= len(r.rest) {
		return nil, fmt.Errorf("an answer without a list at %d", i)
	}
	l, ok := r.rest[i].([]any)
	if !ok || len(l)%2 != 0 {
		return nil, fmt.Errorf("an answer without a list of pairs at %d", i)
	}
	out := make([]string, len(l))
	for n := range l {
		if out[n], ok = l[n].(string); !ok {
			return nil, fmt.Errorf("an answer with %T in a list", l[n])
		}
	}
	return out, nil
}

// record takes "version:value" apart.
func record(name, raw string) (driver.KV, error) {
	for i := range len(raw) {
		if raw[i] == ':' {
			v, err := strconv.ParseUint(raw[:i], 10, 64)
			if err != nil || v == 0 {
				break
			}
			return driver.KV{Name: name, Value: []byte(raw[i+1:]), Version: driver.Version(v)}, nil
		}
	}
	return driver.KV{}, fmt.Errorf("the record of a name of %d bytes is not one of this driver's", len(name))
}
