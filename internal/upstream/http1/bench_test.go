//go:build unix

package http1_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/upstream/http1"
)

// BenchmarkEngine is one request and its answer, 300 bytes of JSON, by this client and by
// net/http's, from sixteen goroutines to a stub in the same process. cpu-us/op is the
// processor time of both ends, user and kernel; the stub's share is the same for both.
//
//	go test -run NONE -bench Engine -benchtime 2s -count 6 ./internal/upstream/http1
func BenchmarkEngine(b *testing.B) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=UTF-8\r\nContent-Length: 300\r\n\r\n" + strings.Repeat("x", 300))
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) > 2 { // not yet the end of the head; there is no body
						continue
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	dialer := &net.Dialer{}
	own := &http1.Client{Dial: dialer.DialContext, Idle: 64, HeaderTimeout: 2 * time.Minute}
	defer own.CloseIdleConnections()
	std := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 64, DisableCompression: true, ResponseHeaderTimeout: 2 * time.Minute, WriteBufferSize: 32 << 10, ReadBufferSize: 32 << 10}
	defer std.CloseIdleConnections()
	for _, e := range []struct {
		name string
		rt   http.RoundTripper
	}{{"net-http", std}, {"http1", own}} {
		b.Run(e.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(8)
			before := processorTime(b)
			b.RunParallel(func(p *testing.PB) {
				buf := make([]byte, 512)
				one := func() {
					ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // as the proxy's requests have
					defer cancel()
					req, err := http.NewRequestWithContext(ctx, "GET", "http://"+l.Addr().String()+"/docs/_doc/1", nil)
					if err != nil {
						b.Error(err)
						return
					}
					resp, err := e.rt.RoundTrip(req)
					if err != nil {
						b.Error(err)
						return
					}
					if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf); err != nil {
						b.Error(err)
					}
					_ = resp.Body.Close() // it was read to its end
				}
				for p.Next() {
					one()
				}
			})
			b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/1e3/float64(b.N), "cpu-us/op")
		})
	}
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
