package http1server

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// most is how much of a body that the handler has left is read to keep the connection;
// as much as net/http reads.
const most = 256 << 10

// body is a request's body. A handler may leave it to goroutines that go on when it has
// returned: finish closes it, and then they get an error instead of another request's bytes.
type body struct {
	c    *conn
	w    *response
	here bool // all of it came with the head: nobody waits for anything

	ended atomic.Bool // it was read to its end

	mu     sync.Mutex // guards what follows, and the connection's buffer while the handler runs
	left   int64
	closed bool
	early  bool // it was closed with more left than is read
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.read(p)
}

// direct is from which length on a read goes past the buffer.
const direct = 4 << 10

// read reads with the lock held, and never more than the body.
func (b *body) read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	c := b.c
	n := 0
	var err error
	if c.r == c.w && len(p) >= direct {
		n, err = c.Conn.Read(p)
	} else {
		if c.r == c.w {
			err = c.fill()
		}
		if err == nil {
			n = copy(p, c.buf[c.r:c.w])
			c.r += n
		}
	}
	b.left -= int64(n)
	if c.r == c.w {
		c.release()
	}
	if b.left == 0 {
		b.ended.Store(true)
		return n, io.EOF
	}
	if err != nil {
		b.w.life.end() // the client is gone, or as good as gone
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// Close implements io.Closer. It reads what is left, if that is not much.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.left > most {
		b.early = true
		return nil
	}
	return b.drain()
}

// drain reads the rest, with the lock held.
func (b *body) drain() error {
	var scrap [direct]byte
	for b.left > 0 {
		if _, err := b.read(scrap[:]); err != nil && err != io.EOF {
			return err
		}
	}
	return nil
}

// settle is called before the head of an answer is sent: clients are served that read
// nothing before they have sent all. It reports whether the connection may be used
// again, and whether the client has more to send than is read.
func (b *body) settle() (again, more bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.left == 0:
		return true, false
	case b.closed:
		return false, b.early
	case b.left >= most:
		return false, true
	}
	return b.drain() == nil, false
}
