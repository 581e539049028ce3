package chaos_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/chaos"
)

// callEnv makes this program one that calls an address and prints what it is told.
const callEnv = "CHAOS_TEST_CALL"

func call(address string) {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		fmt.Println("cut off")
		return
	}
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	text, err := io.ReadAll(c)
	if err != nil {
		text = []byte("cut off")
	}
	fmt.Println(string(text))
}

// A cut between one process and a server must be felt by that process and by no other.
func TestEveryPairHasALinkOfItsOwn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells which process has opened a connection")
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "hello")
			_ = c.Close()
		}
	}()
	n := chaos.NetworkOf("one", "two")
	defer func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	}()
	at, err := n.Add("server", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	says := func(name string) string {
		t.Helper()
		cmd := exec.Command(os.Args[0])
		// The child dials only when it is known by its name.
		cmd.Env = append(os.Environ(), callEnv+"="+at)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		n.Know(func() map[string]int { return map[string]int{name: cmd.Process.Pid} })
		if _, err := io.WriteString(in, "now\n"); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(line)
	}
	for _, step := range []struct {
		do       func()
		one, two string
	}{
		{func() {}, "hello", "hello"},
		{n.Link("one", "server").DropReplies, "cut off", "hello"},
		{n.Link("two", "server").DropReplies, "cut off", "cut off"},
		{n.Heal, "hello", "hello"},
	} {
		step.do()
		if one, two := says("one"), says("two"); one != step.one || two != step.two {
			t.Fatalf("one is told %q, two %q, want %q and %q", one, two, step.one, step.two)
		}
	}
	if n.Link("", "server").Stats().Accepted != 0 {
		t.Error("a call of a known process went over the link of everybody else")
	}
}
