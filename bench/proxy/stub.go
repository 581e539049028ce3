package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
)

const roleStub = "serve-stub"

// stub answers like OpenSearch, from memory, and costs as little as it can: it is the
// same for all, and the smaller it is, the more of a difference shows.
type stub struct {
	answers map[string][]byte // whole, with their heads
	large   []byte            // of GET /large/_doc/...
	bulks   atomic.Int64
}

// runStub serves at the address args[0] the answers of the file args[1].
func runStub(args []string) int {
	err := func() error {
		b, err := os.ReadFile(args[1])
		if err != nil {
			return err
		}
		var text map[string]string
		if err := json.Unmarshal(b, &text); err != nil {
			return err
		}
		s := newStub(text)
		l, err := net.Listen("tcp", args[0])
		if err != nil {
			return err
		}
		return s.serve(l)
	}()
	_, _ = fmt.Fprintln(os.Stderr, err)
	return 1
}

func newStub(text map[string]string) *stub {
	s := &stub{answers: map[string][]byte{}, large: whole(200, bytes.Repeat([]byte("x"), 64<<20))}
	for k, v := range text {
		s.answers[k] = whole(200, []byte(v))
	}
	return s
}

func whole(status int, body []byte) []byte {
	head := fmt.Sprintf("HTTP/1.1 %d X\r\ncontent-type: application/json; charset=UTF-8\r\ncontent-length: %d\r\n\r\n", status, len(body))
	return append([]byte(head), body...)
}

func (s *stub) serve(l net.Listener) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			in := bufio.NewReaderSize(c, 64<<10)
			for s.one(c, in) == nil {
			}
		}()
	}
}

// one reads one request and answers it.
func (s *stub) one(c net.Conn, in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return err
	}
	answer := s.answer(line)
	var length int64
	chunks := false
	for {
		h, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(h) <= 2 {
			break
		}
		switch {
		case hasName(h, "content-length:"):
			length, err = strconv.ParseInt(string(bytes.TrimSpace(h[len("content-length:"):])), 10, 64)
		case hasName(h, "transfer-encoding:"):
			chunks = true
		}
		if err != nil {
			return err
		}
	}
	if chunks {
		err = skipChunks(in)
	} else if _, err = in.Discard(int(length)); err != nil {
		return err
	}
	if err != nil {
		return err
	}
	_, err = c.Write(answer)
	return err
}

func hasName(line []byte, name string) bool {
	return len(line) >= len(name) && bytes.EqualFold(line[:len(name)], []byte(name))
}

func skipChunks(in *bufio.Reader) error {
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(line)), 16, 64)
		if err != nil {
			return err
		}
		if _, err := in.Discard(int(n) + 2); err != nil || n == 0 {
			return err
		}
	}
}

// answer chooses by method, index and endpoint. line is valid during the call only.
func (s *stub) answer(line []byte) []byte {
	method, rest, _ := bytes.Cut(line, []byte(" /"))
	path, _, _ := bytes.Cut(rest, []byte(" "))
	path, _, _ = bytes.Cut(path, []byte("?"))
	index, rest, _ := bytes.Cut(path, []byte("/"))
	verb, _, _ := bytes.Cut(rest, []byte("/"))
	switch {
	case string(index) == "bulks": // how many there were
		return whole(200, fmt.Appendf(nil, "%d", s.bulks.Load()))
	case string(index) == "large":
		if string(method) == "GET" {
			return s.large
		}
		return whole(200, []byte(`{"result":"created"}`))
	case string(verb) == "_bulk":
		s.bulks.Add(1)
	}
	var key [128]byte
	k := append(append(append(append(append(key[:0], method...), ' '), index...), ' '), verb...)
	if a, ok := s.answers[string(k)]; ok {
		return a
	}
	return whole(404, []byte(`{"error":"the stub has no answer","status":404}`))
}
