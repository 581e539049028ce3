package http1server_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sluiceproxy/sluice/internal/http1server"
)

const benchRequest = "GET /docs/_doc/1 HTTP/1.1\r\nHost: 127.0.0.1:9200\r\nX-Sluice-Tenant: acme\r\nUser-Agent: bench/1\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n\r\n"

var benchAnswer = []byte(strings.Repeat("x", 325))

func benchHandler(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=UTF-8")
	h.Set("Content-Length", "325")
	_, _ = w.Write(benchAnswer)
}

// BenchmarkServer is a small request and its answer over the loopback, served here and by
// net/http: the processor time is that of the client, which is the same, and the server.
func BenchmarkServer(b *testing.B) {
	for _, s := range []struct {
		name  string
		serve func(*http.Server) server
	}{
		{"own", func(s *http.Server) server { return http1server.New(s) }},
		{"net-http", func(s *http.Server) server { return s }},
	} {
		b.Run(s.name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			srv := s.serve(&http.Server{Handler: http.HandlerFunc(benchHandler), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute})
			go func() { _ = srv.Serve(l) }()
			b.Cleanup(func() { _ = srv.Close() })
			b.ReportAllocs()
			b.SetParallelism(8)
			begun := used()
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				c, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					b.Error(err)
					return
				}
				defer c.Close()
				buf := make([]byte, 4<<10)
				for p.Next() {
					if _, err := io.WriteString(c, benchRequest); err != nil {
						b.Error(err)
						return
					}
					for n := 0; !bytes.HasSuffix(buf[:n], benchAnswer); {
						m, err := c.Read(buf[n:])
						if err != nil {
							b.Error(err)
							return
						}
						n += m
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(used()-begun)/float64(b.N), "cpu-ns/op")
		})
	}
}

// used is the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // it cannot fail for the process itself
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIdle is what a connection keeps between two requests, its client in the same
// process not counted.
func BenchmarkIdle(b *testing.B) {
	const connections = 500
	for _, s := range []struct {
		name  string
		serve func(*http.Server) server
	}{
		{"own", func(s *http.Server) server { return http1server.New(s) }},
		{"net-http", func(s *http.Server) server { return s }},
	} {
		b.Run(s.name, func(b *testing.B) {
			for range b.N {
				_, addr := start(b, s.serve, &http.Server{Handler: http.HandlerFunc(benchHandler), IdleTimeout: time.Minute})
				var all [connections]net.Conn
				for i := range all {
					all[i] = dial(b, addr)
				}
				before := inUse()
				buf := make([]byte, 4<<10)
				for _, c := range all {
					if _, err := io.WriteString(c, benchRequest); err != nil {
						b.Fatal(err)
					}
					for n := 0; !bytes.HasSuffix(buf[:n], benchAnswer); {
						m, err := c.Read(buf[n:])
						if err != nil {
							b.Fatal(err)
						}
						n += m
					}
				}
				b.ReportMetric(float64(inUse()-before)/connections, "B/conn")
				for _, c := range all {
					_ = c.Close()
				}
			}
		})
	}
}

// inUse is the memory that is in use, stacks included.
func inUse() int64 {
	var m runtime.MemStats
	for range 3 { // pools are emptied by the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
