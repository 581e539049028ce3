package redisstore_test

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/redisstore"
)

// Without replicas that must have a change, a failover loses what was
// acknowledged, whatever is on the old master's disk. Who has seen it is told and
// stops; a process that starts afterwards has no way to know.
func TestFailoverWithoutWaitingLosesAWrite(t *testing.T) {
	t.Parallel()
	all := enginetest.RedisReplicated(t, 1, nil)
	master, replica := all.Master(), all.Replicas()[0]
	c := at(all.Addrs()...)
	if _, err := redisstore.Open(t.Context(), c, nil); !refuses(err, "min-replicas-to-write") {
		t.Fatalf("opened with a replica and nothing that must be on it: %v", err)
	}
	// A replica that came later: nobody waits for it.
	all.CutReplication(true)
	await(t, "the master has no replica", func() bool { return info(t, master, "connected_slaves") == "0" })
	c.Prefix = prefix()
	d := connect(t, c)
	all.CutReplication(false)
	if err := all.AwaitLinked(t.Context()); err != nil {
		t.Fatal(err)
	}
	v := put(t, d, key("k"), "kept", 0)
	await(t, "the replica has it", func() bool { return waited(t, master, 1) })

	all.CutReplication(true)
	acknowledged := put(t, d, key("k"), "acknowledged", v)
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.AwaitLoss(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a loss before there is one: %v", err)
	}
	if err := errors.Join(master.Kill(), replica.Promote(t.Context())); err != nil {
		t.Fatal(err)
	}
	if kv, err := d.Get(t.Context(), key("k")); !errors.Is(err, redisstore.ErrRewound) {
		t.Fatalf("%q at %d, %v; want ErrRewound", kv.Value, kv.Version, err)
	}
	if _, err := d.Write(t.Context(), driver.Write{Key: key("other")}); !errors.Is(err, redisstore.ErrRewound) {
		t.Fatalf("a write after that: %v; want ErrRewound for ever", err)
	}
	if err := d.AwaitLoss(t.Context()); !errors.Is(err, redisstore.ErrRewound) || !errors.Is(err, driver.ErrHistoryLost) {
		t.Fatalf("the loss is told as %v", err)
	}
	kv, err := connect(t, c).Get(t.Context(), key("k"))
	if err != nil || string(kv.Value) != "kept" || kv.Version != v {
		t.Fatalf("after the failover there is %q at %d, %v; want what was before", kv.Value, kv.Version, err)
	}
	t.Logf("the write at version %d was acknowledged and is lost; the new master is at %d", acknowledged, kv.Version)
}

// With replicas that must have a change, what they lack is not acknowledged, and
// what is acknowledged survives.
func TestFailoverWithWaitingLosesNothing(t *testing.T) {
	t.Parallel()
	for round := range 3 {
		t.Run(strconv.Itoa(round), func(t *testing.T) {
			t.Parallel()
			all := enginetest.RedisReplicated(t, 1, &engines.RedisOptions{MinReplicasToWrite: 1})
			master, replica := all.Master(), all.Replicas()[0]
			c := at(all.Addrs()...)
			c.Prefix = prefix()
			d := connect(t, c)
			f := underFire(t, d)
			f.progress()
			all.CutReplication(true)
			await(t, "a write is not acknowledged", func() bool { return f.vague.Load() > 0 })
			before := f.acked.Load()
			_, err := d.Write(t.Context(), driver.Write{Key: key("cut"), Value: []byte("x")})
			if err == nil || errors.Is(err, driver.ErrConflict) {
				t.Fatalf("a write that no replica has: %v; want an error that is no answer", err)
			}
			t.Logf("with the link cut: %v", err)
			if err := master.Kill(); err != nil {
				t.Fatal(err)
			}
			if after := f.acked.Load(); after != before {
				t.Fatalf("%d writes were acknowledged while no replica was there", after-before)
			}
			f.cease()
			// It has no replica now, and may serve all the same.
			if err := replica.Promote(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, err := replica.Do(t.Context(), "config", "set", "min-replicas-to-write", "0"); err != nil {
				t.Fatal(err)
			}
			c.Addresses = []string{replica.Addr()}
			f.check(connect(t, c))
		})
	}
}

// The whole suite with two replicas of which one must have each change, and with a
// master that is lost. The most advanced replica is promoted, as sentinels do:
// every change that was acknowledged is on one of the two.
func TestConformanceReplicated(t *testing.T) {
	t.Parallel()
	all := enginetest.RedisReplicated(t, 2, &engines.RedisOptions{MinReplicasToWrite: 1})
	h := harness(func(t *testing.T) drivertest.Engine { return engine(t, all.Master().Addr(), 500, redisstore.Config{}) })
	h.Outages = map[drivertest.Outage]func(*testing.T) drivertest.Victim{
		drivertest.LeaderKill: func(t *testing.T) drivertest.Victim {
			return led(t, (*engines.Redis).Kill, func(r *engines.Redis) error { return r.Restart(t.Context()) })
		},
		drivertest.LeaderFreeze: func(t *testing.T) drivertest.Victim {
			return led(t, (*engines.Redis).Pause, (*engines.Redis).Resume)
		},
	}
	h.Cannot = map[drivertest.Outage]string{}
	for _, o := range drivertest.Outages() {
		if h.Outages[o] == nil {
			h.Cannot[o] = "see TestConformance"
		}
	}
	h.Shows = map[string]func(*testing.T) string{"GetSeesEveryAcknowledgedWrite": staleMaster}
	drivertest.Run(t, h)
}

// led is a master with two replicas. The procedure that is documented: promote the
// most advanced replica, make the others follow it, and the old master too, when
// it is back. When it is struck its replicas have all that anybody has seen: a change
// that was read, and that no replica has, is lost by a failover, and a driver that had
// read it says so for ever (ErrRewound). What a failover does to writes that are half
// done, TestFailoverWithWaitingLosesNothing shows.
func led(t *testing.T, strike, heal func(*engines.Redis) error) drivertest.Victim {
	all := enginetest.RedisReplicated(t, 2, &engines.RedisOptions{MinReplicasToWrite: 1})
	c := at(all.Addrs()...)
	c.Prefix = prefix()
	servers := append(all.Replicas(), all.Master())
	master := all.Master()
	var old *engines.Redis
	return drivertest.Victim{
		Driver: connect(t, c), Peer: connect(t, c),
		Strike: func() {
			old = master
			if _, err := old.Do(t.Context(), "client", "pause", "60000", "write"); err != nil {
				t.Fatal(err)
			}
			await(t, "every replica has everything", func() bool { return info(t, old, "connected_slaves") == "2" && waited(t, old, 2) })
			if err := strike(old); err != nil {
				t.Fatal(err)
			}
			offset := -1
			for _, r := range servers {
				if r == old {
					continue
				}
				if n, err := strconv.Atoi(info(t, r, "slave_repl_offset")); err != nil {
					t.Fatal(err)
				} else if n > offset {
					offset, master = n, r
				}
			}
			if err := master.Promote(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, r := range servers {
				if r != old && r != master {
					if err := r.Follow(t.Context(), master.Addr()); err != nil {
						t.Fatal(err)
					}
				}
			}
		},
		Heal: func() {
			if err := heal(old); err != nil {
				t.Fatal(err)
			}
			if _, err := old.Do(t.Context(), "client", "unpause"); err != nil {
				t.Fatal(err)
			}
			if err := old.Follow(t.Context(), master.Addr()); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// staleMaster shows what a master can do that was cut off and does not know it: it
// answers reads until min-replicas-max-lag has passed.
func staleMaster(t *testing.T) string {
	all := enginetest.RedisReplicated(t, 1, &engines.RedisOptions{MinReplicasToWrite: 1})
	master, replica := all.Master(), all.Replicas()[0]
	c := at(master.Addr())
	c.Prefix = prefix()
	// A timeout that leaves time to say why.
	d, err := redisstore.Open(t.Context(), c, &redisstore.Options{Timeout: 3 * timeout})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	v := put(t, d, key("k"), "old", 0)
	all.SilenceReplication()
	if err := replica.Promote(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := replica.Do(t.Context(), "config", "set", "min-replicas-to-write", "0"); err != nil {
		t.Fatal(err)
	}
	c.Addresses = []string{replica.Addr()}
	peer := connect(t, c)
	newer := put(t, peer, key("k"), "new", v)
	kv, err := d.Get(t.Context(), key("k"))
	if err != nil || kv.Version >= newer {
		return ""
	}
	if _, err := d.Write(t.Context(), driver.Write{Key: key("k"), Value: []byte("split"), Expect: v}); !errors.Is(err, redisstore.ErrNotReplicated) {
		t.Errorf("a write that only the old master has: %v; want ErrNotReplicated", err)
	}
	return "the old master answered with version " + strconv.FormatUint(uint64(kv.Version), 10) + ", after " + strconv.FormatUint(uint64(newer), 10) + " was acknowledged by the new one"
}

func await(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !cond(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it does not come to that", what)
		}
	}
}

func info(t *testing.T, r *engines.Redis, field string) string {
	t.Helper()
	v, err := r.Info(t.Context(), field)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// waited reports whether n replicas have everything; the question comes over a
// connection that wrote nothing, so the offsets are compared.
func waited(t *testing.T, master *engines.Redis, n int) bool {
	t.Helper()
	end := info(t, master, "master_repl_offset")
	for i := range n {
		if line := info(t, master, "slave"+strconv.Itoa(i)); !containsField(line, "offset="+end) {
			return false
		}
	}
	return true
}

// A master that was cut off counts on its wall clock for how long it has missed its
// replicas. One that is set back answers for longer; one that has its replicas goes on
// when it is set ahead.
func TestTheClockOfAMasterThatWasCutOff(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		cut    bool
		clock  time.Duration
		serves bool // after 5 s
	}{
		"cut off":                {true, 0, false},
		"cut off and set back":   {true, -time.Hour, true},
		"not cut off, set ahead": {false, time.Hour, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := enginetest.RedisReplicated(t, 1, &engines.RedisOptions{
				MinReplicasToWrite: 1, MovableClock: true, Config: []string{"min-replicas-max-lag 2", "repl-timeout 3600"},
			})
			c := at(all.Master().Addr())
			c.Prefix = prefix()
			d := connect(t, c)
			put(t, d, key("k"), "x", 0)
			if test.cut {
				all.SilenceReplication()
			}
			if err := all.Master().MoveClock(test.clock); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second) // what is tested is what time does to a real server
			if _, err := d.Get(t.Context(), key("k")); (err == nil) != test.serves {
				t.Errorf("after more than twice min-replicas-max-lag it says %v; want it to serve: %v", err, test.serves)
			}
		})
	}
}
