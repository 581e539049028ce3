package child_test

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/child"
)

// TestMain lets this program be the child, so that no other program is needed.
func TestMain(m *testing.M) {
	if os.Getenv("CHILD_TEST") != "" {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent lets go
		os.Exit(7)
	}
	os.Exit(m.Run())
}

func start(t *testing.T) *child.Child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "CHILD_TEST=1")
	c, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

func TestKill(t *testing.T) {
	c := start(t)
	if !c.Running() || c.Err() != nil || c.PID() == 0 {
		t.Fatalf("running %v, err %v, pid %d", c.Running(), c.Err(), c.PID())
	}
	c.Kill()
	if c.Running() || c.Err() == nil {
		t.Errorf("after Kill: running %v, err %v", c.Running(), c.Err())
	}
	c.Kill() // again: nothing
	for what, f := range map[string]func() error{"suspend": c.Suspend, "resume": c.Resume} {
		if err := f(); !errors.Is(err, child.ErrNotRunning) {
			t.Errorf("%s of a child that is gone: %v", what, err)
		}
	}
}

// A suspended child must see the request to end all the same.
func TestTerminateSuspended(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no such signal there")
	}
	c := start(t)
	if err := c.Suspend(); err != nil {
		t.Fatal(err)
	}
	if !c.Terminate(time.Minute) {
		t.Error("it did not end by itself")
	}
}

func TestStartFails(t *testing.T) {
	if c, err := child.Start(exec.Command("/does/not/exist")); err == nil {
		c.Kill()
		t.Error("started a program that is not there")
	}
}
