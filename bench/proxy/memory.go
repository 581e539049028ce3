package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	idleConnections = 1000
	streamed        = 64 << 20 // bytes
)

// memory is what the leased proxy has in memory, in MB of resident set: that process is
// a proxy and nothing else. A part of that are pages of the program's file, which the kernel
// shares between processes, and drops when it needs them; Own is the rest, when idle. Idle
// is after it has given back what only its start has read of the file (programfile).
type memory struct {
	Idle        float64 `json:"idle_mb"`
	Own         float64 `json:"idle_own_mb"`
	Connections float64 `json:"connections_mb"`
	Before      float64 `json:"before_streams_mb"`
	Up          float64 `json:"peak_request_streamed_mb"`
	Down        float64 `json:"peak_answer_streamed_mb"`
}

func (g *rig) measureMemory() (*memory, error) {
	s := g.subject(leased)
	pid := s.pids[0]
	time.Sleep(2 * time.Second) // what the start has left is collected
	m := &memory{}
	var err error
	if m.Idle, err = memoryOf(pid, "VmRSS"); err != nil {
		return nil, err
	}
	if m.Own, err = memoryOf(pid, "RssAnon"); err != nil {
		return nil, err
	}
	// Streams come before the connections, whose memory stays with the process for a while.
	for range 2 { // the first time, buffers are made that stay
		if m.Before, err = memoryOf(pid, "VmRSS"); err != nil {
			return nil, err
		}
		if m.Up, err = g.peak(pid, func() error {
			return send("PUT", "http://"+s.address+"/large/_doc/1", tenantWhole, io.LimitReader(endless{}, streamed), streamed)
		}); err != nil {
			return nil, err
		}
		if m.Down, err = g.peak(pid, func() error { return send("GET", "http://"+s.address+"/large/_doc/1", tenantWhole, nil, 0) }); err != nil {
			return nil, err
		}
	}
	return m, g.connections(s, pid, m)
}

// connections opens many that have had one answer each.
func (g *rig) connections(s subject, pid int, m *memory) error {
	text := "GET /docs/_doc/1 HTTP/1.1\r\nHost: x\r\n" + tenantHeader + ": " + tenantWhole + "\r\n\r\n"
	open := make([]net.Conn, 0, idleConnections)
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	buf := make([]byte, 4096)
	for range idleConnections {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			return err
		}
		open = append(open, c)
		if _, err := io.WriteString(c, text); err != nil {
			return err
		}
		if _, err := c.Read(buf); err != nil {
			return err
		}
	}
	time.Sleep(time.Second)
	var err error
	m.Connections, err = memoryOf(pid, "VmRSS")
	return err
}

// peak is the most that the process had while f ran.
func (g *rig) peak(pid int, f func() error) (float64, error) {
	if err := resetPeak(pid); err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	return memoryOf(pid, "VmHWM")
}

// endless is a body of x.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// send is one request that must be answered with 2xx.
func send(method, url, tenant string, body io.Reader, length int64) error {
	req, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	req.ContentLength = length
	req.Header.Set(tenantHeader, tenant)
	req.Header.Set("Content-Type", "application/json")
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 500)) // for people
		return fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, b)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
