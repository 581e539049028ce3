package http1server

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// deadline is that of writing. A handler that bounds how slowly its answer may be taken
// sets one before each write, and for small answers that costs as much as a third of
// what the server costs otherwise. So the connection is told only of a deadline that is
// earlier than what it has. One that is later is told when the earlier one has passed,
// which shows as an error of the write that it ends, and that write goes on.
type deadline struct {
	mu   sync.Mutex
	want time.Time // zero: none
	told time.Time // to the connection
	busy bool      // a write is under way: what is set is told at once
}

// set sets the deadline of the write that is under way, and of those to come.
func (d *deadline) set(c net.Conn, t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.want = t
	if !d.busy {
		return nil
	}
	d.told = t
	return c.SetWriteDeadline(t)
}

func (d *deadline) begin(c net.Conn) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.busy = true
	if d.want.IsZero() || !d.told.IsZero() && !d.told.After(d.want) {
		return nil
	}
	d.told = d.want
	return c.SetWriteDeadline(d.want)
}

func (d *deadline) end() {
	d.mu.Lock()
	d.busy = false
	d.mu.Unlock()
}

// goesOn reports whether a write that ended with err does so because of an earlier
// deadline than the one that is set.
func (d *deadline) goesOn(c net.Conn, err error) bool {
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.want.IsZero() && !d.want.After(time.Now()) {
		return false
	}
	d.told = d.want
	return c.SetWriteDeadline(d.want) == nil
}

// write writes b.
func (d *deadline) write(c net.Conn, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if err := d.begin(c); err != nil {
		return err
	}
	defer d.end()
	for {
		n, err := c.Write(b)
		if !d.goesOn(c, err) {
			return err
		}
		b = b[n:]
	}
}

// writeAll writes all of b, with one call to the system if it can.
func (d *deadline) writeAll(c net.Conn, b *net.Buffers) error {
	if err := d.begin(c); err != nil {
		return err
	}
	defer d.end()
	for {
		if _, err := b.WriteTo(c); !d.goesOn(c, err) {
			return err
		}
	}
}
