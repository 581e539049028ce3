//go:build unix

package engines_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

func ask(t *testing.T, r *engines.Redis, args ...any) any {
	t.Helper()
	v, err := r.Do(within(t, 10*time.Second), args...)
	must(t, err)
	return v
}

// A server keeps what it acknowledged through a kill, and answers nothing while it
// is paused.
func TestRedisLife(t *testing.T) {
	r := enginetest.RedisWith(t, &engines.RedisOptions{Name: "life"})
	ask(t, r, "set", "k", "v")
	must(t, r.Kill())
	must(t, r.Restart(t.Context()))
	if v := ask(t, r, "get", "k"); v != "v" {
		t.Fatalf("after the kill it has %v", v)
	}
	must(t, r.Pause())
	if v, err := r.Do(within(t, 300*time.Millisecond), "get", "k"); err == nil {
		t.Fatalf("a paused server answers %v", v)
	}
	must(t, r.Resume())
	if v := ask(t, r, "get", "k"); v != "v" {
		t.Fatalf("after the pause it has %v", v)
	}
}

// A user has the password and the rights that it was given.
func TestRedisUser(t *testing.T) {
	r := enginetest.RedisWith(t, &engines.RedisOptions{Username: "u", Password: "p", Rules: "~a:* +get"})
	rules, ok := ask(t, r, "acl", "getuser", "u").([]any)
	if !ok {
		t.Fatal("there is no such user")
	}
	text := ""
	for _, v := range rules {
		s, _ := v.(string)
		text += s + " "
	}
	if !strings.Contains(text, "~a:*") || !strings.Contains(text, "+get") {
		t.Fatalf("the user's rights are %q", text)
	}
}

// Replicas follow, lack what is written while the link is cut, and can be promoted.
func TestRedisReplicated(t *testing.T) {
	all := enginetest.RedisReplicated(t, 2, nil)
	master, replica := all.Master(), all.Replicas()[0]
	ask(t, master, "set", "k", "1")
	ask(t, master, "wait", 2, 10_000)
	all.CutReplication(true)
	ask(t, master, "set", "k", "2")
	must(t, master.Kill())
	must(t, replica.Promote(t.Context()))
	if v := ask(t, replica, "get", "k"); v != "1" {
		t.Fatalf("the replica has %v, though the link was cut", v)
	}
	ask(t, replica, "set", "k", "3")
	must(t, master.Restart(t.Context()))
	must(t, master.Follow(t.Context(), replica.Addr()))
	for deadline := time.Now().Add(20 * time.Second); ask(t, master, "get", "k") != "3"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the old master does not follow the new one")
		}
	}
}

// The clock of a server can be moved while it runs.
func TestRedisClock(t *testing.T) {
	r := enginetest.RedisWith(t, &engines.RedisOptions{MovableClock: true})
	now := func() time.Duration {
		reply, ok := ask(t, r, "time").([]any)
		if !ok || len(reply) == 0 {
			t.Fatal("it does not tell the time")
		}
		text, _ := reply[0].(string)
		s, err := strconv.ParseInt(text, 10, 64)
		must(t, err)
		return time.Until(time.Unix(s, 0))
	}
	for _, by := range []time.Duration{0, time.Hour, -time.Hour, 0} {
		must(t, r.MoveClock(by))
		if off := now() - by; off > 10*time.Second || off < -10*time.Second {
			t.Fatalf("moved by %v, it is off by %v", by, off)
		}
	}
}

// A power cut takes what was acknowledged and not synced, and nothing that was.
func TestRedisPowerCut(t *testing.T) {
	for fsync, want := range map[string]any{"always": "1", "no": nil} {
		r := enginetest.RedisWith(t, &engines.RedisOptions{PowerCuts: true, AppendFsync: fsync})
		ask(t, r, "set", "k", "1")
		must(t, r.Kill())
		must(t, r.Restart(t.Context()))
		if got, err := r.Do(t.Context(), "get", "k"); got != want || err != nil && !errors.Is(err, redis.Nil) {
			t.Errorf("with appendfsync %s there is %v, %v; want %v", fsync, got, err, want)
		}
	}
}

func TestRedisMissing(t *testing.T) {
	t.Setenv(engines.RedisEnv, "no-such-redis")
	_, err := engines.StartRedis(t.Context(), nil)
	var missing *engines.MissingError
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "apt-get install redis-server") {
		t.Fatalf("%v; want what to install", err)
	}
}
