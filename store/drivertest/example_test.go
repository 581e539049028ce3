package drivertest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/store/driver"
	"github.com/sluiceproxy/sluice/store/drivertest"
	"github.com/sluiceproxy/sluice/store/memstore"
)

// server is an engine's process, as the tests of a driver start it.
type server interface {
	Addr() string // host:port
	Kill()        // kill -9
	Start()
	Pause()  // SIGSTOP
	Resume() // SIGCONT
}

// startServer and connect are the driver's own.
var (
	startServer func(t *testing.T) server
	connect     func(t *testing.T, addr, namespace string) driver.Driver
)

// The test of a driver over a network. Each engine is a namespace of one server;
// the victims of outages have servers of their own. What cannot be done with the
// engine is said, with the reason.
func ExampleRun() {
	_ = func(t *testing.T) { // func TestConformance(t *testing.T) {
		shared := startServer(t)
		drivertest.Run(t, drivertest.Harness{
			New: func(t *testing.T) drivertest.Engine {
				addr, fault := drivertest.NewProxy(t, shared.Addr())
				return drivertest.Engine{
					Driver: connect(t, addr, t.Name()), Fault: fault,
					Peer:    connect(t, shared.Addr(), t.Name()),
					Compact: func() { /* make the engine forget its history */ },
				}
			},
			TTL: 2 * time.Second, Late: time.Second, Bound: 5 * time.Second,
			Outages: map[drivertest.Outage]func(*testing.T) drivertest.Victim{
				drivertest.Kill: func(t *testing.T) drivertest.Victim {
					own := startServer(t)
					addr, fault := drivertest.NewProxy(t, own.Addr())
					return drivertest.Victim{
						Driver: connect(t, addr, "x"), Fault: fault, Peer: connect(t, own.Addr(), "x"),
						Strike: own.Kill, Heal: own.Start,
					}
				},
				drivertest.Freeze: func(t *testing.T) drivertest.Victim {
					own := startServer(t)
					return drivertest.Victim{
						Driver: connect(t, own.Addr(), "x"), Peer: connect(t, own.Addr(), "x"),
						Strike: own.Pause, Heal: own.Resume,
					}
				},
			},
			Cannot: map[drivertest.Outage]string{
				drivertest.FullDisk:     "it keeps nothing on disk",
				drivertest.ClockAhead:   "it looks at the monotonic clock only",
				drivertest.ClockBack:    "it looks at the monotonic clock only",
				drivertest.LeaderKill:   "it does not form clusters",
				drivertest.LeaderFreeze: "it does not form clusters",
			},
		})
	}
}

// A test of something that uses a driver makes it fail, with and without effect.
func ExampleNewFlaky() {
	s := memstore.New(nil)
	defer func() { _ = s.Close() }()
	d, fault := drivertest.NewFlaky(s, time.Second)
	ctx, k := context.Background(), driver.Key{Space: "entries", Name: "k"}

	fault(drivertest.LoseReplies)
	_, err := d.Write(ctx, driver.Write{Key: k, Value: []byte("x")})
	fmt.Println("failed:", errors.Is(err, drivertest.ErrBroken))
	fault(drivertest.None)
	kv, _ := d.Get(ctx, k)
	fmt.Printf("there is: %s\n", kv.Value)
	// Output:
	// failed: true
	// there is: x
}
