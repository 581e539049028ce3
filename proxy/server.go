package proxy

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxHeader is the most bytes of a request's line and headers, a multiple of what
// OpenSearch takes: a cursor may be in the path, and is longer here than there.
const maxHeader = 64 << 10

// NewServer returns how a proxy's clients are served, for package http1server: HTTP/1.1 and
// HTTP/2, the latter also without TLS. Bodies may stream for as long as they like, within
// the patience of the handler; headers may not.
func NewServer(h http.Handler) *http.Server {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return &http.Server{
		Handler: h, Protocols: p, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader,
		DisableGeneralOptionsHandler: true, // OPTIONS * is refused like any other request that is not served
	}
}

// Listen returns l with one difference: what net/http by itself answers to a message
// that is no request, in plain text, has the shape of every other error. (The server in
// front of it answers no such message.) Under TLS nobody can see such an answer on its
// way, and it stays plain text.
func Listen(l net.Listener) net.Listener { return shapedListener{l} }

type shapedListener struct{ net.Listener }

func (l shapedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		return &shapedConn{TCPConn: tcp}, nil
	}
	return c, err
}

// shapedConn embeds the connection, so that the server still finds its fast ways.
type shapedConn struct{ *net.TCPConn }

// plainHead ends the head of net/http's own answers, which it writes in one piece. No
// handler's answer has it: those have a Date.
var plainHead = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

func (c *shapedConn) Write(b []byte) (int, error) {
	if len(b) > 1024 || !bytes.HasPrefix(b, []byte("HTTP/1.1 ")) {
		return c.TCPConn.Write(b)
	}
	line, text, found := bytes.Cut(b, plainHead)
	if !found || bytes.Contains(line, []byte("\r\n")) || len(line) < len("HTTP/1.1 400") {
		return c.TCPConn.Write(b)
	}
	status, err := strconv.Atoi(string(line[len("HTTP/1.1 "):len("HTTP/1.1 400")]))
	if err != nil {
		return c.TCPConn.Write(b)
	}
	body := fail(status, TypeBadRequest, "the message is no request of HTTP that is served: %s", bytes.ToValidUTF8(text, []byte("?"))).body()
	head := "HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\nContent-Type: application/json; charset=UTF-8\r\nConnection: close\r\nContent-Length: " +
		strconv.Itoa(len(body)) + "\r\n\r\n"
	if _, err := c.TCPConn.Write(append([]byte(head), body...)); err != nil {
		return 0, err
	}
	return len(b), nil
}
