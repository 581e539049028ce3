package faultproxy_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sluiceproxy/sluice/internal/engines/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo is a server that sends back what it gets, and counts it.
type echo struct {
	addr string
	got  atomic.Int64
}

func newEcho(t *testing.T) *echo {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &echo{addr: l.Addr().String()}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				buf := make([]byte, 4096)
				for {
					n, err := c.Read(buf)
					e.got.Add(int64(n))
					if _, werr := c.Write(buf[:n]); err != nil || werr != nil {
						return
					}
				}
			}()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return e
}

func newProxy(t *testing.T, target string) *faultproxy.Proxy {
	t.Helper()
	p, err := faultproxy.New(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func dial(t *testing.T, p *faultproxy.Proxy) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp4", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// ask sends text and reads as much back.
func ask(c net.Conn, text string, within time.Duration) (string, error) {
	if err := c.SetDeadline(time.Now().Add(within)); err != nil {
		return "", err
	}
	if _, err := io.WriteString(c, text); err != nil {
		return "", err
	}
	buf := make([]byte, len(text))
	n, err := io.ReadFull(c, buf)
	return string(buf[:n]), err
}

// dialAndAsk is for connections that may be reset before the dial is over, too.
func dialAndAsk(p *faultproxy.Proxy, text string) (string, error) {
	c, err := net.Dial("tcp4", p.Addr())
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	return ask(c, text, patience)
}

const (
	patience = 30 * time.Second       // for what must happen
	moment   = 150 * time.Millisecond // for what must not
)

func mustEcho(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if got, err := ask(c, text, patience); err != nil || got != text {
		t.Fatalf("echo of %q: %q, %v", text, got, err)
	}
}

func wantReset(t *testing.T, what string, err error) {
	t.Helper()
	// A write can meet the reset first and then says "broken pipe".
	if !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
		t.Fatalf("%s: %v, want a reset", what, err)
	}
}

func wantSilence(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if got, err := ask(c, text, moment); !errors.Is(err, os.ErrDeadlineExceeded) || got != "" {
		t.Fatalf("got %q, %v, want silence", got, err)
	}
}

func TestPassIsTransparent(t *testing.T) {
	e := newEcho(t)
	p := newProxy(t, e.addr)
	c := dial(t, p)
	mustEcho(t, c, "hello")

	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB, more than all buffers together
	go func() {
		_, _ = c.Write(sent)
		_ = c.CloseWrite()
	}()
	_ = c.SetDeadline(time.Now().Add(patience))
	got, err := io.ReadAll(c) // ends only if the half close went through, both ways
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("read %d bytes of %d, equal %v: %v", len(got), len(sent), bytes.Equal(got, sent), err)
	}
	total := int64(len(sent) + len("hello"))
	if got, want := p.Stats(), (faultproxy.Stats{Accepted: 1, ToServer: total, ToClient: total}); got != want {
		t.Fatalf("stats %+v, want %+v", got, want)
	}
}

func TestRefuseResetsOldAndNewConnections(t *testing.T) {
	e := newEcho(t)
	p := newProxy(t, e.addr)
	old := dial(t, p)
	mustEcho(t, old, "before")
	before := e.got.Load()

	p.Refuse()
	_, err := ask(old, "x", patience)
	wantReset(t, "open connection", err)
	_, err = dialAndAsk(p, "x")
	wantReset(t, "new connection", err)
	if got := e.got.Load(); got != before {
		t.Fatalf("the server got %d bytes more", got-before)
	}

	p.Pass()
	mustEcho(t, dial(t, p), "after")
}

func TestBlackholeSwallowsBothWays(t *testing.T) {
	e := newEcho(t)
	p := newProxy(t, e.addr)
	lossy, idle := dial(t, p), dial(t, p)
	mustEcho(t, lossy, "before")
	mustEcho(t, idle, "before")
	before := e.got.Load()

	p.Blackhole()
	wantSilence(t, lossy, "x")
	fresh := dial(t, p)
	wantSilence(t, fresh, "x")
	if got := e.got.Load(); got != before {
		t.Fatalf("the server got %d bytes more", got-before)
	}

	p.Pass()
	_, err := ask(lossy, "x", patience)
	wantReset(t, "connection that lost bytes", err)
	_, err = ask(fresh, "x", patience)
	wantReset(t, "connection opened meanwhile", err)
	mustEcho(t, idle, "a connection that lost nothing goes on")
	mustEcho(t, dial(t, p), "after")
}

func TestBlackholeHidesTheServersDeath(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	p := newProxy(t, l.Addr().String())
	c := dial(t, p)
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p.Blackhole()
	_ = server.Close()
	wantSilence(t, c, "x")
}

func TestDropRequests(t *testing.T) {
	e := newEcho(t)
	p := newProxy(t, e.addr)
	old := dial(t, p)
	mustEcho(t, old, "before")
	before := e.got.Load()

	p.DropRequests()
	_, err := ask(old, "x", patience)
	wantReset(t, "open connection", err)
	_, err = ask(dial(t, p), "x", patience)
	wantReset(t, "new connection", err)
	unused := dial(t, p)
	time.Sleep(moment)
	if got := e.got.Load(); got != before {
		t.Fatalf("the server got %d bytes more", got-before)
	}

	p.Pass()
	_, err = ask(unused, "x", patience)
	wantReset(t, "connection opened meanwhile", err)
	mustEcho(t, dial(t, p), "after")
}

func TestDropReplies(t *testing.T) {
	e := newEcho(t)
	p := newProxy(t, e.addr)
	old := dial(t, p)
	mustEcho(t, old, "before")

	p.DropReplies()
	for what, c := range map[string]net.Conn{"open connection": old, "new connection": dial(t, p)} {
		before := e.got.Load()
		got, err := ask(c, "taken", patience)
		wantReset(t, what, err)
		if got != "" {
			t.Fatalf("%s: reply %q", what, got)
		}
		if n := e.got.Load() - before; n != int64(len("taken")) {
			t.Fatalf("%s: the server got %d bytes", what, n)
		}
	}

	p.Pass()
	mustEcho(t, dial(t, p), "after")
}

func TestDelay(t *testing.T) {
	e := newEcho(t)
	p := newProxy(t, e.addr)
	c := dial(t, p)
	mustEcho(t, c, "before")

	const d = 100 * time.Millisecond
	p.Delay(d)
	start := time.Now()
	mustEcho(t, c, "slow")
	if took := time.Since(start); took < 2*d {
		t.Fatalf("a round trip took %v, want at least %v", took, 2*d)
	}
	// It delays; it does not throttle: 100 packets on their way at once take hardly longer than one.
	start = time.Now()
	go func() {
		for range 100 {
			_, _ = io.WriteString(c, "packet")
			time.Sleep(time.Millisecond)
		}
	}()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.ReadFull(c, make([]byte, 600)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 50*d {
		t.Fatalf("100 packets took %v", took)
	}
	p.Delay(0)
	mustEcho(t, c, "after")
}

func TestAFaultAppliesToWhatIsDelayed(t *testing.T) {
	e := newEcho(t)
	p := newProxy(t, e.addr)
	c := dial(t, p)
	p.Delay(5 * moment) // the fault comes long before it is over
	if _, err := io.WriteString(c, "x"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(moment / 3)
	p.DropRequests()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, err := c.Read(make([]byte, 1))
	wantReset(t, "read", err)
	if n := e.got.Load(); n != 0 {
		t.Fatalf("the server got %d bytes", n)
	}
}

func TestTargetThatDoesNotListen(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	p := newProxy(t, l.Addr().String())
	_, err = dialAndAsk(p, "x")
	wantReset(t, "connection", err)
}

func TestClose(t *testing.T) {
	e := newEcho(t)
	p := newProxy(t, e.addr)
	c := dial(t, p)
	mustEcho(t, c, "before")
	p.Blackhole()
	swallowed := dial(t, p)
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err := ask(c, "x", patience)
	wantReset(t, "open connection", err)
	_, err = ask(swallowed, "x", patience)
	wantReset(t, "swallowed connection", err)
	if c, err := net.Dial("tcp4", p.Addr()); err == nil {
		_ = c.Close()
		t.Fatal("it still listens")
	}
}
