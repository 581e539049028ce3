package demo_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/demo"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// parentEnv makes this program a parent that starts a process of a fleet and then ends without a word.
const parentEnv = "DEMO_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentEnv); dir != "" {
		parent(dir)
	}
	os.Exit(enginetest.Run(m))
}

func parent(dir string) {
	f, err := demo.NewFleet(filepath.Join(dir, "sluice"), dir, nil)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() { _ = f.Controllers[0].Start(context.Background()) }()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if b, err := os.ReadFile(filepath.Join(dir, "pid")); err == nil && bytes.HasSuffix(b, []byte("\n")) {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	os.Exit(1)
}

// TestChildrenDieWithTheirParent kills a parent with SIGKILL, so that it cannot clean up.
func TestChildrenDieWithTheirParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a parent death signal")
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "sluice"), []byte("#!/bin/sh\necho $$ > "+dir+"/pid\nexec sleep 60\n"), 0o755))
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parentEnv+"="+dir)
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the parent: %v %s", err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, "pid"))
	must(t, err)
	pid, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	must(t, err)
	for deadline := time.Now().Add(30 * time.Second); syscall.Kill(pid, 0) == nil && !zombie(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the child outlived its parent")
		}
	}
}

// zombie reports whether a process has ended and waits for somebody to ask how, which in a container may be nobody.
func zombie(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && bytes.Contains(b, []byte(") Z "))
}
