//go:build unix

package engines_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/engines"
	"github.com/sluiceproxy/sluice/internal/engines/enginetest"
)

// parent starts engines, says their process ids and waits to be killed.
func parent() int {
	ctx := context.Background()
	dir := os.Getenv(parentEnv)
	node, err := engines.StartOpenSearch(ctx, &engines.OpenSearchOptions{Dir: filepath.Join(dir, "node"), HeapMB: 256})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	running, err := engines.StartEtcd(ctx, &engines.EtcdOptions{Dir: filepath.Join(dir, "running")})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	// A paused process cannot notice anything by itself.
	paused, err := engines.StartEtcd(ctx, &engines.EtcdOptions{Dir: filepath.Join(dir, "paused")})
	if err == nil {
		err = paused.Pause()
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("pids", node.PID(), running.PID(), paused.PID())
	_, _ = io.Copy(io.Discard, os.Stdin) // ends with the test, should that not come to kill it
	return 0
}

func TestEnginesEndWithAKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends every child with its parent")
	}
	prepared(t, engines.OpenSearch2)
	enginetest.Etcd(t) // skips or fails where there is none
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), parentEnv+"="+t.TempDir())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	_, err = cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }()
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	var pids [3]int
	if _, err := fmt.Sscanf(line, "pids %d %d %d", &pids[0], &pids[1], &pids[2]); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	for _, pid := range pids {
		if !alive(pid) {
			t.Fatalf("%d of %v does not run", pid, pids)
		}
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	for _, pid := range pids {
		waitFor(t, func() bool { return !alive(pid) })
	}
}

// Where there is no death signal, the JVM sees its standard input end.
func TestOpenSearchEndsWithItsStandardInput(t *testing.T) {
	node := enginetest.OpenSearch(t, engines.OpenSearch2)
	must(t, node.Kill())
	cmd := node.Command()
	in, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		t.Fatalf("it ended too early: %v", err)
	case <-time.After(time.Second):
	}
	must(t, in.Close())
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 130 {
			t.Fatalf("it ended with %v", err)
		}
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		t.Fatal("it goes on")
	}
}

// The kernel's death signal goes by thread, and Go ends threads.
func TestEnginesOutliveTheThreadThatAskedForThem(t *testing.T) {
	enginetest.Etcd(t) // skips or fails where there is none
	var member *engines.Etcd
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // and never unlocked, so that the thread ends with the goroutine
		member, err = engines.StartEtcd(t.Context(), nil)
	}()
	<-ended
	must(t, err)
	defer func() { must(t, member.Stop()) }()
	select {
	case <-member.Done():
		t.Fatal("it died with the thread")
	case <-time.After(500 * time.Millisecond):
	}
}

func TestEnginesHaveTheirOwnProcessGroup(t *testing.T) {
	member := enginetest.Etcd(t)
	if group, err := syscall.Getpgid(member.PID()); err != nil || group != member.PID() {
		t.Fatalf("group %d of process %d: %v", group, member.PID(), err)
	}
}

func TestTakenPortsAreReplaced(t *testing.T) {
	prepared(t, engines.OpenSearch2)
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = taken.Close() }()
	for _, test := range []struct {
		name  string
		port  int // which of the ports is taken
		start func(t *testing.T)
	}{
		{"etcd, for peers", 1, func(t *testing.T) { enginetest.Etcd(t) }},
		{"etcd cluster, for clients", 3, func(t *testing.T) { enginetest.EtcdCluster(t, 3) }},
		{"opensearch, http", 0, func(t *testing.T) { enginetest.OpenSearch(t, engines.OpenSearch2) }},
		{"opensearch, transport", 1, func(t *testing.T) { enginetest.OpenSearch(t, engines.OpenSearch3) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			calls := 0
			defer engines.ReplacePorts(func(n int) ([]int, error) {
				calls++
				ports, err := engines.FreePorts(n)
				if calls == 1 {
					ports[test.port] = taken.Addr().(*net.TCPAddr).Port
				}
				return ports, err
			})()
			test.start(t)
			if calls != 2 {
				t.Fatalf("it started at attempt %d", calls)
			}
		})
	}
}

func TestKillAndStopInterruptARestart(t *testing.T) {
	cluster := enginetest.EtcdCluster(t, 3)
	for _, m := range cluster.Members() {
		must(t, m.Kill())
	}
	alone := cluster.Members()[0] // without a majority it never becomes ready
	interrupted(t, "kill", alone, alone.Kill)
	interrupted(t, "stop", alone, alone.Stop)
}

func interrupted(t *testing.T, what string, m *engines.Etcd, interrupt func() error) {
	t.Helper()
	result := make(chan error, 1)
	go func() { result <- m.Restart(t.Context()) }()
	waitFor(t, func() bool { return m.PID() != 0 })
	must(t, interrupt())
	select {
	case err := <-result:
		var start *engines.StartError
		if !errors.As(err, &start) {
			t.Fatalf("%s: %v", what, err)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not end the restart", what)
	}
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !what(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not happen in 20 s")
		}
	}
}

// alive reports whether a process runs. One that nobody has waited for yet does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS != "linux"
	}
	after := stat[bytes.LastIndexByte(stat, ')')+1:]
	return len(after) > 1 && after[1] != 'Z'
}
